"""From notes to a performance, and from a performance to what the synthesiser is told: by rules.

MIDI-DDSP (Y. Wu and others, ICLR 2022) learns both steps from recordings. Here they are rules that
are written down, so that each control does exactly what its name says.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from ...errors import XaiAudioError
from .. import instruments
from .controls import BANDS, HARMONICS, RATE, Controls
from .performance import FRAME_RATE, ONSET, SHORTEST, Performance, frames_of

if TYPE_CHECKING:
    from ..notes import Notes

# Frames in which a note that is let go falls silent, if the next one leaves it so many.
_RELEASE = 5
# Frames after the onset in which the noise goes over to what the instrument always has of it.
_SETTLING = 10


@dataclass(frozen=True, eq=False)
class Instrument:
    """What of a sound belongs to the instrument, whoever plays.

    Attributes
    ----------
    heights : ndarray of float, shape (K,)
        Of its harmonics, the fundamental first.
    breath : float
        Mean gain of its noise in dB once a note stands.
    colour : ndarray of float, shape (bands,)
        How much more or less noise there is in each band, in dB.
    vibrato_rate : float
        In hertz.
    """

    heights: np.ndarray
    breath: float = -75.0
    colour: np.ndarray = field(default_factory=lambda: np.linspace(10.0, -10.0, BANDS))
    vibrato_rate: float = 5.5

    @classmethod
    def of(cls, name: str) -> Instrument:
        """Return the instrument with the harmonics of ``"lead"``, ``"pad"`` or ``"bass"``.

        Raises
        ------
        XaiAudioError
            If there is no such instrument.
        """
        if name not in instruments.HEIGHTS:
            raise XaiAudioError(
                f"No instrument is called {name!r}: there are {', '.join(instruments.HEIGHTS)}."
            )
        known = instruments.HEIGHTS[name]
        return cls(np.pad(known, (0, HARMONICS - len(known))))


def performed(notes: Notes, instrument: Instrument) -> Performance:
    """Play notes by four rules.

    Higher notes are louder. A phrase swells to its middle and dies away. Notes longer than 0.3 s
    have a vibrato, the stronger the longer they are. The louder a note, the brighter, and the
    harder its attack.

    Parameters
    ----------
    notes : Notes
    instrument : Instrument

    Returns
    -------
    Performance

    Examples
    --------
    >>> from xaiaudio.synthesis.ddsp.playing import Instrument, performed
    >>> from xaiaudio.synthesis.notes import melody
    >>> played = performed(melody(repeats=1)[0], Instrument.of("lead"))
    >>> len(played), bool(played.volume.argmax() == 3)
    (16, True)
    """
    starts, ends = np.asarray(notes.starts, float), np.asarray(notes.ends, float)
    if not len(starts):
        raise XaiAudioError("There are no notes: nothing is played.")
    pitches = np.asarray(notes.pitches, float)
    place = (starts - starts.min()) / max(np.ptp(starts), 1e-9)
    height = (pitches - pitches.mean()) / 12
    loud = -18 + 6 * np.sin(np.pi * place) + 8 * height
    lengths = ends - starts
    numbers = np.arange(1, len(instrument.heights) + 1)
    own = 5 * instrument.heights @ numbers / instrument.heights.sum() / len(numbers)
    return Performance(
        volume=loud / 60 + 1.5,
        fluctuation=np.full(len(lengths), 0.1),
        peak=np.full(len(lengths), 0.25),
        vibrato=2.5 * np.clip(lengths - 0.3, 0, 0.4),
        brightness=own * (1 + 0.02 * (loud + 18)),
        attack=(loud - 28) / 40 + 2.625,
    )


def render(notes: Notes, played: Performance, instrument: Instrument) -> Controls:
    """Return what the synthesiser is told so that notes sound as a performance says.

    The rules, for each note: its amplitude in dB is a roof, straight up to the peak and straight
    down, with the mean of the volume and the standard deviation of the fluctuation. Its pitch moves
    up and down with the vibrato. Its harmonics are the instrument's, times a power of their number
    that gives the brightness. Its noise has the level of the attack for 40 ms, and goes over to the
    instrument's own. Then :func:`~xaiaudio.synthesis.ddsp.performance.measure` finds what was asked
    for, as far as the pitch leaves harmonics that can make it; of the vibrato up to 15 % less,
    where its rate lies between two bins of the note's spectrum.

    Parameters
    ----------
    notes : Notes
        One at a time.
    played : Performance
    instrument : Instrument

    Returns
    -------
    Controls
        Until 0.1 s after the last note.

    Raises
    ------
    XaiAudioError
        If notes overlap, or there are not as many as in the performance.

    Examples
    --------
    >>> from xaiaudio.synthesis.ddsp.playing import Instrument, performed, render
    >>> from xaiaudio.synthesis.notes import melody
    >>> tune, lead = melody(repeats=1)[0], Instrument.of("lead")
    >>> render(tune, performed(tune, lead), lead).seconds
    4.08
    """
    total = int(np.ceil((np.max(notes.ends, initial=0.0) + 0.1) * FRAME_RATE))
    first, end = frames_of(notes, total)
    order = np.argsort(first)
    if len(played) != len(first):
        raise XaiAudioError(f"There are {len(first)} notes, but {len(played)} are played.")
    if np.any(first[order][1:] < end[order][:-1]):
        raise XaiAudioError("Notes overlap: the synthesiser plays one at a time.")
    pitch, amplitude = np.zeros(total), np.zeros(total)
    shares = np.zeros((total, len(instrument.heights)))
    noise = np.zeros((total, len(instrument.colour)))
    after = np.append(first[order][1:], total)
    for which, following in zip(order, after, strict=True):
        here, size = slice(first[which], following), end[which] - first[which]
        track = _track(float(notes.pitches[which]), played.vibrato[which], instrument, size)
        rest = following - end[which]
        fade = np.clip(1 - np.arange(1, rest + 1) / (_RELEASE + 1), 0, 1)
        level = _roof(size, played.volume[which], played.fluctuation[which], played.peak[which])
        gains = 10 ** (_hiss(size, played.attack[which], instrument)[:, None] / 20)
        gains = gains * 10 ** (instrument.colour / 20)
        pitch[here] = np.append(track, np.full(rest, track[-1]))
        amplitude[here] = np.append(level, level[-1] * fade)
        shares[here] = bright(instrument.heights, played.brightness[which], track.max())
        noise[here] = np.concatenate([gains, gains[-1] * fade[:, None]])
    pitch[: first.min()] = pitch[first.min()]
    return Controls(pitch, amplitude, shares, noise)


def _roof(size, volume, fluctuation, peak) -> np.ndarray:
    """Return the amplitude of each frame of a note."""
    place, top = np.linspace(0, 1, size), float(np.clip(peak, 0, 1))
    top = place[np.abs(place - top).argmin()]  # a frame of its own
    up = place / top if top > 0 else np.ones(size)
    down = (1 - place) / (1 - top) if top < 1 else np.ones(size)
    roof = np.minimum(up, down)
    roof = (roof - roof.mean()) / max(roof.std(), 1e-9)
    level = 60 * (volume - 1.5) + 60 / 2.5 * max(fluctuation, 0.0) * roof
    return 10 ** (level / 20)


def _track(pitch, vibrato, instrument, size) -> np.ndarray:
    """Return the pitch of each frame of a note in hertz."""
    depth = max(vibrato, 0.0) / 2.5 if size > SHORTEST else 0.0
    swing = np.sin(2 * np.pi * instrument.vibrato_rate * np.arange(size) / FRAME_RATE)
    return instruments.hertz(pitch + depth * swing)


def _hiss(size, attack, instrument) -> np.ndarray:
    """Return the mean level of the noise in each frame of a note, in dB."""
    share = np.clip((np.arange(size) - ONSET + 1) / _SETTLING, 0, 1)
    # The colour's mean is no part of the level.
    start = 40 * (attack - 2.625) - instrument.colour.mean()
    return start * (1 - share) + (instrument.breath - instrument.colour.mean()) * share


def bright(heights: np.ndarray, wanted: float, pitch: float) -> np.ndarray:
    """Return shares of harmonics that are as bright as asked for.

    Of all shares with that brightness, those that are nearest to the instrument's own (in relative
    entropy): each height times a power of its number, ``h_k r^k``.

    Parameters
    ----------
    heights : ndarray of float, shape (K,)
        The instrument's own.
    wanted : float
        Brightness, see :class:`~xaiaudio.synthesis.ddsp.performance.Performance`.
    pitch : float
        In hertz. Harmonics at 8 kHz or above are not heard.

    Returns
    -------
    ndarray of float, shape (K,)
        With a sum of 1. As near as these harmonics come to it.

    Examples
    --------
    >>> import numpy as np
    >>> from xaiaudio.synthesis.ddsp.playing import bright
    >>> shares = bright(0.5 ** np.arange(10), 1.5, 440.0)
    >>> round(float(5 * shares @ np.arange(1, 11) / 10), 6), round(float(shares.sum()), 6)
    (1.5, 1.0)
    """
    numbers = np.arange(1, len(heights) + 1)
    heard = (numbers * pitch < RATE / 2) & (np.asarray(heights) > 0)
    if not heard.any():
        return np.zeros(len(heights))
    logs = np.log(np.where(heard, heights, 1.0))
    low, high = -20.0, 20.0
    # The brightness grows with r: halve the interval until it is a point.
    for _ in range(60):
        middle = (low + high) / 2
        powers = np.where(heard, logs + middle * numbers, -np.inf)
        shares = np.exp(powers - powers.max())
        shares /= shares.sum()
        low, high = (
            (middle, high) if 5 * shares @ numbers / len(numbers) < wanted else (low, middle)
        )
    return shares
