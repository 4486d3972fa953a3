import importlib
import importlib.util
import sys

import pytest

# PyTorch's compiler is not needed here, and reading it after TensorFlow can end the process: both
# bring an LLVM of their own. None stands for a package that is not there.
sys.modules["triton"] = None


NEEDED = ("torch", "torchvision", "zennit", "captum", "quantus", "shap")


@pytest.fixture(autouse=True, scope="session")
def installed():
    """Say what is not there once, in place of a trace of imports for each test."""
    missing = [name for name in NEEDED if importlib.util.find_spec(name) is None]
    if missing:
        pytest.fail(f"Not installed: {', '.join(missing)}. Run make oracles.", pytrace=False)


@pytest.fixture(autouse=True, scope="session")
def torchvision(installed):
    """Let zennit and Quantus import torchvision, of which they use networks that we do not.

    One that was built for another PyTorch has none of its own operators. It describes them while
    it is imported, and would fail: nobody here calls them, so nobody needs the descriptions.
    """
    torch = importlib.import_module("torch")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(torch.library, "register_fake", lambda *_, **__: lambda function: function)
        importlib.import_module("torchvision")
