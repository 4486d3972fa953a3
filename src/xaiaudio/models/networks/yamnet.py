"""YAMNet, taken from its TensorFlow Hub module or from an ``.npz`` of its weights.

Plakal and Ellis, "YAMNet", TensorFlow Model Garden, 2019: MobileNet v1 (Howard et al., 2017) on
log-mel patches, trained on AudioSet's 521 classes.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import keras
import numpy as np

from ...errors import XaiAudioError
from ...frontend import LogMel
from ..backbones import BACKBONES
from . import hub

if TYPE_CHECKING:
    from ...types import PathLike

ADDRESS, VARIABLE = BACKBONES["yamnet"].address, BACKBONES["yamnet"].variable
ATTRIBUTION = "YAMNet by Google (Plakal and Ellis, TensorFlow Model Garden), Apache-2.0"
CLASSES = 521

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
_NORM = ("beta", "moving_mean", "moving_variance")


def load(source: PathLike | None = None) -> tuple[keras.Model, str, str]:
    """Return the network, where it is from, and its attribution; see :func:`..backbone`."""
    source = str(source or os.environ.get(VARIABLE) or ADDRESS)
    file = _npz(source)
    if file is not None:
        return from_arrays(read_npz(file), "relu6"), str(file), ATTRIBUTION
    return hub.twin_of(hub.fetch(source, VARIABLE), twin(), source), source, ATTRIBUTION


def _npz(source: str) -> Path | None:
    """Return the weights' file if the source is one, or a folder with one and no SavedModel."""
    path = Path(source)
    if path.suffix == ".npz":
        return path
    if "://" in source or not path.is_dir() or (path / "saved_model.pb").exists():
        return None
    files = sorted(path.glob("*.npz"))
    if len(files) > 1:
        raise XaiAudioError(f"{path} holds {len(files)} .npz files: name one of them.")
    return files[0] if files else None


def network(activation: str = "relu") -> keras.Model:
    """Return the network with random weights, up to its 1024-d embedding.

    Parameters
    ----------
    activation : {"relu", "relu6"}
        The Hub module has plain ReLUs, the network for phones has ReLU6.
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
    return keras.Model(patch, tensor, name="yamnet")


def from_arrays(arrays: dict, activation: str) -> keras.Model:
    """Return the network with weights, given as layer name to (kernel, bias)."""
    built = network(activation)
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


def read_npz(path) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Read the weights of the network for phones.

    Parameters
    ----------
    path : path-like
        ``.npz`` with ``layer1/conv``, ``layerN/depthwise_conv``, ``layerN/pointwise_conv`` and
        ``fc``, each with ``/kernel`` (output channel first) and ``/bias``.

    Returns
    -------
    dict
        Layer name, as in :func:`network`, to kernel and bias in Keras's layout; ``"fc"`` is the
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


def twin() -> hub.Twin:
    """Return how the Hub module's variables make a network."""
    return hub.Twin(tuple(_slots()), _build, LogMel.yamnet(), lambda outputs: outputs[1])


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
    return from_arrays(weights, "relu")
