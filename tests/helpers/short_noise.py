"""Short noises, small front ends, and a network without a convolution."""

import keras
import numpy as np

import xaiaudio as xa

FRONTEND = xa.LogMel(frames=12, bands=8)
# With short windows, for transforms there and back.
WINDOWS = xa.LogMel(window=256, hop=128, fft=256, bands=24, frames=20)
WAVE = np.random.default_rng(0).normal(0, 0.1, 4000).astype("float32")


def recurrent_network():
    """Return a network that class activation maps cannot treat; the name of a class is nasty."""
    patch = keras.Input((12, 8))
    answer = keras.layers.Dense(2, activation="softmax")(keras.layers.GRU(3)(patch))
    return xa.AudioClassifier.from_keras(keras.Model(patch, answer), ["<b>cat", "dog"], FRONTEND)


def noise(samples=4_000, seed=0):
    """Return a noise of a few samples."""
    return np.random.default_rng(seed).normal(0, 0.2, samples).astype("float32")
