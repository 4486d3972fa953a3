"""Sounds that show a concept: made by rule, cut from clips, or read from somebody's folder."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import soxr
from scipy.signal import chirp as sweep

from ..datasets import folders
from ..errors import XaiAudioError, meant
from ..models.votes import SILENT_DB
from ..patches import levels
from ..synthesis import dsp

if TYPE_CHECKING:
    from ..datasets.base import ClipSet
    from ..frontend import LogMel
    from ..types import PathLike

#: Loudness of a sound that is alone, as root mean square.
RMS = 0.05
_CEILING = 0.95


@dataclass(frozen=True, eq=False)
class Sounds:
    """Sounds as long as a patch, one of each recording.

    Attributes
    ----------
    waves : ndarray of float32, shape (n, samples)
        In [-1, 1], at the front end's rate.
    names : tuple of str
        The file that each is from; empty where it is from none.
    frontend : LogMel
    """

    waves: np.ndarray
    names: tuple[str, ...]
    frontend: LogMel

    def __len__(self) -> int:
        return len(self.waves)

    def __getitem__(self, index: slice | np.ndarray) -> Sounds:
        """Return some of the sounds: a slice, a mask, or indices."""
        numbers = np.arange(len(self))[index]
        return replace(self, waves=self.waves[numbers], names=tuple(self.names[k] for k in numbers))

    @property
    def patches(self) -> np.ndarray:
        """Their log-mel patches, float32 (n, frames, bands)."""
        return np.concatenate([self.frontend(wave).values[:1] for wave in self.waves])


@dataclass(frozen=True)
class Concept:
    """A concept that can be made.

    Attributes
    ----------
    meaning : str
    sound : callable or None
        ``(rng, samples) -> wave``, at 16 kHz: a sound of its own.
    change : callable or None
        ``(rng, wave) -> wave``, at 16 kHz: something that is done to a sound.
    """

    meaning: str
    sound: Callable | None = None
    change: Callable | None = None


def _tone(rng, samples):
    hertz = dsp.log_uniform(rng, 300, 5000)
    return np.sin(2 * np.pi * hertz * np.arange(samples) / dsp.RATE)


def _noise(rng, samples):
    return dsp.noise(rng, samples)


def _impulses(rng, samples):
    gap = 1 / rng.uniform(5, 15)
    times = np.arange(rng.uniform(0, gap), samples / dsp.RATE, gap)
    click = rng.normal(size=400) * np.exp(-np.arange(400) / 80)  # falls to 37 % in 5 ms
    return dsp.convolve(dsp.strikes(times, np.ones(len(times)), samples), click)


def _chirp(rng, samples):
    time = np.arange(samples) / dsp.RATE
    low, high = dsp.log_uniform(rng, 200, 500), dsp.log_uniform(rng, 3000, 6500)
    return sweep(time, low, time[-1], high, method="logarithmic")


def _modulation(rng, wave):
    rate, phase = rng.uniform(4, 12), rng.uniform(0, 2 * np.pi)
    return wave * (1 + np.sin(2 * np.pi * rate * np.arange(len(wave)) / dsp.RATE + phase))


def _low_pass(rng, wave):
    return dsp.filtered(wave, dsp.low_pass(rng.uniform(400, 1000), 4.0))


#: Concepts that are made.
MADE = {
    "tone": Concept("a steady sine of 300 to 5000 Hz", sound=_tone),
    "chirp": Concept("a sine that rises by several octaves", sound=_chirp),
    "noise": Concept("white noise", sound=_noise),
    "impulses": Concept("5 to 15 clicks a second", sound=_impulses),
    "modulation": Concept("swelling and fading 4 to 12 times a second", change=_modulation),
    "low pass": Concept("hardly anything above 400 to 1000 Hz", change=_low_pass),
}


def made(
    concept: str | Concept,
    frontend: LogMel,
    *,
    beds: Sounds | None = None,
    count: int = 200,
    seed: int = 0,
) -> Sounds:
    """Make sounds that show a concept.

    Parameters
    ----------
    concept : str or Concept
        A name in `MADE`, or one of one's own.
    frontend : LogMel
    beds : Sounds, optional
        The concept is put on each of these, as loud as the bed where it is a sound of its own. What
        comes out is as loud (root mean square) as the bed, so that loudness does not tell. Left
        out, the concept is alone; where it is a change of a sound, it is of pink noise.
    count : int
        How many, without beds.
    seed : int

    Returns
    -------
    Sounds

    Raises
    ------
    XaiAudioError
        If there is no such concept, or less than one sound is asked for.

    Examples
    --------
    >>> import xaiaudio as xa
    >>> from xaiaudio.probes.concept_sounds import made
    >>> made("tone", xa.LogMel.vggish(), count=3).waves.shape
    (3, 15600)
    """
    if isinstance(concept, str) and concept not in MADE:
        raise XaiAudioError(
            f"No concept is called {concept!r}{meant(concept, MADE)}: there are {', '.join(MADE)}."
        )
    if beds is None and count < 1:
        raise XaiAudioError(f"count is {count}: one sound at least is needed.")
    concept = MADE[concept] if isinstance(concept, str) else concept
    number = count if beds is None else len(beds)
    waves = []
    for k in range(number):
        rng = np.random.default_rng([seed, k])
        bed = None if beds is None else _resampled(beds.waves[k], frontend.sample_rate, dsp.RATE)
        waves.append(_fit(_shown(concept, rng, bed, frontend), frontend))
    names = ("",) * number if beds is None else beds.names
    return Sounds(np.stack(waves), names, frontend)


def _shown(concept, rng, bed, frontend) -> np.ndarray:
    """Return a sound that shows the concept, as loud as its bed."""
    samples = -(-frontend.min_samples * dsp.RATE // frontend.sample_rate)
    loud = RMS if bed is None else dsp.rms(bed)
    if concept.sound is None:
        wave = concept.change(rng, dsp.noise(rng, samples, dsp.slope(-3)) if bed is None else bed)
    else:
        sound = concept.sound(rng, samples if bed is None else len(bed))
        wave = sound if bed is None else bed / loud + sound / dsp.rms(sound)
    return wave * loud / max(dsp.rms(wave), 1e-12)


def _resampled(wave, rate, wanted) -> np.ndarray:
    wave = np.asarray(wave, np.float64)
    return wave if rate == wanted else soxr.resample(wave, rate, wanted)


def _fit(wave, frontend):
    """Bring a sound at 16 kHz to the front end's rate and length, without overflow."""
    wave = _resampled(wave, dsp.RATE, frontend.sample_rate)
    wave = np.pad(wave, (0, max(0, frontend.min_samples - len(wave))))[: frontend.min_samples]
    return (wave * min(1.0, _CEILING / max(np.abs(wave).max(), 1e-12))).astype(np.float32)


def from_clips(clips: ClipSet, frontend: LogMel, *, seed: int = 0) -> Sounds:
    """Cut the loudest patch out of each clip, and shuffle them.

    Parameters
    ----------
    clips : ClipSet
        With labels or without.
    frontend : LogMel
    seed : int
        Decides the order.

    Returns
    -------
    Sounds

    Raises
    ------
    XaiAudioError
        If there is no clip, or one cannot be read or is silent; the message names it.

    Examples
    --------
    >>> import xaiaudio as xa
    >>> from xaiaudio.probes.concept_sounds import from_clips
    >>> train, test = xa.datasets.load("synthetic").split(5)  # doctest: +SKIP
    >>> len(from_clips(train, xa.LogMel.vggish()))  # doctest: +SKIP
    320
    """
    if not len(clips):
        raise XaiAudioError(f"The set {clips.name} has no clips.")
    order = np.random.default_rng(seed).permutation(len(clips))
    chosen = [clips[int(k)] for k in order]
    waves = [_loudest(clip, frontend) for clip in chosen]
    return Sounds(np.stack(waves), tuple(str(clip.path) for clip in chosen), frontend)


def _loudest(clip, frontend) -> np.ndarray:
    wave = clip.load(frontend.sample_rate)
    wave = np.pad(wave, (0, max(0, frontend.min_samples - len(wave))))
    starts = np.arange(0, len(wave) - frontend.min_samples + 1, frontend.hop * 8) // frontend.hop
    loud = levels(wave, starts, frontend)
    if loud.max() < SILENT_DB:
        raise XaiAudioError(f"The clip {clip.path} is silent: take it out, it shows nothing.")
    first = int(starts[loud.argmax()]) * frontend.hop
    return wave[first : first + frontend.min_samples]


def from_folder(folder: PathLike, frontend: LogMel, *, least: int = 20, seed: int = 0) -> Sounds:
    """Read somebody's own sounds of a concept, or without it.

    Parameters
    ----------
    folder : path-like
        Of sounds, or of folders of sounds.
    frontend : LogMel
    least : int
        How many sounds are needed: one for each draw.
    seed : int
        Decides their order.

    Returns
    -------
    Sounds
        The loudest patch of each.

    Raises
    ------
    XaiAudioError
        If there is no such folder, it holds too few sounds, or one cannot be read or is silent.

    Examples
    --------
    >>> import xaiaudio as xa
    >>> from xaiaudio.probes.concept_sounds import from_folder
    >>> from_folder("squeaks", xa.LogMel.vggish())  # doctest: +SKIP
    """
    clips = folders.read(folder)
    if len(clips) < least:
        raise XaiAudioError(
            f"{folder} holds {len(clips)} sounds, but {least} are needed, each a recording of its "
            "own: every random draw takes new ones. Add some, or cut long recordings."
        )
    return from_clips(clips, frontend, seed=seed)
