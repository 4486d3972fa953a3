"""Controls for a recording: what can be changed about a sound that somebody else has made."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import soxr
from scipy.fft import irfft, rfft, rfftfreq

from ..audio import check_rate
from ..errors import XaiAudioError
from . import dsp
from .controls import DECIBEL, SEMITONE, TENTH_MORE, THIRD_OCTAVE, Control, Recipe

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

_ORDER = 4  # of the filters: 24 dB an octave


def recording(
    wave: ArrayLike, sample_rate: int, *, name: str = "recording", seed: int = 0
) -> Recipe:
    """Return a recording with controls; one that is not moved leaves the samples as they are.

    Controls, in the order in which they act: ``start`` and ``end`` (silence in place of the
    sound before and after), ``speed`` (played faster: pitch and tempo), ``tempo`` (faster with the
    pitch kept), ``high-pass`` and ``low-pass`` (24 dB an octave), ``noise`` (pink, against the
    sound's level), ``level``. What was made longer is cut where the recording ended; what was made
    shorter ends in silence.

    Parameters
    ----------
    wave : array_like of float, shape (samples,)
        In [-1, 1]; at least half a second.
    sample_rate : int
        In hertz.
    name : str
    seed : int
        Of the noise.

    Raises
    ------
    XaiAudioError
        If the sound is no such wave, or silent, or the rate is none that sounds have.

    Examples
    --------
    >>> import numpy as np
    >>> from xaiaudio.synthesis.edits import recording
    >>> sound = recording(np.random.default_rng(0).uniform(-0.5, 0.5, 16_000), 16_000)
    >>> sound.names
    ('start', 'end', 'speed', 'tempo', 'high-pass', 'low-pass', 'noise', 'level')
    >>> sound([sound.setting(level=-6)]).shape
    (1, 16000)
    """
    check_rate(sample_rate)
    wave = np.asarray(wave)
    if wave.ndim != 1 or wave.dtype.kind != "f" or len(wave) < sample_rate / 2:
        raise XaiAudioError(
            f"The recording has the shape {wave.shape} and the type {wave.dtype}: half a second "
            "of one channel of floats is needed, such as xa.load_audio(path) returns."
        )
    if not np.isfinite(wave).all() or not np.any(wave):
        raise XaiAudioError("The recording holds NaN or infinite values, or is silent: check it.")
    wave = wave.astype(np.float32)
    seconds, top = len(wave) / sample_rate, sample_rate / 2
    headroom = max(0.0, -20 * float(np.log10(np.abs(wave).max())))
    late = 0.8 * seconds
    controls = (
        Control("start", "s", 0, late, 0, 0.1, meaning="silence before this time"),
        Control("end", "s", seconds - late, seconds, seconds, 0.1, meaning="silence after it"),
        Control("speed", "x", 0.5, 2, 1, SEMITONE, log=True, meaning="faster and higher"),
        Control("tempo", "x", 0.5, 2, 1, TENTH_MORE, log=True, meaning="faster, not higher"),
        Control("high-pass", "Hz", 20, top / 2, 20, THIRD_OCTAVE, log=True, meaning="less bass"),
        Control("low-pass", "Hz", 200, top, top, THIRD_OCTAVE, log=True, meaning="less treble"),
        Control("noise", "dB", -70, 20, -70, DECIBEL, meaning="noise added, against its level"),
        Control("level", "dB", -40, headroom, 0, DECIBEL, meaning="softer or louder"),
    )
    hiss = _hiss(len(wave), sample_rate, seed) * np.sqrt(np.square(wave, dtype=float).mean())

    def make(settings):
        made = np.tile(wave, (len(settings), 1))
        moved = settings != np.array([control.value for control in controls])
        for number, edit in enumerate(_EDITS):
            rows = np.flatnonzero(moved[:, number])
            if len(rows):
                values = settings[rows, number][:, None]
                made[rows] = edit(made[rows], values, sample_rate, hiss)
        return made

    return Recipe(name, controls, make, sample_rate, len(wave))


def _hiss(samples, sample_rate, seed) -> np.ndarray:
    """Make pink noise of unit rms, at any rate."""
    spectrum = rfft(np.random.default_rng(seed).standard_normal(samples))
    spectrum /= np.sqrt(np.maximum(rfftfreq(samples, 1 / sample_rate), 20.0))
    noise = irfft(spectrum, samples)
    return noise / noise.std()


def _start(waves, values, rate, hiss):
    return waves * (np.arange(waves.shape[1]) >= np.round(values * rate))


def _end(waves, values, rate, hiss):
    return waves * (np.arange(waves.shape[1]) < np.round(values * rate))


def _speed(waves, values, rate, hiss):
    # Every row has a length of its own.
    return np.stack([
        _as_long(soxr.resample(wave, rate, rate / ratio), len(wave))
        for wave, ratio in zip(waves, values.ravel(), strict=True)
    ])  # fmt: skip


def _tempo(waves, values, rate, hiss):
    import librosa

    return np.stack([
        _as_long(librosa.effects.time_stretch(wave, rate=ratio), len(wave))
        for wave, ratio in zip(waves, values.ravel(), strict=True)
    ])  # fmt: skip


def _as_long(wave, samples):
    return np.pad(wave[:samples], (0, max(0, samples - len(wave))))


def _high_pass(waves, values, rate, hiss):
    return _filtered(waves, dsp.high_pass(values, _ORDER), rate)


def _low_pass(waves, values, rate, hiss):
    return _filtered(waves, dsp.low_pass(values, _ORDER), rate)


def _filtered(waves, gain, rate):
    size = waves.shape[1]
    return irfft(rfft(waves, axis=1) * gain(rfftfreq(size, 1 / rate)), size, axis=1)


def _noise(waves, values, rate, hiss):
    return waves + 10 ** (values / 20) * hiss


def _level(waves, values, rate, hiss):
    return waves * 10 ** (values / 20)


# In the order of the controls.
_EDITS = (_start, _end, _speed, _tempo, _high_pass, _low_pass, _noise, _level)
