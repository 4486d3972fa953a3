"""Copies of sounds that are not quite the same: what a search for copies has to find."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.signal import butter, sosfilt

from ..errors import XaiAudioError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

#: What each copy is: how it was changed.
KINDS = {
    "softer": "a quarter as loud",
    "later": "begins 0.2 s earlier in the recording",
    "noisy": "with white noise 20 dB below it",
    "coarse": "low-passed at 3 kHz, and rounded to 6 bits",
}
_GAIN, _SHIFT, _SNR, _CUTOFF, _BITS = 0.25, 0.2, 20.0, 3000.0, 6


def copies(
    waves: ArrayLike, first: ArrayLike, samples: int, sample_rate: int, *, seed: int = 0
) -> dict[str, np.ndarray]:
    """Copy stretches of sounds, each in four ways that change them a little.

    Parameters
    ----------
    waves : array_like of float, shape (n, length)
        The recordings.
    first : array_like of int, shape (n,)
        The first sample of each stretch.
    samples : int
        Length of the stretches.
    sample_rate : int
        In hertz.
    seed : int
        Decides the noise.

    Returns
    -------
    dict of str to ndarray of float32, shape (n, samples)
        By the names of `KINDS`. A stretch at the very start of a recording begins later in place of
        earlier.

    Raises
    ------
    XaiAudioError
        If a stretch does not lie in its recording, the recording is too short to move it, or there
        is none, or it has too few samples a second to be low-passed.

    Examples
    --------
    >>> import numpy as np
    >>> from xaiaudio.probes.planted_copies import copies
    >>> wave = np.sin(np.arange(32_000) / 5)
    >>> found = copies([wave], [8_000], 16_000, 16_000)
    >>> list(found), found["softer"].shape
    (['softer', 'later', 'noisy', 'coarse'], (1, 16000))
    """
    waves, first = np.asarray(waves, np.float64), np.asarray(first, int)
    late = round(_SHIFT * sample_rate)
    if waves.ndim != 2 or len(first) != len(waves):
        raise XaiAudioError("Give recordings of one length, and one first sample for each.")
    if not len(first) or sample_rate <= 2 * _CUTOFF:
        raise XaiAudioError(
            f"There are {len(first)} stretches at {sample_rate} Hz: one at least, and more than "
            f"{2 * _CUTOFF:g} Hz, are needed."
        )
    if first.min() < 0 or first.max() + samples > waves.shape[1]:
        raise XaiAudioError("A stretch lies outside its recording.")
    moved = np.where(first >= late, first - late, first + late)
    if moved.max() + samples > waves.shape[1]:
        raise XaiAudioError(f"The recordings are too short to move a stretch by {_SHIFT} s.")
    windows = np.lib.stride_tricks.sliding_window_view(waves, samples, axis=1)
    rows = np.arange(len(waves))
    plain = windows[rows, first]
    level = np.sqrt(np.square(plain).mean(axis=1, keepdims=True)) * 10 ** (-_SNR / 20)
    noise = level * np.random.default_rng(seed).normal(size=plain.shape)
    low = sosfilt(butter(6, _CUTOFF, fs=sample_rate, output="sos"), plain, axis=1)
    peak = np.maximum(np.abs(low).max(axis=1, keepdims=True), 1e-12)
    coarse = np.round(low / peak * 2 ** (_BITS - 1)) / 2 ** (_BITS - 1) * peak
    made = (_GAIN * plain, windows[rows, moved], plain + noise, coarse)
    return {kind: wave.astype(np.float32) for kind, wave in zip(KINDS, made, strict=True)}
