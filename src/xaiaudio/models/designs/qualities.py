"""Named qualities of sounds, measured on the waveform by librosa: how bright, how rough, ..."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import librosa
import numpy as np

from ...errors import XaiAudioError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from ...frontend import LogMel

# Windows of about 64 ms tell harmonics apart; they move on by 10 ms.
WINDOW, HOP = 0.064, 0.010
# The envelope, for modulations, is taken more finely: 400 values a second.
ENVELOPE = 0.0025
# Pitches that voices and many machines have, in hertz.
PITCHES = 60.0, 1000.0
# Modulations below are heard as pulses one by one, those above as a rough timbre.
PULSES, ROUGH = (2.0, 20.0), (20.0, 150.0)
BASS, HISS = 300.0, 4000.0
_LEAST = 1e-10


@dataclass(frozen=True)
class Quality:
    """One quality.

    Attributes
    ----------
    name, unit : str
    meaning : str
        What is measured, in a sentence.
    log : bool
        True if twice as much is a step, wherever one starts: the network works with the logarithm
        of the value plus 1.
    """

    name: str
    unit: str
    meaning: str
    log: bool = False

    def to_scale(self, values: ArrayLike) -> np.ndarray:
        """Bring plain values to the scale that the network works on."""
        values = np.asarray(values, float)
        return np.log2(np.maximum(values, 0) + 1) if self.log else values

    def from_scale(self, values: ArrayLike) -> np.ndarray:
        """Bring values on the network's scale back to plain ones."""
        return np.exp2(values) - 1 if self.log else np.asarray(values, float)


QUALITIES = (
    Quality("brightness", "Hz", "Mean frequency of the spectrum, by magnitude.", log=True),
    Quality("bandwidth", "Hz", "How far the spectrum spreads around its mean frequency.", log=True),
    Quality("tonality", "dB", "By how much the spectrum is less flat than one of noise."),
    Quality("pitch salience", "%", "How well a window repeats itself after one period."),
    Quality("pitch", "Hz", "The period's frequency, whether or not it is salient.", log=True),
    Quality("attack", "dB", "The steepest rise within 10 ms, averaged over bands.", log=True),
    Quality(
        "pulse", "%", "Depth of the changes of loudness from 2 to 20 times a second.", log=True
    ),
    Quality("pulse rate", "Hz", "The strongest of these changes' frequency.", log=True),
    Quality("roughness", "%", "Depth of its changes from 20 to 150 times a second.", log=True),
    Quality("fullness", "%", "Share of the time within 20 dB of the loudest moment."),
    Quality("bass", "%", "Share of the energy below 300 Hz."),
    Quality("hiss", "%", "Share of the energy above 4 kHz."),
)


def to_scale(values: np.ndarray) -> np.ndarray:
    """Bring plain values (..., qualities) to the scales that the network works on."""
    pairs = zip(QUALITIES, np.moveaxis(np.asarray(values, float), -1, 0), strict=True)
    return np.stack([quality.to_scale(column) for quality, column in pairs], axis=-1)


def from_scale(values: np.ndarray) -> np.ndarray:
    """Bring values (..., qualities) on the network's scales back to plain units."""
    pairs = zip(QUALITIES, np.moveaxis(np.asarray(values, float), -1, 0), strict=True)
    return np.stack([quality.from_scale(column) for quality, column in pairs], axis=-1)


def names() -> tuple[str, ...]:
    """Return the qualities' names, in the order of the columns of :func:`measure`."""
    return tuple(quality.name for quality in QUALITIES)


def find(name: str) -> int:
    """Return a quality's number, or say which ones there are."""
    if name not in names():
        raise XaiAudioError(f"No quality is called {name!r}: there are {', '.join(names())}.")
    return names().index(name)


def measure(waves: np.ndarray, sample_rate: int) -> np.ndarray:
    """Measure the qualities of sounds of one length.

    Moments count by their energy, so that silence around a bark does not.

    Parameters
    ----------
    waves : array_like of float, shape (n, samples)
        Or one sound, (samples,). Half a second at least.
    sample_rate : int
        In hertz.

    Returns
    -------
    ndarray of float64, shape (n, qualities)
        In plain units, see `QUALITIES`.

    Raises
    ------
    XaiAudioError
        If the sounds are shorter, or not finite.

    Examples
    --------
    >>> import numpy as np
    >>> from xaiaudio.models.designs.qualities import find, measure
    >>> tone = np.sin(2 * np.pi * 440 * np.arange(16_000) / 16_000)
    >>> hiss = np.random.default_rng(0).normal(0, 0.1, 16_000)
    >>> found = measure(np.stack([tone, hiss]), 16_000)
    >>> found[:, find("pitch salience")].round(-1).tolist()
    [100.0, 10.0]
    """
    waves = np.atleast_2d(np.asarray(waves, np.float32))
    if waves.ndim != 2 or waves.shape[1] < sample_rate / 2:
        raise XaiAudioError(
            f"The sounds have the shape {waves.shape}: (n, samples) of half a second or more is "
            "needed."
        )
    if not np.isfinite(waves).all():
        raise XaiAudioError("The sounds hold samples that are NaN or infinite.")
    size, hop = _power_of_two(WINDOW * sample_rate), round(HOP * sample_rate)
    heights = np.abs(librosa.stft(waves, n_fft=size, hop_length=hop, center=False))
    energy = np.square(heights).sum(axis=1) + _LEAST
    weights = energy / energy.sum(axis=1, keepdims=True)
    columns = [
        *_spectral(heights, weights, sample_rate, size),
        *_pitched(waves, weights, sample_rate, size, hop),
        _attack(heights, sample_rate),
        *_modulated(waves, sample_rate),
        100 * (energy > energy.max(axis=1, keepdims=True) / 100).mean(axis=1),
        *_shares(heights, sample_rate, size),
    ]
    return np.stack(columns, axis=1).astype(np.float64)


def measure_patches(wave: np.ndarray, first: np.ndarray, frontend: LogMel) -> np.ndarray:
    """Measure the qualities of the patches of a sound, each on its stretch of the waveform.

    Parameters
    ----------
    wave : ndarray of float, shape (samples,)
        At the front end's rate.
    first : ndarray of int, shape (n,)
        First frame of each patch.
    frontend : LogMel

    Returns
    -------
    ndarray of float64, shape (n, qualities)
        In plain units.

    Raises
    ------
    XaiAudioError
        If the front end's patches last less than half a second.
    """
    size, before = frontend.window + (frontend.frames - 1) * frontend.hop, frontend.samples_before
    whole = np.pad(np.asarray(wave, np.float32), (before, size))
    every = np.lib.stride_tricks.sliding_window_view(whole, size)
    starts = np.minimum(np.asarray(first, int) * frontend.hop, len(every) - 1)
    return measure(every[starts], frontend.sample_rate)


def _spectral(heights, weights, rate, size):
    """Return brightness, bandwidth and tonality, (n,) each.

    They are librosa's spectral centroid, bandwidth and flatness, whose sums over the bins are
    products here: that takes a fifth of the time.
    """
    hertz = librosa.fft_frequencies(sr=rate, n_fft=size)
    moments = np.stack([np.ones_like(hertz), hertz, np.square(hertz)])
    # The square of the width is what two large numbers leave.
    whole, first, second = np.moveaxis(moments @ heights.astype(float), 1, 0)
    heard = np.where(whole > 0, whole, 1)
    centre = first / heard
    width = np.sqrt(np.maximum(second / heard - np.square(centre), 0))
    power = np.maximum(np.square(heights), _LEAST)
    flat = 10 * (np.log10(power.mean(axis=1)) - np.log10(power).mean(axis=1))
    return [(weights * values).sum(axis=1) for values in (centre, width, flat)]


def _pitched(waves, weights, rate, size, hop):
    """Return pitch salience in per cent and pitch in hertz, (n,) each.

    A window's autocorrelation falls from 1, and rises again after one period. How high it rises,
    above its lowest value before, tells a period from a spectrum that is merely low.
    """
    shortest, longest = (int(rate / pitch) for pitch in PITCHES[::-1])
    frames = librosa.util.frame(waves, frame_length=size, hop_length=hop, axis=1)[:, ::2]
    product = librosa.autocorrelate(frames, max_size=longest + 2, axis=2)
    # Fewer samples overlap at long lags.
    product *= size / (size - np.arange(product.shape[2]))
    product /= np.maximum(product[..., :1], _LEAST)
    lowest = np.minimum.accumulate(product, axis=2)
    rise = np.minimum(product, product - lowest)[..., shortest - 1 :]
    before, rise, after = rise[..., :-2], rise[..., 1:-1], rise[..., 2:]
    best = rise.max(axis=2)
    # The first peak that comes close to the best: not two periods, or three.
    peaks = (rise >= 0.9 * best[..., None]) & (rise >= before) & (rise >= after)
    lag = shortest + np.where(peaks.any(axis=2), peaks.argmax(axis=2), rise.argmax(axis=2))
    weights = weights[:, ::2] + _LEAST
    salience = np.average(np.clip(best, 0, 1), axis=1, weights=weights)
    voiced = weights * (best.clip(0, 1) + 1e-3)
    octaves = np.average(np.log2(rate / lag), axis=1, weights=voiced)
    return 100 * salience, np.exp2(octaves)


def _attack(heights, rate):
    """Return the largest onset strength in dB, (n,)."""
    mel = librosa.feature.melspectrogram(S=np.square(heights), sr=rate, n_mels=40)
    top = mel.max(axis=(1, 2), keepdims=True)
    level = 10 * np.log10(np.maximum(mel / np.maximum(top, _LEAST), 1e-6))
    rise = np.maximum(np.diff(level, axis=2), 0).mean(axis=1)
    return rise.max(axis=1)


def _modulated(waves, rate):
    """Return pulse and its rate, and roughness, (n,) each: from the spectrum of the envelope."""
    hop = max(1, round(ENVELOPE * rate))
    count = waves.shape[1] // hop
    pieces = np.square(waves[:, : count * hop], dtype=float).reshape(len(waves), count, hop)
    envelope = np.sqrt(pieces.mean(axis=2))
    mean = np.maximum(envelope.mean(axis=1, keepdims=True), _LEAST)
    power = np.abs(np.fft.rfft(envelope / mean - 1, axis=1)) ** 2 * 2 / count**2
    hertz = np.fft.rfftfreq(count, hop / rate)

    def depth(low, high):
        chosen = (hertz >= low) & (hertz < high)
        return 100 * np.sqrt(2 * power[:, chosen].sum(axis=1))

    slow = (hertz >= PULSES[0]) & (hertz < PULSES[1])
    strongest = hertz[slow][power[:, slow].argmax(axis=1)]
    return depth(*PULSES), strongest, depth(*ROUGH)


def _shares(heights, rate, size):
    """Return bass and hiss in per cent, (n,) each."""
    hertz = librosa.fft_frequencies(sr=rate, n_fft=size)
    power = np.square(heights).sum(axis=2)
    whole = power.sum(axis=1) + _LEAST
    low, high = power[:, hertz < BASS], power[:, hertz > HISS]
    return 100 * low.sum(axis=1) / whole, 100 * high.sum(axis=1) / whole


def _power_of_two(samples) -> int:
    return int(2 ** np.round(np.log2(samples)))
