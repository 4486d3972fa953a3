"""Networks that name sounds: the classifier, its backbones, training and testing."""

from __future__ import annotations

import importlib

# Name to the module that defines it. TensorFlow takes seconds to import, so nothing is imported
# before it is asked for.
_HOMES = {
    "AudioClassifier": "classifier",
    "ClipPrediction": "classifier",
    "load_model": "saving",
    "Backbone": "backbones",
    "backbone": "backbones",
    "transfer": "transfer",
    "pretrain": "pretrain",
    "Evaluation": "clips",
    "PatchTable": "clips",
    "patch_table": "clips",
    "evaluate": "clips",
    "cross_validate": "crossval",
}

__all__ = sorted(_HOMES)


def __getattr__(name):
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    home = importlib.import_module(f".{_HOMES[name]}", __name__)
    # A module may be named after its function (transfer, pretrain): importing it put the module
    # under that name, and this puts the function there for good.
    value = getattr(home, name)
    globals()[name] = value
    return value


def __dir__():
    return sorted({*globals(), *__all__})
