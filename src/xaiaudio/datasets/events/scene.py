"""From a bare sound to a recording: distance, room, background, signal-to-noise ratio."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ...synthesis import dsp

BACKGROUNDS = ("wind", "pink", "hum", "room tone")
CEILING = 0.95  # greatest absolute value in a clip
FULL_SCALE = 32_768  # 16 bit
OPEN = 0.5  # echoes in the open against the faintest between walls


class Place(NamedTuple):
    """Where a sound is made: ranges that each clip draws from.

    Attributes
    ----------
    echo : tuple of float
        Strength of all echoes together, 1 as strong as the sound that comes straight.
    ring : tuple of float
        Seconds in which the echoes fall by 60 dB.
    reach : tuple of float
        Cutoff of what the way to the microphone swallows, in hertz: high where it is short.
    """

    echo: tuple[float, float] = (0.1, 0.6)
    ring: tuple[float, float] = (0.2, 1.1)
    reach: tuple[float, float] = (1800, 16_000)


ANYWHERE = Place()


def distance(rng, wave, reach: tuple[float, float] = ANYWHERE.reach) -> np.ndarray:
    """Move the sound away: air and leaves swallow the high frequencies."""
    return dsp.filtered(wave, dsp.low_pass(dsp.log_uniform(rng, *reach), 1.2))


def room(rng, wave, place: Place = ANYWHERE) -> np.ndarray:
    """Let walls answer: copies of the sound, ever denser and fainter.

    The echoes of a room are close to noise that decays exponentially, its high frequencies first.
    One clip in five is made in the open: there the ground and a few trees answer, half as strongly
    as the most silent room.
    """
    in_the_open = rng.random() < 0.2
    seconds = dsp.log_uniform(rng, *place.ring)
    n = dsp.samples(seconds)
    tail = dsp.noise(rng, n, dsp.low_pass(dsp.log_uniform(rng, 1500, 7000), 1.0))
    tail = tail * 10 ** (-3 * np.arange(n) / n)
    tail[: dsp.samples(rng.uniform(0.002, 0.012))] = 0  # the first wall is a few metres away
    echo = dsp.log_uniform(rng, *place.echo)
    if in_the_open:
        echo = OPEN * place.echo[0]
    return wave + dsp.convolve(wave, echo * tail / np.sqrt(np.square(tail).sum()))


def background(rng) -> np.ndarray:
    """Make a place without the event: wind, pink noise, mains hum or the tone of a quiet room."""
    kind = BACKGROUNDS[rng.integers(len(BACKGROUNDS))]
    n = dsp.SAMPLES
    if kind == "wind":
        low = dsp.noise(rng, n, dsp.low_pass(dsp.log_uniform(rng, 80, 500), rng.uniform(0.9, 1.5)))
        wave = low * (1 + 0.4 * np.clip(dsp.curve(rng, n, 1.2), -2, 2))
    elif kind == "pink":
        wave = dsp.noise(rng, n, dsp.slope(rng.uniform(-7, -3)))
    elif kind == "hum":
        # A tenth of a second holds whole periods of both mains frequencies: repeat it.
        mains = np.full(n // 50, rng.choice([50.0, 60.0]))
        hum = dsp.harmonics(rng, mains, dsp.low_pass(rng.uniform(300, 2000)), -3.0)
        hum = np.tile(hum, 50)
        wave = hum / dsp.rms(hum) + rng.uniform(0.2, 1.0) * dsp.noise(rng, n, dsp.slope(-4))
    else:
        modes = dsp.bumps(rng.uniform(150, 3000, 3), [400] * 3, rng.uniform(0, 2, 3), 1.0)
        tone = dsp.product(dsp.slope(rng.uniform(-7, -4)), modes)
        wave = dsp.noise(rng, n, tone)
    return wave / dsp.rms(wave)


def mix(
    event: np.ndarray, bed: np.ndarray, level: float, ratio: float
) -> tuple[np.ndarray, np.ndarray]:
    """Set the levels and round to 16 bit.

    Parameters
    ----------
    event, bed : ndarray (n,)
        The event in its place, and the background (unit rms).
    level : float
        Loudness of the loudest twentieth of the event, dB below full scale (negative).
    ratio : float
        Signal-to-noise ratio: how many dB the background's rms lies below that.

    Returns
    -------
    event, background : ndarray of int16, shape (n,)
        Their sum never leaves the range of 16 bit: both are turned down together if it would.
    """
    event = event * (10 ** (level / 20) / max(dsp.loudness(event), 1e-12))
    bed = bed * 10 ** ((level - ratio) / 20)
    peak = np.abs(event).max() + np.abs(bed).max()
    scale = FULL_SCALE * min(1.0, CEILING / peak)
    return tuple(np.round(scale * stem).astype(np.int16) for stem in (event, bed))
