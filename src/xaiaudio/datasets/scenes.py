"""Scenes: several sounds of known times, which overlap, in one recording.

Each event is cut out of a clip by :func:`.mixtures.mix`, as those of :func:`.mixtures.mixtures`
are. Here there are several in one recording, over faint noise, and what is asked is who sounds
when.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from numbers import Integral, Real
from typing import TYPE_CHECKING

import numpy as np

from ..audio import SAMPLE_RATE
from ..errors import XaiAudioError
from ..frontend import LogMel
from .cutting import rms
from .mixtures import CEILING, mix
from .timed import Event

if TYPE_CHECKING:
    from .base import ClipSet

# The noise under all, and the loudness that events are drawn from, in dB of full scale.
FLOOR_DB = -60.0
LOUD_DB = (-30.0, -20.0)

# How long cuts last, and scenes at most, in seconds.
LASTING, LONGEST = (0.8, 2.0), 3600.0

# An event begins and ends where it comes within so many dB of its loudest frame.
AUDIBLE_DB = 25.0

_TRIES = 20


@dataclass(frozen=True)
class Scene:
    """A recording that was put together from events.

    Attributes
    ----------
    wave : ndarray of float32, shape (samples,)
    events : tuple of Event
        By their beginnings; no two are of one class.
    parts : tuple of ndarray of float32, each (samples,)
        Each event by itself, as loud as in `wave`, zero outside of its cut.
    name : str
    sample_rate : int
    """

    wave: np.ndarray = field(repr=False)
    events: tuple[Event, ...]
    parts: tuple[np.ndarray, ...] = field(repr=False)
    name: str = "scene"
    sample_rate: int = SAMPLE_RATE

    def load(self, sample_rate: int = SAMPLE_RATE) -> np.ndarray:
        """Return the waveform, as a `Clip` does."""
        if sample_rate != self.sample_rate:
            raise XaiAudioError(
                f"{self.name} was made at {self.sample_rate} Hz, not at {sample_rate} Hz."
            )
        return self.wave


def scenes(
    clips: ClipSet,
    *,
    count: int = 20,
    events: int = 4,
    seconds: float = 5.0,
    frontend: LogMel | None = None,
    seed: int = 0,
) -> tuple[Scene, ...]:
    """Make scenes out of recordings of several classes.

    Parameters
    ----------
    clips : ClipSet
    count : int
        Scenes.
    events : int
        In each scene; their classes differ, and their times are drawn without regard to each other.
    seconds : float
        How long a scene lasts.
    frontend : LogMel, optional
        Of the network to be tested: its frames say when an event can be heard. VGGish's unless
        told.
    seed : int

    Returns
    -------
    tuple of Scene

    Raises
    ------
    XaiAudioError
        If there are fewer classes than events, a clip is too short or silent, or a number makes
        no sense.

    Examples
    --------
    >>> import xaiaudio as xa
    >>> from xaiaudio.datasets.scenes import scenes
    >>> test = xa.datasets.load("synthetic").split()[1]  # doctest: +SKIP
    >>> len(scenes(test, count=2)[0].events)  # doctest: +SKIP
    4
    """
    frontend = LogMel.vggish() if frontend is None else frontend
    piles = {label: [clip for clip in clips if clip.label == label] for label in clips.labels}
    piles = {label: pile for label, pile in piles.items() if pile}
    for name, value, least in (("count", count, 1), ("events", events, 1), ("seed", seed, 0)):
        if isinstance(value, bool) or not isinstance(value, Integral) or value < least:
            raise XaiAudioError(f"{name} is {value!r}: a whole number from {least} on is needed.")
    if not events <= len(piles):
        raise XaiAudioError(
            f"{clips.name} has {len(piles)} classes: a scene has from 1 to as many events, not "
            f"{events}."
        )
    if not isinstance(seconds, Real) or not LASTING[1] <= seconds <= LONGEST:
        raise XaiAudioError(
            f"A scene cannot last {seconds!r} s: from {LASTING[1]:g} to {LONGEST:g} s are needed."
        )
    rng = np.random.default_rng(seed)
    return tuple(
        _scene(f"scene {number}", piles, events, seconds, frontend, rng) for number in range(count)
    )


def _scene(name, piles, events, seconds, frontend, rng) -> Scene:
    rate = frontend.sample_rate
    bed = rng.normal(0, 10 ** (FLOOR_DB / 20), round(seconds * rate))
    labels = rng.permutation(list(piles))[:events]
    made = [_event(str(label), piles[label], bed, frontend, rng) for label in labels]
    made.sort(key=lambda pair: pair[0].start)
    parts = [part for _, part in made]
    whole = bed + sum(parts)
    scale = min(1.0, CEILING / np.abs(whole).max())
    return Scene(
        wave=np.asarray(scale * whole, np.float32),
        events=tuple(event for event, _ in made),
        parts=tuple(np.asarray(scale * part, np.float32) for part in parts),
        name=name,
        sample_rate=rate,
    )


def _event(label, pile, bed, frontend, rng) -> tuple[Event, np.ndarray]:
    """Draw a clip and a place; return when it can be heard there, and its sound."""
    rate, reason = frontend.sample_rate, None
    for _ in range(_TRIES):
        clip = pile[rng.integers(len(pile))]
        lasts = rng.uniform(*LASTING)
        at = rng.uniform(0, len(bed) / rate - lasts)
        level = rng.uniform(*LOUD_DB)
        span = bed[round(at * rate) : round((at + lasts) * rate)]
        ratio = level - 20 * np.log10(rms(span))
        try:
            found = mix(
                clip, bed, snr_db=ratio, at=at, seconds=lasts, frontend=frontend,
                seed=int(rng.integers(2**31)),
            )  # fmt: skip
        except XaiAudioError as error:  # too short, or silent: another clip may do
            reason = error
            continue
        sound = found.event.astype(float) / found.scale
        start, end = audible(sound, frontend)
        return Event(label, max(start, found.at), min(end, found.at + found.seconds)), sound
    raise XaiAudioError(f"No clip of {label} could be placed in a scene: {reason}")


def audible(wave: np.ndarray, frontend: LogMel) -> tuple[float, float]:
    """Return when a sound begins and ends, in seconds: within 25 dB of its loudest frame.

    Parameters
    ----------
    wave : ndarray of float, shape (samples,)
    frontend : LogMel
        Whose windows make the frames.

    Raises
    ------
    XaiAudioError
        If it is silent.
    """
    if not np.any(wave):
        raise XaiAudioError("The sound is silent: it neither begins nor ends.")
    size, hop = frontend.window, frontend.hop
    energy = np.concatenate([[0.0], np.cumsum(np.square(wave, dtype=float))])
    starts = np.arange(0, max(1, len(wave) - size + 1), hop)
    power = energy[np.minimum(starts + size, len(wave))] - energy[starts]
    loud = np.flatnonzero(power > power.max() * 10 ** (-AUDIBLE_DB / 10))
    middle = starts[loud[[0, -1]]] + size / 2
    return (
        float((middle[0] - hop / 2) / frontend.sample_rate),
        float((middle[1] + hop / 2) / frontend.sample_rate),
    )
