"""YAMNet, taken from its TensorFlow Hub module, from Google's TFLite file or from an ``.npz``.

Plakal and Ellis, "YAMNet", TensorFlow Model Garden, 2019: MobileNet v1 (Howard et al., 2017) on
log-mel patches, trained on AudioSet's 521 classes. The TFLite file is the network for phones: its
weights have eight bits and its ReLUs end at six. Unpacked into floats, it is a network with a
gradient again.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import keras
import numpy as np

from ...datasets.download import Pinned
from ...errors import XaiAudioError
from ...frontend import LogMel
from ..backbones import BACKBONES
from . import audioset, hub, tflite

if TYPE_CHECKING:
    from ...types import PathLike
    from ..classifier import AudioClassifier

ADDRESS, VARIABLE = BACKBONES["yamnet"].address, BACKBONES["yamnet"].variable
ATTRIBUTION = "YAMNet by Google (Plakal and Ellis, TensorFlow Model Garden), Apache-2.0"
CLASSES = 521
# The network for phones: 4 MB, and only numbers, where the Hub module is a program of 17 MB.
FILE = Pinned(
    "https://raw.githubusercontent.com/tensorflow/tflite-support/"
    "f606e3f59240d71fd37d23316822ff0bd1d531ef/tensorflow_lite_support/cc/test/testdata/task/audio/"
    "yamnet_audio_classifier_with_metadata.tflite",
    "yamnet_audio_classifier.tflite",
    "10c95ea3eb9a7bb4cb8bddf6feb023250381008177ac162ce169694d05c317de",
    what="YAMNet",
    variable=VARIABLE,
)

# Stride and width of the layers 2 to 14, each a depthwise and a pointwise convolution. Layer 1 is
# a plain convolution with stride 2 and 32 channels.
_SEPARABLE = (
    (1, 64),
    (2, 128),
    (1, 128),
    (2, 256),
    (1, 256),
    (2, 512),
    *[(1, 512)] * 5,
    (2, 1024),
    (1, 1024),
)
# The module's batch normalisations have no scale.
_EPSILON = 1e-4
_RELUS = ({"relu"}, {"relu6"})
_NORM = ("beta", "moving_mean", "moving_variance")


def load(source: PathLike | None = None) -> tuple[keras.Model, str, str]:
    """Return the network, where it is from, and its attribution; see :func:`..backbone`."""
    source = str(source or os.environ.get(VARIABLE) or ADDRESS)
    file = _file(source)
    if file is not None:
        return from_arrays(*read(file)), str(file), ATTRIBUTION
    return hub.twin_of(hub.fetch(source, VARIABLE), twin(), source), source, ATTRIBUTION


def classifier(source: PathLike | None = None, *, progress: bool = True) -> AudioClassifier:
    """Return YAMNet with AudioSet's 521 classes; see :func:`xaiaudio.load_model`.

    Parameters
    ----------
    source : str or path-like, optional
        The TFLite file, an ``.npz``, the folder of a SavedModel or the address of a Hub module. By
        default what ``XAIAUDIO_YAMNET`` names, or else Google's TFLite file, fetched once.
    progress : bool
        Show a bar while it is fetched.

    Returns
    -------
    AudioClassifier
        Its classes do not exclude each other: the scores are sigmoids.

    Raises
    ------
    XaiAudioError
        If the weights cannot be had, or are not YAMNet's.
    """
    from ..classifier import AudioClassifier

    source = str(source or os.environ.get(VARIABLE) or FILE.fetch(progress=progress))
    file = _file(source)
    if file is not None:
        made = from_arrays(*read(file), classes=True)
    else:
        made = hub.twin_of(hub.fetch(source, VARIABLE), twin(classes=True), source)
    found = AudioClassifier.from_keras(
        made,
        audioset.classes(),
        BACKBONES["yamnet"].frontend(),
        name="yamnet",
        attribution=f"{ATTRIBUTION}. {audioset.ATTRIBUTION}",
    )
    found.history["source"] = source
    return found


def _file(source: str) -> Path | None:
    """Return the weights' file if the source is one, or a folder with one and no SavedModel."""
    path = Path(source)
    if path.suffix in (".npz", ".tflite") and "://" not in source:
        return path
    if "://" in source or not path.is_dir() or (path / "saved_model.pb").exists():
        return None
    for kind in (".npz", ".tflite"):
        files = sorted(path.glob(f"*{kind}"))
        if len(files) > 1:
            raise XaiAudioError(f"{path} holds {len(files)} {kind} files: name one of them.")
        if files:
            return files[0]
    return None


def network(activation: str = "relu", classes: bool = False) -> keras.Model:
    """Return the network with random weights, up to its 1024-d embedding.

    Parameters
    ----------
    activation : {"relu", "relu6"}
        The Hub module has plain ReLUs, the network for phones has ReLU6.
    classes : bool
        With the layer of AudioSet's classes.
    """
    layers = keras.layers
    patch = layers.Input((96, 64, 1), name="patch")
    tensor = layers.Conv2D(32, 3, 2, padding="same", activation=activation, name="layer1_conv")(
        patch
    )
    for number, (stride, width) in enumerate(_SEPARABLE, 2):
        tensor = layers.DepthwiseConv2D(
            3, stride, padding="same", activation=activation, name=f"layer{number}_depthwise_conv"
        )(tensor)
        tensor = layers.Conv2D(
            width, 1, activation=activation, name=f"layer{number}_pointwise_conv"
        )(tensor)
    tensor = layers.GlobalAveragePooling2D(name="embedding")(tensor)
    if classes:
        tensor = layers.Dense(CLASSES, activation="sigmoid", name="fc")(tensor)
    return keras.Model(patch, tensor, name="yamnet")


def from_arrays(arrays: dict, activation: str, classes: bool = False) -> keras.Model:
    """Return the network with weights, given as layer name to (kernel, bias)."""
    built = network(activation, classes)
    for layer in built.layers:
        if layer.weights:
            try:
                layer.set_weights(arrays[layer.name])
            except (KeyError, ValueError) as error:
                raise XaiAudioError(
                    f"The weights of YAMNet's layer {layer.name} are missing or have another "
                    "shape: get the file again."
                ) from error
    return built


def read(path: Path) -> tuple[dict[str, tuple[np.ndarray, np.ndarray]], str]:
    """Return the weights of a file by layer, see :func:`read_npz`, and the activation."""
    return read_tflite(path) if path.suffix == ".tflite" else (read_npz(path), "relu6")


def read_tflite(path: PathLike) -> tuple[dict[str, tuple[np.ndarray, np.ndarray]], str]:
    """Read the weights of the network for phones from its own file.

    Parameters
    ----------
    path : path-like

    Returns
    -------
    arrays : dict
        As :func:`read_npz`.
    activation : {"relu", "relu6"}

    Raises
    ------
    XaiAudioError
        If it is no TFLite file, or of another network, or of other classes.
    """
    found = tflite.read(path)
    convolutions = [layer for layer in found if layer.kind != "dense"]
    shapes = list(_convolutions())
    strides = [2, *(stride for pair in _SEPARABLE for stride in (pair[0], 1))]
    activations = {layer.activation for layer in convolutions}
    same = [layer.stride for layer in convolutions] == strides and all(
        layer.kernel.shape == shape
        for layer, (_, _, shape) in zip(convolutions, shapes, strict=True)
    )
    if not same or not found[-1].kernel.shape == (1024, CLASSES) or activations not in _RELUS:
        raise XaiAudioError(f"{path} is a TFLite file, but not YAMNet: check {VARIABLE}.")
    named = tflite.labels(path)
    if named and named != audioset.classes():
        raise XaiAudioError(f"{path} has other classes than AudioSet's: check {VARIABLE}.")
    layers = {
        scope.replace("/", "_"): layer
        for (scope, _, _), layer in zip(shapes, convolutions, strict=True)
    }
    layers["fc"] = found[-1]
    (activation,) = activations
    return {name: (layer.kernel, layer.bias) for name, layer in layers.items()}, activation


def read_npz(path: PathLike) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Read the weights of the network for phones.

    Parameters
    ----------
    path : path-like
        ``.npz`` with ``layer1/conv``, ``layerN/depthwise_conv``, ``layerN/pointwise_conv`` and
        ``fc``, each with ``/kernel`` (output channel first) and ``/bias``.

    Returns
    -------
    dict
        Layer name, as in ``network``, to kernel and bias in Keras's layout; ``"fc"`` is the
        layer of AudioSet's 521 classes on top of the embedding.
    """
    try:
        with np.load(path, allow_pickle=False) as file:
            stored = {key: file[key] for key in file.files}
    except Exception as error:  # zip, zlib and NumPy each have errors of their own
        raise XaiAudioError(
            f"{path} is missing or no .npz of weights: check {VARIABLE}."
        ) from error
    arrays = {}
    for key, kernel in stored.items():
        scope, _, part = key.rpartition("/")
        if part == "kernel" and f"{scope}/bias" in stored:
            arrays[scope.replace("/", "_")] = (
                _keras_layout(scope, kernel),
                stored[f"{scope}/bias"],
            )
    return arrays


def _keras_layout(scope: str, kernel) -> np.ndarray:
    if scope.endswith("depthwise_conv"):
        return kernel.transpose(1, 2, 0)[..., None]
    if scope.endswith("pointwise_conv"):
        return kernel.T[None, None]
    if scope.endswith("conv"):
        return kernel.transpose(1, 2, 0)[:, :, None]
    return kernel.T


def twin(classes: bool = False) -> hub.Twin:
    """Return how the Hub module's variables make a network, up to its embedding or its classes."""
    if not classes:
        return hub.Twin(tuple(_slots()), _build, LogMel.yamnet(), lambda outputs: outputs[1])
    last = (
        hub.Slot("fc", "dense/kernel", (1024, CLASSES)),
        hub.Slot("fc", "dense/bias", (CLASSES,)),
    )
    return hub.Twin((*_slots(), *last), _build_classes, LogMel.yamnet(), lambda outputs: outputs[0])


def _convolutions():
    """Scope, kernel's name and kernel's shape of every convolution, in order."""
    yield "layer1/conv", "kernel", (3, 3, 1, 32)
    depth = 32
    for number, (_, width) in enumerate(_SEPARABLE, 2):
        yield f"layer{number}/depthwise_conv", "depthwise_kernel", (3, 3, depth, 1)
        yield f"layer{number}/pointwise_conv", "kernel", (1, 1, depth, width)
        depth = width


def _slots():
    for scope, kernel, shape in _convolutions():
        layer = scope.replace("/", "_")
        channels = shape[2] if kernel == "depthwise_kernel" else shape[3]
        yield hub.Slot(layer, f"{scope}/{kernel}", shape)
        for part in _NORM:
            yield hub.Slot(layer, f"{scope}/bn/{part}", (channels,))


def _build(arrays: dict) -> keras.Model:
    return from_arrays(_folded(arrays), "relu")


def _build_classes(arrays: dict) -> keras.Model:
    last = (arrays["dense/kernel"], arrays["dense/bias"])
    return from_arrays({**_folded(arrays), "fc": last}, "relu", classes=True)


def _folded(arrays: dict) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Fold each batch normalisation into its convolution."""
    weights = {}
    for scope, name, _ in _convolutions():
        beta, mean, variance = (arrays[f"{scope}/bn/{part}"] for part in _NORM)
        factor = 1 / np.sqrt(variance + _EPSILON)
        along = factor[:, None] if name == "depthwise_kernel" else factor
        weights[scope.replace("/", "_")] = (
            arrays[f"{scope}/{name}"] * along,
            beta - mean * factor,
        )
    return weights
