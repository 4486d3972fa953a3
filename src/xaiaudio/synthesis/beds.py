"""The five sounds that go on: rain, sea, helicopter, chainsaw, fire.

Each function takes a random generator and returns five seconds of the bare sound, near and dry,
with its own loudness scale; :mod:`~xaiaudio.datasets.events.scene` puts it into a place.
"""

from __future__ import annotations

import numpy as np

from . import dsp
from .engines import chainsaw

__all__ = ["chainsaw", "fire_crackling", "helicopter", "rain", "sea_waves"]


def rain(rng) -> np.ndarray:
    """Make rain: the hiss of drops beyond number, and the taps of the near ones.

    Thousands of far drops a second add up to steady noise, brighter than most noises outdoors.
    Near drops stand out as single taps; on leaves or a roof they ring for a few milliseconds.
    """
    bright = rng.uniform(-4.0, 1.5)
    hiss = dsp.product(
        dsp.slope(bright),
        dsp.high_pass(dsp.log_uniform(rng, 50, 900), rng.uniform(0.5, 1.5)),
        dsp.low_pass(dsp.log_uniform(rng, 3500, 14000), 1.5),
        dsp.bumps(rng.uniform(500, 6500, 2), rng.uniform(800, 3000, 2), [1.0, 0.7], 1.0),
    )
    wave = dsp.noise(rng, dsp.SAMPLES, hiss)
    wave *= 1 + rng.uniform(0.01, 0.08) * dsp.curve(rng, dsp.SAMPLES, 1.5)
    near, rate = rng.uniform(0.1, 1.6), dsp.log_uniform(rng, 30, 1500)
    return wave + near * _taps(rng, rate)


def _taps(rng, rate) -> np.ndarray:
    """Make drops of all sizes on twelve kinds of ground, each with a tap of its own."""
    wave = np.zeros(dsp.SAMPLES)
    for _ in range(12):
        times = dsp.poisson_times(rng, rate / 12)
        heights = rng.lognormal(0, 0.8, len(times)) * rng.choice([-1, 1], len(times))
        centres = np.exp(rng.uniform(np.log(500), np.log(7000), 3))
        tap = dsp.ring(
            centres, rng.uniform(0.0006, 0.003, 3), rng.uniform(0.3, 1, 3), dsp.samples(0.03)
        )
        wave += dsp.convolve(dsp.strikes(times, heights, dsp.SAMPLES), tap)
    return wave / max(dsp.rms(wave), 1e-12)


def sea_waves(rng) -> np.ndarray:
    """Make the sea: noise that swells, brightens and draws back.

    A wave builds up in seconds: first its low rumble, then, as it breaks, foam up to the highest
    frequencies, then the hiss of water running off. Under it the far surf never stops. Here eight
    bands of noise each follow the wave with a delay and a reach of their own.
    """
    edges = np.geomspace(120, 8000, 9)
    fall = rng.uniform(-2.0, 2.0)  # decibels an octave
    calm, reach = dsp.log_uniform(rng, 0.04, 0.6), rng.uniform(0.8, 2.5)
    period = rng.uniform(2.5, 8.0)
    height = _breakers(rng, period)
    lag = rng.uniform(0.0, 0.35)
    wave = np.zeros(dsp.SAMPLES)
    for number, (low, high) in enumerate(zip(edges[:-1], edges[1:], strict=True)):
        between = dsp.product(dsp.high_pass(low, 4), dsp.low_pass(high, 4))
        band = dsp.noise(rng, dsp.SAMPLES, between)
        level = 10 ** (fall * (number - 2) * 0.81 / 20)
        late = np.roll(height, dsp.samples(lag * number / 7))
        # The higher the band, the more the wave must tower before it sounds.
        swelling = calm + late ** (0.6 + reach * number / 7)
        flutter = 1 + 0.12 * dsp.curve(rng, dsp.SAMPLES, rng.uniform(4, 12))
        wave += level * band * swelling * flutter
    return wave


def _breakers(rng, period) -> np.ndarray:
    """Height of the waves over time, 0 to 1: quick to rise, slow to run off."""
    at = rng.uniform(-period, 0)
    height = np.zeros(dsp.SAMPLES)
    t = np.arange(dsp.SAMPLES) / dsp.RATE
    while at < dsp.SECONDS:
        rise, run = period * rng.uniform(0.2, 0.4), period * rng.uniform(0.3, 0.7)
        since = t - at - rise
        one = np.where(since < 0, np.exp(-((since / (0.6 * rise)) ** 2)), np.exp(-since / run))
        height = np.maximum(height, rng.uniform(0.6, 1.0) * one)
        at += period * rng.uniform(0.7, 1.3)
    return height


def helicopter(rng) -> np.ndarray:
    """Make a helicopter: blades that slap the air 8 to 20 times a second.

    Each blade that passes sends out a thump below 300 Hz, sharper where it cuts the wake of the
    one before, and beats the noise of the rotor's wind with it. The tail rotor turns five to six
    times faster and hums; turbine and gears whine. As it flies by, all pitches sink a little
    (Doppler shift) and the loudness comes and goes.
    """
    rate = rng.uniform(8, 20)
    t = np.arange(dsp.SAMPLES) / dsp.RATE
    pass_by = np.tanh((t - rng.uniform(0, 5)) / rng.uniform(1.0, 4.0))
    doppler = 1 - rng.uniform(0, 0.06) * pass_by
    turns = np.cumsum(rate * doppler) / dsp.RATE + rng.random()
    since = np.mod(turns, 1.0)
    thump = _thumps(rng, rate, turns)
    depth = rng.uniform(0.25, 0.8)
    beat = 1 - depth + depth * np.exp(-since * rng.uniform(2.5, 9.0))
    corner = dsp.log_uniform(rng, 200, 1500)
    wind = dsp.noise(rng, dsp.SAMPLES, dsp.low_pass(corner, rng.uniform(0.8, 1.8)))
    wash = dsp.noise(rng, dsp.SAMPLES, dsp.bumps([rng.uniform(800, 3500)], [2500], [1.0], 0.1))
    tail = rate * rng.uniform(4.5, 6.5) * doppler
    hum = dsp.unit(dsp.harmonics(rng, tail, dsp.low_pass(1500), rng.uniform(-7, -2)))
    whine = np.sin(2 * np.pi * np.cumsum(rng.uniform(900, 5000) * doppler) / dsp.RATE)
    wave = dsp.log_uniform(rng, 0.2, 0.9) * thump + rng.uniform(0.7, 1.3) * wind * beat
    wave += dsp.log_uniform(rng, 0.01, 0.3) * wash * beat + rng.uniform(0.0, 1.0) * hum
    wave += rng.choice([0, 1], p=[0.6, 0.4]) * rng.uniform(0.01, 0.06) * whine
    drift = 1 + 0.25 * np.clip(dsp.curve(rng, dsp.SAMPLES, 0.6), -2, 2)
    return wave * drift * (1 - rng.uniform(0, 0.6) * np.abs(pass_by))


def _thumps(rng, rate, turns) -> np.ndarray:
    """Make one thump per blade, no two blades alike."""
    times = np.interp(np.arange(np.ceil(turns[0]), turns[-1]), turns, np.arange(len(turns)))
    blades = rng.uniform(0.7, 1.0, int(rng.integers(2, 6)))
    heights = np.resize(blades, len(times)) * rng.uniform(0.9, 1.1, len(times))
    low = rng.uniform(45, 130)
    centres = [low, rng.uniform(140, 350), rng.uniform(400, 1200)]
    body = dsp.ring(
        centres,
        [0.25 / rate, rng.uniform(0.005, 0.02), rng.uniform(0.002, 0.01)],
        [1.0, rng.uniform(0.3, 1.0), rng.uniform(0.0, 0.6)],
        dsp.samples(0.3),
    )
    thump = dsp.convolve(dsp.strikes(times / dsp.RATE, heights, dsp.SAMPLES), body)
    return 1.5 * thump / max(dsp.rms(thump), 1e-12)


def fire_crackling(rng) -> np.ndarray:
    """Make a fire: crackles at random moments over a low rumble and a hiss.

    Steam trapped in the wood bursts free: clicks of one to five milliseconds, independent of each
    other (a Poisson process), a few loud ones among very many faint ones, often several in a row.
    Air drawn into the flames rumbles softly and the embers hiss.
    """
    rate = dsp.log_uniform(rng, 8, 80)
    leaders = dsp.poisson_times(rng, rate)
    # A burst sets off others: a geometric number of followers within hundredths of a second.
    followers = rng.geometric(0.6, len(leaders)) - 1
    times = np.concatenate(
        [leaders, np.repeat(leaders, followers) + rng.exponential(0.03, followers.sum())]
    )
    strength = rng.lognormal(0, rng.uniform(0.8, 1.4), len(times))
    kind = rng.integers(0, 4, len(times))
    wave = np.zeros(dsp.SAMPLES)
    for number in range(4):
        mine = kind == number
        hits = dsp.strikes(times[mine], strength[mine], dsp.SAMPLES)
        wave += dsp.convolve(hits, _snap(rng))
    wave = wave / max(dsp.loudness(wave), 1e-12)
    rumble = dsp.noise(rng, dsp.SAMPLES, dsp.low_pass(dsp.log_uniform(rng, 60, 300), 1.2))
    rumble *= 1 + 0.3 * np.clip(dsp.curve(rng, dsp.SAMPLES, 3.0), -2, 2)
    hiss = dsp.noise(rng, dsp.SAMPLES, dsp.bumps([rng.uniform(2500, 6000)], [4000], [1.0], 0.1))
    floor = dsp.log_uniform(rng, 0.02, 0.3)
    return wave + floor * (rng.uniform(0.6, 2.5) * rumble + dsp.log_uniform(rng, 0.03, 0.4) * hiss)


def _snap(rng) -> np.ndarray:
    """One crackle: a burst of noise, brightest at the start, gone in milliseconds."""
    n = dsp.samples(0.03)
    decay = dsp.log_uniform(rng, 0.0006, 0.004)
    centre = dsp.log_uniform(rng, 1200, 6000)
    colour = dsp.bumps([centre], [1.5 * centre], [1.0], 0.25)
    return dsp.unit(dsp.noise(rng, n, colour) * np.exp(-np.arange(n) / dsp.RATE / decay))
