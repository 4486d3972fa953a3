"""Sounds of which six properties are known, each drawn independently of the others.

A voice is a row of harmonics with some breath, filtered by two resonances, opened and closed in
pulses, put into a room, laid over a steady noise, and set to a level.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.fft import irfft, rfft, rfftfreq

from ..errors import XaiAudioError
from . import dsp, rooms

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

# Made for two seconds, of which the last one is kept: by then the room is filled.
_LENGTH = 2 * dsp.RATE
_KEPT = dsp.RATE
_TOGETHER = 64  # sounds in one step: some tens of megabytes
# Between two pulses the voice is this much softer.
_CLOSED = 0.03
# Energy of the room's answer, relative to what comes directly.
_ECHO = 1.0


@dataclass(frozen=True)
class Property:
    """One property of a made sound.

    Attributes
    ----------
    name, unit : str
    low, high : float
        It is drawn between them.
    octaves : bool
        True if twice as much is a step, wherever one starts: it is drawn by its logarithm.
    meaning : str
    """

    name: str
    unit: str
    low: float
    high: float
    octaves: bool
    meaning: str

    def to_scale(self, values: ArrayLike) -> np.ndarray:
        """Bring values to the scale on which they are drawn evenly: octaves, or as they are."""
        return np.log2(values) if self.octaves else np.asarray(values, float)


PROPERTIES = (
    Property("pitch", "Hz", 100, 800, True, "Distance of the harmonics."),
    Property("level", "dB", -50, -20, False, "Root mean square, relative to full scale."),
    Property("pulse rate", "Hz", 2, 16, True, "How often the voice opens in a second."),
    Property("room", "s", 0.1, 1.6, True, "Time in which the room's answer falls by 60 dB."),
    Property("noise", "dB", 0, 40, False, "Level of the voice above the steady noise."),
    Property(
        "harmonicity", "dB", -10, 25, False, "Energy of the harmonics, relative to the breath."
    ),
)


def names() -> tuple[str, ...]:
    """Return the properties' names."""
    return tuple(one.name for one in PROPERTIES)


@dataclass(frozen=True, eq=False)
class KnownSounds:
    """Sounds with the truth about them.

    Attributes
    ----------
    waves : ndarray of float32, shape (n, 16000)
        One second each, at 16 kHz.
    truth : dict of str to ndarray of float64, shape (n,)
        Each property in its unit.
    """

    waves: np.ndarray
    truth: dict[str, np.ndarray]

    def __len__(self) -> int:
        return len(self.waves)

    def scaled(self) -> dict[str, np.ndarray]:
        """Return the truth on the scales on which it was drawn evenly: pitch in octaves, ..."""
        return {one.name: one.to_scale(self.truth[one.name]) for one in PROPERTIES}


def known_sounds(
    count: int, *, seed: int = 0, fixed: Mapping[str, float] | None = None
) -> KnownSounds:
    """Make sounds whose properties are drawn independently of each other.

    Parameters
    ----------
    count : int
        From 1 on.
    seed : int
        Another number, other sounds.
    fixed : mapping of str to float, optional
        Properties that all sounds share, in their units. What is drawn for the others, and all that
        has no name, is the same with and without.

    Returns
    -------
    KnownSounds

    Raises
    ------
    XaiAudioError
        For an unknown property, or one out of its range.

    Examples
    --------
    >>> from xaiaudio.synthesis.known import known_sounds
    >>> sounds = known_sounds(3, fixed={"pitch": 440.0})
    >>> sounds.waves.shape, sounds.truth["pitch"].tolist()
    ((3, 16000), [440.0, 440.0, 440.0])
    """
    fixed = dict(fixed or {})
    for name, value in fixed.items():
        found = next((one for one in PROPERTIES if one.name == name), None)
        if found is None or not found.low <= value <= found.high:
            raise XaiAudioError(
                f"No sound has {name} = {value}: "
                + ", ".join(
                    f"{one.name} ({one.low} to {one.high} {one.unit})" for one in PROPERTIES
                )
                + " can be chosen."
            )
    if isinstance(count, bool) or not isinstance(count, int) or count < 1:
        raise XaiAudioError(f"count is {count!r}: a whole number from 1 on is needed.")
    truth = _drawn(np.random.default_rng([seed, 0]), count)
    truth |= {name: np.full(count, float(value)) for name, value in fixed.items()}
    # In half hertz, of which whole numbers fit into two seconds: each harmonic is one bin.
    truth["pitch"] = np.round(2 * truth["pitch"]) / 2
    waves = []
    for start in range(0, count, _TOGETHER):
        part = {name: values[start : start + _TOGETHER] for name, values in truth.items()}
        voice, noise = parts(part, np.random.default_rng([seed, 1, start]))
        waves.append((voice + noise).astype(np.float32))
    return KnownSounds(np.concatenate(waves), truth)


def parts(
    truth: Mapping[str, np.ndarray], rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Make the voices of some sounds, and the steady noise that each is laid over.

    Parameters
    ----------
    truth : mapping of str to ndarray of float, shape (n,)
    rng : numpy.random.Generator
        Draws phases, noise and timbres.

    Returns
    -------
    voice, noise : ndarray of float64, shape (n, 16000)
        Their sum is the sound.
    """
    voice = in_room(pulsed(source(truth, rng), truth["pulse rate"], rng), truth["room"], rng)
    voice = voice[:, -_KEPT:]
    slopes = rng.uniform(-6, 0, len(voice))
    noise = rng.standard_normal((len(voice), _KEPT))
    noise = irfft(rfft(noise) * _each(slopes, _KEPT), _KEPT)
    noise *= (_rms(voice) / _rms(noise) / 10 ** (truth["noise"] / 20))[:, None]
    scale = (10 ** (truth["level"] / 20) / _rms(voice + noise))[:, None]
    return scale * voice, scale * noise


def source(truth: Mapping[str, np.ndarray], rng: np.random.Generator) -> np.ndarray:
    """Return harmonics with breath, both of one random timbre: float (n, samples).

    Parameters
    ----------
    truth : mapping of str to ndarray of float, shape (n,)
        ``"pitch"`` in whole and half hertz, and ``"harmonicity"``.
    rng : numpy.random.Generator
    """
    count, hertz = len(truth["pitch"]), rfftfreq(_LENGTH, 1 / dsp.RATE)
    timbre = _timbre(rng, count, hertz)
    # A line at each multiple of the pitch below 7.8 kHz.
    step = np.round(truth["pitch"] * _LENGTH / dsp.RATE).astype(int)[:, None]
    bins = np.arange(len(hertz))
    lines = (bins % step == 0) & (bins > 0) & (hertz < dsp.NYQUIST)
    turns = np.exp(2j * np.pi * rng.random(lines.shape))
    harmonics = irfft(lines * timbre * turns, _LENGTH)
    breath = irfft(timbre * rfft(rng.standard_normal((count, _LENGTH))), _LENGTH)
    more = 10 ** (truth["harmonicity"] / 20)
    return harmonics * (more / _rms(harmonics))[:, None] + breath / _rms(breath)[:, None]


def pulsed(waves: np.ndarray, rates: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Open and close sounds `rates` times a second: float (n, samples)."""
    time = np.arange(waves.shape[1]) / dsp.RATE
    turn = np.asarray(rates)[:, None] * time + rng.random((len(waves), 1))
    opened = np.square(0.5 - 0.5 * np.cos(2 * np.pi * turn))
    return waves * (_CLOSED + (1 - _CLOSED) * opened)


def in_room(waves: np.ndarray, seconds: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Add the answer of a room, in which sound falls by 60 dB in so many seconds: (n, samples).

    The answer is noise that dies away, as loud as what comes directly.
    """
    length = waves.shape[1]
    late = rooms.tails(waves.shape, seconds, _ECHO, rng)
    size = 2 * length
    answer = irfft(rfft(waves, size) * rfft(late, size), size)[:, :length]
    return waves + answer


def _drawn(rng, count) -> dict[str, np.ndarray]:
    found = {}
    for one in PROPERTIES:
        share = rng.random(count)
        low, high = one.to_scale(one.low), one.to_scale(one.high)
        value = low + share * (high - low)
        found[one.name] = np.exp2(value) if one.octaves else value
    return found


def _timbre(rng, count, hertz) -> np.ndarray:
    """Draw how strong each frequency is: a slope and two resonances, (n, frequencies)."""
    slopes = _each(rng.uniform(-9, -3, count), _LENGTH)
    centres = np.exp(rng.uniform(np.log([300, 900]), np.log([1200, 4000]), (count, 2)))
    total = np.full((count, len(hertz)), 0.2)
    for centre in centres.T[..., None]:
        total += 1 / (1 + ((hertz - centre) / (0.15 * centre)) ** 2)
    return slopes * total


def _each(slopes, length) -> np.ndarray:
    """Return gains over the bins for slopes in dB an octave, (n, bins)."""
    hertz = np.maximum(rfftfreq(length, 1 / dsp.RATE), 50.0)
    return (hertz / 1000) ** (np.asarray(slopes)[:, None] / 20 / np.log10(2))


def _rms(waves) -> np.ndarray:
    return np.sqrt(np.square(waves).mean(axis=1))
