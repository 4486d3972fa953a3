"""Networks that name sounds: the classifier, its backbones, training and testing."""

from __future__ import annotations

import importlib

# Name to the module that defines it. TensorFlow takes seconds to import, so nothing is imported
# before it is asked for. No module bears the name of a function: importing it would put the module
# in the function's place.
_HOMES = {
    "AudioClassifier": "classifier",
    "ClipPrediction": "classifier",
    "load_model": "saving",
    "Backbone": "backbones",
    "backbone": "backbones",
    "transfer": "transfer_learning",
    "pretrain": "pretraining",
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
    return getattr(importlib.import_module(f".{_HOMES[name]}", __name__), name)


def __dir__():
    return sorted({*globals(), *__all__})
