"""Voices of a mixture, each found by what can make it: source and filter, fitted to their sum.

As in K. Schulze-Forster, G. Richard, L. Kelley, C. S. J. Doire and R. Badeau, "Unsupervised Music
Source Separation Using Differentiable Parametric Source Models", 2022 (arXiv 2201.09592). There a
network learns from many mixtures to tell the parameters; here they are fitted to the one mixture.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import librosa
import numpy as np
import tensorflow as tf

from ...errors import XaiAudioError
from . import harmonic, noise, source_filter
from .controls import BANDS, HOP, RATE
from .descent import check_options, descend, through
from .loss import SIZES, spectral_loss
from .source_filter import ORDER, Voice

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike

#: Bands of each voice's noise.
NOISES = 40
# The mixture is brought to this root mean square first, so that its level does not matter.
_LEVEL = 0.1
# Added to what is learned: the noise begins soft, or it would do the work of the harmonics.
_QUIET, _SOFT = -4.0, -2.0
# Frames from one learned value to the next: 32 ms.
_KNOT = 8
# Window of the masks: 64 ms, which tells harmonics of two voices apart.
_WINDOW = 1024
_TINY = 1e-12
# The lowest pitch, in hertz: below it there would be too many harmonics to hold.
_LOWEST = 20.0
# Pitch of a voice that has none, in hertz; nobody hears it.
_CALM = 200.0


@dataclass(frozen=True, eq=False)
class Separation:
    """A mixture in voices.

    Attributes
    ----------
    voices : tuple of Voice
        The parameters that were found.
    made : ndarray of float32, shape (voices, samples)
        What they make. Their sum is the model of the mixture.
    masks : ndarray of float, shape (voices, bins, windows)
        Share of each voice in each cell; they sum to 1.
    estimates : ndarray of float, shape (voices, samples)
        The mixture through the masks. Their sum is the mixture.
    losses : ndarray of float, shape (steps + 1,)
    """

    voices: tuple[Voice, ...]
    made: np.ndarray
    masks: np.ndarray
    estimates: np.ndarray
    losses: np.ndarray


def separate(
    mixture: ArrayLike,
    pitches: ArrayLike,
    *,
    steps: int = 150,
    rate: float = 0.1,
    sizes: Sequence[int] = SIZES,
    seed: int = 0,
    progress: bool | None = None,
) -> Separation:
    """Find the voices of a mixture whose pitches are known.

    Each voice is harmonics that fall by 6 dB an octave above 200 Hz, and noise in 40 bands, both
    through an all-pole filter of its own. All follow the gradient of the spectral loss between the
    sum of the voices and the mixture. No voice alone is ever looked at.

    Parameters
    ----------
    mixture : array_like of float, shape (samples,)
        At 16 kHz.
    pitches : array_like of float, shape (voices, frames)
        In hertz, one for every 64 samples; 0 where a voice has none.
    steps, rate : int, float
        Of Adam.
    sizes : sequence of int
        Windows of the loss.
    seed : int
        Of the noise.
    progress : bool, optional
        Show a bar; by default in a terminal or a notebook.

    Returns
    -------
    Separation
        In the order of the pitches.

    Raises
    ------
    XaiAudioError
        If mixture and pitches do not fit, the mixture is silent, or an option makes no sense.

    Examples
    --------
    >>> import numpy as np
    >>> from xaiaudio.synthesis.ddsp.separation import separate
    >>> pitches = np.array([[200.0], [330.0]]) * np.ones(50)
    >>> time = np.arange(3200) / 16_000
    >>> mixture = np.sin(2 * np.pi * 200 * time) + np.sin(2 * np.pi * 330 * time)
    >>> found = separate(mixture, pitches, steps=3, sizes=(512,), progress=False)
    >>> bool(np.allclose(found.estimates.sum(axis=0), mixture, atol=1e-6))
    True
    """
    mixture, pitches = _checked(mixture, pitches)
    check_options(steps, rate, sizes, seed)
    scale = _LEVEL / np.sqrt(np.mean(np.square(mixture)))
    heard = tf.constant(mixture * scale, tf.float32)
    models = [_Model(pitch) for pitch in pitches]
    drawn = through(pitches.shape[1], _KNOT)

    def made_of(raw, number):
        seeds = [tf.stack([seed, len(models) * number + which]) for which in range(len(models))]
        return [
            model.sound(drawn @ own, one)
            for model, own, one in zip(models, tf.unstack(raw), seeds, strict=True)
        ]

    raw, losses, _ = descend(
        lambda raw, number: spectral_loss(tf.add_n(made_of(raw, number)), heard, sizes=sizes),
        tf.zeros([len(models), drawn.shape[1], _Model.width]),
        steps,
        rate,
        "Separating",
        progress,
    )
    made = np.stack([one.numpy() for one in made_of(raw, tf.constant(0))]) / np.float32(scale)
    voices = tuple(
        model.voice(drawn @ own, scale) for model, own in zip(models, tf.unstack(raw), strict=True)
    )
    masks = shares(made)
    return Separation(voices, made, masks, masked(mixture, masks), losses)


def shares(sounds: ArrayLike) -> np.ndarray:
    """Return the share of each sound's power in each cell, as Wiener's filter has it.

    Parameters
    ----------
    sounds : array_like of float, shape (n, samples)

    Returns
    -------
    ndarray of float64, shape (n, bins, windows)
        They sum to 1; where all are silent, each has the same share.

    Raises
    ------
    XaiAudioError
        If they are no such finite sounds.
    """
    sounds = _numbers("sounds", sounds)
    if sounds.ndim != 2 or not sounds.size or not np.isfinite(sounds).all():
        raise XaiAudioError(
            f"The sounds have the shape {sounds.shape}: finite (n, samples) are needed."
        )
    power = np.abs(spectrum(sounds)) ** 2 + _TINY
    return power / power.sum(axis=0)


def masked(mixture: ArrayLike, masks: ArrayLike) -> np.ndarray:
    """Return the sounds of a mixture through masks: float64 (n, samples).

    Parameters
    ----------
    mixture : array_like of float, shape (samples,)
    masks : array_like of float, shape (n, bins, windows)

    Raises
    ------
    XaiAudioError
        If the masks do not lie on the mixture, or either is not finite.
    """
    mixture, masks = _numbers("mixture", mixture), _numbers("masks", masks)
    if mixture.ndim != 1 or not mixture.size or not np.isfinite(mixture).all():
        raise XaiAudioError(f"The mixture has the shape {mixture.shape}: finite (samples,).")
    heard = spectrum(mixture)
    if masks.ndim != 3 or masks.shape[1:] != heard.shape or not np.isfinite(masks).all():
        raise XaiAudioError(
            f"The masks have the shape {masks.shape}: finite (n, *{heard.shape}) are needed."
        )
    cells = masks * heard
    return librosa.istft(cells, hop_length=_WINDOW // 4, n_fft=_WINDOW, length=len(mixture))


def spectrum(sound: np.ndarray) -> np.ndarray:
    """Return the transform on which masks lie: complex (..., 513, windows)."""
    return librosa.stft(sound, n_fft=_WINDOW, hop_length=_WINDOW // 4)


class _Model:
    """One voice as a function of the numbers that are learned, (frames, width)."""

    split = (1, ORDER + 1, NOISES)
    width = sum(split)

    def __init__(self, pitch: np.ndarray):
        self.pitch = pitch
        voiced = pitch > 0
        count = int(np.ceil(RATE / 2 / pitch[voiced].min())) - 1 if voiced.any() else 1
        track = tf.constant(_filled(pitch, voiced), tf.float32)
        self.waves = harmonic.oscillators(track, count)
        self.source = source_filter.slope(tf.constant(pitch, tf.float32), count)
        self.hertz = tf.range(1, count + 1, dtype=tf.float32) * track[:, None]
        self.bands = tf.linspace(0.0, RATE / 2.0, BANDS)
        # From the bands that are learned to those of the noise's filter.
        at = np.linspace(0, NOISES - 1, BANDS)[:, None]
        self.between = tf.constant(np.maximum(1 - np.abs(at - np.arange(NOISES)), 0), tf.float32)

    def parts(self, raw):
        level, gaps, gains = tf.split(raw, self.split, axis=1)
        return (
            harmonic.exp_sigmoid(level + _SOFT),
            source_filter.lines(gaps),
            harmonic.exp_sigmoid(gains + _QUIET),
        )

    def sound(self, raw, seed):
        level, lines, gains = self.parts(raw)
        heights = level * self.source * source_filter.gain(lines, self.hertz)
        hiss = noise.white(len(self.pitch) * HOP, seed)
        through_mouth = tf.matmul(gains, self.between, transpose_b=True)
        through_mouth *= source_filter.gain(lines, self.bands)
        return harmonic.mixed(self.waves, heights) + noise.shaped(hiss, through_mouth)

    def voice(self, raw, scale):
        level, lines, gains = (part.numpy().astype(np.float64) for part in self.parts(raw))
        return Voice(self.pitch, level[:, 0] / scale, lines, gains / scale)


def _filled(pitch, voiced) -> np.ndarray:
    """Draw a pitch through where there is none: silent harmonics need some phase."""
    at = np.arange(len(pitch))
    return np.interp(at, at[voiced], pitch[voiced]) if voiced.any() else np.full(len(pitch), _CALM)


def _checked(mixture, pitches):
    mixture, pitches = _numbers("mixture", mixture), _numbers("pitches", pitches)
    frames = pitches.shape[1] if pitches.ndim == 2 else 0
    if mixture.ndim != 1 or frames < 2 or len(mixture) < frames * HOP or len(pitches) < 2:
        raise XaiAudioError(
            f"The mixture has the shape {mixture.shape}, the pitches {pitches.shape}: two voices "
            f"or more are needed, (voices, frames), with a frame for every {HOP} samples."
        )
    mixture = mixture[: frames * HOP]
    if not np.isfinite(mixture).all() or not mixture.any():
        raise XaiAudioError("The mixture is silent or not finite: there is nothing to separate.")
    sung = pitches[pitches != 0]
    if not np.isfinite(pitches).all() or ((sung < _LOWEST) | (sung >= RATE / 2)).any():
        raise XaiAudioError(
            f"A pitch is needed in hertz, or 0 where a voice has none: from {_LOWEST:g} on, below "
            f"{RATE / 2:g}."
        )
    return mixture, pitches


def _numbers(what, values) -> np.ndarray:
    try:
        found = np.asarray(values)
        if found.dtype.kind not in "fiub":
            raise ValueError
    except ValueError as error:  # rows of different lengths, texts, complex numbers
        raise XaiAudioError(
            f"The {what} must be an array of numbers, all rows of one length."
        ) from error
    return found.astype(np.float64)
