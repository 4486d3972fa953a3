"""Convolutions in groups, one group at a time: TensorFlow has no gradient for them on every CPU."""

from __future__ import annotations

import keras
import tensorflow as tf

KINDS = (keras.layers.Conv1D, keras.layers.Conv2D)


def is_grouped(operation) -> bool:
    """Tell whether this is a convolution whose channels come in several groups."""
    return type(operation) in KINDS and operation.groups > 1


def in_groups(convolve, x, kernel):
    """Convolve channels-last values with the kernel of a grouped convolution.

    Parameters
    ----------
    convolve : callable
        ``(x, kernel) -> z`` for one group.
    x : tensor, shape (n, ..., groups * inputs)
    kernel : tensor, shape (..., inputs, groups * outputs)

    Returns
    -------
    tensor, shape (n, ..., groups * outputs)
    """
    groups = x.shape[-1] // kernel.shape[-2]
    pairs = zip(tf.split(x, groups, axis=-1), tf.split(kernel, groups, axis=-1), strict=True)
    return tf.concat([convolve(values, weights) for values, weights in pairs], axis=-1)


def call(layer, x):
    """Call a grouped convolution, to the same result."""
    before = layer.dilation_rate[0] * (layer.kernel_size[0] - 1)
    causal = layer.padding == "causal"
    x = tf.cast(x, layer.compute_dtype)
    x = tf.pad(x, [[0, 0], [before, 0], [0, 0]]) if causal else x

    def convolve(values, weights):
        return keras.ops.conv(
            values,
            weights,
            strides=list(layer.strides),
            padding="valid" if causal else layer.padding,
            data_format="channels_last",
            dilation_rate=layer.dilation_rate,
        )

    outputs = in_groups(convolve, x, tf.cast(layer.kernel, x.dtype))
    if layer.use_bias:
        outputs += tf.cast(layer.bias, x.dtype)
    return outputs if layer.activation is None else layer.activation(outputs)
