"""How far an estimated sound is from the true one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.signal import get_window

from ...errors import XaiAudioError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

# Added to powers before the logarithm, relative to the largest of the true sound: -60 dB.
_FLOOR = 1e-6


def si_sdr(estimate: ArrayLike, truth: ArrayLike) -> float:
    """Return the scale-invariant signal-to-distortion ratio in dB.

    The estimate is written as a multiple of the truth and a rest at a right angle to it. The ratio
    is the energy of the one over that of the other.

    Parameters
    ----------
    estimate, truth : array_like of float, shape (samples,)

    Returns
    -------
    float
        Infinite for a multiple of the truth; minus infinite for what has nothing of it.

    Raises
    ------
    XaiAudioError
        If the shapes differ, or a sound is silent or not finite.

    References
    ----------
    J. Le Roux, S. Wisdom, H. Erdogan and J. R. Hershey, "SDR - Half-Baked or Well Done?", ICASSP
    2019.

    Examples
    --------
    >>> from xaiaudio.evaluate.metrics.distortion import si_sdr
    >>> round(si_sdr([3.0, 1.0], [1.0, 0.0]), 2)
    9.54
    """
    estimate, truth = _checked(estimate, truth)
    part = (estimate @ truth) / (truth @ truth) * truth
    rest = estimate - part
    with np.errstate(divide="ignore"):
        return float(10 * (np.log10(part @ part) - np.log10(rest @ rest)))


def log_spectral_distance(estimate: ArrayLike, truth: ArrayLike, *, window: int = 512) -> float:
    """Return how far apart the logarithms of two spectrograms are, in dB.

    Root mean square over frequencies, mean over windows. Powers 60 dB below the largest of the
    truth, and lower ones, count as equal.

    Parameters
    ----------
    estimate, truth : array_like of float, shape (samples,)
    window : int
        Samples; windows overlap by a half.

    Returns
    -------
    float
        0 for equal sounds; unlike :func:`si_sdr` it looks at no phase, but the level counts.

    Raises
    ------
    XaiAudioError
        If the shapes differ, or a sound is silent, not finite or shorter than a window.

    Examples
    --------
    >>> import numpy as np
    >>> from xaiaudio.evaluate.metrics.distortion import log_spectral_distance
    >>> hiss = np.random.default_rng(0).standard_normal(4000)
    >>> round(log_spectral_distance(10 * hiss, hiss), 1)
    20.0
    """
    estimate, truth = _checked(estimate, truth)
    if window < 2:
        raise XaiAudioError(f"A window of {window} samples: 2 or more are needed.")
    if len(truth) < window:
        raise XaiAudioError(f"The sound has {len(truth)} samples: fewer than a window of {window}.")
    shape = get_window("hann", window)
    one, other = (
        np.abs(
            np.fft.rfft(
                np.lib.stride_tricks.sliding_window_view(sound, window)[:: window // 2] * shape
            )
        )
        ** 2
        for sound in (estimate, truth)
    )
    floor = _FLOOR * other.max()
    gap = 10 * np.log10(np.maximum(one, floor) / np.maximum(other, floor))
    return float(np.sqrt(np.square(gap).mean(axis=1)).mean())


def _checked(estimate, truth):
    estimate, truth = np.asarray(estimate, np.float64), np.asarray(truth, np.float64)
    if estimate.shape != truth.shape or truth.ndim != 1:
        raise XaiAudioError(
            f"The estimate has the shape {estimate.shape}, the truth {truth.shape}: two sounds of "
            "the same length are needed."
        )
    if not (np.isfinite(estimate).all() and np.isfinite(truth).all()):
        raise XaiAudioError("A sound has samples that are no numbers.")
    if not truth.any() or not estimate.any():
        raise XaiAudioError("A silent sound has no distortion: nothing can be compared with it.")
    return estimate, truth
