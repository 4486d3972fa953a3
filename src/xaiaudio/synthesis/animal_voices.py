"""The five sounds that come from a throat or a single blow: dog, baby, clock, sneeze, rooster.

Each function takes a random generator and returns five seconds of the bare sound, near and dry,
with its own loudness scale; :mod:`~xaiaudio.datasets.events.scene` puts it into a place.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from . import dsp
from .clockwork import clock_tick

__all__ = ["baby_cry", "clock_tick", "dog_bark", "person_sneeze", "rooster"]


def _starts(rng, lengths, gaps, early: float = 1.0) -> np.ndarray:
    """Start times of sounds one after the other, the whole moved to a random place in the clip."""
    ends = np.cumsum(np.asarray(lengths) + np.asarray(gaps))
    starts = np.concatenate([[0.0], ends[:-1]])
    free = dsp.SECONDS - (ends[-1] - gaps[-1])
    return starts + (free * rng.uniform(0, early) if free > 0 else 0.05)


def dog_bark(rng) -> np.ndarray:
    """Make one to eight barks.

    A bark is a push of air of 0.1 to 0.2 s. With the pressure the pitch rises by a third or more
    and falls again as it runs out (measured on the forty recordings of ESC-10: arches that turn
    at 450 to 920 Hz, median 610, with most of their power between 400 and 1,600 Hz). The jaw
    opens and shuts with it, so the first two formants follow the arch. So hard a push makes the
    vocal folds chaotic: successive periods differ, and breath fills the space between the
    harmonics.
    """
    size = rng.random()  # 0 a large dog, 1 a small one
    dog = Dog(
        pitch=390 * 2.4**size * rng.uniform(0.85, 1.15),
        formants=np.array([730, 1500, 2600, 3800])
        * (0.85 + 0.45 * size)
        * rng.uniform(0.82, 1.2, 4),
        heights=(1.0, rng.uniform(0.5, 1.4), rng.uniform(0.05, 0.3), rng.uniform(0.01, 0.1)),
        tilt=rng.uniform(-9, -4),
        hoarse=dsp.log_uniform(rng, 0.03, 0.11),
        arch=rng.uniform(1.3, 1.9),
    )
    length = (0.17 - 0.05 * size) * rng.uniform(0.75, 1.4)
    count = int(np.ceil(8 * np.sqrt(rng.random())))  # one bark alone is rare
    lengths = length * rng.uniform(0.8, 1.2, count)
    gaps = np.where(rng.random(count) < 0.3, rng.uniform(0.5, 1.1), rng.uniform(0.1, 0.4))
    gaps = gaps * rng.uniform(0.8, 1.25, count)
    wave = np.zeros(dsp.SAMPLES)
    for start, seconds in zip(_starts(rng, lengths, gaps), lengths, strict=True):
        dsp.place(wave, _bark(rng, dog, seconds) * rng.uniform(0.5, 1.0), start)
    return wave


class Dog(NamedTuple):
    """One dog: pitch where a bark turns, formants of the open mouth, source, chaos, arch."""

    pitch: float
    formants: np.ndarray
    heights: tuple
    tilt: float
    hoarse: float  # how much successive periods differ
    arch: float  # highest pitch against that of the start


def _bark(rng, dog, seconds) -> np.ndarray:
    n = dsp.samples(seconds)
    times = np.array([0, 0.14, rng.uniform(0.28, 0.42), 0.66, 0.84, 1]) * seconds
    start, end = 1 / dog.arch, rng.uniform(0.5, 0.7)
    levels = [start, 0.5 + 0.5 * start, 1.0, rng.uniform(0.85, 0.95), 0.5 + 0.4 * end, end]
    glide = dog.pitch * rng.uniform(0.92, 1.08) * dsp.through(times, levels, n)
    jaw = dsp.through(times, [0.5, 0.7, 1.05, 1.0, 0.75, 0.5], n)
    jaw = np.append(jaw[:: dsp.STEP], jaw[-1])
    moved = [
        dog.formants[0] * jaw,
        dog.formants[1] * jaw**0.5,
        dog.formants[2] * jaw**0.3,
        dog.formants[3],
    ]
    mouth = dsp.bumps(moved, dog.formants * 0.35, dog.heights, 0.004)
    still = dsp.bumps(dog.formants, dog.formants * 0.4, dog.heights, 0.005)
    chaos = dsp.curve(rng, n, 0.7 * dog.pitch)
    voice = dsp.unit(dsp.harmonics(rng, glide * (1 + dog.hoarse * chaos), mouth, dog.tilt))
    rough = np.clip(1 + 4 * dog.hoarse * dsp.curve(rng, n, 0.4 * dog.pitch), 0.2, 2)
    breath = dsp.noise(rng, n, dsp.product(still, dsp.high_pass(400)))
    push = dsp.through(times, [0.02, 0.3, 1.0, 0.75, 0.3, 0.04], n)
    return (voice * rough + (0.02 + 0.8 * dog.hoarse) * breath) * push * dsp.swell(n, 0.01, 0.03)


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


def person_sneeze(rng) -> np.ndarray:
    """Make one to three sneezes: "ah, ah, tchoo".

    Air is drawn in by gasps, half of them voiced ("ah"). The throat closes for a tenth of a
    second while the pressure rises, then all of it breaks out within 20 ms. Measured on the forty
    recordings of ESC-10: the blast is noise of nearly one strength from 200 Hz to 4 kHz, 10 dB
    less at 7 kHz; in somebody slow it fades by 6 dB in the first tenth of a second and by 20 dB
    in the third, in most people twice as fast, the highest frequencies first. In it the tongue
    closes the mouth to a "tch" and opens it to an "oo", while what the vocal folds still give
    falls in pitch.
    """
    count = int(rng.choice([1, 2, 3], p=[0.6, 0.25, 0.15]))
    person = Person(
        pitch=dsp.log_uniform(rng, 150, 380),
        size=rng.uniform(0.85, 1.2),
        voiced=dsp.log_uniform(rng, 0.1, 1.2),
        rush=dsp.log_uniform(rng, 0.5, 1.3),
    )
    gasps, draw = int(rng.integers(0, 3)), dsp.log_uniform(rng, 0.02, 0.3)
    hold = rng.uniform(0.03, 0.2)
    led, loud = rng.choice([0, 1]) * rng.uniform(0.1, 0.25), dsp.log_uniform(rng, 0.15, 0.6)
    before = gasps * 0.14 + hold + led
    lengths = np.full(count, before + 0.5 * person.rush)
    wave = np.zeros(dsp.SAMPLES)
    for start in _starts(rng, lengths, rng.uniform(0.3, 1.2, count), 0.4):
        strength = rng.uniform(0.6, 1.0)
        for number in range(gasps):
            gasp = _gasp(rng, rng.uniform(0.04, 0.12), person, 1 + 0.15 * number)
            dsp.place(wave, draw * strength * (0.6 + 0.4 * number) * gasp, start + 0.14 * number)
        if led:  # no hold: the voice swells and breaks into the blast
            lead = _gasp(rng, led, person, 1.2)
            lead *= dsp.through([0, led], [0.1, 1.0], len(lead)) ** 2
            dsp.place(wave, strength * loud * lead, start + before - led + 0.04)
        dsp.place(wave, strength * _blast(rng, person), start + before)
    return wave


class Person(NamedTuple):
    """Who sneezes: pitch of the voice, formants against the average, strength of voice, pace."""

    pitch: float
    size: float
    voiced: float
    rush: float


def _gasp(rng, seconds, person, rise) -> np.ndarray:
    """Draw breath through an open mouth: "ah"."""
    n = dsp.samples(seconds)
    mouth = dsp.bumps(
        person.size * np.array([800, 1300, 2700, 3900]),
        [150, 200, 350, 500],
        [1, 0.8, 0.4, 0.2],
        0.02,
    )
    glide = person.pitch * rise * dsp.through([0, seconds], [0.95, 1.15], n)
    voice = dsp.unit(dsp.harmonics(rng, glide, mouth, -4.0, jitter=0.02))
    return (min(1.0, 2 * person.voiced) * voice + 0.3 * dsp.noise(rng, n, mouth)) * dsp.swell(
        n, 0.015, 0.03
    )


def _blast(rng, person) -> np.ndarray:
    """Let it out: "tchoo"."""
    n = dsp.samples(0.6 * person.rush)
    t = np.arange(n) / dsp.RATE / person.rush
    size, hiss = person.size, rng.uniform(2800, 5000)
    # Three shapes of the mouth, one after the other: open throat, teeth, rounded lips.
    shapes = [
        dsp.bumps(
            size * np.array([600, 1500, 2600, 3900]),
            [350, 450, 600, 1200],
            [1, 0.9, 0.7, 0.3],
            0.08,
        ),
        dsp.bumps(
            [size * 450, size * 1700, hiss, 1.7 * hiss],
            [300, 600, 2000, 3000],
            [0.9, 0.6, 0.7, 0.3],
            0.12,
        ),
        dsp.bumps(
            size * np.array([380, 1000, 2300, 3400]),
            [200, 350, 500, 700],
            [1, 0.35, 0.15, 0.08],
            0.02,
        ),
    ]
    weights = _fades(t, [rng.uniform(0.04, 0.09), rng.uniform(0.15, 0.24)])
    muffle = dsp.product(dsp.low_pass(rng.uniform(7000, 16000), 1.5), dsp.high_pass(150))
    wave = sum(
        weight * dsp.noise(rng, n, dsp.product(shape, muffle)) * level
        for weight, shape, level in zip(weights, shapes, (1.0, 0.75, 0.35), strict=True)
    )
    # 6 dB less after 0.1 s, 20 dB after 0.3 s; turbulence is uneven.
    fade = 10 ** (-(55 * t + 40 * np.maximum(t - 0.1, 0)) / 20)
    wave = wave * (1 + 0.2 * np.clip(dsp.curve(rng, n, 30.0), -2, 2))
    formants = [
        size * dsp.through(np.array([0, 0.12, 0.3, 0.7]) * person.rush, path, n)
        for path in ([650, 480, 340, 320], [1600, 1800, 1000, 850], [2600, 2600, 2300, 2200])
    ]
    steps = [np.append(path[:: dsp.STEP], path[-1]) for path in formants]
    mouth = dsp.bumps(steps, [120, 180, 300], [1, 0.6, 0.3], 0.01)
    arc = dsp.through(
        np.array([0, 0.06, 0.2, 0.6]) * person.rush,
        [1.2, rng.uniform(1.5, 2.2), 1.4, rng.uniform(0.7, 0.9)],
        n,
    )
    voice = dsp.unit(dsp.harmonics(rng, person.pitch * arc, mouth, -4.0, jitter=0.02))
    tail = 10 ** (-rng.uniform(35, 70) * t / 20) * dsp.swell(n, 0.03, 0.15)
    return (wave * fade / 3 + 0.6 * person.voiced * voice * tail) * dsp.swell(
        n, rng.uniform(0.01, 0.04), 0.1
    )


def _fades(t, changes) -> list[np.ndarray]:
    """Weights of shapes that follow one another, with changes of 0.06 and 0.16 s."""
    pairs = zip(changes, (0.06, 0.16), strict=True)
    steps = [np.clip((t - at) / width + 0.5, 0, 1) for at, width in pairs]
    return [1 - steps[0], steps[0] * (1 - steps[1]), steps[1]]


def rooster(rng) -> np.ndarray:
    """Make one crow, seldom two: "cock-a-doodle-doo".

    A crow is a call or two of a fifth of a second and a long one of 1.2 to 2 s (measured on the
    forty recordings of ESC-10, as all numbers here). The syrinx, the bird's voice organ deep in
    the chest, sounds at 640 to 930 Hz (median 745). The windpipe above it is a tube closed at
    one end: it favours odd multiples of its quarter-wave frequency near 500 Hz, so that the
    second harmonic, at about 1,500 Hz, is 7 dB above the first, and the fourth 25 dB below it.
    A crow starts near full pressure, where the syrinx is chaotic: successive periods differ, and
    the harmonics blur into a rasp. Then it settles into a tone with 30 dB less breath in it, that
    sinks slowly and drops at the very end.
    """
    pitch = 745 * np.exp(0.14 * np.clip(rng.standard_normal(), -2, 2))
    tube = [pitch, pitch * rng.uniform(1.88, 2.1), pitch * rng.uniform(3.6, 4.3)]
    tube += [rng.uniform(4300, 5500), rng.uniform(5900, 7300)]
    heights = [dsp.log_uniform(rng, 0.15, 0.9), 1.0, dsp.log_uniform(rng, 0.06, 0.4)]
    heights += [dsp.log_uniform(rng, 0.03, 0.25), dsp.log_uniform(rng, 0.02, 0.2)]
    widths = [300, rng.uniform(250, 550), rng.uniform(300, 700), 600, 700]
    resonances = dsp.bumps(tube, widths, heights, 0.012)
    throat = dsp.product(resonances, dsp.high_pass(0.75 * pitch, 6))
    bird = Bird(pitch, throat, rng.uniform(-2, 0), dsp.log_uniform(rng, 0.05, 0.15))
    calls = [(rng.uniform(0.12, 0.26), rng.uniform(0.03, 0.13))]
    if rng.random() < 0.5:
        calls.append((rng.uniform(0.08, 0.2), rng.uniform(0.02, 0.07)))
    lengths = [seconds for seconds, _ in calls] + [rng.uniform(1.15, 1.9)]
    gaps = [gap for _, gap in calls]
    whole = sum(lengths) + sum(gaps)
    wave = np.zeros(dsp.SAMPLES)
    count = 2 if whole < 1.9 and rng.random() < 0.3 else 1
    for start in _starts(rng, np.full(count, whole), rng.uniform(0.5, 1.0, count), 0.6):
        at = start
        for seconds, gap in zip(lengths[:-1], gaps, strict=True):
            dsp.place(wave, rng.uniform(0.35, 0.9) * _call(rng, bird, seconds), at)
            at += seconds + gap
        dsp.place(wave, _crow(rng, bird, lengths[-1]), at)
    return wave


class Bird(NamedTuple):
    """One rooster: its pitch, windpipe, source and rasp."""

    pitch: float
    throat: Callable
    tilt: float
    rasp: float  # how much successive periods differ in the chaotic parts


def _call(rng, bird, seconds) -> np.ndarray:
    """One of the short calls: up, and down again, half of it chaotic."""
    n = dsp.samples(seconds)
    times = np.array([0, 0.25, 0.75, 1.0]) * seconds
    top = bird.pitch * rng.uniform(0.8, 1.02)
    glide = dsp.through(times, top * np.array([rng.uniform(0.75, 0.9), 1.0, 1.0, 0.85]), n)
    chaos = np.full(n, rng.uniform(0.2, 1.0))
    return _syrinx(rng, bird, glide, chaos) * dsp.swell(n, 0.02, 0.04)


def _crow(rng, bird, seconds) -> np.ndarray:
    """Make the long call: a leap up, a rasp, a tone that sinks, a drop."""
    n = dsp.samples(seconds)
    early, end = rng.uniform(0.2, 0.35), seconds - rng.uniform(0.06, 0.12)
    times = [0, 0.06, 0.13, early, 0.6 * seconds, end, seconds]
    sink = rng.uniform(0.86, 1.0)
    levels = [rng.uniform(0.7, 0.85), 1.1, rng.uniform(1.1, 1.25), 1.0, 1.0, sink, 0.7 * sink]
    glide = bird.pitch * dsp.through(times, levels, n)
    chaos = _spans(rng, n, [(0.05, seconds * rng.uniform(0.15, 0.5))])
    if rng.random() < 0.45:  # it breaks in once more
        again = seconds * rng.uniform(0.5, 0.85)
        chaos = np.maximum(chaos, _spans(rng, n, [(again, again + rng.uniform(0.08, 0.25))]))
    push = dsp.through([0, 0.1, 0.6 * seconds, end, seconds], [0.5, 1, 0.9, 0.6, 0.2], n)
    return _syrinx(rng, bird, glide, chaos) * push * dsp.swell(n, 0.015, 0.06)


def _spans(rng, n, spans) -> np.ndarray:
    """Return 1 within the spans of time and 0 outside, with edges of a hundredth of a second."""
    t = np.arange(n) / dsp.RATE
    inside = [
        np.clip((t - low) / 0.01, 0, 1) * np.clip((high - t) / 0.01, 0, 1) for low, high in spans
    ]
    return np.max(inside, axis=0)


def _syrinx(rng, bird, pitch, chaos) -> np.ndarray:
    """Sound the syrinx: clear where `chaos` is 0, a rasp where it is 1.

    In the rasp pitch and loudness run through a second, slower vibration of 45 to 110 Hz, never
    twice alike: its side bands, as far apart, fill the space between the harmonics.
    """
    n = len(pitch)
    slow = rng.uniform(45, 110) * (1 + 0.05 * dsp.curve(rng, n, 20.0))
    turn = 2 * np.pi * np.cumsum(slow) / dsp.RATE
    free = dsp.curve(rng, n, 250.0)
    swing = bird.rasp * (np.sin(turn) + 0.7 * free)
    voice = dsp.unit(dsp.harmonics(rng, pitch * (1 + chaos * swing), bird.throat, bird.tilt))
    pulse = np.exp(1.5 * (np.cos(turn + 1.0) + 0.5 * free)) / 2
    breath = dsp.noise(rng, n, bird.throat)
    return voice * (1 - chaos + chaos * np.clip(pulse, 0, 2)) + (0.05 + 0.05 * chaos) * breath
