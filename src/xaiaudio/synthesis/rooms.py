"""A room as two numbers, put around a sound, found in it, and taken away from it.

The room's answer is what comes directly, and noise that dies away (J. D. Polack's model of 1988 in
its simplest form): how fast is the time in which it falls by 60 dB, how loud is the ratio of direct
to late energy. In power spectrograms that is a convolution in time with an exponential.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import librosa
import numpy as np
from scipy.signal import fftconvolve, lfilter

from ..errors import XaiAudioError
from . import dsp

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

#: Rooms that are tried, in seconds: from one of which nothing is heard to a church.
SECONDS = tuple(float(t) for t in np.geomspace(0.1, 2.5, 20))
_WINDOW, _HOP = 512, 128
_BANDS = 16
_ROUNDS = 40
#: What the model of a room may miss: the mean divergence of a cell. Set on other sounds.
MISSED = 0.04
# Added to powers, relative to the mean of their band: what is 40 dB below it is as good as silent.
_FLOOR = 1e-4
# No cell is made softer than this: -26 dB. What is cut to nothing chirps.
_LEAST_GAIN = 0.05


def tails(
    shape: tuple[int, ...], seconds: np.ndarray, energy: float, rng: np.random.Generator
) -> np.ndarray:
    """Return late parts of rooms: noise that falls by 60 dB in so many seconds.

    Parameters
    ----------
    shape : tuple of int
        Rooms and samples.
    seconds : ndarray of float, shape (rooms,)
    energy : float
        Of each.
    rng : numpy.random.Generator

    Returns
    -------
    ndarray of float64, shape (rooms, samples)
    """
    time = np.arange(shape[-1]) / dsp.RATE
    late = rng.standard_normal(shape) * 10 ** (-3 * time / np.asarray(seconds)[:, None])
    late *= np.sqrt(energy) / np.sqrt(np.square(late).sum(axis=1, keepdims=True))
    return late


def answer(seconds: float, ratio: float = 0.0, *, seed: int = 0) -> np.ndarray:
    """Return the answer of a room to a click.

    Parameters
    ----------
    seconds : float
        In which it falls by 60 dB.
    ratio : float
        Direct to late energy in dB.
    seed : int
        Of the noise that dies away.

    Returns
    -------
    ndarray of float64, shape (samples,)
        As long as `seconds`, the direct sound first.

    Raises
    ------
    XaiAudioError
        If `seconds` is not above 0, or `ratio` not finite.

    Examples
    --------
    >>> from xaiaudio.synthesis.rooms import answer
    >>> room = answer(0.5, 3.0)
    >>> len(room), round(float((room[1:] ** 2).sum()), 3)
    (8001, 0.501)
    """
    _positive(seconds, ratio)
    late = tails(
        (1, round(seconds * dsp.RATE)),
        np.array([seconds]),
        10 ** (-ratio / 10),
        np.random.default_rng(seed),
    )[0]
    return np.concatenate([[1.0], late])


def put(wave: ArrayLike, room: ArrayLike) -> np.ndarray:
    """Return a sound in a room: float64, longer than the sound by what the room answers."""
    return fftconvolve(np.asarray(wave, np.float64), np.asarray(room, np.float64))


@dataclass(frozen=True, eq=False)
class Decay:
    """How well each room explains a sound.

    Attributes
    ----------
    seconds : float
        The slowest decay that the sound allows: the estimate.
    tried : ndarray of float, shape (n,)
        In seconds.
    missed : ndarray of float, shape (n,)
        What each tried room leaves unexplained: the mean Itakura-Saito divergence of a cell.
    """

    seconds: float
    tried: np.ndarray
    missed: np.ndarray


def decay(wave: ArrayLike, *, ratio: float = 0.0) -> Decay:
    """Estimate in how many seconds the sound of a room falls by 60 dB, from a sound in it alone.

    For each room that is tried, the power in 16 bands is written as a dry power that is nowhere
    negative, convolved with the room's decay. Any dry power is allowed, so a room that dies away
    too fast explains all. One that dies away too slowly does not: somewhere the sound falls faster.
    The estimate is where the model begins to miss what it should explain.

    Parameters
    ----------
    wave : array_like of float, shape (samples,)
        At 16 kHz, with pauses in it or an end.
    ratio : float
        Direct to late energy in dB, which is not estimated.

    Returns
    -------
    Decay
        A dry sound has a decay too, its own.

    Raises
    ------
    XaiAudioError
        If the sound is silent, not finite or too short, or `ratio` not finite.

    Examples
    --------
    >>> import numpy as np
    >>> from xaiaudio.synthesis.rooms import answer, decay, put
    >>> clicks = np.zeros(16_000)
    >>> clicks[::8000] = 1
    >>> 0.3 < decay(put(clicks, answer(0.4))).seconds < 0.6
    True
    """
    _positive(SECONDS[0], ratio)
    power = _power(_checked(wave))
    mel = librosa.filters.mel(sr=dsp.RATE, n_fft=_WINDOW, n_mels=_BANDS, fmin=100, norm=None)
    bands = _raised(mel @ power)
    tried = np.array(SECONDS)
    missed = np.array(
        [divergence(bands, late_sum(dry_of(bands, t, ratio), t, ratio)) for t in tried]
    )
    # Once above the mark it stays there: what comes before the last time below it is allowed.
    below = np.flatnonzero(missed <= MISSED)
    if not len(below):
        return Decay(float(tried[0]), tried, missed)
    last = below[-1]
    if last == len(tried) - 1:
        return Decay(float(tried[-1]), tried, missed)
    share = np.log(MISSED / missed[last]) / np.log(missed[last + 1] / missed[last])
    seconds = tried[last] * (tried[last + 1] / tried[last]) ** share
    return Decay(float(seconds), tried, missed)


def removed(wave: ArrayLike, seconds: float, *, ratio: float = 0.0) -> np.ndarray:
    """Take the late part of a room away.

    The dry power that the model finds, over the whole power of the model, is Wiener's gain in each
    cell.

    Parameters
    ----------
    wave : array_like of float, shape (samples,)
    seconds : float
        In which the room falls by 60 dB, such as :func:`decay` tells.
    ratio : float
        Direct to late energy in dB.

    Returns
    -------
    ndarray of float64, shape (samples,)

    Raises
    ------
    XaiAudioError
        If `seconds` is not above 0, `ratio` not finite, or the sound is silent, not finite or too
        short.
    """
    _positive(seconds, ratio)
    wave = _checked(wave)
    power = _raised(_power(wave))
    dry = dry_of(power, seconds, ratio)
    gains = np.maximum(dry / late_sum(dry, seconds, ratio), _LEAST_GAIN)
    cells = librosa.stft(wave, n_fft=_WINDOW, hop_length=_HOP) * gains
    return librosa.istft(cells, n_fft=_WINDOW, hop_length=_HOP, length=len(wave))


def late_sum(dry: np.ndarray, seconds: float, ratio: float) -> np.ndarray:
    """Return the power that the model has of a dry power: it and all that came before, dying away.

    Parameters
    ----------
    dry : ndarray of float, shape (bands, frames)
    seconds, ratio : float
        The room. What it adds to a frame's power in all later ones sums to the ratio's inverse.
    """
    return lfilter(*_filter(seconds, ratio), dry, axis=1)


def dry_of(power: np.ndarray, seconds: float, ratio: float) -> np.ndarray:
    """Return the dry power, nowhere negative, with which the model comes close to a power.

    By multiplicative updates that lower the Itakura-Saito divergence, in which soft cells count as
    loud ones.
    """
    room = _filter(seconds, ratio)

    def seen_back(values):
        return lfilter(*room, values[:, ::-1], axis=1)[:, ::-1]

    dry = power / (1 + 10 ** (-ratio / 10))
    for _ in range(_ROUNDS):
        model = lfilter(*room, dry, axis=1)
        dry = dry * np.sqrt(seen_back(power / model**2) / seen_back(1 / model))
        dry = np.maximum(dry, 1e-12 * _FLOOR)
    return dry


def divergence(power: np.ndarray, model: np.ndarray) -> float:
    """Return the mean Itakura-Saito divergence of a cell: 0 if they are equal."""
    share = power / model
    return float((share - np.log(share) - 1).mean())


def _filter(seconds, ratio):
    """Return the decay from frame to frame as a recursive filter: 1, g r, g r^2, ..."""
    # Within one frame even the fastest room leaves something that can be divided by.
    fall = max(10 ** (-6 * _HOP / dsp.RATE / seconds), 1e-200)
    height = 10 ** (-ratio / 10) * (1 - fall) / fall
    return [1.0, (height - 1) * fall], [1.0, -fall]


def _power(wave) -> np.ndarray:
    return np.abs(librosa.stft(wave, n_fft=_WINDOW, hop_length=_HOP)) ** 2


def _raised(power) -> np.ndarray:
    """Divide each band by its mean, and lift silence: (bands, frames)."""
    return power / np.maximum(power.mean(axis=1, keepdims=True), 1e-12 * power.max()) + _FLOOR


def _positive(seconds, ratio) -> None:
    if not np.isfinite(seconds) or seconds <= 0:
        raise XaiAudioError(f"A room that falls by 60 dB in {seconds} s: a time above 0 is needed.")
    if not np.isfinite(ratio):
        raise XaiAudioError(f"Direct to late energy is {ratio} dB: a finite number is needed.")


def _checked(wave) -> np.ndarray:
    wave = np.asarray(wave, np.float64)
    if wave.ndim != 1 or len(wave) < 4 * _WINDOW or not np.isfinite(wave).all() or not wave.any():
        raise XaiAudioError(
            f"One sound is needed, (samples,), finite, not silent, {4 * _WINDOW} samples or longer."
        )
    return wave
