"""Music made here, of which all is known: its stems, their gains, and what it was made from.

Its truth is how it was made (:class:`~xaiaudio.synthesis.music.Piece`). Each of its *qualities* but
the tempo is made by one instrument, so that an explanation can be right or wrong. Its *mood* is a
formula of the qualities. It is ours; no listener was asked.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ..audio import check_rate
from ..errors import XaiAudioError
from ..synthesis.dsp import RATE
from ..synthesis.music import STEMS, Piece, play
from .base import FOLDS, ClipSet

__all__ = ["CARRIERS", "FORMULA", "MOODS", "QUALITIES", "STEMS", "Excerpt", "Piece", "load"]

LICENCE = "CC0 1.0 (generated)"

#: What is heard of a piece, each from -1 to 1 over the pieces of :func:`load`.
QUALITIES = ("tempo", "rhythmic density", "minorness", "dissonance", "articulation", "bass")
#: The one stem that makes a quality. The tempo is in all of them.
CARRIERS = {
    "rhythmic density": "drums",
    "minorness": "chords",
    "dissonance": "chords",
    "articulation": "lead",
    "bass": "bass",
}
MOODS = ("happy", "tense", "lively")
#: How much of each quality is in each mood. No listener was asked: it is what this book settles.
FORMULA = {
    "happy": {"minorness": -0.6, "dissonance": -0.3, "tempo": 0.3},
    "tense": {"dissonance": 0.6, "minorness": 0.2, "articulation": -0.3},
    "lively": {"rhythmic density": 0.6, "tempo": 0.3, "articulation": -0.3},
}
_TEMPI = (80.0, 140.0)
_BASS_DB = (-12.0, 6.0)
_OTHERS_DB = 3.0
_TONICS = (57, 58, 59, 60, 61, 62, 63)


@dataclass(frozen=True)
class Excerpt:
    """A piece of music; it can stand in a `ClipSet` in the place of a `Clip`.

    Attributes
    ----------
    piece : Piece
        What it was made from.
    name : str
    fold : int
        1 to 5.
    label : str
        ``"major"`` or ``"minor"``.
    licence, author, source : str
    path : Path
        A name only; there is no file.
    """

    piece: Piece
    name: str
    fold: int
    licence: str = LICENCE
    author: str = "the xaiaudio authors"
    source: str = "xaiaudio.datasets.music"

    @property
    def label(self) -> str:
        """The mode."""
        return self.piece.mode

    @property
    def path(self) -> Path:
        """What messages call it."""
        return Path(self.name)

    def load_stems(self, sample_rate: int = RATE) -> dict[str, np.ndarray]:
        """Return what each instrument plays: name to float32 waveform (samples,).

        The excerpt is their sum: exactly, at 16 kHz; at other rates to the last digit.

        Raises
        ------
        XaiAudioError
            For a sample rate that makes no sense.
        """
        check_rate(sample_rate)
        stems = play(self.piece)
        if sample_rate == RATE:
            return stems
        import soxr

        return {
            name: soxr.resample(wave, RATE, sample_rate).astype(np.float32)
            for name, wave in stems.items()
        }

    def load(self, sample_rate: int = RATE) -> np.ndarray:
        """Return the waveform, float32 (samples,), as a `Clip` does."""
        return np.sum(list(self.load_stems(sample_rate).values()), axis=0)

    @property
    def qualities(self) -> np.ndarray:
        """What the piece is made from, float64 (6,), in the order of `QUALITIES`."""
        piece = self.piece
        middle, half = np.mean(_TEMPI), np.ptp(_TEMPI) / 2
        low, high = _BASS_DB
        return np.array(
            [
                (piece.tempo - middle) / half,
                2 * piece.density - 1,
                1.0 if piece.mode == "minor" else -1.0,
                2 * piece.dissonance - 1,
                2 * piece.articulation - 1,
                2 * (piece.gains[STEMS.index("bass")] - low) / (high - low) - 1,
            ]
        )

    @property
    def moods(self) -> np.ndarray:
        """The moods by the formula: float64 (3,), in the order of `MOODS`."""
        return self.qualities @ formula()

    def but(self, **changes: Any) -> Excerpt:
        """Return the same excerpt with other parameters, such as ``mode="minor"``."""
        piece = dataclasses.replace(self.piece, **changes)
        return dataclasses.replace(self, piece=piece, name=f"{self.name}, changed")


def formula() -> np.ndarray:
    """Return `FORMULA` as float64 (qualities, moods)."""
    return np.array([[FORMULA[mood].get(quality, 0.0) for mood in MOODS] for quality in QUALITIES])


def load(count: int = 100, *, seed: int = 0, seconds: float = 4.0) -> ClipSet:
    """Return pieces of music, their parameters drawn independently of each other.

    Nothing is stored: a piece is played when it is loaded.

    Parameters
    ----------
    count : int
    seed : int
        Another number, other pieces.
    seconds : float

    Returns
    -------
    ClipSet
        Of `Excerpt`, labelled by mode, in folds 1 to 5.

    Raises
    ------
    XaiAudioError
        If there is not one piece, or a length makes no sense.

    Examples
    --------
    >>> from xaiaudio.datasets import music
    >>> excerpt = music.load(3, seed=1)[0]
    >>> excerpt.load().shape, excerpt.label in ("major", "minor")
    ((64000,), True)
    """
    if isinstance(count, bool) or not isinstance(count, int) or count < 1:
        raise XaiAudioError(f"count is {count!r}: a whole number from 1 on is needed.")
    if isinstance(seed, bool) or not isinstance(seed, int) or seed < 0:
        raise XaiAudioError(f"seed is {seed!r}: a whole number from 0 on is needed.")
    rng = np.random.default_rng([seed, 9])
    pieces = [_drawn(rng, seconds) for _ in range(count)]
    excerpts: tuple[Any, ...] = tuple(
        Excerpt(piece, f"music-{seed}-{number:04d}", 1 + number % FOLDS)
        for number, piece in enumerate(pieces)
    )
    return ClipSet("music", excerpts, ("major", "minor"))


def _drawn(rng, seconds) -> Piece:
    gains = rng.uniform(-_OTHERS_DB, _OTHERS_DB, len(STEMS))
    gains[STEMS.index("bass")] = rng.uniform(*_BASS_DB)
    return Piece(
        tempo=float(rng.uniform(*_TEMPI)),
        mode=("major", "minor")[rng.integers(2)],
        dissonance=float(rng.random()),
        articulation=float(rng.random()),
        density=float(rng.random()),
        gains=tuple(gains.tolist()),
        tonic=int(rng.choice(_TONICS)),
        seconds=seconds,
        seed=int(rng.integers(2**31)),
    )
