"""The same training in less time: what Keras computes in many passes, computed in few.

A step of these small networks is bound by how often memory is gone through, not by products. Keras
writes a normalisation as a dozen operations, every one of which reads and writes whole tensors.
While a network is fitted, its layers here compute with one operation of TensorFlow's, or with the
gradient written by hand. What they compute stays the same, and so does what is saved: when the
training is over, the layers are plain Keras layers again.
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

import keras
import tensorflow as tf

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any


@contextlib.contextmanager
def fitted(*networks: keras.Model) -> Iterator[None]:
    """Let the normalisations of networks compute in few passes, within a ``with`` block.

    Parameters
    ----------
    *networks : keras.Model
        Their own layers count; what lies within a layer stays as it is.

    Examples
    --------
    >>> import keras, numpy as np
    >>> from xaiaudio.models.designs import quick
    >>> layer = keras.layers.BatchNormalization()
    >>> inputs = keras.Input((8, 8, 2))
    >>> network = keras.Model(inputs, layer(inputs))
    >>> patches = np.random.default_rng(0).normal(3, 2, (4, 8, 8, 2)).astype("float32")
    >>> with quick.fitted(network):
    ...     found = network(patches, training=True)
    >>> bool(abs(np.mean(found)) < 1e-4), type(layer) is keras.layers.BatchNormalization
    (True, True)
    """
    layers = {id(layer): layer for network in networks for layer in network.layers}
    swapped = [
        (layer, type(layer), _QUICK[type(layer)])
        for layer in layers.values()
        if type(layer) in _QUICK and _fits(layer)
    ]
    try:
        for layer, _, quick in swapped:
            layer.__class__ = quick
        yield
    finally:
        for layer, plain, _ in swapped:
            layer.__class__ = plain


def _fits(layer) -> bool:
    """Tell whether a layer normalises its last axis, in single precision, with both weights."""
    last = layer.axis in (-1, [-1], len(layer.input.shape) - 1, [len(layer.input.shape) - 1])
    plain = layer.scale and layer.center and layer.compute_dtype == "float32"
    return bool(last and plain)


class _BatchNormalization(keras.layers.BatchNormalization):
    """In training, statistics and outputs by one operation of TensorFlow's."""

    def call(self, inputs: Any, training: bool | None = None, mask: Any = None) -> Any:
        other = mask is not None or self.synchronized or getattr(self, "renorm", False)
        if not training or not self.trainable or len(inputs.shape) != 4 or other:
            return super().call(inputs, training=training, mask=mask)
        outputs, mean, variance = tf.compat.v1.nn.fused_batch_norm(
            inputs, self.gamma.value, self.beta.value, epsilon=self.epsilon
        )
        # TensorFlow's variance is that of the population, larger by n / (n - 1).
        count = tf.cast(tf.size(inputs) / inputs.shape[-1], tf.float32)
        kept, new = self.momentum, 1.0 - self.momentum
        self.moving_mean.assign(self.moving_mean * kept + mean * new)
        variance = variance * (count - 1.0) / count
        self.moving_variance.assign(self.moving_variance * kept + variance * new)
        return outputs


class _LayerNormalization(keras.layers.LayerNormalization):
    """Over the last axis, with the gradient written by hand."""

    def call(self, inputs: Any) -> Any:
        if self.rms_scaling:
            return super().call(inputs)
        return _normalised(self.epsilon)(inputs, self.gamma.value, self.beta.value)


_QUICK = {
    keras.layers.BatchNormalization: _BatchNormalization,
    keras.layers.LayerNormalization: _LayerNormalization,
}


def _normalised(epsilon: float) -> Any:
    """Return the function that normalises rows, stretches and shifts them."""

    @tf.custom_gradient
    def normalised(inputs, stretch, shift):
        size = inputs.shape[-1]
        rows = tf.reshape(inputs, (-1, size))
        # Sums of short rows are products with a column, which is quicker than to reduce them.
        share = tf.fill((size, 1), 1.0 / size)
        centred = rows - tf.matmul(rows, share)
        pace = tf.math.rsqrt(tf.matmul(tf.square(centred), share) + epsilon)
        normal = centred * pace

        def slopes(upstream):
            up = tf.reshape(upstream, (-1, size))
            both = up * normal
            column = tf.reshape(stretch, (size, 1)) / size
            down = up * stretch - tf.matmul(up, column) - normal * tf.matmul(both, column)
            of_inputs = tf.reshape(pace * down, tf.shape(inputs))
            return of_inputs, tf.reduce_sum(both, axis=0), tf.reduce_sum(up, axis=0)

        return tf.reshape(normal * stretch + shift, tf.shape(inputs)), slopes

    return normalised
