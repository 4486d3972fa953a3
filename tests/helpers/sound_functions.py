"""Functions of sounds whose maps are known in closed form."""

import numpy as np

from xaiaudio import AudioClassifier

RATE, SAMPLES = 8_000, 8_000


def sounds(n=2, seed=0):
    """Return noise (n, samples)."""
    return np.random.default_rng(seed).normal(0, 0.2, (n, SAMPLES)).astype("float32")


def linear(*directions, batch=5):
    """Return a classifier whose logits are the sound's products with some other sounds."""
    directions = np.stack(directions).astype(float)
    labels = [f"class {number}" for number in range(len(directions))]
    return AudioClassifier.from_function(
        lambda waves: waves @ directions.T, labels, RATE, 1, outputs="logits", batch=batch
    )
