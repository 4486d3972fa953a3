"""Sounds taken apart: stretches of time, separations as in librosa, separators of other people."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from numbers import Integral, Real
from typing import TYPE_CHECKING

import numpy as np
import soxr
from scipy import fft

from ...errors import XaiAudioError
from ...frontend_settings import check_count
from ...stft import analyse, root_hann, synthesise

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import ArrayLike

    from ...frontend import LogMel

# Samples by which resampling there and back may miss the length of a sound.
_ROUNDING = 2

# How harmonic and percussive sounds are told apart, in samples and in cells: as librosa does.
_WINDOW, _HOP, _NEIGHBOURS = 2048, 512, 31


def stretches(samples: int, count: int, fade: int = 0) -> np.ndarray:
    """Return windows that cut a sound into stretches of nearly the same length.

    Parameters
    ----------
    samples, count : int
    fade : int
        Samples that neighbours share, one fading out as the other fades in.

    Returns
    -------
    ndarray of float64, shape (count, samples)
        In [0, 1]. Each sample's sum is 1.

    Raises
    ------
    XaiAudioError
        If there are fewer samples than stretches, or the fade is longer than a stretch.

    Examples
    --------
    >>> from xaiaudio.explainers.engines.separation import stretches
    >>> stretches(4, 2).tolist()
    [[1.0, 1.0, 0.0, 0.0], [0.0, 0.0, 1.0, 1.0]]
    """
    check_count("count", count)
    if count > samples:
        raise XaiAudioError(
            f"A sound of {samples} samples cannot be cut into {count} parts: choose from 1 to "
            f"{samples}."
        )
    if not isinstance(fade, Real) or not 0 <= fade <= samples / count:
        raise XaiAudioError(
            f"fade is {fade!r}: it must be a number of samples from 0 to {samples // count}, the "
            "length of a part."
        )
    borders = np.arange(1, count)[:, None] * samples / count
    distance = np.arange(samples) + 0.5 - borders
    # How far the sound is into the next part: from 0 to 1 at once, or over the fade.
    into = np.clip(distance / fade + 0.5, 0, 1) if fade else (distance > 0).astype(float)
    edges = np.concatenate([np.ones((1, samples)), into, np.zeros((1, samples))])
    return edges[:-1] - edges[1:]


def harmonic_and_percussive(wave: np.ndarray, margin: float = 1.0) -> np.ndarray:
    """Return what lasts in a sound and what strikes, float32 (2, samples).

    A cell of the spectrogram is compared with the medians of its neighbours in time, and of those
    in frequency. That is what ``librosa.effects.hpss`` does, up to rounding, whose medians take
    several times as long and whose import takes seconds.

    References
    ----------
    D. Fitzgerald, "Harmonic/percussive separation using median filtering", DAFx 2010; J. Driedger,
    M. Müller and S. Disch, "Extending harmonic-percussive separation of audio signals", ISMIR 2014.
    """
    if not isinstance(margin, Real) or not 1 <= margin < np.inf:
        raise XaiAudioError(f"margin is {margin!r}: it must be a number from 1 up.")
    window = (root_hann(_WINDOW) ** 2).astype(np.float32)
    frames = 1 + len(wave) // _HOP
    padded = np.zeros((frames - 1) * _HOP + _WINDOW + len(wave) % _HOP, np.float32)
    inside = slice(_WINDOW // 2, _WINDOW // 2 + len(wave))
    padded[inside] = wave
    heard = np.lib.stride_tricks.sliding_window_view(padded, _WINDOW)[::_HOP]
    spectrum = fft.rfft(heard * window)
    size = np.abs(spectrum)
    lasting, striking = _medians(size.T).T, _medians(size)
    places = (np.arange(frames)[:, None] * _HOP + np.arange(_WINDOW)).ravel()
    weight = np.bincount(places, np.tile(window.astype(float) ** 2, frames), len(padded))
    found = []
    for one, other in ((lasting, striking), (striking, lasting)):
        share = _share(one, other * np.float32(margin), 0.5 if margin == 1 else 0.0)
        sounds = fft.irfft(spectrum * share) * window
        found.append(np.bincount(places, sounds.ravel(), len(padded))[inside] / weight[inside])
    return np.stack(found).astype(np.float32)


def _medians(rows) -> np.ndarray:
    """Return the median of each number's neighbours in its row, which is mirrored at its ends."""
    from scipy.ndimage import median_filter  # slow to import

    half = _NEIGHBOURS // 2
    longer = np.pad(rows, ((0, 0), (half, half)), mode="symmetric")
    # SciPy filters one long line many times faster than the rows of an array.
    return median_filter(longer.ravel(), _NEIGHBOURS).reshape(longer.shape)[:, half:-half]


def _share(one, other, of_none) -> np.ndarray:
    """Return how much of each cell is of the one, by squares; `of_none` where there is nothing."""
    highest = np.maximum(one, other)
    there = highest >= np.finfo(one.dtype).tiny
    scale = np.where(there, highest, 1)
    squares = [np.square(part / scale) for part in (one, other)]
    return np.where(there, squares[0] / np.where(there, sum(squares), 1), one.dtype.type(of_none))


def factorised(wave: np.ndarray, frontend: LogMel, count: int, seed: int = 0) -> np.ndarray:
    """Return the parts of a sound by non-negative matrix factorisation, float64 (count, samples).

    The magnitudes of the Fourier transform become ``spectra @ activations``, by librosa and
    scikit-learn. Each part takes its share of these from every cell of the transform itself, so
    that the parts' phases are the sound's.

    Parameters
    ----------
    wave : ndarray of float32, shape (samples,)
    frontend : LogMel
        Its windows count.
    count : int
    seed : int

    Returns
    -------
    ndarray of float64, shape (count, samples)
        The one whose spectrum has the lowest peak first.
    """
    check_count("count", count)
    if isinstance(seed, bool) or not isinstance(seed, Integral) or not 0 <= seed < 2**32:
        raise XaiAudioError(f"seed is {seed!r}: it must be a whole number from 0 up.")
    spectrum = analyse(wave, frontend)
    most = min(spectrum.shape)
    if count > most:
        raise XaiAudioError(
            f"A sound of {len(spectrum)} windows and {spectrum.shape[1]} frequencies has no "
            f"{count} spectra: choose from 1 to {most}."
        )
    if not spectrum.any():
        return np.zeros((count, len(wave)))
    from librosa.decompose import decompose  # slow to import

    # Another scale changes nothing, and very small numbers would count as nothing at all.
    magnitudes = np.abs(spectrum).T / np.abs(spectrum).max()
    with warnings.catch_warnings():
        from sklearn.exceptions import ConvergenceWarning

        warnings.simplefilter("ignore", ConvergenceWarning)
        spectra, activations = decompose(
            magnitudes, n_components=count, sort=True, random_state=seed, init="nndsvda"
        )
    cells = spectra.T[:, None, :] * activations[:, :, None]
    total = cells.sum(axis=0)
    shares = np.divide(cells, total, out=np.zeros_like(cells), where=total > 0)
    return np.stack([synthesise(spectrum * share, len(wave), frontend) for share in shares])


def separated(
    wave: np.ndarray, separator: Callable, sample_rate: int | None, expects: int | None
) -> ArrayLike | Mapping[str, ArrayLike]:
    """Return what a separator makes of a sound, at the sound's rate and of its length.

    Parameters
    ----------
    wave : ndarray of float32, shape (samples,)
    separator : callable
        Takes a sound (samples,), returns its sources (k, samples) or a mapping of names to them.
    sample_rate, expects : int or None
        The sound's rate, and the one that the separator was made for.

    Raises
    ------
    XaiAudioError
        If one rate is given without the other, or the sources are not as long as the sound.
    """
    if expects is None or expects == sample_rate:
        return separator(wave.copy())  # its own: it may write into it
    if sample_rate is None:
        raise XaiAudioError(
            f"The separator expects {expects} Hz, but the sound's own rate is unknown: say "
            "sample_rate=... too."
        )
    check_count("sample_rate", sample_rate)
    check_count("expects", expects)
    given = soxr.resample(wave, sample_rate, expects, quality="HQ")
    names, stems = stacked(separator(given.copy()))
    if stems.ndim != 2 or stems.shape[1] != len(given) or not len(stems):
        raise XaiAudioError(
            f"The sources have the shape {stems.shape}, but (k, {len(given)}) is needed: as long "
            f"as the sound that the separator is given, {expects} samples a second."
        )
    back = soxr.resample(np.ascontiguousarray(stems.T), expects, sample_rate, quality="HQ").T
    if abs(back.shape[1] - len(wave)) > _ROUNDING:
        raise XaiAudioError(
            f"{sample_rate} Hz cannot be brought to {expects} Hz and back without a change of "
            "length: resample the sound first."
        )
    fitted = np.zeros((len(back), len(wave)), np.float32)
    length = min(back.shape[1], len(wave))
    fitted[:, :length] = back[:, :length]
    return dict(zip(names, fitted, strict=True)) if names else fitted


def stacked(sources: ArrayLike | Mapping[str, ArrayLike]) -> tuple[tuple[str, ...], np.ndarray]:
    """Return the names of sources, where they have some, and the sources as float32 (k, samples).

    Examples
    --------
    >>> from xaiaudio.explainers.engines.separation import stacked
    >>> stacked({"voice": [1.0, 2.0]})
    (('voice',), array([[1., 2.]], dtype=float32))
    """
    named = isinstance(sources, Mapping)
    given = list(sources.values()) if named else sources
    try:
        if np.iscomplexobj(given):  # NumPy would drop half of it
            raise TypeError("complex numbers, as of a Fourier transform")
        stems = np.asarray(given, np.float32)
    except (TypeError, ValueError) as error:
        raise XaiAudioError(
            f"The sources are no array of numbers (k, samples), or differ in length: {error}."
        ) from error
    return tuple(map(str, sources)) if named else (), stems
