"""The list of measures does not depend on what was imported before."""

import subprocess
import sys

import pytest

from xaiaudio.evaluate.metrics import registry

ORDER = (
    *("AD", "AI", "AG", "FF", "Fid-In", "deletion", "insertion", "MuFidelity"),
    *("mass", "rank", "pointing", "sparseness", "complexity"),
    *("seeds", "destroyed", "sensitivity", "time"),
)


def test_the_columns_have_an_order():
    assert tuple(registry.measures()) == ORDER


@pytest.mark.slow
@pytest.mark.parametrize("first", ["localisation", "cost"])
def test_whichever_file_was_imported_first(first):
    code = (
        f"import xaiaudio.evaluate.metrics.{first}\n"
        "from xaiaudio.evaluate.metrics import registry\n"
        "print(*registry.measures())"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert tuple(done.stdout.split()) == ORDER
