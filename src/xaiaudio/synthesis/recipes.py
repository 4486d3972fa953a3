"""Four sounds with controls: a clock, a rooster, a helicopter, a barking dog.

They are simpler than the sounds of `animal_voices`, `beds` and `clockwork`, and
all that chance decides there is decided once here, by the seed. So nothing changes but what a
control changes. Many settings are worked out at once: each row is one sound.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy.fft import irfft, rfft, rfftfreq
from scipy.signal import fftconvolve

from . import dsp
from .controls import DECIBEL, QUARTER_MORE, SEMITONE, TENTH_MORE, THIRD_OCTAVE, Control, Recipe

_TIME = np.arange(dsp.SAMPLES) / dsp.RATE
# Every sound has these two: how loud it is, and the noise around it.
_AROUND = (
    Control("noise", "dB", -60, -6, -50, DECIBEL, meaning="noise around it, below its peak"),
    Control("level", "dB", -50, -6, -12, DECIBEL, meaning="its peak, below full scale"),
)


def _recipe(name, controls, bare: Callable, seed: int) -> Recipe:
    """Return the recipe of a bare sound: to unit peak, with noise around it, at its level."""
    controls = (*controls, *_AROUND)
    hiss = dsp.noise(np.random.default_rng([seed, 1]), dsp.SAMPLES, dsp.slope(-3))

    def make(settings):
        values = {
            control.name: column[:, None]
            for control, column in zip(controls, settings.T, strict=True)
        }
        wave = bare(values)
        wave /= np.maximum(np.abs(wave).max(axis=1, keepdims=True), 1e-12)
        wave += 10 ** (values["noise"] / 20) * hiss
        return wave * 10 ** (values["level"] / 20)

    return Recipe(name, controls, make, dsp.RATE, dsp.SAMPLES)


def clock(seed: int = 0) -> Recipe:
    """Return a clock: knocks on a case with forty resonances.

    Controls: ``rate`` of the ticks, ``brightness`` of the case (what lies above is fainter),
    ``decay`` of its ringing, ``noise``, ``level``.

    Examples
    --------
    >>> from xaiaudio.synthesis.recipes import clock
    >>> clock().names
    ('rate', 'brightness', 'decay', 'noise', 'level')
    """
    rng = np.random.default_rng([seed, 0])
    centres = np.exp(rng.uniform(np.log(350), np.log(7600), 40))
    lives = np.exp(0.4 * rng.standard_normal(40)) * (centres / 1000) ** -0.6
    heights = np.exp(0.5 * rng.standard_normal(40))
    phases = rng.uniform(0, 2 * np.pi, 40)
    controls = (
        Control("rate", "/s", 0.5, 24, 2, TENTH_MORE, log=True, meaning="ticks a second"),
        Control(
            "brightness", "Hz", 300, 8000, 5000, THIRD_OCTAVE, log=True, meaning="reach of a tick"
        ),
        Control("decay", "ms", 1, 120, 6, QUARTER_MORE, log=True, meaning="ringing of the case"),
    )

    def bare(values):
        t = np.arange(dsp.samples(0.5)) / dsp.RATE
        tick = np.zeros((len(values["rate"]), len(t)))
        for centre, life, height, phase in zip(centres, lives, heights, phases, strict=True):
            loud = height * dsp.low_pass(values["brightness"], 3)(centre)
            fade = np.exp(-t / (life * values["decay"] / 1000))
            tick += loud * fade * np.sin(2 * np.pi * centre * t + phase)
        return _each(values["rate"], tick, (1.0, 0.8))

    return _recipe("clock", controls, bare, seed)


def rooster(seed: int = 0) -> Recipe:
    """Return a rooster: two short calls and a long one, a tone in a windpipe.

    Controls: ``pitch``, ``glide`` by which the long call falls, ``rasp`` (how much successive
    periods differ), ``length`` of the long call, ``noise``, ``level``.

    Examples
    --------
    >>> from xaiaudio.synthesis.recipes import rooster
    >>> rooster().names
    ('pitch', 'glide', 'rasp', 'length', 'noise', 'level')
    """
    rng = np.random.default_rng([seed, 0])
    throat = dsp.product(
        dsp.bumps(
            [700, 1400, 2700, 4900, 6500], [300, 500, 500, 600, 700], [0.5, 1, 0.2, 0.1, 0.1]
        ),
        dsp.high_pass(400, 4),
    )
    chaos = dsp.curve(rng, dsp.SAMPLES, 500.0)
    phases = rng.uniform(0, 2 * np.pi, 40)
    controls = (
        Control("pitch", "Hz", 150, 2400, 700, SEMITONE, log=True, meaning="of the long call"),
        Control("glide", "st", -12, 24, 3, 1, meaning="semitones by which it falls"),
        Control("rasp", "%", 0, 40, 4, 2, meaning="how much periods differ"),
        Control("length", "s", 0.1, 3.5, 1.4, TENTH_MORE, log=True, meaning="of the long call"),
    )

    def bare(values):
        length, first = values["length"], 0.4
        calls = [(first, 0.22, 0.85), (first + 0.32, 0.14, 0.95)]
        pitch = np.broadcast_to(values["pitch"], (len(length), dsp.SAMPLES)).copy()
        loud = np.zeros_like(pitch)
        for start, seconds, high in calls:
            share = (_TIME - start) / seconds
            here = (share >= 0) & (share < 1)
            pitch[:, here] *= high * (0.85 + 0.15 * np.sin(np.pi * share[here]))
            loud[:, here] = 0.7 * np.sin(np.pi * share[here]) ** 0.7
        share = (_TIME - (first + 0.55)) / length
        here = (share >= 0) & (share < 1)
        course = np.clip(share, 0, 1)
        bend = 1.15 - 0.15 * np.clip(course / 0.15, 0, 1)
        falls = 2 ** (-values["glide"] * course**2 / 12)
        pitch = np.where(here, pitch * bend * falls, pitch)
        swell = np.clip(share * length / 0.05, 0, 1) * np.clip((1 - share) * length / 0.1, 0, 1)
        loud = np.where(here, swell, loud)
        pitch = pitch * np.clip(1 + values["rasp"] / 100 * chaos, 0.5, 2)
        # What comes after the last call is silent, and not worked out.
        last = int(np.flatnonzero(loud.any(axis=0))[-1])
        end = min(dsp.STEP * (last // dsp.STEP + 2), dsp.SAMPLES)
        loud[:, :end] *= _voice(pitch[:, :end], throat, phases, tilt=-1.0)
        return loud

    return _recipe("rooster", controls, bare, seed)


def helicopter(seed: int = 0) -> Recipe:
    """Return a helicopter: wind that blades beat, and the thump of each blade.

    Controls: ``rate`` of the blades, ``cutoff`` of the wind, ``depth`` of the beating, ``thump``
    against the wind, ``noise``, ``level``.

    Examples
    --------
    >>> from xaiaudio.synthesis.recipes import helicopter
    >>> helicopter().names
    ('rate', 'cutoff', 'depth', 'thump', 'noise', 'level')
    """
    rng = np.random.default_rng([seed, 0])
    wind, hertz = rfft(rng.standard_normal(dsp.SAMPLES)), rfftfreq(dsp.SAMPLES, 1 / dsp.RATE)
    body = dsp.ring([80, 220, 700], [0.02, 0.012, 0.005], [1, 0.6, 0.3], dsp.samples(0.3))
    controls = (
        Control("rate", "/s", 1, 80, 12, TENTH_MORE, log=True, meaning="blades a second"),
        Control("cutoff", "Hz", 100, 8000, 700, THIRD_OCTAVE, log=True, meaning="reach of wind"),
        Control("depth", "%", 0, 100, 70, 10, meaning="how deep the wind is beaten"),
        Control("thump", "dB", -40, 20, -3, DECIBEL, meaning="of a blade against the wind"),
    )

    def bare(values):
        since = np.mod(values["rate"] * _TIME, 1.0)
        beat = 1 - values["depth"] / 100 * (1 - np.exp(-5 * since))
        noise = irfft(wind * dsp.low_pass(values["cutoff"], 1.2)(hertz), dsp.SAMPLES, axis=1)
        noise = noise * beat / noise.std(axis=1, keepdims=True)
        thumps = _each(values["rate"], np.broadcast_to(body, (len(since), len(body))), (1.0,))
        thumps /= np.sqrt(np.square(thumps).mean(axis=1, keepdims=True))
        return noise + 10 ** (values["thump"] / 20) * thumps

    return _recipe("helicopter", controls, bare, seed)


def dog(seed: int = 0) -> Recipe:
    """Return a barking dog: arches of pitch through an open mouth, with breath in them.

    Controls: ``rate`` of the barks, ``pitch`` where a bark turns, ``length`` of one, ``breath``
    (its share of noise), ``noise``, ``level``.

    Examples
    --------
    >>> from xaiaudio.synthesis.recipes import dog
    >>> dog().names
    ('rate', 'pitch', 'length', 'breath', 'noise', 'level')
    """
    rng = np.random.default_rng([seed, 0])
    mouth = dsp.bumps([800, 1600, 2800, 4000], [400, 700, 1100, 1600], [1, 0.7, 0.2, 0.05], 0.01)
    size = dsp.samples(0.8)
    breath = dsp.noise(rng, size, dsp.product(mouth, dsp.high_pass(400)))
    chaos, phases = dsp.curve(rng, size, 400.0), rng.uniform(0, 2 * np.pi, 40)
    controls = (
        Control("rate", "/s", 0.4, 12, 2, TENTH_MORE, log=True, meaning="barks a second"),
        Control("pitch", "Hz", 120, 2400, 650, SEMITONE, log=True, meaning="where a bark turns"),
        Control("length", "s", 0.03, 0.75, 0.18, TENTH_MORE, log=True, meaning="of a bark"),
        Control("breath", "%", 0, 100, 30, 10, meaning="noise in a bark"),
    )

    def bare(values):
        share = np.arange(size) / dsp.RATE / values["length"]
        arch = 0.6 + 0.4 * np.sin(np.pi * np.clip(share, 0, 1) ** 0.8)
        pitch = values["pitch"] * arch * (1 + 0.06 * chaos)
        push = np.sin(np.pi * np.clip(share, 0, 1)) ** 0.6
        voice = _voice(pitch, mouth, phases, tilt=-6.0)
        voice /= np.maximum(voice.std(axis=1, keepdims=True), 1e-12)
        part = values["breath"] / 100
        return _each(values["rate"], push * ((1 - part) * voice + part * breath), (1.0, 0.8, 0.9))

    return _recipe("dog", controls, bare, seed)


#: The recipes by name.
RECIPES = {"clock": clock, "rooster": rooster, "helicopter": helicopter, "dog": dog}


def _each(rate, sounds, weights) -> np.ndarray:
    """Start each row's sound so often a second: rate (n, 1), sounds (n, m) to (n, samples)."""
    count = int(np.ceil(dsp.SECONDS * rate.max()))
    numbers = np.arange(count)
    at = np.round((0.1 + numbers / rate) * dsp.RATE).astype(int)
    row, one = np.nonzero(at < dsp.SAMPLES)
    hits = np.zeros((len(rate), dsp.SAMPLES))
    np.add.at(hits, (row, at[row, one]), np.resize(weights, count)[one])
    return fftconvolve(hits, sounds, axes=1)[:, : dsp.SAMPLES]


def _voice(pitch, gain, phases, tilt) -> np.ndarray:
    """Sum the harmonics of moving pitches (n, m) through a gain: rows of :func:`.dsp.harmonics`.

    Loudness moves slowly: it is worked out once in `dsp.STEP` samples and drawn through.
    """
    turns = 2 * np.pi * np.cumsum(pitch, axis=1) / dsp.RATE
    knots = pitch[:, :: dsp.STEP]
    knots = np.append(knots, knots[:, -1:], axis=1)
    count = min(len(phases), int(dsp.NYQUIST / knots.min()))
    share = np.arange(dsp.STEP) / dsp.STEP
    wave = np.zeros_like(pitch)
    for number in range(1, count + 1):
        hertz = number * knots
        level = gain(hertz) * (hertz < dsp.NYQUIST) * number ** (tilt / 20 / np.log10(2))
        smooth = level[:, :-1, None] + np.diff(level, axis=1)[:, :, None] * share
        smooth = smooth.reshape(len(pitch), -1)[:, : pitch.shape[1]]
        wave += smooth * np.sin(number * turns + phases[number - 1])
    return wave
