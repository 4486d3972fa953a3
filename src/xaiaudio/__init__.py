"""Explain what audio classifiers listen to.

Explanations of audio networks that you can look at, listen to and measure::

    import xaiaudio as xa

    model = xa.load_model("lite")
    wave = xa.load_audio("dog.wav")
    patches = model.frontend(wave)
    result = xa.explain(model, patches, method="gradcam")
    xa.plot(result)
    xa.listen(result, wave)

Nothing is imported before it is asked for: TensorFlow alone takes seconds.
"""

import os as _os
import typing as _typing

import lazy_loader as _lazy

# The networks are TensorFlow's; its start-up chatter tells users nothing.
_os.environ.setdefault("KERAS_BACKEND", "tensorflow")
_os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
# TensorFlow takes oneDNN's kernels by itself on some processors only. On the others they are two to
# four times as fast as its own, and the same kernels everywhere round more alike.
_os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")

__version__ = "0.1.0"

__getattr__, __dir__, __all__ = _lazy.attach(
    __name__,
    submodules=[
        "corpus",
        "datasets",
        "evaluate",
        "explainers",
        "exports",
        "models",
        "plots",
        "probes",
        "sonify",
        "timelines",
    ],
    submod_attrs={
        "audio": ["load_audio"],
        "errors": ["XaiAudioError", "XaiAudioWarning"],
        "explainers.base": ["Explainer", "explain", "explain_classes"],
        "explainers.explanation": ["Explanation"],
        "explainers.parts": ["PartsExplanation", "explain_parts"],
        "explainers.registry": ["methods"],
        "frontend": ["LogMel"],
        "models.classifier": ["AudioClassifier"],
        "models.saving": ["load_model"],
        "patches": ["Patches"],
        "plots.maps": ["plot"],
        "publishing.profiles": ["profile"],
        "publishing.record": ["number"],
        "sonify.masks": ["listen"],
        "wave_frontend": ["WaveFrontend"],
    },
)

# What the lines above promise, for type checkers and editors.
if _typing.TYPE_CHECKING:
    from . import corpus as corpus
    from . import datasets as datasets
    from . import evaluate as evaluate
    from . import explainers as explainers
    from . import exports as exports
    from . import models as models
    from . import plots as plots
    from . import probes as probes
    from . import sonify as sonify
    from . import timelines as timelines
    from .audio import load_audio as load_audio
    from .errors import XaiAudioError as XaiAudioError
    from .errors import XaiAudioWarning as XaiAudioWarning
    from .explainers.base import Explainer as Explainer
    from .explainers.base import explain as explain
    from .explainers.base import explain_classes as explain_classes
    from .explainers.explanation import Explanation as Explanation
    from .explainers.parts import PartsExplanation as PartsExplanation
    from .explainers.parts import explain_parts as explain_parts
    from .explainers.registry import methods as methods
    from .frontend import LogMel as LogMel
    from .models.classifier import AudioClassifier as AudioClassifier
    from .models.saving import load_model as load_model
    from .patches import Patches as Patches
    from .plots.maps import plot as plot
    from .publishing.profiles import profile as profile
    from .publishing.record import number as number
    from .sonify.masks import listen as listen
    from .wave_frontend import WaveFrontend as WaveFrontend
