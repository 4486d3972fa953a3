"""Layers without weights: those that pass relevance on, or move it about."""

from __future__ import annotations

import tensorflow as tf
from keras import layers

from ...errors import XaiAudioError
from .activations import PASSING, activation_of
from .attending import softened
from .plan import handles
from .rules import Passed


@handles(
    layers.Dropout,
    layers.SpatialDropout1D,
    layers.SpatialDropout2D,
    layers.GaussianNoise,
    layers.GaussianDropout,
    layers.Identity,
    "Cast",
    kind="moving",
)
def unchanged(step, inputs, situation, relevance) -> Passed:
    """Pass relevance on: the layer does nothing in use."""
    return Passed([relevance])


@handles(*("Relu", "Relu6", "LeakyRelu", "Elu", "Selu", "Tanh", "Silu", "HardSilu", "Gelu"))
def rectified(step, inputs, situation, relevance) -> Passed:
    """Pass relevance on: these operations keep the sign of what they are given."""
    return Passed([relevance])


@handles(layers.PReLU)
def rectified_by_slopes(step, inputs, situation, relevance) -> Passed:
    """Pass relevance on: each output has one input, and zero stays zero."""
    return Passed([relevance])


@handles(layers.Activation, layers.ReLU, layers.LeakyReLU, layers.ELU)
def activated(step, inputs, situation, relevance) -> Passed:
    """Pass relevance on, cell by cell."""
    layer = step.layer
    if getattr(layer, "threshold", 0):
        raise XaiAudioError(
            f"Layer {layer.name!r} has a threshold of {float(layer.threshold):g}: relevance passes "
            "an activation that leaves zero at zero only."
        )
    if activation_of(layer) == "softmax":
        return softened(step, inputs, situation, relevance)
    if activation_of(layer) not in PASSING:
        raise XaiAudioError(
            f"Layer {layer.name!r} is {activation_of(layer)}, through which relevance does not "
            f"pass: only {', '.join(PASSING)} keep the sign of what they are given."
        )
    return Passed([relevance])


@handles(
    layers.Flatten,
    layers.Reshape,
    layers.Permute,
    layers.ZeroPadding1D,
    layers.ZeroPadding2D,
    layers.Cropping1D,
    layers.Cropping2D,
    *("Reshape", "Transpose", "Moveaxis", "Swapaxes", "Squeeze", "ExpandDims", "GetItem", "Flip"),
    kind="moving",
)
def moved(step, inputs, situation, relevance) -> Passed:
    """Put each value's relevance back to where the value came from."""
    return Passed(backwards(step, inputs, relevance))


@handles(layers.Concatenate, "Concatenate")
def joined(step, inputs, situation, relevance) -> Passed:
    """Cut the relevance where the inputs were joined."""
    return Passed(backwards(step, inputs, relevance))


def backwards(step, inputs, relevance) -> list:
    """Return the vector-Jacobian product of a layer, one per input."""
    # Two inputs may be one tensor, and a tape would add their shares.
    inputs = [tf.identity(x) for x in inputs]
    with tf.GradientTape(watch_accessed_variables=False) as tape:
        tape.watch(inputs)
        outputs = step.node.call(*inputs)
    return tape.gradient(outputs, inputs, output_gradients=relevance)
