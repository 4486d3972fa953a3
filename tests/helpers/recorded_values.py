"""Recorded values of runs, and how a later run differs from what was measured."""

import numpy as np

from xaiaudio.publishing import baselines, measuring
from xaiaudio.publishing.record import summarise


def recorded(**values):
    return {name: {"value": value} for name, value in summarise(values).items()}


def differences(runs, now):
    return {d.name: d.what for d in baselines.compare("page", measuring.measure(runs), now)}


def blobs(seed, shape=(96, 64)):
    """Make a map as Grad-CAM would: nowhere negative, with a little noise that is the seed's."""
    rng = np.random.default_rng(seed)
    y, x = np.meshgrid(*(np.linspace(-1, 1, n) for n in shape), indexing="ij")
    blob = np.exp(-3 * (x - 0.4) ** 2 - 6 * (y + 0.3) ** 2) - 0.2
    return np.maximum(blob + 0.02 * rng.standard_normal(shape), 0)


def jittered(array, size=1e-6, seed=0):
    """Return what another processor would have made of an array."""
    return array * (1 + size * np.random.default_rng(seed).standard_normal(array.shape))
