"""VGGish, taken from its TensorFlow Hub module.

Hershey et al., "CNN architectures for large-scale audio classification", ICASSP 2017.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import keras

from ...frontend import LogMel
from ..backbones import BACKBONES
from . import hub

if TYPE_CHECKING:
    from ...types import PathLike

ADDRESS, VARIABLE = BACKBONES["vggish"].address, BACKBONES["vggish"].variable
ATTRIBUTION = (
    "VGGish by Google (Hershey et al., ICASSP 2017), TensorFlow Hub google/vggish/1, Apache-2.0"
)

# Scope in the module (our layer's name is its last part) and width; None is 2 x 2 max pooling.
_CONVOLUTIONS = (
    ("conv1", 64),
    None,
    ("conv2", 128),
    None,
    ("conv3/conv3_1", 256),
    ("conv3/conv3_2", 256),
    None,
    ("conv4/conv4_1", 512),
    ("conv4/conv4_2", 512),
    None,
)
_DENSE = (("fc1/fc1_1", 4096), ("fc1/fc1_2", 4096), ("fc2", 128))


def load(source: PathLike | None = None) -> tuple[keras.Model, str, str]:
    """Return the network, where it is from, and its attribution; see :func:`..backbone`."""
    source = str(source or os.environ.get(VARIABLE) or ADDRESS)
    return hub.twin_of(hub.fetch(source, VARIABLE), twin(), source), source, ATTRIBUTION


def twin() -> hub.Twin:
    """Return how the module's variables make a network."""
    return hub.Twin(tuple(_slots()), _build, LogMel.vggish())


def _slots():
    depth = 1
    for entry in filter(None, _CONVOLUTIONS):
        yield from _pair(entry[0], (3, 3, depth, entry[1]))
        depth = entry[1]
    inputs = 6 * 4 * depth
    for scope, units in _DENSE:
        yield from _pair(scope, (inputs, units))
        inputs = units


def _pair(scope: str, shape):
    layer = _name(scope)
    yield hub.Slot(layer, f"vggish/{scope}/weights", shape)
    yield hub.Slot(layer, f"vggish/{scope}/biases", shape[-1:])


def _name(scope: str) -> str:
    return scope.rpartition("/")[2]


def network() -> keras.Model:
    """Return the network with random weights, linear at its end."""
    layers = keras.layers
    patch = tensor = layers.Input((96, 64, 1), name="patch")
    pools = 0
    for entry in _CONVOLUTIONS:
        if entry is None:
            pools += 1
            tensor = layers.MaxPooling2D(2, padding="same", name=f"pool{pools}")(tensor)
        else:
            scope, width = entry
            tensor = layers.Conv2D(width, 3, padding="same", activation="relu", name=_name(scope))(
                tensor
            )
    tensor = layers.Flatten(name="flatten")(tensor)
    for scope, units in _DENSE:
        activation = None if scope == "fc2" else "relu"
        tensor = layers.Dense(units, activation=activation, name=_name(scope))(tensor)
    return keras.Model(patch, tensor, name="vggish")


def _build(arrays: dict) -> keras.Model:
    built = network()
    for scope, _ in (*filter(None, _CONVOLUTIONS), *_DENSE):
        built.get_layer(_name(scope)).set_weights(
            [arrays[f"vggish/{scope}/weights"], arrays[f"vggish/{scope}/biases"]]
        )
    return built
