"""Layers without weights: those that pass relevance, move it about, or bring branches together."""

from __future__ import annotations

import keras
import tensorflow as tf
from keras import layers

from ...errors import XaiAudioError
from .plan import PASSING, activation_of, handles
from .rules import Linear, Passed


@handles(
    layers.Dropout,
    layers.SpatialDropout1D,
    layers.SpatialDropout2D,
    layers.GaussianNoise,
    layers.GaussianDropout,
    layers.Identity,
    moving=True,
)
def unchanged(step, inputs, situation, relevance) -> Passed:
    """Pass relevance on: the layer does nothing in use."""
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
    moving=True,
)
def moved(step, inputs, situation, relevance) -> Passed:
    """Put each value's relevance back to where the value came from."""
    return Passed(backwards(step.layer, inputs, relevance))


@handles(layers.Concatenate)
def joined(step, inputs, situation, relevance) -> Passed:
    """Cut the relevance where the inputs were joined."""
    return Passed(backwards(step.layer, inputs, relevance))


def backwards(layer, inputs, relevance) -> list:
    """Return the vector-Jacobian product of a layer, one per input."""
    # Two inputs may be one tensor, and a tape would add their shares.
    inputs = [tf.identity(x) for x in inputs]
    with tf.GradientTape(watch_accessed_variables=False) as tape:
        tape.watch(inputs)
        outputs = layer(inputs if len(inputs) > 1 else inputs[0])
    return tape.gradient(outputs, inputs, output_gradients=relevance)


@handles(keras.layers.Add, ruled=True)
def added(step, inputs, situation, relevance) -> Passed:
    """Share between the branches as a layer with weights of 1 would."""
    summing = Linear(lambda x, kernel: tf.reduce_sum(x, axis=0) * kernel, tf.constant(1.0))
    passed = step.rule(summing, situation, relevance)
    return Passed(tf.unstack(passed.inputs[0], num=len(inputs), axis=0))
