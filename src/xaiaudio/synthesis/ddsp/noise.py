"""The noise: white noise through a filter that each frame has of its own, and its gradient.

The filtered noise of J. Engel and others, "DDSP: Differentiable Digital Signal Processing", ICLR
2020.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import tensorflow as tf

from .controls import HOP

if TYPE_CHECKING:
    from collections.abc import Sequence


def white(samples: int, seed: Sequence[int] | tf.Tensor, dtype: tf.DType = tf.float32) -> tf.Tensor:
    """Return noise, each sample from -1 to 1: the same for the same seed.

    Parameters
    ----------
    samples : int
    seed : sequence of int or tensor of int, shape (2,)
    """
    drawn = tf.random.stateless_uniform([samples], seed, -1.0, 1.0, alg="philox")
    return tf.cast(drawn, dtype)


def taps(magnitudes: tf.Tensor) -> tf.Tensor:
    """Return filters of given gains: (frames, bands) to (frames, 2 bands - 2).

    Their middle is tap number bands - 1, from 0.

    The inverse Fourier transform of the gains, and a Hann window over it: so short a filter cannot
    tell a band from its neighbours better.
    """
    around = tf.signal.irfft(tf.complex(magnitudes, tf.zeros_like(magnitudes)))
    size = 2 * (magnitudes.shape[-1] - 1)
    window = tf.signal.hann_window(size, dtype=magnitudes.dtype)
    return tf.roll(around, size // 2, axis=-1) * window


def shaped(noise: tf.Tensor, magnitudes: tf.Tensor, hop: int = HOP) -> tf.Tensor:
    """Send noise through filters, each frame through its own.

    Parameters
    ----------
    noise : tensor of float, shape (frames * hop,)
    magnitudes : tensor of float, shape (frames, bands)
        Gains from 0 Hz to half the sample rate.

    Returns
    -------
    tensor of float, shape (frames * hop,)
        Without delay: what a frame's filter answers lies around its samples.

    Examples
    --------
    >>> import tensorflow as tf
    >>> from xaiaudio.synthesis.ddsp.noise import shaped, white
    >>> hiss = white(640, [0, 0])
    >>> bool(tf.reduce_all(tf.abs(shaped(hiss, tf.ones((10, 65))) - hiss) < 1e-5))
    True
    """
    filters = taps(magnitudes)
    length = hop + filters.shape[-1] - 1
    size = [2 ** int(np.ceil(np.log2(length)))]
    frames = tf.signal.rfft(tf.reshape(noise, [-1, hop]), size)
    answers = tf.signal.irfft(frames * tf.signal.rfft(filters, size), size)
    whole = tf.signal.overlap_and_add(answers, hop)
    middle = filters.shape[-1] // 2
    return whole[middle : middle + noise.shape[0]]
