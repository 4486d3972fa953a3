"""Who speaks: what stays the same whatever somebody says."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..errors import XaiAudioError

SPEAKERS = 20


@dataclass(frozen=True)
class Speaker:
    """A voice.

    Attributes
    ----------
    number : int
        From 1 on; it decides the chances of every take.
    gender : {"female", "male"}
    pitch : float
        Usual fundamental frequency in hertz: how often the vocal folds open in a second.
    range : float
        How far the pitch falls within a word, in semitones.
    tract : float
        What all formants are multiplied by; 1 is a tract of 17.5 cm, 1.17 one of 15 cm.
    breath : float
        Loudness of the hiss in the voice, relative to the loudest vowel.
    edge : float
        Frequency in hertz from which on the voice is softer: a pressed voice has a high one.
    tempo : float
        Durations are divided by it.
    """

    number: int
    gender: str
    pitch: float
    range: float
    tract: float
    breath: float
    edge: float
    tempo: float

    @property
    def name(self) -> str:
        """The number in two digits, as AudioMNIST names its speakers."""
        return f"{self.number:02d}"


def speakers(count: int = SPEAKERS, seed: int = 0) -> tuple[Speaker, ...]:
    """Draw voices, women and men in turn.

    Within a gender, pitch and tract are drawn independently, so that neither gives the other away;
    and each from a stratum of its own, so that the voices spread over what is usual.

    Parameters
    ----------
    count : int
        1 to 99.
    seed : int

    Returns
    -------
    tuple of Speaker

    Raises
    ------
    XaiAudioError
        For a number out of range.

    Examples
    --------
    >>> from xaiaudio.datasets import digits
    >>> [voice.gender for voice in digits.speakers(3)]
    ['female', 'male', 'female']
    """
    if not 1 <= count <= 99 or seed < 0:
        raise XaiAudioError(
            f"There cannot be {count} speakers of seed {seed}: take 1 to 99, and a seed from 0 on."
        )
    women = _draw("female", -(-count // 2), np.random.default_rng([seed, 0]), 200.0, 1.16)
    men = _draw("male", -(-count // 2), np.random.default_rng([seed, 1]), 115.0, 1.0)
    both = [voice for pair in zip(women, men, strict=True) for voice in pair][:count]
    return tuple(Speaker(number, *voice) for number, voice in enumerate(both, 1))


def _draw(gender, count, rng, pitch, tract):
    def spread(low, high):
        strata = (rng.permutation(count) + rng.uniform(0.25, 0.75, count)) / count
        return low + (high - low) * strata

    pitches = pitch * np.exp(spread(-0.24, 0.24))
    tracts = tract * spread(0.93, 1.07)
    ranges, tempos = spread(2.0, 6.0), spread(0.85, 1.15)
    breaths, edges = np.exp(spread(np.log(0.005), np.log(0.06))), np.exp(spread(7.3, 8.5))
    rows = zip(pitches, ranges, tracts, breaths, edges, tempos, strict=True)
    return [(gender, *(float(value) for value in row)) for row in rows]
