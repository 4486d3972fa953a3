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
    submodules=["datasets", "evaluate", "explainers", "models", "plots", "sonify"],
    submod_attrs={
        "audio": ["load_audio"],
        "errors": ["XaiAudioError"],
        "explainers.base": ["Explainer", "Explanation", "explain", "explain_classes"],
        "explainers.registry": ["methods"],
        "frontend": ["LogMel"],
        "models.classifier": ["AudioClassifier"],
        "models.saving": ["load_model"],
        "patches": ["Patches"],
        "plots.maps": ["plot"],
        "publishing.profiles": ["profile"],
        "publishing.record": ["number", "show"],
        "sonify.masks": ["listen"],
        "wave_frontend": ["WaveFrontend"],
    },
)
