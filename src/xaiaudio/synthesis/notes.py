"""Notes that are played, and of which it is known when each sounds: a piano roll."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ..errors import XaiAudioError
from . import dsp, instruments

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

_PLAYED = {"lead": instruments.lead, "pad": instruments.pad, "bass": instruments.bass}
_NAMES = ("C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B")
# A tune of seven different notes, as MIDI pitches, in eighths.
_TUNE = (72, 74, 76, 79, 76, 74, 72, 69, 67, 69, 72, 74, 72, 69, 67, 64)
# The two voices below it, one after the other, in quarters.
_BELOW = (48, 52, 55, 52, 45, 48, 52, 48)


@dataclass(frozen=True, eq=False)
class Notes:
    """Notes of one length, in any order.

    Attributes
    ----------
    pitches : ndarray of int, shape (k,)
        MIDI pitches: 60 is the C in the middle of a piano, 69 is 440 Hz.
    starts, ends : ndarray of float, shape (k,)
        In seconds.
    """

    pitches: np.ndarray
    starts: np.ndarray
    ends: np.ndarray

    def __post_init__(self):
        sizes = {len(self.pitches), len(self.starts), len(self.ends)}
        if len(sizes) != 1 or not np.all(np.asarray(self.ends) > np.asarray(self.starts)):
            raise XaiAudioError("Each note has a pitch, a start and an end after its start.")
        numbers = np.concatenate([self.pitches, self.starts, self.ends])
        if not np.all(np.isfinite(numbers.astype(float))) or np.any(np.asarray(self.starts) < 0):
            raise XaiAudioError("Notes have pitches that are numbers, and start at 0 s or later.")

    @property
    def different(self) -> np.ndarray:
        """The pitches that occur, int, from low to high."""
        return np.unique(self.pitches)

    def roll(self, times: ArrayLike) -> np.ndarray:
        """Return which pitch sounds when.

        Parameters
        ----------
        times : array_like of float, shape (T,)
            In seconds.

        Returns
        -------
        ndarray of bool, shape (pitches, T)
            A row for each of :attr:`different`.

        Examples
        --------
        >>> import numpy as np
        >>> from xaiaudio.synthesis.notes import Notes
        >>> notes = Notes(np.array([60, 64]), np.array([0.0, 1.0]), np.array([1.0, 2.0]))
        >>> notes.roll([0.5, 1.5]).astype(int).tolist()
        [[1, 0], [0, 1]]
        """
        times = np.asarray(times, float)
        on = (times >= np.asarray(self.starts)[:, None]) & (times < np.asarray(self.ends)[:, None])
        rows = self.different[:, None] == np.asarray(self.pitches)
        return (rows.astype(int) @ on.astype(int)) > 0

    def and_(self, other: Notes) -> Notes:
        """Return the notes of both."""
        return Notes(
            *(
                np.concatenate([getattr(self, name), getattr(other, name)])
                for name in ("pitches", "starts", "ends")
            )
        )


def melody(*, beat: float = 0.25, repeats: int = 2) -> tuple[Notes, Notes]:
    """Return a tune and the voice below it.

    Parameters
    ----------
    beat : float
        Seconds from one note of the tune to the next; the notes below last twice as long.
    repeats : int
        How often it is played.

    Examples
    --------
    >>> from xaiaudio.synthesis.notes import melody
    >>> tune, below = melody()
    >>> len(tune.pitches), len(below.pitches)
    (32, 16)
    """
    return _row(_TUNE * repeats, beat, 0.92), _row(_BELOW * repeats, 2 * beat, 0.95)


def chords(roots: ArrayLike, *, beat: float = 1.0, steps: ArrayLike = (0, 4, 7)) -> Notes:
    """Return chords one after the other: all notes of a chord begin and end together.

    Parameters
    ----------
    roots : array_like of int, shape (k,)
        MIDI pitches.
    beat : float
        Seconds from one chord to the next.
    steps : array_like of int
        Semitones above the root.
    """
    voices = [_row(np.asarray(roots) + step, beat, 0.95) for step in np.asarray(steps)]
    whole = voices[0]
    for voice in voices[1:]:
        whole = whole.and_(voice)
    return whole


def _row(pitches, beat, length) -> Notes:
    if isinstance(beat, bool) or not isinstance(beat, (int, float)) or not 0 < beat < np.inf:
        raise XaiAudioError(f"A beat lasts {beat!r} s: a number above 0 is needed.")
    starts = np.arange(len(pitches)) * beat
    return Notes(np.asarray(pitches, int), starts, starts + length * beat)


def played(notes: Notes, instrument: str = "lead", *, level: float = 0.1) -> np.ndarray:
    """Play notes.

    Parameters
    ----------
    notes : Notes
    instrument : {"lead", "pad", "bass"}
    level : float
        Root mean square of the wave, above 0.

    Returns
    -------
    ndarray of float32, shape (samples,)
        At 16 kHz, until the last note ends.

    Raises
    ------
    XaiAudioError
        If there is no such instrument, no note, or the level is not above 0.

    Examples
    --------
    >>> from xaiaudio.synthesis.notes import melody, played
    >>> played(melody(repeats=1)[0]).shape
    (63680,)
    """
    if instrument not in _PLAYED:
        raise XaiAudioError(
            f"No instrument is called {instrument!r}: there are {', '.join(_PLAYED)}."
        )
    if not len(notes.pitches):
        raise XaiAudioError("There are no notes to play.")
    if isinstance(level, bool) or not isinstance(level, (int, float)) or not 0 < level < np.inf:
        raise XaiAudioError(f"The level is {level!r}: a number above 0 is needed.")
    lengths = np.round(np.asarray(notes.ends) - np.asarray(notes.starts), 4)
    total = dsp.samples(float(np.max(notes.ends)))
    wave = np.zeros(total)
    for length in np.unique(lengths):
        those = lengths == length
        voices = _PLAYED[instrument](np.asarray(notes.pitches)[those], float(length))
        wave += instruments.placed(np.asarray(notes.starts)[those], voices, total)
    return (wave * level / max(dsp.rms(wave), 1e-9)).astype(np.float32)


def name(pitch: int) -> str:
    """Return what a pitch is called, such as ``"A4"`` for 69."""
    return f"{_NAMES[int(pitch) % 12]}{int(pitch) // 12 - 1}"
