"""Controls found by gradient: what the synthesiser is told to sound like a recording."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import tensorflow as tf

from ...errors import XaiAudioError
from . import harmonic, noise
from .controls import BANDS, HARMONICS, HOP, RATE, Controls
from .descent import descend, through
from .loss import SIZES, spectral_loss
from .synthesiser import synthesise

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike

# Added to what is learned of the noise, so that it begins as good as silent: left loud, it would do
# the work of the tone. The tone begins soft.
_QUIET, _SOFT = -5.0, -2.0
# Frames from one learned value to the next: 16 ms. Each frame by itself would tremble.
_KNOT = 4


@dataclass(frozen=True, eq=False)
class FittedControls:
    """Controls that were fitted to a sound.

    Attributes
    ----------
    controls : Controls
    losses : ndarray of float, shape (steps + 1,)
        Before each step, and at the end.
    """

    controls: Controls
    losses: np.ndarray


def fit(
    wave: ArrayLike,
    pitch: ArrayLike,
    *,
    steps: int = 200,
    rate: float = 0.1,
    harmonics: int = HARMONICS,
    bands: int = BANDS,
    sizes: Sequence[int] = SIZES,
    seed: int = 0,
    progress: bool | None = None,
) -> FittedControls:
    """Fit controls to a sound by the gradient of the spectral loss, its pitch given.

    Amplitude, harmonics and noise are the same at all moments at first, and follow the gradient by
    Adam (D. Kingma and J. Ba, ICLR 2015). Each step has noise of its own, so that no gain is fitted
    to one noise.

    Parameters
    ----------
    wave : array_like of float, shape (samples,)
        At 16 kHz.
    pitch : array_like of float, shape (frames,)
        In hertz, one for every 64 samples.
    steps : int
    rate : float
        Of learning.
    harmonics, bands : int
        How many there are to be learned. Harmonics at 8 kHz and above stay silent.
    sizes : sequence of int
        Of the loss's windows.
    seed : int
        Of the noise.
    progress : bool, optional
        Show a bar; by default in a terminal or a notebook.

    Returns
    -------
    FittedControls
        The same for the same seed.

    Raises
    ------
    XaiAudioError
        If sound and pitch do not fit.

    Examples
    --------
    >>> import numpy as np
    >>> from xaiaudio.synthesis.ddsp.fit import fit
    >>> tone = 0.2 * np.sin(2 * np.pi * 440 * np.arange(3200) / 16_000)
    >>> found = fit(tone, np.full(50, 440.0), steps=20, harmonics=4, sizes=(256, 128))
    >>> bool(found.losses[-1] < found.losses[0])
    True
    """
    wave, pitch = _checked(wave, pitch)
    if harmonics < 1 or bands < 3:
        raise XaiAudioError(
            f"There are {harmonics} harmonics and {bands} bands: 1 and 3 at least are needed."
        )
    count = max(1, min(harmonics, int(np.ceil(RATE / 2 / pitch.min())) - 1))
    split = (1, count, bands)
    # The pitch stays, so the sines are the same in all steps.
    waves = harmonic.oscillators(tf.constant(pitch), count)

    drawn = through(len(pitch), _KNOT)

    def loss_of(raw, number):
        amplitude, weights, gains = _gains(drawn @ raw, split)
        heights = amplitude[:, None] * harmonic.distribution(weights, pitch)
        hiss = noise.white(len(wave), tf.stack([seed, number]))
        made = harmonic.mixed(waves, heights) + noise.shaped(hiss, gains)
        return spectral_loss(made, wave, sizes=sizes)

    raw, losses, _ = descend(
        loss_of, tf.zeros([drawn.shape[1], sum(split)]), steps, rate, "Fitting", progress
    )
    amplitude, weights, gains = _gains(drawn @ raw, split)
    shares = harmonic.distribution(weights, pitch).numpy()
    shares = np.pad(shares, ((0, 0), (0, harmonics - count)))
    return FittedControls(Controls(pitch, amplitude.numpy(), shares, gains.numpy()), losses)


def _gains(raw, split):
    """Return amplitude (frames,), harmonics (frames, K) and noise (frames, bands)."""
    amplitude, weights, gains = tf.split(raw, split, axis=1)
    return (
        harmonic.exp_sigmoid(amplitude[:, 0] + _SOFT),
        harmonic.exp_sigmoid(weights),
        harmonic.exp_sigmoid(gains + _QUIET),
    )


@dataclass(frozen=True, eq=False)
class Tuning:
    """Where the gradient moved a pitch.

    Attributes
    ----------
    shifts : ndarray of float, shape (steps + 1,)
        In semitones from the controls' pitch, before each step and at the end.
    losses : ndarray of float, shape (steps + 1,)
    """

    shifts: np.ndarray
    losses: np.ndarray


def tune(
    wave: ArrayLike,
    controls: Controls,
    start: float,
    *,
    steps: int = 60,
    rate: float = 0.05,
    progress: bool | None = None,
) -> Tuning:
    """Let the gradient of the spectral loss move the pitch of a tone; all else stays.

    It is shown for what it cannot do: from far away it does not find the pitch. Harmonics of the
    one that pass harmonics of the other make a valley each, in which it stays.

    Parameters
    ----------
    wave : array_like of float, shape (samples,)
        At 16 kHz.
    controls : Controls
        Whose tone is moved.
    start : float
        Where the search begins, in semitones from the controls' pitch.
    steps : int
    rate : float
        Of Adam, in semitones a step.
    progress : bool, optional
        Show a bar; by default in a terminal or a notebook.

    Returns
    -------
    Tuning

    Raises
    ------
    XaiAudioError
        If sound and pitch do not fit.
    """
    wave, _ = _checked(wave, controls.pitch)
    loss = _shifted(wave, controls)
    _, losses, path = descend(
        lambda shift, _: loss(shift), tf.constant(float(start)), steps, rate, "Tuning", progress
    )
    return Tuning(path, losses)


def losses_at(wave: ArrayLike, controls: Controls, shifts: ArrayLike) -> np.ndarray:
    """Return the spectral loss of a tone whose pitch is moved by so many semitones.

    Parameters
    ----------
    wave : array_like of float, shape (samples,)
    controls : Controls
    shifts : array_like of float, shape (n,)

    Returns
    -------
    ndarray of float, shape (n,)

    Examples
    --------
    >>> import numpy as np
    >>> from xaiaudio.synthesis.ddsp.controls import Controls
    >>> from xaiaudio.synthesis.ddsp.fit import losses_at
    >>> from xaiaudio.synthesis.ddsp.synthesiser import synthesise
    >>> sung = Controls(np.full(50, 440.0), np.full(50, 0.3), np.ones((50, 8)), np.zeros((50, 65)))
    >>> int(losses_at(synthesise(sung), sung, [-1.0, 0.0, 1.0]).argmin())
    1
    """
    wave, _ = _checked(wave, controls.pitch)
    loss = tf.function(_shifted(wave, controls), autograph=False)
    return np.array([float(loss(tf.constant(float(shift)))) for shift in np.asarray(shifts)])


def _shifted(wave, controls):
    """Return the loss as a function of a shift in semitones."""
    pitch, amplitude, weights = (
        tf.constant(values, tf.float32)
        for values in (controls.pitch, controls.amplitude, controls.harmonics)
    )
    most = int(np.flatnonzero(controls.harmonics.any(axis=0)).max(initial=0)) + 1
    hiss = synthesise(controls.without("harmonics"), seed=1)

    def loss(shift):
        made = harmonic.tone(pitch * 2.0 ** (shift / 12.0), amplitude, weights[:, :most])
        return spectral_loss(made + hiss, wave)

    return loss


def _checked(wave, pitch):
    wave, pitch = np.asarray(wave, np.float32), np.asarray(pitch, np.float32)
    frames = len(pitch) if pitch.ndim == 1 else 0
    if frames < 2 or pitch.min() <= 0 or wave.ndim != 1 or len(wave) < frames * HOP:
        raise XaiAudioError(
            f"The sound has {wave.shape} samples, the pitch {pitch.shape} frames: a pitch above "
            f"0 Hz is needed for every {HOP} samples."
        )
    if not (np.isfinite(wave).all() and np.isfinite(pitch).all()):
        raise XaiAudioError("The sound or its pitch has values that are NaN or infinite.")
    return wave[: frames * HOP], pitch
