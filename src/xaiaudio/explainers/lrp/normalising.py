"""Normalisation by what a layer is given: the deviation is a number, the mean is subtracted.

    y = gamma * (x - mean(x)) / deviation + beta

The deviation only scales. It is taken as a constant, as a gate is, and what is left is linear in x:
it is shared by the rule, and beta is its bias. R. Achtibat et al., "AttnLRP: Attention-Aware
Layer-Wise Relevance Propagation for Transformers", ICML 2024.
"""

from __future__ import annotations

import tensorflow as tf
from keras import layers

from ...errors import XaiAudioError
from .affine import one_to_one
from .plan import handles
from .rules import Linear, Passed


@handles(layers.LayerNormalization, kind="affine")
def layer_normalised(step, inputs, situation, relevance) -> Passed:
    """Share at the mean's subtraction, with the deviation held."""
    layer = step.layer
    if getattr(layer, "rms_scaling", False):
        raise XaiAudioError(
            f"Layer {layer.name!r} has rms_scaling=True: use keras.layers.RMSNormalization."
        )
    (x,) = inputs
    given = [layer.axis] if isinstance(layer.axis, int) else layer.axis
    axes = sorted(axis % len(x.shape) for axis in given)
    shape = [size if axis in axes else 1 for axis, size in enumerate(x.shape)]

    def mean(x):
        return tf.reduce_mean(x, axis=axes, keepdims=True)

    return _shared(step, x, mean, shape, situation, relevance)


@handles(layers.GroupNormalization, kind="affine")
def group_normalised(step, inputs, situation, relevance) -> Passed:
    """Do the same with one mean and deviation for each group of channels."""
    (x,), layer = inputs, step.layer
    channels = x.shape[-1]
    if layer.axis not in (-1, len(x.shape) - 1):
        raise XaiAudioError(f"Layer {layer.name!r} has its channels first: they must be last.")
    groups = channels if layer.groups == -1 else layer.groups

    def mean(x):
        parted = tf.reshape(x, (tf.shape(x)[0], -1, groups, channels // groups))
        means = tf.reduce_mean(parted, axis=(1, 3))
        shape = (-1, *[1] * (len(x.shape) - 2), channels)
        return tf.reshape(tf.repeat(means, channels // groups, axis=-1), shape)

    return _shared(step, x, mean, [1] * (len(x.shape) - 1) + [channels], situation, relevance)


@handles(layers.RMSNormalization, layers.UnitNormalization, kind="affine")
def scaled_by_its_size(step, inputs, situation, relevance) -> Passed:
    """Pass relevance on: with the size held, each output has one input and no bias."""
    return Passed([relevance])


def _shared(step, x, mean, shape, situation, relevance) -> Passed:
    layer = step.layer
    factor = tf.math.rsqrt(mean((x - mean(x)) ** 2) + layer.epsilon)
    if layer.scale:
        factor *= tf.reshape(tf.cast(layer.gamma, tf.float32), shape)
    shift = tf.reshape(tf.cast(layer.beta, tf.float32), shape) if layer.center else 0.0
    linear = Linear(lambda x, kernel: (x - mean(x)) * kernel, factor, shift)
    return one_to_one(step, linear, situation, relevance)
