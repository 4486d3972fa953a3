"""A sound taken apart into the controls that make it again: pitch, harmonics, noise.

Tones and noise as in X. Serra and J. Smith, "Spectral Modeling Synthesis", Computer Music Journal
14(4), 1990: what is no harmonic of the pitch is noise.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import librosa
import numpy as np
import tensorflow as tf
from scipy.ndimage import binary_closing, convolve1d
from scipy.signal import get_window, upfirdn

from ...errors import XaiAudioError
from . import harmonic
from .controls import BANDS, HARMONICS, HOP, RATE, Controls

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

#: Pitches that are looked for, in hertz.
PITCHES = (75.0, 1500.0)
# A window over which harmonics are measured holds so many periods of the pitch. A longer one tells
# tones and noise apart better, and moments worse.
_PERIODS = 6
# Share of white noise that such a window leaves in the residual, and the share that it gives to the
# harmonics: from the square of its transform, one minus twice the mean of it plus the mean square.
_LEFT = 1 - 2.5 / _PERIODS
# The pitch tracker looks at the sound so often only; the harmonics' phases tell the rest.
_TRACKED = 4 * HOP
# Where the tracker hears no pitch for fewer frames than these (60 ms), such as where a note begins,
# the pitch is drawn through, and the harmonics say how loud they are.
_GAP = 15
# Frames over which the noise's power is averaged.
_SMOOTH = 9


@dataclass(frozen=True, eq=False)
class Analysis:
    """A sound taken apart.

    Attributes
    ----------
    controls : Controls
        What makes a sound like it.
    voiced : ndarray of bool, shape (frames,)
        Where there is a pitch. Elsewhere the harmonics are silent.
    loudness : ndarray of float, shape (frames,)
        A-weighted level in dB: a tone of 1 kHz and height 1 has about -3 dB.
    tone, residual : ndarray of float64, shape (samples,)
        The harmonics as they are in the sound, with their own phases, and what they leave. Their
        sum is the sound.
    """

    controls: Controls
    voiced: np.ndarray
    loudness: np.ndarray
    tone: np.ndarray
    residual: np.ndarray


def analyse(
    wave: ArrayLike,
    pitch: ArrayLike | None = None,
    *,
    harmonics: int = HARMONICS,
    bands: int = BANDS,
) -> Analysis:
    """Take a sound apart.

    Parameters
    ----------
    wave : array_like of float, shape (samples,)
        At 16 kHz. Samples beyond the last whole frame of 64 are left out.
    pitch : array_like of float, shape (frames,), optional
        In hertz, 0 where there is none; by default it is looked for.
    harmonics, bands : int
        How many the controls have.

    Returns
    -------
    Analysis

    Raises
    ------
    XaiAudioError
        If the sound is too short, not finite, or of another length than the pitch, or no harmonic
        or fewer than two bands are asked for.

    Examples
    --------
    >>> import numpy as np
    >>> from xaiaudio.synthesis.ddsp.analysis import analyse
    >>> time = np.arange(16_000) / 16_000
    >>> found = analyse(0.2 * np.sin(2 * np.pi * 440 * time), np.full(250, 440.0))
    >>> round(float(found.controls.amplitude[125]), 3)
    0.2
    """
    wave = _checked(wave)
    if harmonics < 1 or bands < 2:
        raise XaiAudioError(
            f"There are {harmonics} harmonics and {bands} bands: 1 and 2 at least are needed."
        )
    if pitch is None:
        track, voiced = pitch_of(wave)
    else:
        track = np.asarray(pitch, np.float64)
        if track.shape != (len(wave) // HOP,):
            raise XaiAudioError(
                f"pitch has the shape {track.shape}: the sound has {len(wave) // HOP} frames."
            )
        voiced = track > 0
        track = _filled(track, voiced)
    heights, window = projected(wave, track, harmonics)
    heights = heights * voiced[:, None]
    tone = _sounding(heights, track)
    residual = wave - tone
    gains = noise_gains(residual, bands)
    # The harmonics' windows also took noise that lies at the harmonics: give it back.
    reach = track * (1 + np.count_nonzero(heights, axis=1))
    hertz = np.linspace(0, RATE / 2, bands)
    taken = voiced[:, None] & (hertz < reach[:, None])
    gains = np.where(taken, gains / np.sqrt(_LEFT), gains)
    # ... and take it from the harmonics.
    numbers = np.arange(1, harmonics + 1)
    at = np.clip(numbers * track[:, None] / (RATE / 2) * (bands - 1), 0, bands - 1).round()
    power = np.take_along_axis(gains, at.astype(int), axis=1) ** 2 / 3
    share = 4 * np.square(window).sum() / window.sum() ** 2
    found = np.sqrt(np.maximum(np.abs(heights) ** 2 - share * power, 0))
    amplitude = found.sum(axis=1)
    shares = found / np.maximum(amplitude, 1e-12)[:, None]
    return Analysis(
        Controls(track, amplitude, shares, gains), voiced, loudness(wave), tone, residual
    )


def pitch_of(
    wave: ArrayLike, *, between: tuple[float, float] = PITCHES
) -> tuple[np.ndarray, np.ndarray]:
    """Return the pitch of each frame in hertz, and whether there is one.

    By probabilistic YIN (M. Mauch and S. Dixon, "pYIN", ICASSP 2014), made finer by the phases of
    the harmonics. Where there is no pitch, it goes from one that there is to the next.

    Parameters
    ----------
    wave : array_like of float, shape (samples,)
        At 16 kHz. Samples beyond the last whole frame of 64 are left out.
    between : tuple of float
        Lowest and highest pitch that is looked for, in hertz.

    Returns
    -------
    pitch : ndarray of float64, shape (frames,)
    voiced : ndarray of bool, shape (frames,)

    Raises
    ------
    XaiAudioError
        If the sound is too short or not finite, or `between` is not from low to high.

    Examples
    --------
    >>> import numpy as np
    >>> from xaiaudio.synthesis.ddsp.analysis import pitch_of
    >>> pitch, voiced = pitch_of(np.sin(2 * np.pi * 443 * np.arange(16_000) / 16_000))
    >>> round(float(pitch[125]), 1), bool(voiced[125])
    (443.0, True)
    """
    wave = _checked(wave)
    frames = len(wave) // HOP
    low, high = between
    if not 0 < low < high:
        raise XaiAudioError(f"A pitch between {low} and {high} Hz: the lower one comes first.")
    tracked, found, _ = librosa.pyin(
        wave, fmin=low, fmax=high, sr=RATE, frame_length=1024, hop_length=_TRACKED
    )
    at, rough = np.arange(frames) * HOP / _TRACKED, np.arange(len(tracked))
    voiced = found[np.minimum(at.round().astype(int), len(found) - 1)]
    voiced = binary_closing(np.pad(voiced, _GAP, mode="edge"), np.ones(_GAP))[_GAP:-_GAP]
    track = np.interp(at, rough, _filled(np.nan_to_num(tracked), found))
    for _ in range(2):
        track = np.where(voiced, refined(wave, track), track)
    return track, voiced


def _checked(wave) -> np.ndarray:
    """Return a sound cut to whole frames."""
    wave = np.asarray(wave, np.float64)
    if wave.ndim != 1 or len(wave) < 1024 or not np.isfinite(wave).all():
        raise XaiAudioError("One sound is needed, (samples,), finite, of 1,024 samples or more.")
    return wave[: len(wave) // HOP * HOP]


def _filled(pitch, voiced) -> np.ndarray:
    """Draw a pitch through where there is none; 440 Hz if there is none at all."""
    if not voiced.any():
        return np.full(len(pitch), 440.0)
    at = np.arange(len(pitch))
    return np.interp(at, at[voiced], pitch[voiced])


def refined(wave: np.ndarray, pitch: np.ndarray, count: int = 8) -> np.ndarray:
    """Return a pitch at which the first harmonics stand still.

    Seen from a sine of the right frequency, a harmonic does not turn. How fast it turns says how
    far the frequency is off. Each counts by its energy and its number.
    """
    heights, _ = projected(wave, pitch, count)
    numbers = np.arange(1, heights.shape[1] + 1)
    turned = np.gradient(np.unwrap(np.angle(heights), axis=0), axis=0) / (2 * np.pi)
    off = turned * RATE / HOP / numbers
    weights = (np.abs(heights) * numbers) ** 2 + 1e-20
    step = (off * weights).sum(axis=1) / weights.sum(axis=1)
    # A tenth is more than the tracker's steps: what is beyond is no tone.
    return pitch + np.clip(step, -0.1 * pitch, 0.1 * pitch)


def projected(wave: np.ndarray, pitch: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Project a sound on the harmonics of a pitch, window by window.

    The window is a Hann window of six periods. Neighbouring harmonics lie on its zeros, so that the
    projections are what least squares would find.

    Parameters
    ----------
    wave : ndarray of float, shape (frames * HOP,)
    pitch : ndarray of float, shape (frames,)
    count : int

    Returns
    -------
    heights : ndarray of complex128, shape (frames, count)
        0 for harmonics above 8 kHz. The real part of their sum, each turned by its phase, is the
        tone.
    window : ndarray of float, shape (size,)
    """
    size = int(np.clip(np.ceil(_PERIODS * RATE / np.median(pitch) / 2), 64, 1024)) * 2 + 1
    window = get_window("hann", size, fftbins=False)
    heights = np.zeros((len(pitch), count), complex)
    audible = np.arange(1, count + 1) * pitch[:, None] < RATE / 2
    most = int(audible.any(axis=0).sum())
    if most:
        turning = _turning(pitch, most)
        seen = wave[:, None] * turning.conj()
        half = size // 2
        padded = np.pad(seen, ((half, half), (0, 0)))
        heights[:, :most] = 2 * _every(window, padded)[: len(pitch)] / window.sum()
    return heights * audible, window


def _every(window, padded) -> np.ndarray:
    """Return the windowed sums that begin at every frame."""
    # Shifted so that the first output of the filter is a whole window.
    skip = (len(window) - 1) % HOP
    first = (len(window) - 1 + HOP - 1) // HOP
    ahead = np.pad(padded, (((HOP - skip) % HOP, 0), (0, 0)))
    return upfirdn(window[::-1], ahead, 1, HOP, axis=0)[first:]


def _turning(pitch, count) -> np.ndarray:
    """Return a unit pointer that turns with each harmonic: complex (samples, count)."""
    phase = harmonic.turns(tf.constant(pitch, tf.float64)).numpy().ravel()
    first = np.exp(2j * np.pi * phase)
    return np.cumprod(np.broadcast_to(first[:, None], (len(first), count)), axis=1)


def _sounding(heights, pitch) -> np.ndarray:
    """Return the tone of harmonics with their own phases: float (samples,)."""
    most = int(np.any(heights, axis=0).sum())
    if not most:
        return np.zeros(len(pitch) * HOP)
    kept = heights[:, :most]
    ramp = harmonic.hann(HOP, tf.float64)[:, None]
    following = np.concatenate([kept[1:], kept[-1:]])
    moving = kept[:, None] + (following - kept)[:, None] * ramp
    return (moving.reshape(-1, most) * _turning(pitch, most)).sum(axis=1).real


def noise_gains(wave: np.ndarray, bands: int) -> np.ndarray:
    """Return the gains with which white noise becomes as loud as a sound in each band.

    Parameters
    ----------
    wave : ndarray of float, shape (frames * HOP,)
    bands : int

    Returns
    -------
    ndarray of float64, shape (frames, bands)
    """
    size = 2 * (bands - 1)
    window = get_window("hann", size)
    frames = len(wave) // HOP
    # Each window's middle is that of its frame, also where it is shorter than the frame.
    padded = np.pad(wave, (size // 2, size))[HOP // 2 :]
    pieces = np.lib.stride_tricks.sliding_window_view(padded, size)[::HOP][:frames]
    power = np.abs(np.fft.rfft(pieces * window, axis=1)) ** 2 / np.square(window).sum()
    bell = np.hanning(_SMOOTH + 2)[1:-1]
    smooth = convolve1d(power, bell / bell.sum(), axis=0, mode="nearest")
    # Uniform noise from -1 to 1 has a power of 1/3.
    return np.sqrt(3 * smooth)


def loudness(wave: ArrayLike) -> np.ndarray:
    """Return the A-weighted level of each frame in dB, float (frames,): -80 at least."""
    wave = np.asarray(wave, np.float64)
    size = 512
    spectrum = librosa.stft(wave, n_fft=size, hop_length=HOP)[:, : len(wave) // HOP]
    hertz = np.maximum(librosa.fft_frequencies(sr=RATE, n_fft=size), 1.0)  # 0 Hz has no logarithm
    weights = 10 ** (librosa.A_weighting(hertz) / 10)
    window = get_window("hann", size)
    power = 2 * weights @ np.abs(spectrum) ** 2 / (size * np.square(window).sum())
    return 10 * np.log10(np.maximum(power, 1e-8))
