"""Short pieces of music from a handful of numbers: what they say is what one hears.

Each number is heard in one instrument alone, except the tempo: how dense the rhythm is in the
drums, the mode and the dissonance in the chords, the articulation in the lead. Bass and lead play
notes that major and minor have in common.
"""

from __future__ import annotations

from dataclasses import dataclass
from numbers import Integral, Real

import numpy as np

from ..errors import XaiAudioError
from . import dsp, instruments

STEMS = ("drums", "bass", "chords", "lead")

# Root of each bar's chord, in semitones above the tonic: the same in both modes.
_ROOTS = np.array([0, 5, 7, 0])
# The lead's notes, in semitones above the tonic: neither third nor sixth nor seventh.
_SCALE = np.array([-5, 0, 2, 5, 7, 12])
# The sixteenths of a bar in the order in which hi-hats fill it.
_FILLING = np.array([2, 10, 6, 14, 0, 8, 4, 12, 3, 11, 7, 15, 1, 9, 5, 13])
# Root mean square of each stem at a gain of 0 dB.
_LEVEL = {"drums": 0.06, "bass": 0.07, "chords": 0.06, "lead": 0.05}


@dataclass(frozen=True)
class Piece:
    """What a piece is made from.

    Attributes
    ----------
    tempo : float
        Beats a minute, 40 to 240.
    mode : {"major", "minor"}
    dissonance : float
        How strong the notes are that rub against the chord, a semitone above its root and fifth: 0
        to 1.
    articulation : float
        Length of the lead's notes: 0 is staccato, 1 legato.
    density : float
        How many of the sixteenths the hi-hat plays: 0 none, 1 all.
    gains : tuple of float
        Of drums, bass, chords and lead, in decibels.
    tonic : int
        MIDI pitch of the key, 60 is C.
    seconds : float
    seed : int
        Decides melody and noise.
    """

    tempo: float = 110.0
    mode: str = "major"
    dissonance: float = 0.0
    articulation: float = 0.5
    density: float = 0.5
    gains: tuple[float, float, float, float] = (0.0, 0.0, 0.0, 0.0)
    tonic: int = 60
    seconds: float = 4.0
    seed: int = 0

    def __post_init__(self):
        if self.mode not in ("major", "minor"):
            raise XaiAudioError(f"mode is {self.mode!r}: it must be 'major' or 'minor'.")
        for name, low, high in (
            *(("tempo", 40, 240), ("dissonance", 0, 1), ("articulation", 0, 1)),
            *(("density", 0, 1), ("tonic", 48, 72), ("seconds", 0.5, 600)),
        ):
            value = getattr(self, name)
            if not isinstance(value, Real) or not low <= value <= high:
                raise XaiAudioError(f"{name} is {value!r}: it must be from {low} to {high}.")
        if len(self.gains) != 4 or not np.all(np.isfinite(self.gains)):
            raise XaiAudioError(f"gains is {self.gains!r}: four numbers of decibels are needed.")
        if not isinstance(self.seed, Integral) or self.seed < 0:
            raise XaiAudioError(f"seed is {self.seed!r}: it must be a whole number from 0 up.")
        if len(self.gains) != len(STEMS) or not all(-60 <= gain <= 12 for gain in self.gains):
            raise XaiAudioError(f"gains are {self.gains}: four numbers from -60 to 12 are needed.")


def play(piece: Piece) -> dict[str, np.ndarray]:
    """Return the stems of a piece.

    Parameters
    ----------
    piece : Piece

    Returns
    -------
    dict of str to ndarray of float32, shape (samples,)
        At 16 kHz, in the order of `STEMS`, gains included. Whole multiples of 1/32768, so that
        their sum, the mix, is exact; it stays within 0.9.

    Examples
    --------
    >>> stems = play(Piece(mode="minor", seconds=2.0))
    >>> list(stems), stems["bass"].shape
    (['drums', 'bass', 'chords', 'lead'], (32000,))
    """
    rng = np.random.default_rng(piece.seed)
    total = dsp.samples(piece.seconds)
    raw = {
        "drums": _drums(piece, total, rng),
        "bass": _bass(piece, total),
        "chords": _chords(piece, total),
        "lead": _lead(piece, total, rng),
    }
    gains = dict(zip(STEMS, piece.gains, strict=True))
    loud = {
        name: wave * _LEVEL[name] / max(dsp.rms(wave), 1e-9) * 10 ** (gains[name] / 20)
        for name, wave in raw.items()
    }
    peak = np.abs(sum(loud.values())).max()
    scale = min(1.0, 0.9 / peak) * (1 - 1e-4) * 32768
    return {
        name: (np.round(wave * scale) / 32768).astype(np.float32) for name, wave in loud.items()
    }


def _beats(piece: Piece, per_beat: int = 1) -> np.ndarray:
    """Return the times of beats, or of their parts, in seconds."""
    step = 60 / piece.tempo / per_beat
    return np.arange(int(np.ceil(piece.seconds / step))) * step


def _drums(piece, total, rng) -> np.ndarray:
    beats = _beats(piece)
    number = np.arange(len(beats))
    wave = instruments.placed(beats[number % 2 == 0], instruments.kick(), total)
    wave += 0.7 * instruments.placed(beats[number % 2 == 1], instruments.snare(rng), total)
    parts = _beats(piece, 4)
    filled = _FILLING[: round(piece.density * len(_FILLING))]
    ticks = parts[np.isin(np.arange(len(parts)) % 16, filled)]
    return wave + 0.45 * instruments.placed(ticks, instruments.hat(rng), total)


def _bass(piece, total) -> np.ndarray:
    beats = _beats(piece)
    roots = _ROOTS[np.arange(len(beats)) // 4 % len(_ROOTS)]
    notes = instruments.bass(piece.tonic - 24 + roots, 0.9 * 60 / piece.tempo)
    return instruments.placed(beats, notes, total)


def _chords(piece, total) -> np.ndarray:
    bars = _beats(piece)[::4]
    roots = piece.tonic + _ROOTS[np.arange(len(bars)) % len(_ROOTS)]
    third = 4 if piece.mode == "major" else 3
    heights = {0: 1.0, third: 1.2, 7: 0.8, 1: 0.9 * piece.dissonance, 8: 0.7 * piece.dissonance}
    wave = np.zeros(total)
    for step, height in ((step, height) for step, height in heights.items() if height):
        notes = instruments.pad(roots + step, 4 * 60 / piece.tempo)
        wave += height * instruments.placed(bars, notes, total)
    return wave


def _lead(piece, total, rng) -> np.ndarray:
    slots = _beats(piece, 2)
    steps = rng.choice([-1, 0, 1], len(slots), p=[0.4, 0.2, 0.4])
    walk = np.cumsum(steps) + rng.integers(len(_SCALE))
    folded = np.abs((walk % (2 * len(_SCALE) - 2)) - (len(_SCALE) - 1))  # turn at either end
    length = (0.15 + 0.85 * piece.articulation) * 30 / piece.tempo
    notes = instruments.lead(piece.tonic + 12 + _SCALE[folded], length)
    return instruments.placed(slots, notes, total)
