"""Pooling: the winner takes all, or every cell gets its part of the sum."""

from __future__ import annotations

import tensorflow as tf
from keras import layers

from ...errors import XaiAudioError
from .plan import handles
from .rules import Epsilon, Linear, Passed

POOLINGS = ("winner", "proportional")


@handles(layers.MaxPooling1D, layers.MaxPooling2D)
def max_pooled(step, inputs, situation, relevance) -> Passed:
    """Give the relevance of a maximum to the first cell that has it, or to all in proportion."""
    return _of_maximum(step, inputs[0], situation, relevance, **_window(step.layer))


@handles(layers.GlobalMaxPooling1D, layers.GlobalMaxPooling2D)
def global_max_pooled(step, inputs, situation, relevance) -> Passed:
    """Do the same for the maximum of everything."""
    window = _everything(step.layer, inputs[0])
    relevance = tf.reshape(relevance, _pooled_shape(inputs[0]))
    return _of_maximum(step, inputs[0], situation, relevance, **window)


@handles(layers.AveragePooling1D, layers.AveragePooling2D, kind="shared")
def average_pooled(step, inputs, situation, relevance) -> Passed:
    """Share as a layer with equal weights would."""
    window = _window(step.layer)
    return step.rule(
        Linear(lambda x, kernel: _pooled("AVG", x, **window) * kernel, tf.constant(1.0)),
        situation,
        relevance,
    )


@handles(layers.GlobalAveragePooling1D, layers.GlobalAveragePooling2D, kind="shared")
def global_average_pooled(step, inputs, situation, relevance) -> Passed:
    """Do the same for the average of everything."""
    _channels_last(step.layer)
    axes = list(range(1, len(inputs[0].shape) - 1))
    mean = Linear(
        lambda x, kernel: tf.reduce_mean(x, axis=axes, keepdims=True) * kernel, tf.constant(1.0)
    )
    return step.rule(mean, situation, tf.reshape(relevance, _pooled_shape(inputs[0])))


@handles("Mean", "Sum", kind="shared")
def summed_up(step, inputs, situation, relevance) -> Passed:
    """Share a sum or mean over some axes among what it was made of."""
    summing = Linear(lambda x, kernel: step.node.call(x) * kernel, tf.constant(1.0))
    return step.rule(summing, situation, relevance)


def _of_maximum(step, x, situation, relevance, **window) -> Passed:
    if step.pooling == "proportional":
        # Each cell's part of the sum over its window; the average has the same parts.
        linear = Linear(lambda y, kernel: _pooled("AVG", y, **window) * kernel, tf.constant(1.0))
        return Epsilon()(linear, situation, relevance)
    with tf.GradientTape(watch_accessed_variables=False) as tape:
        tape.watch(x)
        outputs = _pooled("MAX", x, **window)
    return Passed([tape.gradient(outputs, x, output_gradients=relevance)])


def _pooled(kind, x, window_shape, strides, padding):
    """Pool over one or two axes; one axis is pooled as two, for the same choice between equals."""
    flat = len(x.shape) == 3
    x = x[:, :, None, :] if flat else x
    window_shape = (*window_shape, 1) if flat else window_shape
    strides = (*strides, 1) if flat else strides
    pool = tf.nn.max_pool2d if kind == "MAX" else tf.nn.avg_pool2d
    found = pool(x, window_shape, strides, padding)
    return found[:, :, 0] if flat else found


def _window(layer) -> dict:
    _channels_last(layer)
    strides = layer.pool_size if layer.strides is None else layer.strides
    return {
        "window_shape": tuple(layer.pool_size),
        "strides": tuple(strides),
        "padding": layer.padding.upper(),
    }


def _everything(layer, x) -> dict:
    _channels_last(layer)
    size = tuple(x.shape[1:-1])
    if None in size:
        raise XaiAudioError(
            f"Layer {layer.name!r} takes inputs of any length: fix the network's input shape."
        )
    return {"window_shape": size, "strides": size, "padding": "VALID"}


def _pooled_shape(x) -> list:
    """Return the shape of one cell per channel: (n, 1, ..., channels)."""
    return [-1, *[1] * (len(x.shape) - 2), x.shape[-1]]


def _channels_last(layer) -> None:
    if layer.data_format != "channels_last":
        raise XaiAudioError(f"Layer {layer.name!r} has its channels first: they must be last.")
