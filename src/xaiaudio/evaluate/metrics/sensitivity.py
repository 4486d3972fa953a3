"""How far maps change when the sound changes by less than anyone can hear.

The noise is added to the waveform, so that what is explained is again a sound, and not a
spectrogram that no sound has.
"""

from __future__ import annotations

from dataclasses import dataclass
from numbers import Integral, Real
from typing import TYPE_CHECKING

import numpy as np

from ...errors import XaiAudioError
from ...explainers.base import Explainer
from ...patches import joined
from .registry import TRUST, register

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from ...frontend import LogMel
    from ...models.classifier import AudioClassifier
    from ...types import Targets

NOISES = ("shaped", "white")

# Noises that the leaderboard tries each sound with.
_DRAWS = 2

# How far a patch may be from the one made of its own sound: rounding, and no more.
_SAME = 1e-3


@dataclass(frozen=True)
class Sensitivity:
    """How far maps move under noise that is too soft to hear.

    Attributes
    ----------
    changes : ndarray of float, shape (draws, n)
        Length of the difference between the map with and without noise, as a share of the length
        of the map without. NaN for a map that is zero everywhere.
    scores : ndarray of float, shape (draws, n)
        How far the probability of the class moves, as a magnitude.
    inputs : ndarray of float, shape (draws, n)
        As `changes`, of the patch above silence: how far the network's input moves.
    noisy : ndarray of float32, shape (draws, n, samples)
    maps : ndarray of float32, shape (draws + 1, n, frames, bands)
        Without noise, then with each draw of it.
    """

    changes: np.ndarray
    scores: np.ndarray
    inputs: np.ndarray
    noisy: np.ndarray
    maps: np.ndarray

    @property
    def largest(self) -> np.ndarray:
        """The largest change of each map over the draws, (n,)."""
        return self.changes.max(axis=0)

    @property
    def worst(self) -> np.ndarray:
        """The draw that changes each map most, (n,)."""
        return np.nan_to_num(self.changes).argmax(axis=0)


def max_sensitivity(
    model: AudioClassifier,
    waves: ArrayLike,
    targets: Targets = None,
    explainer: str | Explainer = "gradcam",
    *,
    level: float = 40.0,
    draws: int = 5,
    noise: str = "shaped",
    seed: int = 0,
) -> Sensitivity:
    """Explain sounds with and without noise that is too soft to hear.

    Parameters
    ----------
    model : AudioClassifier
    waves : array_like of float, shape (n, samples)
        At the front end's sample rate, each as long as one patch: see :func:`stretch`.
    targets : str, int, sequence of either, or None
        The classes explained, with and without noise. None takes what the network predicts for
        the sounds without.
    explainer : str or Explainer
        A method by its name, or with options. One that draws at random uses the same seed with and
        without noise: what it draws does not count here.
    level, noise, draws, seed
        As for :func:`noisy`.

    Returns
    -------
    Sensitivity

    Raises
    ------
    XaiAudioError
        If the sounds are not as long as a patch, and as :func:`noisy` and
        :func:`xaiaudio.explain`.

    Notes
    -----
    Yeh et al. take the largest change of the map within a ball around the input. A ball of cells
    holds spectrograms that are none of a sound; here it is a ball of waveforms, searched by
    drawing. Dividing by the map's own length makes methods comparable.

    References
    ----------
    Yeh et al. 2019, On the (in)fidelity and sensitivity of explanations.

    Examples
    --------
    >>> import numpy as np, xaiaudio as xa
    >>> from xaiaudio.evaluate.metrics.sensitivity import max_sensitivity
    >>> model = xa.load_model("lite")
    >>> waves = np.sin(np.arange(model.frontend.min_samples) / 5)[None]
    >>> max_sensitivity(model, waves, "Rain", draws=2).changes.shape
    (2, 1)
    """
    frontend = model.frontend
    waves = np.asarray(waves, np.float32)
    if waves.ndim != 2 or waves.shape[1] != frontend.min_samples or len(waves) == 0:
        raise XaiAudioError(
            f"The sounds have the shape {waves.shape}: (n, {frontend.min_samples}) is needed, the "
            "length of one patch. sensitivity.stretch() cuts them."
        )
    changed = noisy(waves, level, draws=draws, noise=noise, seed=seed)
    clean = np.concatenate([frontend(wave) for wave in waves])
    moved = np.stack([np.concatenate([frontend(wave) for wave in row]) for row in changed])
    explainer = Explainer.of(explainer)
    first = explainer(model, clean, targets)
    # All draws of all sounds are one call: the methods do the batching.
    second = explainer(
        model, moved.reshape(-1, *clean.shape[1:]), np.tile(first.targets, draws).tolist()
    )
    maps = np.concatenate([first.maps[None], second.maps.reshape(moved.shape)])
    rows = np.arange(len(clean))
    before = first.scores[rows, first.targets]
    after = second.scores.reshape(draws, len(clean), -1)[:, rows, first.targets]
    silence = frontend.silence
    return Sensitivity(
        relative(maps[1:], maps[0]),
        np.abs(after - before),
        relative(moved - silence, clean - silence),
        changed,
        maps,
    )


def noisy(
    waves: ArrayLike, level: float = 40.0, *, draws: int = 5, noise: str = "shaped", seed: int = 0
) -> np.ndarray:
    """Add noise to sounds.

    Parameters
    ----------
    waves : array_like of float, shape (n, samples)
    level : float
        How far the noise lies below the sound, in decibels of power.
    draws : int
        Different noises for each sound.
    noise : {"shaped", "white"}
        Shaped noise is as loud as the sound in each moment and band, but for the level: the sound
        hides it. White noise has the same strength everywhere and can be heard in pauses.
    seed : int
        Decides the noise.

    Returns
    -------
    ndarray of float32, shape (draws, n, samples)
        A silent sound stays silent.

    Raises
    ------
    XaiAudioError
        If an option makes no sense.

    Examples
    --------
    >>> import numpy as np
    >>> from xaiaudio.evaluate.metrics.sensitivity import noisy
    >>> wave = np.sin(np.arange(16000) / 5)[None]
    >>> added = noisy(wave, 40, draws=1)[0] - wave
    >>> round(float(10 * np.log10((wave**2).mean() / (added**2).mean())), 2)
    40.0
    """
    if noise not in NOISES:
        raise XaiAudioError(f"noise is {noise!r}: it must be one of {NOISES}.")
    if not (isinstance(draws, Integral) and draws >= 1):
        raise XaiAudioError(f"draws is {draws!r}: it must be a whole number from 1 up.")
    if not (isinstance(level, Real) and np.isfinite(level)):
        raise XaiAudioError(f"level is {level!r}: it must be a number of decibels, such as 40.")
    waves = np.asarray(waves, np.float64)
    added = np.random.default_rng(seed).normal(size=(draws, *waves.shape))
    if noise == "shaped":
        added = _shaped(added, waves)
    wanted = np.sqrt((waves**2).mean(axis=-1)) * 10 ** (-level / 20)
    found = np.sqrt((added**2).mean(axis=-1))
    scale = np.divide(wanted, found, out=np.zeros_like(found), where=found > 0)
    return (waves + scale[..., None] * added).astype(np.float32)


def stretch(wave: ArrayLike, frontend: LogMel, start: int = 0) -> np.ndarray:
    """Return the part of a sound that a patch was made from.

    Parameters
    ----------
    wave : array_like of float, shape (samples,)
    frontend : LogMel
    start : int
        The patch's first frame in the sound, see `Patches.starts`.

    Returns
    -------
    ndarray of float32, shape (frontend.min_samples,)

    Raises
    ------
    XaiAudioError
        If the sound has no such patch.

    Examples
    --------
    >>> import numpy as np, xaiaudio as xa
    >>> from xaiaudio.evaluate.metrics.sensitivity import stretch
    >>> frontend, wave = xa.LogMel.vggish(0.75), np.sin(np.arange(80_000) / 5)
    >>> patch = frontend(wave)[3]
    >>> bool(np.allclose(frontend(stretch(wave, frontend, patch.starts[0])), patch))
    True
    """
    wave = np.asarray(wave, np.float32)
    first = int(start) * frontend.hop
    if wave.ndim != 1 or first < 0 or first + frontend.min_samples > len(wave):
        raise XaiAudioError(f"A sound of the shape {wave.shape} has no patch at frame {start}.")
    return wave[first : first + frontend.min_samples]


def _shaped(added, waves) -> np.ndarray:
    """Give noise (draws, n, samples) the strength of each sound in every moment and band."""
    from scipy.signal import istft, stft

    length = min(512, waves.shape[-1])
    _, _, strength = stft(waves, nperseg=length)
    _, _, spectrum = stft(added, nperseg=length)
    _, shaped = istft(spectrum * np.abs(strength), nperseg=length)
    return shaped[..., : waves.shape[-1]]


def relative(after: ArrayLike, before: ArrayLike) -> np.ndarray:
    """Return how far maps moved, as a share of their length.

    Parameters
    ----------
    after : array_like of float, shape (draws, n, frames, bands)
    before : array_like of float, shape (n, frames, bands)

    Returns
    -------
    ndarray of float, shape (draws, n)
        Length of the difference over the length before; NaN where that is 0.

    Examples
    --------
    >>> from xaiaudio.evaluate.metrics.sensitivity import relative
    >>> relative([[[[3.0, 8.0]]]], [[[3.0, 4.0]]]).tolist()
    [[0.8]]
    """
    after, before = np.asarray(after, np.float64), np.asarray(before, np.float64)
    lengths = np.sqrt((before**2).sum(axis=(1, 2)))
    moved = np.sqrt(((after - before) ** 2).sum(axis=(2, 3)))
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(lengths > 0, moved / lengths, np.nan)


@register(
    "sensitivity",
    title="sensitivity",
    family=TRUST,
    unit="share",
    better="lower",
    low=0,
    high=np.inf,
    summary="largest relative change of the map under noise 40 dB below the sound",
    source="Yeh et al., On the (in)fidelity and sensitivity of explanations, NeurIPS 2019",
    floor="worst",
    silent="the sounds that the patches were cut from are not known",
)
def _largest_change(context):
    """Measure the largest relative change of each map under noise; NaN where no sound is known."""
    patches = context.once("patches with noise", lambda: _with_noise(context))
    if patches is None or context.is_random:
        return context.missing()
    maps = np.stack([context.re_explain(patches=row) for row in patches])
    return context.scatter(relative(maps, context.subset_maps).max(axis=0))


def _with_noise(context) -> list | None:
    """Return the few cases' patches with noise in their sounds, once for each draw."""
    cases, frontend = context.cases, context.model.frontend
    if not cases.starts:
        return None
    waves = [
        stretch(cases.clips[index].load(frontend.sample_rate), frontend, cases.starts[index])
        for index in context.subset
    ]
    clean = np.concatenate([frontend(wave) for wave in waves])
    if np.abs(clean - cases.patches[context.subset]).max() > _SAME:
        return None
    changed = noisy(np.stack(waves), draws=_DRAWS, seed=context.seed)
    return [joined([frontend(wave, sounds=True) for wave in row]) for row in changed]
