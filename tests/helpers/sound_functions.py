"""Functions of sounds whose maps are known in closed form."""

import numpy as np

from xaiaudio import AudioClassifier

RATE, SAMPLES = 8_000, 8_000
LABELS = ("low", "high", "loud")


def sounds(n=2, seed=0, samples=SAMPLES):
    """Return noise (n, samples)."""
    return np.random.default_rng(seed).normal(0, 0.2, (n, samples)).astype("float32")


def linear(*directions, batch=5):
    """Return a classifier whose logits are the sound's products with some other sounds."""
    directions = np.stack(directions).astype(float)
    labels = [f"class {number}" for number in range(len(directions))]
    return AudioClassifier.from_function(
        lambda waves: waves @ directions.T, labels, RATE, 1, outputs="logits", batch=batch
    )


def three_numbers(waves):
    """Logits of three classes: two correlations with a tone, and the loudness."""
    seconds = np.arange(waves.shape[1]) / RATE
    tones = np.sin(2 * np.pi * np.array([[300], [2_500]]) * seconds)
    return np.concatenate([waves @ tones.T / 100, np.square(waves).mean(axis=1)[:, None]], axis=1)


def softmax(z):
    """Return the softmax over the last axis."""
    z = np.exp(z - z.max(axis=1, keepdims=True))
    return z / z.sum(axis=1, keepdims=True)


def classifier(function=three_numbers, outputs="logits", batch=3, labels=LABELS, **more):
    """Return the classifier of a function of sounds of a second."""
    about = {"sample_rate": RATE, "seconds": 1} | more
    return AudioClassifier.from_function(function, labels, outputs=outputs, batch=batch, **about)
