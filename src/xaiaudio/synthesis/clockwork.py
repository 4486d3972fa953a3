"""The clock: an escapement that knocks on its case."""

from __future__ import annotations

import numpy as np

from . import dsp


def clock_tick(rng) -> np.ndarray:
    """Make a clock that ticks one to four times a second.

    The escapement lets one tooth of a wheel pass at each swing. What is heard as one tick is
    three knocks within 10 to 30 ms: the pallet unlocks (faint), the tooth pushes it, and the next
    tooth drops onto the other pallet (the loudest). Each knock is a thousandth of a second long
    and shakes a case with dozens of resonances, in wood gone within 5 ms, in sheet metal within
    20: so close together that the tick is more noise than tone. One or two deep resonances of
    the case or of what it stands on ring longer. Tick and tock are the two pallets, a little
    different in all of this, and their spacing may limp.
    """
    rate = rng.choice([1.0, 1.0, 1.0, 2.0, 2.5, 3.3, 4.3]) * rng.uniform(0.93, 1.07)
    case = _case(rng)
    limp = 0.1 * rng.uniform(-1, 1) ** 3  # most clocks hang straight
    pattern = _knocks(rng)
    sides = [dsp.convolve(_side(rng, pattern), _answer(rng, case)) for _ in range(2)]
    sides = [dsp.unit(side) for side in sides]
    times = rng.uniform(0, 1 / rate) + np.arange(int(5 * rate) + 1) / rate
    odd = np.arange(len(times)) % 2
    times = times + limp / rate * odd + 0.001 * rng.standard_normal(len(times))
    weights = np.where(odd, rng.uniform(0.45, 1.0), 1.0) * rng.uniform(0.9, 1.1, len(times))
    wave = np.zeros(dsp.SAMPLES)
    for number, side in enumerate(sides):
        mine = odd == number
        wave += dsp.convolve(dsp.strikes(times[mine], weights[mine], dsp.SAMPLES), side)
    return wave


def _case(rng) -> dict:
    """Draw a case: its resonances, how long they ring, how hard they are struck.

    Damping grows with frequency: a resonance lives for about as many periods as any other
    (quality 6 to 12 in wood, up to 60 in thin metal).
    """
    count = int(rng.integers(60, 120))
    centres = np.exp(rng.uniform(np.log(350), np.log(7600), count))
    lives = dsp.log_uniform(rng, 0.006, 0.02) * np.exp(0.4 * rng.standard_normal(count))
    colour = dsp.product(
        dsp.slope(rng.uniform(0.0, 5.0)),
        dsp.high_pass(500),
        dsp.bumps(np.exp(rng.uniform(np.log(600), np.log(4500), 2)), [700, 1200], [2, 1.5], 0.6),
    )
    heights = colour(centres) * np.exp(0.5 * rng.standard_normal(count))
    deep = rng.uniform([250, 500], [700, 1800])
    return {
        "centres": np.append(centres, deep),
        "decays": np.append(lives * (centres / 1000) ** -0.6, rng.uniform(0.01, 0.04, 2)),
        "heights": np.append(
            heights, heights.max() * dsp.log_uniform(rng, 0.05, 0.5) * np.array([1, 0.5])
        ),
    }


def _answer(rng, case) -> np.ndarray:
    """How the case answers a knock at one place: resonances are met more or less well there."""
    count = len(case["centres"])
    return dsp.ring(
        case["centres"] * rng.uniform(0.99, 1.01, count),
        case["decays"],
        case["heights"] * rng.uniform(0.5, 1.5, count),
        dsp.samples(0.2),
        rng.uniform(0, 2 * np.pi, count),
    )


def _knocks(rng) -> tuple[np.ndarray, np.ndarray]:
    """Draw when the knocks of a tick come, in seconds, and how strong they are."""
    push = rng.uniform(0.003, 0.012)
    drop = push + rng.uniform(0.003, 0.015)
    bounce = drop + rng.uniform(0.02, 0.08)
    times = np.array([0, push, drop, bounce])
    return times, np.array(
        [rng.uniform(0.05, 0.4), rng.uniform(0.2, 0.8), 1.0, rng.uniform(0, 0.25)]
    )


def _side(rng, pattern) -> np.ndarray:
    """One pallet's knocks: short bursts of noise, for metal scrapes as it meets metal."""
    times, heights = pattern
    n = dsp.samples(0.3)
    hits = dsp.strikes(times * rng.uniform(0.9, 1.1, 4), heights * rng.uniform(0.7, 1.3, 4), n)
    touch = dsp.samples(0.004)
    scrape = rng.standard_normal(touch) * np.exp(
        -np.arange(touch) / dsp.RATE / rng.uniform(0.0003, 0.0012)
    )
    return dsp.convolve(hits, scrape)
