"""Instruments: drums, a bass, a pad that plays chords, a lead, and a voice that sings.

A note is a row: all notes of an instrument are worked out at once, and then put where they begin.
"""

from __future__ import annotations

import functools
from typing import NamedTuple

import numpy as np

from . import dsp

_PERIOD = 1 << 14  # samples of a period
_RELEASE = 0.02  # seconds in which a note that is let go falls silent

#: Heights of the harmonics of the instruments that play notes, the fundamental first.
HEIGHTS = {
    "bass": 0.55 ** np.arange(8),
    "pad": 0.5 ** np.arange(6),
    "lead": np.where(np.arange(9) % 2 == 0, 0.7 ** np.arange(9), 0),
}


def hertz(pitch) -> np.ndarray:
    """Return the frequency of MIDI pitches: 69 is 440 Hz, 12 more is an octave."""
    return 440 * 2 ** ((np.asarray(pitch, float) - 69) / 12)


def tones(pitches, seconds: float, heights, *, decay: float = np.inf) -> np.ndarray:
    """Return notes of the same length: sums of harmonics, with a soft beginning and end.

    Parameters
    ----------
    pitches : array_like of float, shape (k,)
        MIDI pitches.
    seconds : float
    heights : array_like of float, shape (h,)
        Of the harmonics, the fundamental first. Those too high for the highest pitch are left out.
    decay : float
        Seconds in which a note falls to 37 %.

    Returns
    -------
    ndarray of float64, shape (k, samples)
    """
    t = np.arange(dsp.samples(seconds)) / dsp.RATE
    different, which = np.unique(pitches, return_inverse=True)
    pitch = hertz(different)
    numbers = np.arange(1, len(heights) + 1)
    heights = np.where(numbers * pitch.max() < dsp.NYQUIST, heights, 0)
    period = _period(tuple(heights.tolist()))
    wave = period[(pitch[:, None] * t * _PERIOD).astype(np.int64) & (_PERIOD - 1)]
    edge = min(_RELEASE, seconds / 3)
    envelope = np.clip(t / 0.008, 0, 1) * np.clip((seconds - t) / edge, 0, 1)
    return (wave * (envelope * np.exp(-t / decay)))[which]


@functools.lru_cache(maxsize=64)
def _period(heights: tuple[float, ...]) -> np.ndarray:
    """Return one period of a tone; a note reads it as fast as its pitch says."""
    numbers = np.arange(1, len(heights) + 1)[:, None]
    return np.array(heights) @ np.sin(2 * np.pi * numbers * np.arange(_PERIOD) / _PERIOD)


def placed(starts, notes, total: int) -> np.ndarray:
    """Return one wave of so many samples with the notes begun at their times.

    Parameters
    ----------
    starts : array_like of float, shape (k,)
        In seconds; what lies beyond the end is left out.
    notes : ndarray of float, shape (k, samples) or (samples,)
    total : int

    Returns
    -------
    ndarray of float64, shape (total,)
    """
    first = np.round(np.asarray(starts, float) * dsp.RATE).astype(int)
    length = min(np.shape(notes)[-1], total)
    notes = np.broadcast_to(np.asarray(notes)[..., :length], (len(first), length))
    index = first[:, None] + np.arange(length)
    wave = np.bincount(index.ravel(), notes.ravel(), minlength=total)
    return wave[:total]


def kick() -> np.ndarray:
    """Return a bass drum: a tone that falls from 160 to 50 Hz within a few hundredths."""
    t = np.arange(dsp.samples(0.25)) / dsp.RATE
    pitch = 50 + 110 * np.exp(-t / 0.03)
    return np.sin(2 * np.pi * np.cumsum(pitch) / dsp.RATE) * np.exp(-t / 0.08)


def snare(rng) -> np.ndarray:
    """Return a snare drum: noise around 2 kHz over a short tone of its skin."""
    n = dsp.samples(0.2)
    t = np.arange(n) / dsp.RATE
    rattle = dsp.noise(rng, n, dsp.product(dsp.high_pass(800), dsp.low_pass(5000)))
    return 0.5 * rattle * np.exp(-t / 0.05) + 0.6 * np.sin(2 * np.pi * 185 * t) * np.exp(-t / 0.04)


def hat(rng) -> np.ndarray:
    """Return a closed hi-hat: a tick of high noise."""
    n = dsp.samples(0.06)
    return dsp.noise(rng, n, dsp.high_pass(5000, 4)) * np.exp(-np.arange(n) / dsp.RATE / 0.015)


def bass(pitches, seconds: float) -> np.ndarray:
    """Return plucked bass notes (k, samples)."""
    return tones(pitches, seconds, HEIGHTS["bass"], decay=0.4)


def pad(pitches, seconds: float) -> np.ndarray:
    """Return held notes of a soft organ (k, samples)."""
    return tones(pitches, seconds, HEIGHTS["pad"])


def lead(pitches, seconds: float) -> np.ndarray:
    """Return notes of a reed, odd harmonics only (k, samples)."""
    return tones(pitches, seconds, HEIGHTS["lead"])


def sung(
    rng: np.random.Generator, pitch: float, seconds: float, *, rate: float = 5.5, depth: float = 0.5
) -> Sung:
    """Return a sung note: a voice with vibrato, and the breath in it.

    Parameters
    ----------
    rng : numpy.random.Generator
        Decides the phases of the harmonics and the breath.
    pitch : float
        MIDI pitch.
    seconds : float
    rate, depth : float
        Of the vibrato: in hertz, and in semitones up and down.
    """
    n = dsp.samples(seconds)
    t = np.arange(n) / dsp.RATE
    moving = hertz(pitch + depth * np.sin(2 * np.pi * rate * t))
    mouth = dsp.bumps([700, 1150, 2700, 3500], [110, 130, 200, 250], [1, 0.6, 0.2, 0.15], 0.03)
    loud = dsp.swell(n, 0.15, 0.25)
    voice = dsp.unit(dsp.harmonics(rng, moving, mouth, -6.0)) * loud
    breath = dsp.noise(rng, n, dsp.product(mouth, dsp.high_pass(1000))) * loud
    return Sung(moving, 0.4 * voice, 0.012 * breath)


class Sung(NamedTuple):
    """A sung note: pitch in hertz at each sample, and its two parts, float64 (samples,) each."""

    pitch: np.ndarray
    voice: np.ndarray
    breath: np.ndarray
