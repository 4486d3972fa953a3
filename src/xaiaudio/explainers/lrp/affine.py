"""Layers that scale and shift each value by itself."""

from __future__ import annotations

import tensorflow as tf
from keras import layers

from ...errors import XaiAudioError
from .plan import SHIFTING, handles
from .rules import Box, Epsilon, Flat, Linear, Passed, WSquare
from .weighted import factor_of


@handles(layers.BatchNormalization, kind="affine")
def normalised(step, inputs, situation, relevance) -> Passed:
    """Pass on what a folded one is given; share at one that stands alone, a factor and a shift."""
    if step.folded:
        return Passed([relevance])
    factor, shift = factor_of(step.layer)
    shape = [1] * len(inputs[0].shape)
    shape[step.layer.axis] = -1
    linear = Linear(tf.multiply, tf.reshape(factor, shape), tf.reshape(shift, shape))
    return one_to_one(step, linear, situation, relevance)


@handles(layers.Normalization, layers.Rescaling, kind="affine")
def scaled(step, inputs, situation, relevance) -> Passed:
    """Share at a layer whose factor and shift show in what it makes of 0 and 1."""
    (x,) = inputs
    shift = tf.cast(step.node.call(tf.zeros_like(x)), tf.float32)
    factor = tf.cast(step.node.call(tf.ones_like(x)), tf.float32) - shift
    if factor.shape != x.shape:
        raise XaiAudioError(
            f"Layer {step.layer.name!r} makes {tuple(factor.shape)} of {tuple(x.shape)}: relevance "
            "propagation treats a factor and a shift that leave the shape."
        )
    return one_to_one(step, Linear(tf.multiply, factor, shift), situation, relevance)


@handles("Divide", "TrueDivide", "Negative", kind="affine")
def by_a_constant(step, inputs, situation, relevance) -> Passed:
    """Do the same for ``x / 2`` and ``-x``."""
    divided = step.node.is_operation("Divide", "TrueDivide")
    if len(inputs) != 1 or (divided and not step.node.begins_with_tensor):
        raise XaiAudioError(
            f"{step.layer.name!r} divides by what the network computes: relevance propagation has "
            "no rule for that."
        )
    return scaled(step, inputs, situation, relevance)


@handles(SHIFTING, kind="affine")
def shifted(step, inputs, situation, relevance) -> Passed:
    """Put values back to where they came from, and leave its part with what was added to each."""
    (x,) = inputs
    shift = tf.cast(step.node.call(tf.zeros_like(x)), tf.float32)
    moved = Linear(lambda x, kernel: (step.node.call(x) - shift) * kernel, tf.constant(1.0), shift)
    return Epsilon()(moved, situation, relevance)


@handles(layers.Add, "Add", kind="shared")
def added(step, inputs, situation, relevance) -> Passed:
    """Share between the branches as a layer with weights of 1 would; a constant is a shift."""
    if len(inputs) == 1:
        return scaled(step, inputs, situation, relevance)
    return _summed(step, inputs, situation, relevance, tf.constant(1.0))


@handles(layers.Average, kind="shared")
def averaged(step, inputs, situation, relevance) -> Passed:
    """Do the same with equal weights that add up to 1."""
    return _summed(step, inputs, situation, relevance, tf.constant(1.0 / len(inputs)))


@handles(layers.Subtract, "Subtract", kind="shared")
def subtracted(step, inputs, situation, relevance) -> Passed:
    """Do the same with weights of 1 and -1."""
    if len(inputs) == 1:
        return scaled(step, inputs, situation, relevance)
    signs = tf.reshape(tf.constant([1.0, -1.0]), (2, *[1] * len(inputs[0].shape)))
    return _summed(step, inputs, situation, relevance, signs)


def _summed(step, inputs, situation, relevance, weights) -> Passed:
    summing = Linear(lambda x, kernel: tf.reduce_sum(x * kernel, axis=0), weights)
    passed = step.rule(summing, situation, relevance)
    return Passed(tf.unstack(passed.inputs[0], num=len(inputs), axis=0))


def one_to_one(step, linear, situation, relevance) -> Passed:
    """Share by the rule at a layer of one output for each input."""
    # Each of its outputs has one input. A rule that shares an output out among the inputs it sees
    # has nothing to share then, and the box rule would divide 0 by 0 where that input is a bound.
    if isinstance(step.rule, (Flat, WSquare, Box)):
        return Passed([relevance])
    return step.rule(linear, situation, relevance)
