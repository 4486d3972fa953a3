"""A source and a filter, as a throat and a mouth: an all-pole filter that cannot become unstable.

The voice model of K. Schulze-Forster, G. Richard, L. Kelley, C. S. J. Doire and R. Badeau,
"Unsupervised Music Source Separation Using Differentiable Parametric Source Models", 2022
(arXiv 2201.09592), here without its network. Its filter is given by line spectral frequencies.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import reduce

import numpy as np
import tensorflow as tf

from . import harmonic
from .controls import RATE

#: Poles of the filter.
ORDER = 20
#: Harmonics are equally strong up to here, and fall by 6 dB an octave from here on.
CORNER = 200.0
# Frequencies of two lines that fall together would be a pole on the unit circle.
_LEAST_GAP = 1e-3


def lines(raw: tf.Tensor) -> tf.Tensor:
    """Return line spectral frequencies of any numbers: (..., order + 1) to (..., order).

    Each number becomes a positive gap; the gaps are scaled to sum to pi, and summed up. So the
    lines are in order and inside (0, pi), whatever the numbers are, and the filter is stable.

    Examples
    --------
    >>> import tensorflow as tf
    >>> from xaiaudio.synthesis.ddsp.source_filter import lines
    >>> [round(float(line), 3) for line in lines(tf.zeros(4))]
    [0.785, 1.571, 2.356]
    """
    gaps = harmonic.exp_sigmoid(raw) + _LEAST_GAP
    gaps = np.pi * gaps / tf.reduce_sum(gaps, axis=-1, keepdims=True)
    return tf.cumsum(gaps, axis=-1)[..., :-1]


def gain(lines: tf.Tensor, hertz: tf.Tensor, rate: float = RATE) -> tf.Tensor:
    """Return the filter's gain at some frequencies, from its lines alone.

    On the unit circle, the polynomials of the odd lines and of the even ones are products of
    differences of cosines, and stand at a right angle to each other.

    Parameters
    ----------
    lines : tensor of float, shape (frames, order)
        Line spectral frequencies in radians, an even number of them.
    hertz : tensor of float, shape (n,) or (frames, n)
    rate : float
        Samples a second.

    Returns
    -------
    tensor of float, shape (frames, n)

    Examples
    --------
    >>> import tensorflow as tf
    >>> from xaiaudio.synthesis.ddsp.source_filter import gain, lines
    >>> flat = lines(tf.zeros((1, 21)))
    >>> gain(flat, tf.constant([100.0, 5000.0])).numpy().round(3).tolist()
    [[1.0, 1.0]]
    """
    angle = 2 * np.pi * hertz / rate
    # (order, frames, n), powers of 2 among the factors. Each is multiplied by itself: the gradient
    # of a product along an axis takes several times as long.
    apart = tf.unstack(2 * (tf.cos(angle) - tf.transpose(tf.cos(lines))[..., None]))
    odd, even = reduce(tf.multiply, apart[::2]), reduce(tf.multiply, apart[1::2])
    power = tf.square(tf.cos(angle / 2) * odd) + tf.square(tf.sin(angle / 2) * even)
    return tf.math.rsqrt(power + 1e-12)


def polynomial(lines: np.ndarray) -> np.ndarray:
    """Return the filter's denominator: float64 (frames, order + 1), the first of each 1.

    Parameters
    ----------
    lines : array_like of float, shape (frames, order)
        In radians, in order, an even number of them.

    Examples
    --------
    >>> import numpy as np
    >>> from xaiaudio.synthesis.ddsp.source_filter import polynomial
    >>> np.abs(polynomial([[np.pi / 3, 2 * np.pi / 3]])).round(6).tolist()
    [[1.0, 0.0, 0.0]]
    """
    lines = np.asarray(lines, np.float64)
    halves = []
    for first, edge in ((0, 1.0), (1, -1.0)):
        product = np.tile([1.0, edge], (len(lines), 1))
        for line in lines[:, first::2].T:
            wider = np.pad(product, ((0, 0), (0, 2)))
            wider[:, 1:-1] -= 2 * np.cos(line)[:, None] * product
            wider[:, 2:] += product
            product = wider
        halves.append(product)
    return (halves[0] + halves[1])[:, :-1] / 2


def resonances(lines: np.ndarray, rate: float = RATE) -> tuple[np.ndarray, np.ndarray]:
    """Return frequency and width of each pair of poles, in hertz: float64 (frames, order / 2).

    The frequencies rise; poles on the real axis, which resonate nowhere, are NaN at the end.
    """
    rows = polynomial(lines)
    order = rows.shape[1] - 1
    companion = np.zeros((len(rows), order, order))
    companion[:, 0] = -rows[:, 1:]
    companion[:, np.arange(1, order), np.arange(order - 1)] = 1
    poles = np.linalg.eigvals(companion)
    hertz = np.angle(poles) * rate / (2 * np.pi)
    widths = -np.log(np.maximum(np.abs(poles), 1e-12)) * rate / np.pi
    above = (poles.imag > 1e-9) & (hertz > 0)
    hertz, widths = np.where(above, hertz, np.nan), np.where(above, widths, np.nan)
    order_of = np.argsort(hertz, axis=1)[:, : order // 2]
    return np.take_along_axis(hertz, order_of, 1), np.take_along_axis(widths, order_of, 1)


@dataclass(frozen=True, eq=False)
class Voice:
    """What makes one voice, 250 times a second.

    Attributes
    ----------
    pitch : ndarray of float, shape (frames,)
        In hertz, 0 where there is none.
    level : ndarray of float, shape (frames,)
        Height of the first harmonic before the filter.
    lines : ndarray of float, shape (frames, 20)
        Line spectral frequencies of the filter, in radians.
    noise : ndarray of float, shape (frames, 40)
        Gain of the noise in bands from 0 Hz to half the sample rate, before the filter.
    """

    pitch: np.ndarray
    level: np.ndarray
    lines: np.ndarray
    noise: np.ndarray

    def formants(self, count: int = 3, widest: float = 500.0) -> np.ndarray:
        """Return the lowest resonances that are no wider than `widest`, in hertz.

        Returns
        -------
        ndarray of float64, shape (frames, count)
            NaN where there are fewer. Resonances below 200 Hz, the corner of the source, are no
            formants.
        """
        hertz, widths = resonances(self.lines)
        good = (widths <= widest) & (hertz >= CORNER)
        found = np.sort(np.where(good, hertz, np.nan), axis=1)
        return found[:, :count]


def slope(pitch: tf.Tensor, count: int) -> tf.Tensor:
    """Return the heights of the source's harmonics: (frames, count), 0 above half the rate."""
    numbers = tf.range(1, count + 1, dtype=pitch.dtype)
    hertz = numbers * pitch[:, None]
    heights = tf.minimum(1.0, tf.math.divide_no_nan(tf.cast(CORNER, pitch.dtype), hertz))
    return tf.where((hertz > 0) & (hertz < RATE / 2), heights, tf.zeros_like(heights))
