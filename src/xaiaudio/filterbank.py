"""The pieces that log-mel front ends are made of: windows, mel scales, and the bands' triangles."""

from __future__ import annotations

import functools

import numpy as np
from scipy import fft as scipy_fft

# Frames transformed at a time: bounds the memory for hour-long sounds.
_CHUNK = 4096

# Slaney's scale: even steps of hertz up to here, even steps of the logarithm above.
_BEND = 1000.0
_LINEAR = 200.0 / 3
_STEP = np.log(6.4) / 27

# TensorFlow's cosine is one unit in the last place off here and there. In the 400 samples of the
# Hub modules' window, these samples come out one unit of the cosine higher or lower. As little as
# that is heard in a silent band beside a loud tone.
_HIGHER = (
    *(29, 34, 37, 40, 44, 45, 50, 53, 59, 62, 135, 137, 142, 227, 250),
    *(321, 325, 326, 327, 329, 335, 348, 366, 371),
)
_LOWER = (26, 27, 38, 46, 75, 121, 126, 130, 131, 148, 150, 160, 221, 350, 353, 362)


@functools.lru_cache(maxsize=8)
def hann(length: int, precision: str = "float32") -> np.ndarray:
    """Return a periodic Hann window; in single precision it is TensorFlow's to the last digit.

    Parameters
    ----------
    length : int
        In samples.
    precision : {"float32", "float64"}

    Returns
    -------
    ndarray, shape (length,)

    Examples
    --------
    >>> from xaiaudio.filterbank import hann
    >>> hann(4).tolist()
    [0.0, 0.5, 1.0, 0.5]
    """
    if precision == "float64":
        return 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(length) / length)
    phase = np.float32(2 * np.pi) * np.arange(length, dtype=np.float32) / np.float32(length)
    cosine = _single(np.cos, phase)
    if length == 400:
        cosine[list(_HIGHER)] = np.nextafter(cosine[list(_HIGHER)], np.float32(-2))
        cosine[list(_LOWER)] = np.nextafter(cosine[list(_LOWER)], np.float32(2))
    return np.float32(0.5) - np.float32(0.5) * cosine


def window_of(frontend, precision: str | None = None) -> np.ndarray:
    """Return what a front end multiplies its windows with, (window,); by default as it computes.

    Examples
    --------
    >>> import xaiaudio as xa
    >>> from xaiaudio.filterbank import window_of
    >>> window_of(xa.LogMel(window=8, hann=4, fft=8, bands=2)).tolist()
    [0.0, 0.0, 0.0, 0.5, 1.0, 0.5, 0.0, 0.0]
    """
    shape = hann(frontend.hann or frontend.window, precision or frontend.precision)
    rest = frontend.window - len(shape)
    return np.pad(shape, (rest // 2, rest - rest // 2)) if rest else shape


def mel(hertz, scale: str = "htk") -> np.ndarray:
    """Convert hertz to mel.

    Parameters
    ----------
    hertz : array_like of float
    scale : {"htk", "slaney"}
        HTK's is a logarithm throughout, Slaney's is linear up to 1000 Hz.

    Returns
    -------
    ndarray of float64

    Examples
    --------
    >>> from xaiaudio.filterbank import mel
    >>> round(float(mel(1000.0))), round(float(mel(1000.0, "slaney")))
    (1000, 15)
    """
    hertz = np.asarray(hertz, np.float64)
    if scale == "slaney":
        above = _BEND / _LINEAR + np.log(np.maximum(hertz, _BEND) / _BEND) / _STEP
        return np.where(hertz < _BEND, hertz / _LINEAR, above)
    return 1127.0 * np.log1p(hertz / 700.0)


def hertz(mels, scale: str = "htk") -> np.ndarray:
    """Convert mel to hertz, the other way round than :func:`mel`.

    Parameters
    ----------
    mels : array_like of float
    scale : {"htk", "slaney"}

    Returns
    -------
    ndarray of float64

    Examples
    --------
    >>> from xaiaudio.filterbank import hertz
    >>> round(float(hertz(15.0, "slaney")), 6)
    1000.0
    """
    mels = np.asarray(mels, np.float64)
    if scale == "slaney":
        above = _BEND * np.exp(_STEP * (mels - _BEND / _LINEAR))
        return np.where(mels < _BEND / _LINEAR, mels * _LINEAR, above)
    return 700.0 * np.expm1(mels / 1127.0)


@functools.lru_cache(maxsize=64)
def mel_points(frontend) -> np.ndarray:
    """Return feet and peaks of a front end's triangles, in mel.

    Parameters
    ----------
    frontend : LogMel

    Returns
    -------
    ndarray, shape (bands + 2,)
        Band b begins at point b, has its peak at b + 1 and ends at b + 2.

    Examples
    --------
    >>> import xaiaudio as xa
    >>> from xaiaudio.filterbank import mel_points
    >>> mel_points(xa.LogMel.vggish()).shape
    (66,)
    """
    ends = [frontend.fmin, frontend.fmax]
    if _as_tensorflow(frontend):
        points = np.linspace(*_single_mel(ends), frontend.bands + 2, dtype=np.float32)
    else:
        points = np.linspace(*mel(ends, frontend.mel_scale), frontend.bands + 2)
    points.flags.writeable = False
    return points


@functools.lru_cache(maxsize=8)
def mel_matrix(frontend) -> np.ndarray:
    """Return a front end's weights from the bins of the Fourier transform to its bands.

    Parameters
    ----------
    frontend : LogMel

    Returns
    -------
    ndarray, shape (fft // 2 + 1, bands)
        In the precision that the front end computes with.

    Examples
    --------
    >>> import xaiaudio as xa
    >>> from xaiaudio.filterbank import mel_matrix
    >>> mel_matrix(xa.LogMel.vggish()).shape
    (257, 64)
    """
    points = mel_points(frontend)
    bins = np.arange(frontend.fft // 2 + 1) * (frontend.sample_rate / frontend.fft)
    if frontend.triangles == "hertz":
        points = hertz(points, frontend.mel_scale)
    elif _as_tensorflow(frontend):
        step = np.float32(frontend.sample_rate / frontend.fft)
        bins = _single_mel(np.arange(len(bins), dtype=np.float32) * step)
    else:
        bins = mel(bins, frontend.mel_scale)
    low, peak, high = points[:-2], points[1:-1], points[2:]
    bins = bins[:, None]
    weights = np.maximum(0, np.minimum((bins - low) / (peak - low), (high - bins) / (high - peak)))
    weights[0] = 0  # the networks' authors leave out the zero-frequency bin; librosa's is 0 there
    if frontend.norm == "slaney":
        edges = hertz(mel_points(frontend), frontend.mel_scale)
        weights = weights * (2 / (edges[2:] - edges[:-2]))
    return weights.astype(frontend.precision, copy=False)


def sums(wave, frontend) -> np.ndarray:
    """Return what a front end's bands sum up of a sound: magnitudes or powers.

    Parameters
    ----------
    wave : ndarray of float32, shape (samples,)
    frontend : LogMel

    Returns
    -------
    ndarray, shape (T, bands)
        In the precision that the front end computes with.
    """
    return sums_of_windows(lengthened(wave, frontend), frontend)


def lengthened(wave, frontend) -> np.ndarray:
    """Return a sound with what a front end adds to both ends before it cuts windows.

    Examples
    --------
    >>> import numpy as np, xaiaudio as xa
    >>> from xaiaudio.filterbank import lengthened
    >>> [lengthened(np.ones(16_000), one).size for one in (xa.LogMel.vggish(), xa.LogMel.librosa())]
    [16000, 18048]
    """
    if not frontend.centred:
        return wave
    ends = (frontend.samples_before, frontend.window - frontend.samples_before)
    return np.pad(wave, ends, mode=frontend.pad_mode)


def sums_of_windows(wave, frontend) -> np.ndarray:
    """Return what the bands sum up of windows from a sound's first sample on: (T, bands)."""
    windows = np.lib.stride_tricks.sliding_window_view(wave, frontend.window)[:: frontend.hop]
    return sums_of_each(windows, frontend)


def sums_of_each(windows, frontend) -> np.ndarray:
    """Return what the bands sum up of windows (T, samples), however they were cut: (T, bands)."""
    shape = window_of(frontend)
    weights = mel_matrix(frontend)
    found = np.empty((len(windows), frontend.bands), frontend.precision)
    for start in range(0, len(windows), _CHUNK):
        part = slice(start, start + _CHUNK)
        heights = np.abs(scipy_fft.rfft(windows[part] * shape, frontend.fft))
        found[part] = (heights if frontend.power == 1 else heights**2) @ weights
    return found


def _as_tensorflow(frontend) -> bool:
    """Tell whether TensorFlow makes such triangles: then its rounding is kept too."""
    return frontend.triangles == "mel" and frontend.mel_scale == "htk"


def _single_mel(hertz) -> np.ndarray:
    """Convert hertz to mel by HTK's formula, rounded after each step as TensorFlow does."""
    ratio = np.float32(1) + np.asarray(hertz, np.float32) / np.float32(700)
    return np.float32(1127) * _single(np.log, ratio)


def _single(function, values: np.ndarray) -> np.ndarray:
    """Apply a function to single-precision values: the correctly rounded result, anywhere."""
    return function(values.astype(np.float64)).astype(np.float32)
