"""The short-time Fourier transform there and back, and masks on it.

The windows are those of a front end, with the square root of their Hann shape: once to analyse,
once to put together. They begin before the sound and end after it, so that each sample lies in as
many windows as any other.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import fft as scipy_fft

from .errors import XaiAudioError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from .frontend import LogMel


@dataclass(frozen=True)
class Windows:
    """The windows of a transform, in samples, where no front end has such.

    Attributes
    ----------
    window, hop, fft : int
        How long each is, from one to the next, and what it is lengthened to; a window is longer
        than a hop.
    samples_before : int
        How much of the first one lies before the sound.
    """

    window: int
    hop: int
    fft: int
    samples_before: int = 0


def analyse(wave: np.ndarray, frontend: LogMel | Windows) -> np.ndarray:
    """Return the transform of a sound.

    Parameters
    ----------
    wave : ndarray of float, shape (samples,)
    frontend : LogMel or Windows

    Returns
    -------
    ndarray of complex128, shape (windows, fft // 2 + 1)
        Window number ``lead(frontend)`` is the first frame of the front end.

    Examples
    --------
    >>> import numpy as np, xaiaudio as xa
    >>> from xaiaudio.stft import analyse
    >>> analyse(np.zeros(16_000), xa.LogMel.vggish()).shape
    (104, 257)
    """
    window, hop = frontend.window, frontend.hop
    first, count = _beginning(frontend), windows(len(wave), frontend)
    padded = np.zeros((count - 1) * hop + window)
    padded[first : first + len(wave)] = wave
    frames = np.lib.stride_tricks.sliding_window_view(padded, window)[::hop]
    return scipy_fft.rfft(frames * root_hann(window), frontend.fft)


def synthesise(spectrum: np.ndarray, samples: int, frontend: LogMel | Windows) -> np.ndarray:
    """Return the sound of a transform: the opposite of :func:`analyse`.

    Parameters
    ----------
    spectrum : ndarray of complex, shape (windows, fft // 2 + 1)
    samples : int
        Length of the sound.
    frontend : LogMel or Windows

    Returns
    -------
    ndarray of float64, shape (samples,)

    Examples
    --------
    >>> import numpy as np, xaiaudio as xa
    >>> from xaiaudio.stft import analyse, synthesise
    >>> wave, vggish = np.sin(np.arange(16_000) / 5), xa.LogMel.vggish()
    >>> bool(np.allclose(synthesise(analyse(wave, vggish), 16_000, vggish), wave))
    True
    """
    window, hop = frontend.window, frontend.hop
    # An odd mask rings beyond the window's end when fft is longer: the window cuts that off.
    parts = scipy_fft.irfft(spectrum, frontend.fft)[:, :window] * root_hann(window)
    places = np.arange(len(spectrum))[:, None] * hop + np.arange(window)
    summed = np.bincount(places.ravel(), parts.ravel())
    first = _beginning(frontend)
    return summed[first : first + samples] / covering(samples, frontend)


def covering(samples: int, frontend: LogMel | Windows) -> np.ndarray:
    """Return the sum of the squared windows over each sample: float64 (samples,)."""
    window, hop = frontend.window, frontend.hop
    places = np.arange(windows(samples, frontend))[:, None] * hop + np.arange(window)
    squares = np.broadcast_to(root_hann(window) ** 2, places.shape)
    first = _beginning(frontend)
    weight = np.bincount(places.ravel(), squares.ravel())[first : first + samples]
    return np.maximum(weight, 1e-8)


def to_stft(mask: ArrayLike, frontend: LogMel) -> np.ndarray:
    """Carry a mask over mel bands to the bins of the Fourier transform.

    A bin takes the mean of the bands it feeds, weighted as it feeds them. Bins that feed none,
    below the first band and above the last, take the nearest band.

    Parameters
    ----------
    mask : array_like of float, shape (T, bands)
    frontend : LogMel

    Returns
    -------
    ndarray of float32, shape (T, fft // 2 + 1)
        All ones give exactly ones.

    Examples
    --------
    >>> import numpy as np, xaiaudio as xa
    >>> from xaiaudio.stft import to_stft
    >>> to_stft(np.ones((3, 64)), xa.LogMel.vggish()).min()
    np.float32(1.0)
    """
    mask = np.asarray(mask, np.float64)
    if mask.ndim != 2 or mask.shape[1] != frontend.bands or len(mask) == 0:
        raise XaiAudioError(
            f"The mask has the shape {mask.shape}, but (T, {frontend.bands}) is needed."
        )
    # Single precision rounds what the weights' sums miss of 1.
    return (mask @ band_shares(frontend).T).astype(np.float32)


def band_shares(frontend: LogMel) -> np.ndarray:
    """Return how much each band counts for each bin: float64 (fft // 2 + 1, bands), sums of 1."""
    weights = frontend.mel_matrix()
    hertz = np.arange(len(weights)) * frontend.sample_rate / frontend.fft
    silent = np.flatnonzero(weights.sum(axis=1) == 0)
    nearest = np.abs(hertz[silent, None] - frontend.band_centres()).argmin(axis=1)
    weights[silent, nearest] = 1
    return weights / weights.sum(axis=1, keepdims=True)


def rows_of(samples: int, frames: int, frontend: LogMel) -> np.ndarray:
    """Return the row of a map of so many frames that each window takes.

    Windows before the first frame take the first, those after the last one the last.
    """
    return np.clip(np.arange(windows(samples, frontend)) - lead(frontend), 0, frames - 1)


def lead(frontend: LogMel | Windows) -> int:
    """Return the number of windows before the front end's first."""
    # Whole hops of silence in front, so that the frames stay where the front end has them.
    return -(-frontend.window // frontend.hop)


def windows(samples: int, frontend: LogMel | Windows) -> int:
    """Return the number of windows over a sound."""
    return lead(frontend) + -(-(frontend.samples_before + samples) // frontend.hop) + 1


def _beginning(frontend) -> int:
    """Return the sample of all windows at which the sound begins."""
    return lead(frontend) * frontend.hop + frontend.samples_before


def root_hann(window: int) -> np.ndarray:
    """Return the square root of the periodic Hann window: float64 (window,)."""
    return np.sqrt(0.5 - 0.5 * np.cos(2 * np.pi * np.arange(window) / window))
