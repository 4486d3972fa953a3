"""Cutting an event out of a recording: where it is loud, within a band, without clicks."""

from __future__ import annotations

import numpy as np
from scipy import fft as scipy_fft

from ..errors import XaiAudioError

# Seconds in which an event fades in and out: a cut without them clicks.
FADE = 0.03

# Cuts whose energy is at most so many dB below the loudest one's are as good as it.
_NEARLY = 1.0

# A band begins and ends with a shoulder of a sixth of an octave outside of it.
_SHOULDER = 2 ** (1 / 6)


def check_numbers(snr_db, at, seconds) -> None:
    """Complain of numbers that say no ratio, place or duration."""
    for name, value in (("snr_db", snr_db), ("at", at), ("seconds", seconds)):
        number = isinstance(value, (int, float, np.integer, np.floating))
        if not number or isinstance(value, bool) or not np.isfinite(value):
            raise XaiAudioError(f"{name} is {value!r}: it must be a number.")
    if abs(snr_db) > 60:
        raise XaiAudioError(f"snr_db is {snr_db:g}: it must be from -60 to 60 dB.")
    if seconds < 2 * FADE:
        raise XaiAudioError(f"seconds is {seconds:g}: an event takes {2 * FADE:g} s at least.")


def check_room(length, start, sound, bed, rate) -> None:
    """Complain of an event that is longer than its recording, or leaves the background."""
    if length > len(sound):
        raise XaiAudioError(
            f"The event is to last {length / rate:.2f} s, but its recording lasts "
            f"{len(sound) / rate:.2f} s: ask for less."
        )
    if start < 0 or start + length > len(bed):
        raise XaiAudioError(
            f"The event lies from {start / rate:.2f} to {(start + length) / rate:.2f} s, but the "
            f"background from 0 to {len(bed) / rate:.2f} s."
        )


def check_band(band, rate) -> tuple[float, float]:
    """Return the lowest and highest frequency of a band, or complain of it."""
    try:
        low, high = (float(value) for value in band)
    except (TypeError, ValueError):
        low = high = np.nan
    if not 0 <= low < high <= rate / 2:
        raise XaiAudioError(
            f"The band is {band!r}: give its lowest and highest frequency in hertz, from 0 up to "
            f"{rate / 2:g}."
        )
    return low, high


def banded(wave, band, rate) -> np.ndarray:
    """Keep a band: all of it, nothing beyond a sixth of an octave outside of it, no delay."""
    low, high = band
    hertz = scipy_fft.rfftfreq(len(wave), 1 / rate)
    with np.errstate(divide="ignore"):
        octaves = np.log2(hertz)
        below = (np.log2(low) - octaves) if low > 0 else np.full_like(hertz, -np.inf)
        above = octaves - np.log2(high)
    outside = np.maximum(below, above) / np.log2(_SHOULDER)
    gain = np.cos(0.5 * np.pi * np.clip(outside, 0, 1)) ** 2
    return scipy_fft.irfft(scipy_fft.rfft(wave) * gain, len(wave))


def fades(length, rate) -> np.ndarray:
    """Rise and fall within FADE seconds."""
    steps = round(FADE * rate)
    rise = np.sin(0.5 * np.pi * (np.arange(steps) + 0.5) / steps) ** 2
    shape = np.ones(length)
    shape[:steps], shape[-steps:] = rise, rise[::-1]
    return shape


def loudest(wave, length, rate, seed) -> int:
    """Return where to cut: anywhere that is as loud as the loudest cut, or nearly so."""
    # Slow to import, and only needed here.
    from scipy.signal import fftconvolve

    energy = fftconvolve(wave**2, fades(length, rate) ** 2, mode="valid")
    good = np.flatnonzero(energy >= energy.max() * 10 ** (-_NEARLY / 10))
    return int(np.random.default_rng(seed).choice(good))


def rms(wave) -> float:
    """Return the root mean square of a sound."""
    return float(np.sqrt(np.mean(np.square(wave, dtype=np.float64))))
