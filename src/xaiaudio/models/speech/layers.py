"""Keras's layers of a transformer in fewer and larger operations: the same weights and formulas."""

from __future__ import annotations

import keras
import numpy as np
import tensorflow as tf


class Attention(keras.layers.MultiHeadAttention):
    """Attention in which all that is made of one tensor is made by one product.

    There may be several lines of queries about each string: the first k rows are about the first
    row of `value`, and so on. Its keys and values are then computed once, not k times.
    """

    def build(self, query_shape, value_shape):
        """Make Keras's weights; keys are of the same tensor as values."""
        super().build(query_shape, value_shape)

    def call(
        self, query, value, use_causal_mask=False, return_attention_scores=False, training=None
    ):
        """Return what is heard (n, places, width), and where asked for what is paid to it.

        Parameters
        ----------
        query : tensor of float32, shape (n, places, width)
        value : tensor of float32, shape (m, moments, width)
            n is a multiple of m.
        use_causal_mask : bool
        return_attention_scores : bool
            Give also the weights (n, heads, places, moments).
        training : bool, optional
            Makes no difference.
        """
        rows, places, width = tf.shape(query)[0], query.shape[1], query.shape[2]
        if query is value:
            made = _product(query, self._query_dense, self._key_dense, self._value_dense)
        else:
            lines = tf.reshape(query, (tf.shape(value)[0], -1, width))
            made = [
                *_product(lines, self._query_dense),
                *_product(value, self._key_dense, self._value_dense),
            ]
        asked, keys, values = made
        likeness = tf.matmul(asked * self._key_dim**-0.5, keys, transpose_b=True)
        if use_causal_mask:
            likeness += tf.constant(np.triu(np.full((places, places), -1e9, np.float32), 1))
        paid = tf.nn.softmax(likeness)
        heard = tf.reshape(tf.transpose(paid @ values, (0, 2, 1, 3)), (-1, width))
        kernel, bias = self._output_dense.kernel, self._output_dense.bias
        out = tf.nn.bias_add(heard @ tf.reshape(kernel, (width, width)), bias)
        out = tf.reshape(out, (rows, places, width))
        if not return_attention_scores:
            return out
        # (strings, heads, lines, places, moments): lines that were joined are rows of their own.
        shape = (tf.shape(value)[0], self._num_heads, -1, places, value.shape[1])
        apart = tf.transpose(tf.reshape(paid, shape), (0, 2, 1, 3, 4))
        return out, tf.reshape(apart, (rows, *apart.shape[2:]))


class Normal(keras.layers.LayerNormalization):
    """Normalisation over the last axis, its gradient by its formula."""

    def call(self, inputs):
        """Return the tensor normalised."""
        return _normal(inputs, self.gamma.value, self.beta.value, tf.constant(self.epsilon))


@tf.custom_gradient
def _normal(tensor, gamma, beta, epsilon):
    apart = tensor - tf.reduce_mean(tensor, -1, keepdims=True)
    scale = tf.math.rsqrt(tf.reduce_mean(tf.square(apart), -1, keepdims=True) + epsilon)
    unit = apart * scale

    def gradient(above):
        inner = above * gamma
        along = unit * tf.reduce_mean(inner * unit, -1, keepdims=True)
        down = scale * (inner - tf.reduce_mean(inner, -1, keepdims=True) - along)
        rest = range(len(tensor.shape) - 1)
        return down, tf.reduce_sum(above * unit, rest), tf.reduce_sum(above, rest), None

    return unit * gamma + beta, gradient


@tf.custom_gradient
def gelu(tensor):
    """Return x times the share of a normal distribution below x."""
    below = 0.5 + 0.5 * tf.math.erf(tensor * 0.5**0.5)

    def gradient(above):
        density = tf.exp(-0.5 * tf.square(tensor)) * (2 * np.pi) ** -0.5
        return above * (below + tensor * density)

    return tensor * below, gradient


def _product(tensor, *projections):
    """Return what projections make of a tensor, each (n, heads, places, numbers of a head)."""
    width, (_, heads, size) = tensor.shape[-1], projections[0].kernel.shape
    kernels = tf.concat([tf.reshape(one.kernel, (width, -1)) for one in projections], axis=1)
    biases = tf.concat([tf.reshape(one.bias, (-1,)) for one in projections], axis=0)
    made = tf.nn.bias_add(tf.reshape(tensor, (-1, width)) @ kernels, biases)
    made = tf.reshape(made, (tf.shape(tensor)[0], -1, len(projections), heads, size))
    # One after the other in memory: gradients of slices would write zeros first.
    return tf.unstack(tf.transpose(made, (2, 0, 3, 1, 4)), num=len(projections))
