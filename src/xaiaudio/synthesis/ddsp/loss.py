"""How differently two sounds are heard: spectra of several lengths, compared.

The multi-scale spectral loss of J. Engel and others, "DDSP: Differentiable Digital Signal
Processing", ICLR 2020, with a logarithm that is monotone at silence.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import tensorflow as tf

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike

#: Lengths of the windows in samples: long ones tell tones apart, short ones moments.
SIZES = (2048, 1024, 512, 256, 128, 64)
#: Added to magnitudes before the logarithm: what is much below it counts as silence.
SILENCE = 1e-5


def spectral_loss(
    one: ArrayLike | tf.Tensor,
    other: ArrayLike | tf.Tensor,
    *,
    sizes: Sequence[int] = SIZES,
    log_weight: float = 1.0,
) -> tf.Tensor:
    """Return how far apart the spectrograms of two sounds are.

    For each length of window: the mean absolute difference of magnitudes, and that of their
    logarithms; summed over the lengths. Windows overlap by three quarters. Phases do not count.

    Parameters
    ----------
    one, other : array_like or tensor of float, shape (samples,)
        Of one type.
    sizes : sequence of int
        Window lengths in samples.
    log_weight : float
        Of the logarithms.

    Returns
    -------
    tensor of float
        0 for equal sounds; symmetric; with a finite gradient, at silence too.

    Examples
    --------
    >>> import numpy as np
    >>> from xaiaudio.synthesis.ddsp.loss import spectral_loss
    >>> wave = np.sin(np.arange(4000) / 5)
    >>> float(spectral_loss(wave, -wave)), bool(spectral_loss(wave, 0.5 * wave) > 0)
    (0.0, True)
    """
    one = tf.convert_to_tensor(one)
    other = tf.convert_to_tensor(other, one.dtype)
    total = tf.zeros([], one.dtype)
    for size in sizes:
        ours, theirs = magnitudes(one, size), magnitudes(other, size)
        total += tf.reduce_mean(tf.abs(ours - theirs))
        gap = tf.math.log(ours + SILENCE) - tf.math.log(theirs + SILENCE)
        total += log_weight * tf.reduce_mean(tf.abs(gap))
    return total


def magnitudes(wave: tf.Tensor, size: int) -> tf.Tensor:
    """Return a spectrogram: tensor (windows, size // 2 + 1), zeros after the sound's end."""
    return tf.abs(tf.signal.stft(wave, size, size // 4, size, pad_end=True))
