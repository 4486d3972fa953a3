"""The ten sounds by name, how loud they are, and how a clip is made of one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ...errors import XaiAudioError
from ...synthesis import animal_voices, beds
from . import scene

VERSION = 3  # raise it whenever a sound changes: cached sets of other versions are not used


@dataclass(frozen=True)
class Sound:
    """One class of the set.

    Attributes
    ----------
    make : callable
        Random generator to five seconds of the bare sound.
    level : tuple of float
        Loudness of the loudest twentieth: mean and standard deviation over clips, in dB.
    ratio : tuple of float
        Lowest and highest signal-to-noise ratio, in dB.
    place : Place
        Echoes and distance, see :class:`.scene.Place`.
    """

    make: Callable
    level: tuple[float, float]
    ratio: tuple[float, float]
    place: scene.Place = scene.ANYWHERE


# Levels and noise are near the medians of the real recordings of ESC-10, and so are places. Dogs
# bark between houses: 0.1 s after a bark 25 dB are left. A crow fills the yard: 27 dB are left of
# it after 0.4 s. Clocks and people who sneeze are recorded from near, in furnished rooms, and
# chainsaws from near, in the open.
HOME = scene.Place(echo=(0.04, 0.3), ring=(0.15, 0.45), reach=(5000, 16_000))
YARD = scene.Place(echo=(0.05, 0.4), reach=(3500, 16_000))
SOUNDS = {
    "Dog bark": Sound(animal_voices.dog_bark, (-10, 4), (25, 70), scene.Place(echo=(0.2, 1.1))),
    "Rain": Sound(beds.rain, (-12, 4), (9, 40)),
    "Sea waves": Sound(beds.sea_waves, (-15, 3), (9, 40)),
    "Baby cry": Sound(animal_voices.baby_cry, (-13, 4), (15, 55)),
    "Clock tick": Sound(animal_voices.clock_tick, (-26, 5), (10, 42), HOME),
    "Person sneeze": Sound(animal_voices.person_sneeze, (-11, 5), (25, 75), HOME),
    "Helicopter": Sound(beds.helicopter, (-9, 4), (9, 40)),
    "Chainsaw": Sound(beds.chainsaw, (-11, 3), (9, 40), YARD),
    "Rooster": Sound(animal_voices.rooster, (-12, 4), (25, 75), scene.Place(echo=(0.4, 1.4))),
    "Fire crackling": Sound(beds.fire_crackling, (-24, 7), (9, 35)),
}
LABELS = tuple(SOUNDS)


def generate(label: str, index: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Make one clip of the synthetic set.

    The clip depends on `label`, `index` and `seed` only: it comes out the same alone, in a set,
    or in another process.

    Parameters
    ----------
    label : str
        One of ESC-10's ten classes.
    index : int
        Number of the clip within its class, from 0.
    seed : int
        Number of the set, from 0.

    Returns
    -------
    event, background : ndarray of int16, shape (80000,)
        Five seconds at 16 kHz each; the clip is exactly their sum.

    Raises
    ------
    XaiAudioError
        If no class has that name, or `index` or `seed` is negative.

    Examples
    --------
    >>> from xaiaudio.datasets import events
    >>> event, background = events.generate("Helicopter", 3)
    >>> event.shape, event.dtype
    ((80000,), dtype('int16'))
    """
    if label not in SOUNDS:
        raise XaiAudioError(f"No class is called {label!r}: there are {', '.join(LABELS)}.")
    if index < 0 or seed < 0:
        raise XaiAudioError(f"index is {index} and seed is {seed}: both must be 0 or more.")
    sound = SOUNDS[label]
    # One stream for each part, so that a change of one leaves the others as they were.
    source, place, bed, levels = (
        np.random.default_rng([seed, LABELS.index(label), index, part]) for part in range(4)
    )
    event = scene.distance(place, sound.make(source), sound.place.reach)
    event = scene.room(place, event, sound.place)
    level = sound.level[0] + sound.level[1] * levels.standard_normal()
    ratio = levels.uniform(*sound.ratio)
    return scene.mix(event, scene.background(bed), level, ratio)
