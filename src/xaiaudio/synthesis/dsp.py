"""Building blocks of the made sounds: noise, harmonics, resonances, curves.

Every sound of this package is put together from four things that nature uses too:

* *noise*, many small independent pushes of air, given a colour by a gain over frequency;
* *harmonics*, a vibration that repeats, so that all its energy sits at multiples of one pitch;
* *resonances*, something struck that rings on and dies away;
* *curves*, slow changes of pitch and loudness over time.

Everything works on whole arrays; waves are float64 at 16 kHz.
"""

from __future__ import annotations

import numpy as np
from scipy.fft import irfft, rfft, rfftfreq
from scipy.interpolate import PchipInterpolator
from scipy.signal import fftconvolve

RATE = 16_000
SECONDS = 5.0
SAMPLES = int(RATE * SECONDS)
NYQUIST = 7_800.0  # harmonics above this are left out: nothing may fold back below 8 kHz
STEP = 32  # samples between two values of the harmonics' loudness


def samples(seconds: float) -> int:
    """Length in samples, at least one."""
    return max(1, round(seconds * RATE))


def log_uniform(rng, low: float, high: float) -> float:
    """Draw between two positive numbers so that each octave is as likely as the next."""
    return float(np.exp(rng.uniform(np.log(low), np.log(high))))


def noise(rng, n: int, gain=None) -> np.ndarray:
    """Noise of unit rms whose spectrum follows ``gain(hertz)``; white without one."""
    wave = rng.standard_normal(n)
    if gain is not None:
        wave = filtered(wave, gain)
    return wave / max(rms(wave), 1e-12)


def filtered(wave, gain) -> np.ndarray:
    """Multiply the spectrum of a wave by ``gain(hertz)``, without any delay."""
    size = len(wave)
    return irfft(rfft(wave) * gain(rfftfreq(size, 1 / RATE)), size)


def slope(decibels_per_octave: float, low: float = 20.0):
    """Gain that falls (or rises) steadily: -3 is pink noise, -6 brown noise."""
    power = decibels_per_octave / 20 / np.log10(2)
    return lambda hertz: (np.maximum(hertz, low) / 1000) ** power


def low_pass(cutoff: float, order: float = 2.0):
    """Gain 1 below `cutoff`, falling by 6 dB an octave times `order` above it."""
    return lambda hertz: 1 / np.sqrt(1 + (hertz / cutoff) ** (2 * order))


def high_pass(cutoff: float, order: float = 2.0):
    """Gain 1 above `cutoff`, falling by 6 dB an octave times `order` below it."""
    return lambda hertz: 1 / np.sqrt(1 + (cutoff / np.maximum(hertz, 1.0)) ** (2 * order))


def product(*gains):
    """One filter after the other."""
    return lambda hertz: np.prod([gain(hertz) for gain in gains], axis=0)


def bumps(centres, widths, heights, ground: float = 0.02):
    """Gain with a resonance at each centre: the formants of a throat, the body of a machine.

    A formant is a band that the cavity between voice and lips lets through best; `widths` are
    full widths at half the height in hertz and `ground` is what gets through between them.
    """

    def gain(hertz):
        total = np.full(np.shape(hertz), float(ground))
        for centre, width, height in zip(centres, widths, heights, strict=True):
            total = total + height / (1 + ((hertz - centre) / (width / 2)) ** 2)
        return total

    return gain


def harmonics(rng, pitch, gain, tilt: float = -6.0, jitter: float = 0.0) -> np.ndarray:
    """Make a repeating vibration: sines at all multiples of a moving pitch.

    Parameters
    ----------
    rng : numpy.random.Generator
    pitch : ndarray (n,)
        Fundamental frequency in hertz at each sample.
    gain : callable
        Loudness of a component at a frequency: components that glide through a formant swell.
    tilt : float
        Decibels an octave by which higher components are weaker at the source.
    jitter : float
        Random wander of the pitch (standard deviation, share of the pitch): roughness.
    """
    if jitter:
        pitch = pitch * (1 + jitter * curve(rng, len(pitch), 60.0))
    turn = np.exp(2j * np.pi * np.cumsum(pitch) / RATE)
    count = max(1, int(NYQUIST / pitch.min()))
    numbers = np.arange(1, count + 1)
    phases = np.exp(2j * np.pi * rng.random(count))
    # Loudness moves slowly: it is worked out once in STEP samples and drawn through.
    hertz = numbers[:, None] * np.append(pitch[::STEP], pitch[-1])
    levels = gain(hertz) * (hertz < NYQUIST)
    levels *= (numbers ** (tilt / 20 / np.log10(2)))[:, None]
    share = np.arange(STEP) / STEP
    wave = np.zeros(len(pitch))
    spin = np.ones(len(pitch), complex)
    for level, phase in zip(levels, phases, strict=True):
        spin *= turn
        smooth = level[:-1, None] + np.diff(level)[:, None] * share
        wave += smooth.ravel()[: len(pitch)] * (spin * phase).real
    return wave


def ring(centres, decays, heights, n: int, phases=None) -> np.ndarray:
    """Make what is heard of a thing that is struck: sines that die away.

    `decays` are the seconds in which each falls to 37 %.
    """
    t = np.arange(n)[None] / RATE
    centres, decays, heights = (
        np.asarray(values, float)[:, None] for values in (centres, decays, heights)
    )
    phases = np.zeros_like(centres) if phases is None else np.asarray(phases, float)[:, None]
    return (heights * np.exp(-t / decays) * np.sin(2 * np.pi * centres * t + phases)).sum(axis=0)


def curve(rng, n: int, rate: float) -> np.ndarray:
    """Draw a smooth curve, mean about 0, spread about 1, with `rate` free values a second."""
    knots = rng.standard_normal(int(np.ceil(n / RATE * rate)) + 3)
    return through(np.arange(len(knots)) / rate, knots, n)


def through(times, values, n: int) -> np.ndarray:
    """Return the smooth curve through `values` at `times` in seconds; it never overshoots."""
    t = np.clip(np.arange(n) / RATE, times[0], times[-1])
    return PchipInterpolator(times, values)(t)


def swell(n: int, attack: float, release: float) -> np.ndarray:
    """Rise within `attack` seconds, hold, fall within `release` seconds (both rounded off)."""
    t = np.arange(n) / RATE
    rise = np.clip(t / attack, 0, 1)
    fall = np.clip((n / RATE - t) / release, 0, 1)
    return np.sin(0.5 * np.pi * rise) ** 2 * np.sin(0.5 * np.pi * fall) ** 2


def place(wave, sound, at: float) -> None:
    """Add `sound` to `wave` at a time in seconds; what does not fit is cut off."""
    start = round(at * RATE)
    if start < 0:
        sound, start = sound[-start:], 0
    sound = sound[: max(0, len(wave) - start)]
    wave[start : start + len(sound)] += sound


def strikes(times, heights, n: int) -> np.ndarray:
    """Return a wave that is zero but for single samples: where things hit."""
    at = np.round(np.asarray(times) * RATE).astype(int)
    inside = (at >= 0) & (at < n)
    return np.bincount(at[inside], np.asarray(heights, float)[inside], minlength=n)


def poisson_times(rng, rate: float, seconds: float = SECONDS) -> np.ndarray:
    """Moments that happen `rate` times a second on average and know nothing of each other."""
    return np.sort(rng.uniform(0, seconds, rng.poisson(rate * seconds)))


def convolve(wave, response) -> np.ndarray:
    """Start `response` at every sample of `wave`, in proportion; as long as `wave`."""
    return fftconvolve(wave, response)[: len(wave)]


def rms(wave) -> float:
    """Root of the mean square."""
    return float(np.sqrt(np.mean(np.square(wave))))


def loudness(wave, seconds: float = 0.01, share: float = 0.05) -> float:
    """Root mean square of the loudest `share` of the wave's pieces of `seconds`."""
    size = samples(seconds)
    pieces = np.square(wave[: len(wave) // size * size]).reshape(-1, size).mean(axis=1)
    count = max(1, round(share * len(pieces)))
    return float(np.sqrt(np.sort(pieces)[-count:].mean()))


def unit(wave) -> np.ndarray:
    """Scale the wave so that its greatest absolute value is 1."""
    return wave / max(float(np.abs(wave).max()), 1e-12)
