"""Explain what audio classifiers listen to.

Explanations of audio networks that you can look at, listen to and measure::

    import xaiaudio as xa

    model = xa.load_model("lite")
    wave = xa.load_audio("dog.wav")
    patches = model.frontend(wave)
    result = xa.explain(model, patches, method="gradcam")
    xa.plot(result)
    xa.listen(result, wave)
"""

import os as _os

# The networks are TensorFlow's, and its start-up chatter is nobody's business.
_os.environ.setdefault("KERAS_BACKEND", "tensorflow")
_os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

from . import datasets, evaluate, models
from .audio import load_audio
from .errors import XaiAudioError
from .explain.base import Explanation, explain, explain_classes
from .explain.registry import methods
from .frontend import LogMel
from .listen import listen
from .plots import plot
from .profiles import profile
from .record import number, show

__version__ = "0.1.0"

__all__ = [
    "AudioClassifier",
    "Explanation",
    "LogMel",
    "XaiAudioError",
    "datasets",
    "evaluate",
    "explain",
    "explain_classes",
    "listen",
    "load_audio",
    "load_model",
    "methods",
    "models",
    "number",
    "plot",
    "profile",
    "show",
]


def __getattr__(name):
    # TensorFlow takes seconds to import: only what needs a network pays for it.
    if name in ("AudioClassifier", "load_model"):
        return getattr(models, name)
    raise AttributeError(f"module 'xaiaudio' has no attribute {name!r}")
