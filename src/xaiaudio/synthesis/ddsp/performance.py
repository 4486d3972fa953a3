"""How notes are played: six numbers a note, measured on what the synthesiser is told.

The controls of Y. Wu and others, "MIDI-DDSP: Detailed Control of Musical Performance via
Hierarchical Modeling", ICLR 2022, with their scales. One thing is otherwise: the frequencies of the
vibrato's spectrum are those of its bins.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ...errors import XaiAudioError
from ..instruments import hertz
from .controls import HOP, RATE, Controls

if TYPE_CHECKING:
    from ..notes import Notes

#: What a note is played with, in this order.
EXPRESSIONS = ("volume", "fluctuation", "peak", "vibrato", "brightness", "attack")

#: Frames a second.
FRAME_RATE = RATE / HOP
#: Frames in which a note begins: 40 ms.
ONSET = 10
#: What is so many dB below the loudest frame of its note counts as so many below.
FLOOR = 60.0
#: A vibrato is looked for between these frequencies, in hertz,
VIBRATOS = (3.0, 9.0)
#: in notes of more frames than this,
SHORTEST = 50
#: and within so many semitones: what is further off is an error of the pitch.
FAR = 2.0
# No gain is taken for less: the logarithm of silence.
_SILENT = 1e-7


@dataclass(frozen=True, eq=False)
class Performance:
    """Six numbers for each note.

    Attributes
    ----------
    volume : ndarray of float, shape (notes,)
        Mean amplitude in dB / 60 + 1.5: 0.5 is -60 dB, 1 is -30 dB.
    fluctuation : ndarray of float, shape (notes,)
        Standard deviation of the amplitude in dB, times 2.5 / 60.
    peak : ndarray of float, shape (notes,)
        Where in the note it is loudest: from 0, the beginning, to 1.
    vibrato : ndarray of float, shape (notes,)
        How strong: 2.5 times the semitones by which the pitch goes up and down.
    brightness : ndarray of float, shape (notes,)
        Centre of the harmonics' numbers, as a share of how many there are, times 5.
    attack : ndarray of float, shape (notes,)
        Mean gain of the noise in dB over the first 40 ms, / 40 + 2.625: 0 is -105 dB.
    """

    volume: np.ndarray
    fluctuation: np.ndarray
    peak: np.ndarray
    vibrato: np.ndarray
    brightness: np.ndarray
    attack: np.ndarray

    def __post_init__(self):
        sizes = {np.shape(getattr(self, name)) for name in EXPRESSIONS}
        if len(sizes) != 1 or len(next(iter(sizes))) != 1:
            raise XaiAudioError(f"Each note has one of {', '.join(EXPRESSIONS)}: found {sizes}.")
        for name in EXPRESSIONS:
            values = np.asarray(getattr(self, name), np.float64)
            if not np.isfinite(values).all():
                raise XaiAudioError(f"{name} has values that are no numbers.")
            object.__setattr__(self, name, values)

    def __len__(self) -> int:
        """How many notes there are."""
        return len(self.volume)

    def but(self, **changes: Any) -> Performance:
        """Return the same performance with others in the place of some, by their names.

        A single number is for all notes.
        """
        filled = {name: np.broadcast_to(value, len(self)) for name, value in changes.items()}
        return dataclasses.replace(self, **filled)

    def table(self) -> np.ndarray:
        """Return all numbers: float (notes, 6), in the order of `EXPRESSIONS`."""
        return np.stack([getattr(self, name) for name in EXPRESSIONS], axis=1)


def frames_of(notes: Notes, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the first frame of each note and the one after its last, int (notes,) each.

    Parameters
    ----------
    notes : Notes
    count : int
        How many frames there are.

    Raises
    ------
    XaiAudioError
        If there is no note, or one has no frame.
    """
    if not len(notes.starts):
        raise XaiAudioError("There are no notes: nothing is played.")
    first = np.round(np.asarray(notes.starts) * FRAME_RATE).astype(int)
    end = np.minimum(np.round(np.asarray(notes.ends) * FRAME_RATE).astype(int), count)
    if np.any(end <= first) or np.any(first < 0):
        number = int(np.argmax((end <= first) | (first < 0)))
        raise XaiAudioError(
            f"Note {number} begins at {notes.starts[number]:g} s: the sound is "
            f"{count / FRAME_RATE:g} s long, and a note needs {1000 / FRAME_RATE:g} ms of it."
        )
    return first, end


def measure(controls: Controls, notes: Notes) -> Performance:
    """Measure how notes are played.

    Parameters
    ----------
    controls : Controls
    notes : Notes
        One at a time. Their order does not matter.

    Returns
    -------
    Performance
        In the order of the notes.

    Raises
    ------
    XaiAudioError
        If a note lies beyond the sound.

    Examples
    --------
    >>> import numpy as np
    >>> from xaiaudio.synthesis.ddsp.controls import Controls
    >>> from xaiaudio.synthesis.ddsp.performance import measure
    >>> from xaiaudio.synthesis.notes import Notes
    >>> pitch, loud = np.full(250, 440.0), np.full(250, 0.1)
    >>> sung = Controls(pitch, loud, np.ones((250, 2)), np.zeros((250, 65)))
    >>> played = measure(sung, Notes(np.array([69]), np.array([0.0]), np.array([1.0])))
    >>> played.volume.round(3).tolist(), played.brightness.tolist()
    ([1.167], [3.75])
    """
    first, end = frames_of(notes, len(controls))
    rows = [
        _measured(controls, slice(one, two), pitch)
        for one, two, pitch in zip(first, end, notes.pitches, strict=True)
    ]
    return Performance(*np.array(rows).T)


def _measured(controls, frames, pitch):
    amplitude = controls.amplitude[frames]
    least = max(amplitude.max() * 10 ** (-FLOOR / 20), _SILENT)
    level = 20 * np.log10(np.maximum(amplitude, least))
    hiss = 20 * np.log10(np.maximum(controls.noise[frames][:ONSET], _SILENT))
    return (
        level.mean() / 60 + 1.5,
        level.std() * 2.5 / 60,
        level.argmax() / max(len(level) - 1, 1),
        vibrato(controls.pitch[frames], pitch)[0],
        brightness(controls.harmonics[frames], amplitude),
        hiss.mean() / 40 + 2.625,
    )


def brightness(shares: np.ndarray, amplitude: np.ndarray) -> float:
    """Return the brightness of a note: mean over harmonics of number times share, times 5.

    Parameters
    ----------
    shares : ndarray of float, shape (frames, K)
        How the amplitude is shared out.
    amplitude : ndarray of float, shape (frames,)
        A frame counts by its amplitude; only how they compare matters.
    """
    count = shares.shape[1]
    weights = shares * amplitude[:, None]
    total = weights.sum()
    if total <= 0:
        return 0.0
    return float(5 * (weights @ np.arange(1, count + 1)).sum() / total / count)


def vibrato(track: np.ndarray, pitch: float) -> tuple[float, float]:
    """Return how strong the vibrato of a note is, and its rate.

    Parameters
    ----------
    track : ndarray of float, shape (frames,)
        Pitch in hertz.
    pitch : float
        MIDI pitch of the note.

    Returns
    -------
    strength : float
        10 times the largest magnitude, divided by the length, of the transform of what the pitch is
        off, in semitones, under a Hann window. 0 if there is no vibrato of 3 to 9 Hz.
    rate : float
        In hertz, 0 if there is none. As exact as the bins: a note of a second has one each hertz.

    Examples
    --------
    >>> import numpy as np
    >>> from xaiaudio.synthesis.ddsp.performance import vibrato
    >>> time = np.arange(250) / 250
    >>> strength, rate = vibrato(440 * 2 ** (0.5 * np.sin(2 * np.pi * 5 * time) / 12), 69)
    >>> round(strength, 3), rate
    (1.25, 5.0)
    """
    if len(track) <= SHORTEST:
        return 0.0, 0.0
    off = 12 * np.log2(np.maximum(track, 1e-3) / hertz(pitch))
    off = np.where(np.abs(off) > FAR, 0.0, off)
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(len(off)) / len(off))
    heights = np.abs(np.fft.rfft((off - off.mean()) * window)) / len(off)
    rates = np.fft.rfftfreq(len(off), 1 / FRAME_RATE)
    best = int(heights.argmax())
    rate = float(rates[best])
    cycles = rate * len(off) / FRAME_RATE
    if not VIBRATOS[0] <= rate <= VIBRATOS[1] or cycles <= 1 or heights[best] < 1e-9:
        return 0.0, 0.0
    return 10 * float(heights[best]), rate
