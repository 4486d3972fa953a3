"""Tones with controls, and classifiers that read the class off their samples by a rule."""

import numpy as np

import xaiaudio as xa
from xaiaudio.synthesis.controls import Control, Recipe

RATE, SAMPLES = 8_000, 8_000
TIME = np.arange(SAMPLES) / RATE


def tones(value=500.0, other=0.2, log=True):
    """A tone with a pitch and a height: what it is can be read off its samples."""
    pitch = Control("pitch", "Hz", 100, 3000, value, 2 ** (1 / 12) if log else 10.0, log=log)
    height = Control("height", "", 0.05, 0.9, other, 0.01)

    def make(settings):
        return settings[:, 1:] * np.sin(2 * np.pi * settings[:, :1] * TIME)

    return Recipe("tone", (pitch, height), make, RATE, SAMPLES)


def centroids(waves):
    power = np.square(np.abs(np.fft.rfft(waves, axis=1)))
    return (power * np.fft.rfftfreq(SAMPLES, 1 / RATE)).sum(axis=1) / power.sum(axis=1)


def classifier(rule, labels=("low", "high")):
    """Ask a rule for the number of the class of each wave; silent ones are class 0."""

    def scores(waves):
        waves = np.asarray(waves, float)
        named = np.zeros(len(waves), int)
        sounding = waves.any(axis=1)
        if sounding.any():
            named[sounding] = rule(waves[sounding])
        return np.eye(len(labels))[named] * 0.8 + 0.2 / len(labels)

    return xa.AudioClassifier.from_function(scores, labels, RATE, SAMPLES / RATE)


def above(hertz):
    return classifier(lambda waves: (centroids(waves) > hertz).astype(int))
