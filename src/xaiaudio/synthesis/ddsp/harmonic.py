"""The tone: sines at all multiples of a moving pitch, and their gradient.

The harmonic oscillator of J. Engel, L. Hantrakul, C. Gu and A. Roberts, "DDSP: Differentiable
Digital Signal Processing", ICLR 2020. All functions take and return tensors, and have a gradient.
"""

from __future__ import annotations

import numpy as np
import tensorflow as tf

from .controls import HOP, RATE

#: Added to each gain, so that its logarithm is never minus infinity.
LEAST = 1e-7


def exp_sigmoid(x: tf.Tensor | float) -> tf.Tensor:
    """Return a positive gain for any number: 2 sigmoid(x)^(ln 10) + 1e-7.

    Examples
    --------
    >>> from xaiaudio.synthesis.ddsp.harmonic import exp_sigmoid
    >>> [round(float(exp_sigmoid(x)), 6) for x in (0.0, -5.0)]
    [0.405399, 2e-05]
    """
    return 2.0 * tf.sigmoid(x) ** np.log(10.0) + LEAST


def distribution(weights: tf.Tensor, pitch: tf.Tensor, rate: float = RATE) -> tf.Tensor:
    """Return weights of harmonics without those that cannot be heard, with a sum of 1.

    Parameters
    ----------
    weights : tensor of float, shape (frames, K)
        From 0 up.
    pitch : tensor of float, shape (frames,)
        In hertz.
    rate : float
        Samples a second. Harmonics at half of it or above are left out: they would come back as
        other, lower tones.

    Returns
    -------
    tensor of float, shape (frames, K)
        Zeros where nothing is left.

    Examples
    --------
    >>> import tensorflow as tf
    >>> from xaiaudio.synthesis.ddsp.harmonic import distribution
    >>> shares = distribution(tf.ones((1, 60)), tf.constant([440.0]))
    >>> int((shares.numpy() > 0).sum()), round(float(tf.reduce_sum(shares)), 6)
    (18, 1.0)
    """
    numbers = tf.range(1, weights.shape[-1] + 1, dtype=weights.dtype)
    audible = numbers * tf.cast(pitch, weights.dtype)[:, None] < rate / 2
    weights = tf.where(audible, weights, tf.zeros_like(weights))
    return tf.math.divide_no_nan(weights, tf.reduce_sum(weights, axis=-1, keepdims=True))


def _between(values, ramp):
    """Draw values of frames through the samples: (frames,) to (frames, hop).

    `ramp` says how far each sample of a frame is on its way to the next frame's value. The last
    frame keeps its own.
    """
    following = tf.concat([values[1:], values[-1:]], axis=0)
    return values[:, None] + (following - values)[:, None] * ramp


def _linear(hop: int, dtype) -> np.ndarray:
    """Return a straight ramp from 0 to 1, without its end."""
    return (np.arange(hop) / hop).astype(tf.as_dtype(dtype).as_numpy_dtype)


def hann(hop: int, dtype: tf.DType) -> np.ndarray:
    """Return the rising half of a Hann window twice as long as a hop.

    Windows of that length, one a hop, sum to 1: a value on this ramp is what overlapping windows
    give, each as high as its frame says.
    """
    rise = 0.5 - 0.5 * np.cos(np.pi * np.arange(hop) / hop)
    return rise.astype(tf.as_dtype(dtype).as_numpy_dtype)


def _hertz(pitch, hop) -> tf.Tensor:
    """Return the pitch at each sample, float64 (frames, hop)."""
    return _between(tf.cast(pitch, tf.float64), _linear(hop, tf.float64))


def turns(pitch: tf.Tensor, hop: int = HOP, rate: float = RATE) -> tf.Tensor:
    """Return how far the fundamental is on its way round, from 0 to 1, at each sample.

    In float64 whatever the pitch is in: in float32 the sum of some thousand small steps goes wrong
    by radians within seconds.

    Parameters
    ----------
    pitch : tensor of float, shape (frames,)
        In hertz; between frames it moves on a straight line.

    Returns
    -------
    tensor of float64, shape (frames, hop)
        0 at the first sample.
    """
    hertz = _hertz(pitch, hop)
    whole = tf.cumsum(tf.reshape(hertz, [-1]) / rate, exclusive=True)
    return tf.reshape(whole - tf.floor(whole), tf.shape(hertz))


def oscillators(pitch: tf.Tensor, count: int, hop: int = HOP, rate: float = RATE) -> tf.Tensor:
    """Return a sine of height 1 for each harmonic, silent while it is at half the rate or above.

    A frame knows the pitch where it begins only, and a gliding harmonic may get there in its midst:
    from that sample on it would come back as another, lower tone.

    Returns
    -------
    tensor of the pitch's type, shape (frames, hop, count)
    """
    numbers = tf.range(1, count + 1, dtype=tf.float64)
    phase = turns(pitch, hop, rate)[..., None] * numbers
    # Whole turns say nothing, and a small number has more digits behind its point.
    sines = tf.sin(2 * np.pi * tf.cast(phase - tf.floor(phase), pitch.dtype))
    return tf.where(_hertz(pitch, hop)[..., None] * numbers < rate / 2, sines, 0)


def mixed(waves: tf.Tensor, heights: tf.Tensor) -> tf.Tensor:
    """Return the sum of waves, each as loud as its height at that moment.

    Parameters
    ----------
    waves : tensor of float, shape (frames, hop, K)
    heights : tensor of float, shape (frames, K)

    Returns
    -------
    tensor of float, shape (samples,)
    """
    following = tf.concat([heights[1:], heights[-1:]], axis=0)
    # The ramp is the same for all harmonics: it can wait until they are summed.
    ends = waves @ tf.stack([heights, following], axis=-1)
    ramp = hann(waves.shape[1], heights.dtype)
    return tf.reshape(ends[..., 0] * (1 - ramp) + ends[..., 1] * ramp, [-1])


def tone(
    pitch: tf.Tensor,
    amplitude: tf.Tensor,
    weights: tf.Tensor,
    hop: int = HOP,
    rate: float = RATE,
) -> tf.Tensor:
    """Return the tone.

    Parameters
    ----------
    pitch, amplitude : tensor of float, shape (frames,)
    weights : tensor of float, shape (frames, K)
        How the amplitude is shared out, see :func:`distribution`.

    Returns
    -------
    tensor of float, shape (frames * hop,)

    Examples
    --------
    >>> import tensorflow as tf
    >>> from xaiaudio.synthesis.ddsp.harmonic import tone
    >>> tone(tf.fill([250], 440.0), tf.fill([250], 0.5), tf.ones((250, 1))).shape
    TensorShape([16000])
    """
    heights = amplitude[:, None] * distribution(weights, pitch, rate)
    return mixed(oscillators(pitch, weights.shape[-1], hop, rate), heights)
