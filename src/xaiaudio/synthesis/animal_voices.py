"""The five sounds that come from a throat or a single blow: dog, baby, clock, sneeze, rooster.

Each function takes a random generator and returns five seconds of the bare sound, near and dry,
with its own loudness scale; :mod:`~xaiaudio.datasets.events.scene` puts it into a place.
"""

from __future__ import annotations

import numpy as np

from . import dsp


def _starts(rng, lengths, gaps, early: float = 1.0) -> np.ndarray:
    """Start times of sounds one after the other, the whole moved to a random place in the clip."""
    ends = np.cumsum(np.asarray(lengths) + np.asarray(gaps))
    starts = np.concatenate([[0.0], ends[:-1]])
    free = dsp.SECONDS - (ends[-1] - gaps[-1])
    return starts + (free * rng.uniform(0, early) if free > 0 else 0.05)


def dog_bark(rng) -> np.ndarray:
    """Make one to eight barks.

    A bark is a burst of 0.1 to 0.3 s from the vocal folds. The pitch jumps up and falls at once
    (small dogs 500 to 900 Hz, large ones 150 to 300 Hz), the open mouth lets one or two formants
    through, and hoarse breath fills the space between the harmonics.
    """
    size = rng.random()  # 0 a large dog, 1 a small one
    pitch = 170 * 4.2**size * rng.uniform(0.85, 1.2)
    formants = np.array([650, 1350, 2900]) * (0.8 + 0.55 * size) * rng.uniform(0.9, 1.1, 3)
    throat = dsp.bumps(formants, formants * 0.35, [1.0, rng.uniform(0.3, 0.8), 0.15], 0.01)
    tilt, hoarse = rng.uniform(-9, -4), dsp.log_uniform(rng, 0.06, 0.7)
    length = (0.24 - 0.1 * size) * rng.uniform(0.7, 1.5)
    count = int(np.ceil(8 * np.sqrt(rng.random())))  # one bark alone is rare
    lengths = length * rng.uniform(0.8, 1.2, count)
    gaps = np.where(rng.random(count) < 0.3, rng.uniform(0.5, 1.1), rng.uniform(0.08, 0.4))
    gaps = gaps * rng.uniform(0.8, 1.25, count)
    wave = np.zeros(dsp.SAMPLES)
    for start, seconds in zip(_starts(rng, lengths, gaps), lengths, strict=True):
        bark = _bark(rng, pitch * rng.uniform(0.92, 1.08), seconds, throat, tilt, hoarse)
        dsp.place(wave, bark * rng.uniform(0.5, 1.0), start)
    return wave


def _bark(rng, pitch, seconds, throat, tilt, hoarse) -> np.ndarray:
    n = dsp.samples(seconds)
    top = rng.uniform(0.15, 0.35)
    times = np.array([0, top, 1]) * seconds
    glide = dsp.through(times, pitch * np.array([0.8, 1.15, rng.uniform(0.55, 0.75)]), n)
    voice = dsp.unit(dsp.harmonics(rng, glide, throat, tilt, jitter=0.02))
    breath = dsp.unit(dsp.noise(rng, n, throat)) * hoarse
    fade = np.exp(-2.0 * np.arange(n) / n)
    return (voice + breath) * fade * dsp.swell(n, 0.012, 0.4 * seconds)


def baby_cry(rng) -> np.ndarray:
    """Make a series of cries with breaths between them.

    A baby's short vocal folds sound at 350 to 600 Hz. Each cry is one breath: the pitch rises,
    trembles (vibrato of 5 to 8 Hz) and falls, while the mouth opens and closes and moves the
    formants with it. Between cries the breath is drawn in, short and hissing.
    """
    pitch = rng.uniform(340, 600)
    tilt = rng.uniform(-9, -3)
    cry_length, pause = dsp.log_uniform(rng, 0.35, 1.6), dsp.log_uniform(rng, 0.12, 0.8)
    formants = np.array([1100, 2700, 3900, 5600]) * rng.uniform(0.85, 1.15, 4)
    heights = [1.0, rng.uniform(0.3, 1.0), rng.uniform(0.1, 0.6), rng.uniform(0.05, 0.3)]
    tremble, depth = rng.uniform(5, 8), rng.uniform(0.005, 0.03)
    melody = rng.uniform(0.0, 0.1)
    rough, gasp = dsp.log_uniform(rng, 0.001, 0.02), dsp.log_uniform(rng, 0.005, 0.12)
    wave = np.zeros(dsp.SAMPLES)
    at = rng.uniform(-0.3, 0.6)
    while at < dsp.SECONDS - 0.2:
        seconds = cry_length * dsp.log_uniform(rng, 0.4, 1.8)
        n = dsp.samples(seconds)
        glide = _arch(rng, pitch * rng.uniform(0.85, 1.15), seconds, n)
        glide = glide * (1 + melody * dsp.curve(rng, n, 3.0))
        glide = glide * (1 + depth * np.sin(2 * np.pi * tremble * np.arange(n) / dsp.RATE))
        throat = dsp.bumps(formants * rng.uniform(0.88, 1.12, 4), formants * 0.25, heights, 0.02)
        cry = dsp.unit(dsp.harmonics(rng, glide, throat, tilt, jitter=rough))
        cry = cry + 0.3 * rough / 0.03 * dsp.unit(dsp.noise(rng, n, throat))
        loud = rng.uniform(0.4, 1.0) * (1 + 0.3 * dsp.curve(rng, n, 4.0))
        dsp.place(wave, cry * np.clip(loud, 0.1, 2) * dsp.swell(n, 0.06, 0.12), at)
        at += seconds + pause * rng.uniform(0.6, 1.5)
        breath = dsp.samples(0.15)
        drawn = dsp.unit(dsp.noise(rng, breath, dsp.bumps([2500, 5000], [1500, 2500], [1, 0.6])))
        dsp.place(wave, gasp * drawn * dsp.swell(breath, 0.08, 0.05), at - 0.16)
    return wave


def _arch(rng, pitch, seconds, n) -> np.ndarray:
    """Pitch of one cry or crow: up, along, down."""
    values = [rng.uniform(0.65, 0.95), 1.0, rng.uniform(0.9, 1.15), rng.uniform(0.55, 0.9)]
    times = np.array([0, rng.uniform(0.12, 0.25), rng.uniform(0.4, 0.75), 1.0]) * seconds
    return pitch * dsp.through(times, values, n)


def clock_tick(rng) -> np.ndarray:
    """Make a clock that ticks one to four times a second.

    A tooth of a wheel hits a pallet: the case rings at a few high frequencies for a few
    milliseconds. Tick and tock are two pallets, a little different in pitch and strength, and the
    spacing may limp. Most ticks are two clicks a few hundredths of a second apart.
    """
    rate = rng.choice([1.0, 1.0, 2.0, 2.0, 3.0, 4.0]) * rng.uniform(0.93, 1.07)
    case = int(rng.integers(4, 9))
    lowest = dsp.log_uniform(rng, 200, 1500)
    centres = np.exp(rng.uniform(np.log(lowest), np.log(7200), case))
    decays = np.exp(rng.uniform(np.log(0.001), np.log(0.02), case))
    heights = rng.uniform(0.2, 1.0, case)
    limp, second = rng.uniform(-0.08, 0.08), rng.uniform(0.0, 0.7)
    double = rng.uniform(0.01, 0.09)
    sides = [_strike(rng, centres, decays, heights) for _ in range(2)]
    times = rng.uniform(0, 1 / rate) + np.arange(int(5 * rate) + 1) / rate
    odd = np.arange(len(times)) % 2
    times = times + limp / rate * odd + 0.002 * rng.standard_normal(len(times))
    weights = np.where(odd, rng.uniform(0.4, 1.0), 1.0) * rng.uniform(0.9, 1.1, len(times))
    wave = np.zeros(dsp.SAMPLES)
    for side, strike in enumerate(sides):
        mine = odd == side
        hits = dsp.strikes(times[mine], weights[mine], dsp.SAMPLES)
        hits += dsp.strikes(times[mine] + double, second * weights[mine], dsp.SAMPLES)
        wave += dsp.convolve(hits, strike)
    return wave


def _strike(rng, centres, decays, heights) -> np.ndarray:
    """One pallet: the case's resonances, struck slightly differently, and the click itself."""
    case = len(centres)
    strike = dsp.ring(
        centres * rng.uniform(0.97, 1.03, case),
        decays,
        heights * rng.uniform(0.6, 1.4, case),
        dsp.samples(0.15),
        rng.uniform(0, 2 * np.pi, case),
    )
    click = dsp.samples(0.004)
    strike[:click] += 0.7 * rng.standard_normal(click) * np.exp(-np.arange(click) / 12)
    return dsp.unit(strike)


def person_sneeze(rng) -> np.ndarray:
    """Make one to three sneezes.

    Breath is drawn in, with or without a voice ("ah"), the throat closes, and the pent-up air
    breaks out within hundredths of a second: a burst of noise over all frequencies, shaped by the
    mouth, that dies away with a falling voice ("choo").
    """
    count = int(rng.choice([1, 2, 3], p=[0.25, 0.4, 0.35]))
    voiced, pitch = rng.uniform(0, 1.0), dsp.log_uniform(rng, 110, 330)
    inhale, rush = rng.uniform(0.12, 0.5), rng.uniform(0.06, 0.2)
    lengths = (inhale + 2 * rush + 0.2) * rng.uniform(0.85, 1.15, count)
    gaps = rng.uniform(0.2, 1.4, count)
    draw = dsp.log_uniform(rng, 0.01, 0.35)
    wave = np.zeros(dsp.SAMPLES)
    for start in _starts(rng, lengths, gaps, 0.8):
        strength = rng.uniform(0.6, 1.0)
        for _ in range(rng.integers(0, 3)):  # "ah, ah", before the breath that counts
            puff = _inhale(rng, rng.uniform(0.05, 0.15), voiced, pitch)
            dsp.place(wave, 2 * draw * strength * puff, start - rng.uniform(0.1, 0.6))
        dsp.place(wave, draw * strength * _inhale(rng, inhale, voiced, pitch), start)
        burst = _burst(rng, rush * rng.uniform(0.8, 1.2), voiced, pitch)
        dsp.place(wave, strength * burst, start + inhale + rng.uniform(0.02, 0.12))
    return wave


def _inhale(rng, seconds, voiced, pitch) -> np.ndarray:
    n = dsp.samples(seconds)
    mouth = dsp.bumps([900, 1600, 3200], [500, 700, 1500], [1, 0.7, 0.5], 0.05)
    breath = dsp.unit(dsp.noise(rng, n, mouth))
    glide = pitch * dsp.through([0, seconds], [0.9, 1.3], n)
    voice = dsp.unit(dsp.harmonics(rng, glide, mouth, -6.0, jitter=0.02))
    rise = dsp.through([0, 0.7 * seconds, seconds], [0.05, 0.6, 1.0], n)
    return (breath + voiced * voice) * rise * dsp.swell(n, 0.05, 0.03)


def _burst(rng, seconds, voiced, pitch) -> np.ndarray:
    n = dsp.samples(seconds * 2 + 0.1)
    hiss = rng.uniform(1800, 4500)
    teeth = dsp.bumps([hiss, 2 * hiss], [hiss, 3000], [1.0, 0.4], 0.12)
    mouth = dsp.bumps([700, 1300, 2600], [350, 500, 900], [1.0, 0.6, 0.3], 0.03)
    t = np.arange(n) / dsp.RATE
    blast = dsp.unit(dsp.noise(rng, n, teeth)) * np.exp(-t / (0.35 * seconds))
    glide = pitch * 1.5 * dsp.through([0, n / dsp.RATE], [1.5, 0.5], n)
    voice = dsp.unit(dsp.harmonics(rng, glide, mouth, -4.0, jitter=0.03))
    throat = dsp.unit(dsp.noise(rng, n, mouth)) * np.exp(-t / (0.25 * seconds))
    voice = voice * np.exp(-t / (0.5 * seconds)) * dsp.swell(n, 0.04, 0.1)
    return (blast + 0.7 * throat + 1.2 * voiced * voice) * dsp.swell(n, 0.006, 0.1)


def rooster(rng) -> np.ndarray:
    """Make one or two crows: "cock-a-doodle-doo".

    Two or three short syllables and a last, long one. The pitch (400 to 900 Hz) leaps from
    syllable to syllable, arches over the long one and sags at its end. The windpipe adds strong
    harmonics up to 5 kHz and a rasp.
    """
    pitch = rng.uniform(380, 820)
    # Syllables of one crow: pitch against the highest, and seconds.
    short = int(rng.integers(2, 5))
    levels = np.concatenate([rng.uniform(0.55, 1.0, short), [1.0]])
    last = rng.uniform(0.6, 1.3)
    lengths = np.concatenate([rng.uniform(0.1, 0.26, short), [last]])
    gap = rng.uniform(0.015, 0.08)
    crow_length = lengths.sum() + gap * short
    formants = np.array([1.0, 1.9, 3.4]) * rng.uniform(950, 1500) * rng.uniform(0.9, 1.1, 3)
    throat = dsp.bumps(formants, formants * 0.45, [1.0, rng.uniform(0.4, 0.9), 0.25], 0.02)
    tilt, rasp = rng.uniform(-9, -3), dsp.log_uniform(rng, 0.01, 0.25)
    count = 2 if crow_length < 2.2 and rng.random() < 0.75 else 1
    wave = np.zeros(dsp.SAMPLES)
    spans = np.full(count, crow_length)
    for start in _starts(rng, spans, rng.uniform(0.3, 1.2, count), 0.8):
        at = start
        for level, seconds in zip(levels, lengths, strict=True):
            n = dsp.samples(seconds)
            glide = _arch(rng, pitch * level * rng.uniform(0.98, 1.02), seconds, n)
            voice = dsp.unit(dsp.harmonics(rng, glide, throat, tilt, jitter=0.006))
            voice = voice + rasp * dsp.unit(dsp.noise(rng, n, throat))
            dsp.place(wave, voice * dsp.swell(n, 0.02, min(0.25, 0.4 * seconds)), at)
            at += seconds + gap
    return wave
