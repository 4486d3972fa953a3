"""The chainsaw: a two-stroke engine, its exhaust, and the chain.

The engine is built firing by firing, because what sets it apart from a musical tone is that no
two firings are alike. Numbers called *measured* are medians over the forty recordings of ESC-10.
"""

from __future__ import annotations

import numpy as np

from . import dsp


def chainsaw(rng) -> np.ndarray:
    """Make a chainsaw: a two-stroke engine that fires 40 to 230 times a second.

    A two-stroke engine fires once in every turn: 2,700 turns a minute idling, 6,000 to 12,000 in
    wood (measured: 64 to 172 firings a second). Each firing sends a pulse of pressure through the
    muffler. Its slow part repeats and makes the harmonics below 2 kHz; its fast part is the
    turbulence of the gas that rushes out, new each time, so that above 2 kHz there are no
    harmonics but noise that beats with the engine. (Measured, harmonics above the valleys between
    them: 21 dB below 500 Hz, 13 dB up to 1 kHz, 6 dB up to 2 kHz, 1 dB above.) Over it lies the
    chain: steel on steel and on wood, louder the faster it runs.
    """
    rate, load = _throttle(rng)
    times = _firings(rng, rate)
    now = np.round(times * dsp.RATE).astype(int)
    speed = rate / rate.max()
    # A firing is as strong as the charge in the cylinder, which a labouring engine fills best.
    spread = rng.uniform(0.05, 0.2)
    strength = np.exp(spread * rng.standard_normal(len(times))) * load[now]
    # With little load a two-stroke fires well at every second turn only ("four-stroking").
    strength[::2] *= rng.uniform(0.7, 1.0)
    muffler = _muffler(rng)
    pulse = dsp.convolve(dsp.strikes(times, strength, dsp.SAMPLES), _pulse(rng))
    engine = dsp.filtered(pulse, muffler)
    rush = _rush(rng, times, strength)
    roar = dsp.filtered(rush, dsp.product(muffler, dsp.high_pass(rng.uniform(350, 900), 1.0)))
    metal = dsp.bumps(rng.uniform(1800, 6500, 3), rng.uniform(600, 2500, 3), [1, 0.7, 0.5], 0.5)
    chain = dsp.noise(rng, dsp.SAMPLES, dsp.product(metal, dsp.high_pass(700, 1.0)))
    wave = engine / max(dsp.rms(engine), 1e-12)
    wave += dsp.log_uniform(rng, 0.3, 0.8) * roar / max(dsp.rms(roar), 1e-12)
    wave += dsp.log_uniform(rng, 0.12, 0.5) * chain * speed**2.5 * (0.6 + 0.4 * load)
    wave += dsp.log_uniform(rng, 0.1, 0.5) * _sprocket(rng, rate) * speed
    return wave * speed ** rng.uniform(0.8, 2.0)


def _throttle(rng) -> tuple[np.ndarray, np.ndarray]:
    """Draw the firings a second and the load, 0.5 to 1, over time.

    The trigger is pulled and let go, at times; the turning parts follow a quarter of a second
    later when the engine pulls them up and half a second later when they run down. In wood the
    engine labours: the bar binds and frees, and the speed sags by a tenth to a third.
    """
    full, idle = dsp.log_uniform(rng, 115, 215), rng.uniform(45, 80)
    step = 0.02
    count = int(dsp.SECONDS / step) + 2
    pulled = _trigger(rng, count, step)
    in_wood = np.clip(dsp.curve(rng, dsp.SAMPLES, rng.uniform(0.8, 2.5)), -1, 1)
    in_wood = in_wood[:: dsp.samples(step)] * rng.uniform(0.1, 0.35)
    in_wood = np.resize(np.append(in_wood, in_wood[-1:]), count)
    up, down = rng.uniform(0.15, 0.4), rng.uniform(0.3, 0.7)
    state, course = (full if pulled[0] else idle), []
    for pull, bind in zip(pulled, in_wood, strict=True):
        goal = full * (0.85 + bind) if pull else idle
        state += (goal - state) * step / (up if goal > state else down)
        course.append(state)
    rate = dsp.through(np.arange(count) * step, np.clip(course, 35, 240), dsp.SAMPLES)
    load = np.repeat(np.where(pulled, 1.0, 0.55), dsp.samples(step))[: dsp.SAMPLES]
    gentle = np.hanning(dsp.samples(0.1))
    load = dsp.convolve(np.pad(load, (len(gentle), 0), mode="edge"), gentle / gentle.sum())
    return rate, load[len(gentle) :]


def _trigger(rng, count: int, step: float) -> np.ndarray:
    """Say at each step whether the trigger is pulled: held, or pulled again and again."""
    style = rng.random()
    if style < 0.05:  # left idling
        return np.zeros(count, bool)
    if style < 0.45:  # held in wood
        return np.ones(count, bool)
    pulled, on, at = np.zeros(count, bool), rng.random() < 0.6, 0
    while at < count:
        run = int((rng.uniform(0.5, 2.2) if on else rng.uniform(0.25, 1.0)) / step)
        pulled[at : at + run] = on
        at, on = at + run, not on
    return pulled


def _firings(rng, rate) -> np.ndarray:
    """Draw the times of the firings; none comes quite when it should."""
    turns = np.cumsum(rate) / dsp.RATE + rng.random()
    whole = np.arange(np.ceil(turns[0]), turns[-1])
    whole = whole + rng.uniform(0.003, 0.010) * rng.standard_normal(len(whole))
    return np.interp(whole, turns, np.arange(len(turns)) / dsp.RATE)


def _muffler(rng):
    """Draw what the muffler and the body let through.

    Resonances of a box some 10 cm wide, at random places, on a slope that, with the pulse's own,
    falls as the recordings' does (measured: 11 dB at 150 Hz, 5 at 500, -1 at 1.4 kHz, -7 at 4).
    """
    centres = rng.uniform([150, 350, 800, 1600, 3200], [320, 750, 1500, 3000, 5500])
    widths = centres * rng.uniform(0.2, 0.6, 5)
    box = dsp.bumps(centres, widths, rng.uniform(0.2, 1.5, 5), 0.6)
    return dsp.product(box, dsp.slope(rng.uniform(-4.0, -1.0)), dsp.high_pass(100, 1.5))


def _pulse(rng) -> np.ndarray:
    """One firing's pressure: the port opens, the gas rushes out, a weaker wave sucks back."""
    n = dsp.samples(0.012)
    t = np.arange(n) / dsp.RATE
    opening, blow = rng.uniform(0.00003, 0.0001), dsp.log_uniform(rng, 0.00015, 0.0005)
    out = (1 - np.exp(-t / opening)) * np.exp(-t / blow)
    back = np.exp(-(((t - 2.5 * blow) / blow) ** 2))
    return out - out.sum() / back.sum() * back


def _rush(rng, times, strength) -> np.ndarray:
    """Make the turbulence of the exhaust: noise that swells with every firing."""
    n = dsp.samples(0.02)
    fade = np.exp(-np.arange(n) / dsp.RATE / rng.uniform(0.003, 0.008))
    swell = dsp.convolve(dsp.strikes(times, strength, dsp.SAMPLES), fade)
    return rng.standard_normal(dsp.SAMPLES) * np.maximum(swell, 0)


def _sprocket(rng, rate) -> np.ndarray:
    """Make the chain's whine: its links meet the six to eight teeth of the sprocket."""
    teeth = int(rng.integers(6, 9))
    meeting = teeth * rate * (1 + 0.004 * dsp.curve(rng, dsp.SAMPLES, 40.0))
    bar = dsp.bumps(rng.uniform(900, 4500, 3), rng.uniform(500, 1500, 3), [1, 0.8, 0.6], 0.1)
    whine = dsp.harmonics(rng, meeting, bar, -3.0)
    return whine * np.clip(1 + 0.4 * dsp.curve(rng, dsp.SAMPLES, 12.0), 0, 2) / dsp.rms(whine)
