"""Guided backpropagation: a gradient that every ReLU on its way back rectifies once more."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import keras
import tensorflow as tf

from ..errors import XaiAudioError
from ..models.graph import graph_of, is_identity, run
from .checks import checked
from .engines.backward import engine_of
from .registry import register

if TYPE_CHECKING:
    from typing import Any

    import numpy as np
    from numpy.typing import ArrayLike

    from ..models.classifier import AudioClassifier
    from ..models.graph import Node

# What these layers do is either linear or picks among values; an activation they may have is
# looked at on its own. Any other layer could hide one.
_IN_ANY_DIMENSION = (
    *("Conv", "AveragePooling", "MaxPooling", "GlobalAveragePooling", "GlobalMaxPooling"),
    *("Cropping", "ZeroPadding", "UpSampling", "SpatialDropout"),
)
ORDINARY = tuple(
    getattr(keras.layers, name)
    for name in (
        *(f"{name}{axes}D" for name in _IN_ANY_DIMENSION for axes in (1, 2, 3)),
        *("Conv1DTranspose", "Conv2DTranspose", "Conv3DTranspose"),
        *("DepthwiseConv1D", "DepthwiseConv2D", "SeparableConv1D", "SeparableConv2D"),
        *("Dense", "EinsumDense", "Activation", "ReLU", "InputLayer", "Identity"),
        *("BatchNormalization", "LayerNormalization", "GroupNormalization", "UnitNormalization"),
        *("Normalization", "Rescaling", "Dropout", "GaussianDropout", "GaussianNoise"),
        *("Flatten", "Reshape", "Permute", "RepeatVector", "ActivityRegularization"),
        *("Add", "Subtract", "Multiply", "Average", "Concatenate", "Dot"),
    )
)
# The same for operations that stand in the graph without a layer, as in ``x + y``.
ORDINARY_OPERATIONS = (
    *("Add", "Subtract", "Multiply", "Divide", "TrueDivide", "Negative", "Matmul"),
    *("Sum", "Mean", "Max", "Amax", "Cast"),
    *("Reshape", "Transpose", "Moveaxis", "Swapaxes", "Squeeze", "ExpandDims", "Flip", "GetItem"),
    *("Concatenate", "Stack", "Repeat", "BroadcastTo", "Pad"),
)
RECTIFIERS = (
    keras.activations.relu,
    keras.activations.relu6,
    keras.ops.relu,
    keras.ops.relu6,
    tf.nn.relu,
    tf.nn.relu6,
)


@dataclass(frozen=True)
class Options:
    """Guided backpropagation takes no options."""


@register(
    "guided-backprop",
    options=Options,
    summary="The gradient, with all that is negative cut off at every ReLU on the way back.",
    paper="Springenberg et al. 2015, Striving for Simplicity",
    needs="ReLUs as the only activations",
)
def guided_backprop(
    classifier: AudioClassifier, patches: np.ndarray, targets: np.ndarray, options: Options
) -> np.ndarray:
    """Compute maps (n, frames, bands)."""
    inputs = classifier.as_input(patches)
    found = guided_backpropagation(classifier.logits_network, inputs, targets)
    return found.reshape(patches.shape)


def guided_backpropagation(
    network: keras.Model, inputs: ArrayLike, targets: ArrayLike
) -> np.ndarray:
    """Follow the target's logit back to the input, keeping what is positive at every ReLU.

    Where a ReLU's input was z and the gradient with respect to its output is g, the plain gradient
    passes g where z > 0. Guided backpropagation passes max(g, 0) there. A ReLU with an upper bound
    or a threshold passes it where its own slope is 1. All else is backpropagated as usual, so that
    a network without ReLUs gives the plain gradient.

    Parameters
    ----------
    network : keras.Model
        Flat and functional, from inputs of any shape to logits (n, classes). ReLUs may be layers,
        ``activation=`` arguments or `Activation` layers. Its weights are used, never copied; it is
        compiled once.
    inputs : array_like of float, shape (n, ...)
    targets : array_like of int, shape (n,)

    Returns
    -------
    ndarray of float32, like `inputs`

    Raises
    ------
    XaiAudioError
        If the network holds another model, another activation or a layer that may hide one: the
        method is defined for ReLUs only.

    References
    ----------
    J. T. Springenberg, A. Dosovitskiy, T. Brox and M. Riedmiller, "Striving for Simplicity: The All
    Convolutional Net", ICLR workshop 2015.

    Examples
    --------
    >>> import keras, numpy as np
    >>> network = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1, "relu"),
    ...     keras.layers.Dense(1)])
    >>> network.set_weights([np.ones((1, 1)), np.zeros(1), -np.ones((1, 1)), np.zeros(1)])
    >>> guided_backpropagation(network, [[2.0]], [0]).tolist()  # the gradient is -1
    [[0.0]]
    """
    inputs, targets = checked(network, inputs, targets)
    return engine_of(network, guided)(inputs, targets).astype("float32")


def guided(network: keras.Model, inputs: tf.Tensor) -> tf.Tensor:
    """Run a network with a gate behind every ReLU, which changes only the way back."""
    graph = graph_of(network)
    # Layers first: they have names that their author knows, also where Keras adds operations.
    for node in sorted(graph.nodes, key=lambda node: not node.is_layer):
        check(node)
    (logits,) = run(graph, {graph.nodes[0]: inputs}, [graph.output], around=_gated)
    return logits


def check(node: Node) -> None:
    """Refuse a layer (or operation) on whose way back something else than a ReLU may stand."""
    operation, name = node.operation, node.name
    if isinstance(operation, keras.Model):
        raise XaiAudioError(
            f"Guided backpropagation cannot see into the model {name!r}: put its layers into the "
            "network one by one."
        )
    if node.is_layer:
        # A subclass may do anything in its call; what gives back what it is given hides nothing.
        known = type(operation) in ORDINARY or is_identity(node)
    else:
        known = node.is_operation(*ORDINARY_OPERATIONS, "Relu", "Relu6")
    if not known:
        raise XaiAudioError(
            f"Guided backpropagation is defined for ReLUs only, and {name!r} is a "
            f"{type(operation).__name__}: use saliency or integrated-gradients."
        )
    if isinstance(operation, keras.layers.ReLU) and operation.negative_slope:
        raise XaiAudioError(
            f"Guided backpropagation is defined for ReLUs only, and {name!r} is leaky: use "
            "saliency or integrated-gradients."
        )
    activation = getattr(operation, "activation", None)
    if not (activation in (None, keras.activations.linear) or rectifies(operation)):
        called = getattr(activation, "__name__", type(activation).__name__)
        raise XaiAudioError(
            f"Guided backpropagation is defined for ReLUs only, and {name!r} has the activation "
            f"{called}: use saliency or integrated-gradients."
        )


def rectifies(operation: keras.Operation) -> bool:
    """Tell whether the last thing a layer or operation does is a ReLU."""
    activation: Any = getattr(operation, "activation", None)
    plain_layer = type(activation) is keras.layers.ReLU and not activation.negative_slope
    return (
        isinstance(operation, keras.layers.ReLU)
        or is_operation(operation, "Relu", "Relu6")
        or activation in RECTIFIERS
        or plain_layer
    )


def is_operation(operation: keras.Operation, *names: str) -> bool:
    """Tell whether this is one of Keras's own operations."""
    kind = type(operation)
    return kind.__module__.startswith("keras.src.ops.") and kind.__name__ in names


def _gated(operation, outputs):
    return _gate(outputs) if rectifies(operation) else outputs


@tf.custom_gradient
def _gate(outputs):
    """Let values pass, and back only positive gradients: the ReLU before it does the rest."""
    return tf.identity(outputs), tf.nn.relu
