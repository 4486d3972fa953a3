"""Sounds, maps of them made by hand, and a network whose answer to a sound is plain."""

import dataclasses

import numpy as np

from xaiaudio import AudioClassifier
from xaiaudio.explainers.explanation import Explanation
from xaiaudio.frontend import LogMel

FRONTEND = LogMel.vggish(overlap=0.75)
RATE = FRONTEND.sample_rate


def noise(seconds=5.0, seed=0):
    wave = np.random.default_rng(seed).normal(0, 0.1, round(seconds * RATE))
    return wave.astype("float32")


def tone(hertz, seconds=2.0):
    return (0.3 * np.sin(2 * np.pi * hertz * np.arange(round(seconds * RATE)) / RATE)).astype("f4")


def decibels(wave):
    return 10 * np.log10(np.mean(np.square(wave, dtype=np.float64)) + 1e-30)


def explanation(wave, frontend=FRONTEND, maps=None, **changes):
    patches = frontend(wave, pad=True)
    maps = np.ones(patches.shape, "float32") if maps is None else maps
    n = len(patches)
    made = Explanation(
        maps=maps,
        raw=maps,
        patches=patches,
        targets=np.zeros(n, int),
        scores=np.full((n, 2), 0.5, "float32"),
        labels=("Rain", "Rooster"),
        method="occlusion",
        options={},
        upsample="nearest",
        frontend=frontend,
        starts=patches.starts,
        length=patches.length,
    )
    return dataclasses.replace(made, **changes)


def bright(waves):
    """Answer by the share of power above 2 kHz: a network to be checked."""
    powers = np.square(np.abs(np.fft.rfft(waves)))
    high = powers[:, powers.shape[1] // 4 :].sum(axis=1) / (powers.sum(axis=1) + 1e-9)
    return np.stack([high, 1 - high], axis=1)


def bright_or_dark(label="<bright>"):
    return AudioClassifier.from_function(bright, [label, "dark"], sample_rate=RATE, seconds=0.5)
