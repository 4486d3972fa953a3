"""Source and filter: pulses and noise, sent through a tract whose resonances move.

The source-filter model of speech (G. Fant, "Acoustic Theory of Speech Production", 1960). The vocal
folds let a pulse of air through each period; at a narrow place or an open glottis the air hisses.
The tract passes what lies near its resonances. Everything works on whole arrays at 16 kHz.
"""

from __future__ import annotations

import numpy as np
from scipy.fft import irfft, rfft

from .speech_phones import NOISES

RATE = 16_000
HOP = 128  # samples from one state of the tract to the next: 8 ms
FFT = 1024  # room for a window and for the ringing of the narrowest resonance after it
_HERTZ = np.fft.rfftfreq(FFT, 1 / RATE)
_WINDOW = np.hanning(2 * HOP + 1)[:-1]
_TAPS = np.arange(-15, 17)

# A tube of 17.5 cm resonates at the odd multiples of 500 Hz. From the fourth on, no vowel moves it.
_HIGH_FORMANTS = np.array([3500.0, 4500.0, 5500.0, 6500.0, 7500.0])
_HIGH_WIDTHS = np.array([200.0, 250.0, 350.0, 450.0, 600.0])
_NOSE = 270.0  # resonance of the nose; an open one moves a zero from there to _SIDE
_SIDE = 450.0


def through(wave, responses) -> np.ndarray:
    """Send a wave through a filter that changes.

    Parameters
    ----------
    wave : ndarray of float, shape (samples,)
    responses : ndarray of complex, shape (frames, FFT // 2 + 1) or (1, FFT // 2 + 1)
        The filter at samples 0, HOP, 2 HOP, ...; between them the output goes over from one to
        the next.

    Returns
    -------
    ndarray of float, shape (samples,)
    """
    frames = -(-len(wave) // HOP) + 1
    padded = np.zeros((frames + 1) * HOP)
    padded[HOP : HOP + len(wave)] = wave
    halves = padded.reshape(-1, HOP)
    windows = np.concatenate([halves[:-1], halves[1:]], axis=1) * _WINDOW
    pieces = irfft(rfft(windows, FFT) * responses[:frames], FFT).reshape(frames, FFT // HOP, HOP)
    out = np.zeros((frames + FFT // HOP, HOP))
    for part in range(FFT // HOP):
        out[part : part + frames] += pieces[:, part]
    return out.ravel()[HOP : HOP + len(wave)]


def tract(formants, nasal, scale) -> np.ndarray:
    """Return the tract's transfer function.

    Parameters
    ----------
    formants : ndarray of float, shape (frames, 3)
        In hertz, scaled already.
    nasal : ndarray of float, shape (frames,)
        0 to 1: how far the nose is open.
    scale : float
        What the higher resonances are multiplied by.

    Returns
    -------
    ndarray of complex, shape (frames, FFT // 2 + 1)
        1 at 0 Hz.
    """
    widths = scale * np.array([60.0, 90.0, 150.0]) + nasal[:, None] * np.array([0.0, 200.0, 150.0])
    high = scale * _HIGH_FORMANTS
    poles = [_resonance(formants[:, k], widths[:, k]) for k in range(3)]
    poles += [
        _resonance(hertz, scale * width)
        for hertz, width in zip(high, _HIGH_WIDTHS, strict=True)
        if hertz < 0.49 * RATE
    ]
    poles.append(_resonance(scale * _NOSE, 100.0))
    side = _resonance(scale * (_NOSE + nasal * (_SIDE - _NOSE)), 100.0)
    return _response(side) / _response(_product(poles))


def _resonance(hertz, width) -> np.ndarray:
    """Polynomial of a resonance in the delay by one sample, 1 at 0 Hz: (frames or 1, 3)."""
    hertz, width = np.atleast_1d(hertz), np.atleast_1d(width)
    radius = np.exp(-np.pi * width / RATE)
    middle = -2 * radius * np.cos(2 * np.pi * hertz / RATE)
    rows = np.stack([np.ones_like(middle), middle, radius**2 + np.zeros_like(middle)], axis=1)
    return rows / rows.sum(axis=1, keepdims=True)


def _product(polynomials) -> np.ndarray:
    """Multiply polynomials (frames or 1, degree + 1) row by row."""
    total = polynomials[0]
    for factor in polynomials[1:]:
        shape = (max(len(total), len(factor)), total.shape[1] + 2)
        product = np.zeros(shape)
        for power in range(3):
            product[:, power : power + total.shape[1]] += total * factor[:, power : power + 1]
        total = product
    return total


def _response(polynomial) -> np.ndarray:
    """Value of polynomials in the delay at each frequency: (frames, FFT // 2 + 1)."""
    return rfft(polynomial, FFT)


def glottis(pitch, edge) -> np.ndarray:
    """Spectrum of one pulse of air as it leaves the lips: (FFT // 2 + 1,).

    The pulse is round, so that its harmonics fall by 12 dB an octave from about the pitch on, and
    faster above `edge`; the lips radiate high frequencies better, by 6 dB an octave.
    """
    pulse = 1 / (1 + 1j * _HERTZ / pitch) ** 2
    return pulse * lips() / (1 + 1j * _HERTZ / edge)


def lips() -> np.ndarray:
    """How the lips radiate: 6 dB more an octave up, 1 at 1 kHz."""
    return 1j * _HERTZ / 1000


def noises(kinds, scale) -> np.ndarray:
    """Spectra of the noises at narrow places, each of unit power: (kinds, FFT // 2 + 1).

    A small mouth has higher noises, but less so than higher formants.
    """
    rows = []
    for kind in kinds:
        centres, widths, heights, ground = NOISES[kind]
        bumps = [
            height / (1 + ((_HERTZ - centre * np.sqrt(scale)) / (width / 2)) ** 2)
            for centre, width, height in zip(centres, widths, heights, strict=True)
        ]
        rows.append(ground + np.sum(bumps, axis=0))
    rows = np.array(rows)
    return rows / np.sqrt(np.mean(rows**2, axis=1, keepdims=True))


def pulses(rng, phase, strength, jitter=0.006, shimmer=0.04) -> np.ndarray:
    """Return one impulse, free of aliases, wherever the phase passes a whole number.

    Parameters
    ----------
    rng : numpy.random.Generator
    phase : ndarray of float, shape (samples,)
        In turns, growing.
    strength : ndarray of float, shape (samples,)
        Height of an impulse at each moment.
    jitter, shimmer : float
        Standard deviation of a pulse's time (share of the period) and height (share of it).

    Returns
    -------
    ndarray of float, shape (samples,)
    """
    count = int(phase[-1]) - int(np.ceil(phase[0])) + 1
    turns = np.ceil(phase[0]) + np.arange(max(count, 0))
    turns = turns + jitter * rng.standard_normal(len(turns))
    times = np.interp(turns, phase, np.arange(len(phase)))
    heights = np.interp(times, np.arange(len(phase)), strength)
    heights = heights * (1 + shimmer * rng.standard_normal(len(times)))
    whole = np.floor(times).astype(int)
    distance = _TAPS - (times - whole)[:, None]
    shape = 0.94 * np.sinc(0.94 * distance) * np.cos(np.pi * distance / 33) ** 2
    places = whole[:, None] + _TAPS
    inside = (places >= 0) & (places < len(phase))
    weights = (heights[:, None] * shape)[inside]
    return np.bincount(places[inside], weights, minlength=len(phase))


def loudness(wave, seconds=0.03) -> float:
    """Root mean square of the loudest piece of so many seconds."""
    size = round(seconds * RATE)
    pieces = np.square(wave[: len(wave) // size * size]).reshape(-1, size).mean(axis=1)
    return max(float(np.sqrt(pieces.max(initial=0.0))), 1e-12)
