"""Sounds that change, and a small network for a front end, to be asked about them."""

import keras
import numpy as np
from small_networks import LABELS

from xaiaudio import AudioClassifier, LogMel

SMALL = LogMel(frames=24, bands=16, overlap=0.5)


def network(frontend=SMALL, end="softmax", seed=0):
    """Return a classifier of three classes with a convolution."""
    keras.utils.set_random_seed(seed)
    layers = keras.layers
    inputs = x = keras.Input((*frontend.patch_shape, 1))
    x = layers.Conv2D(4, 5, strides=3, activation="relu")(x)
    x = layers.GlobalAveragePooling2D()(x)
    outputs = layers.Dense(3, activation=end)(x)
    return AudioClassifier.from_keras(keras.Model(inputs, outputs), LABELS, frontend)


def stereo(seconds, rate, seed=0):
    """Return two channels of noise that swells, with a tone that comes and goes."""
    times = np.arange(round(seconds * rate)) / rate
    noise = np.random.default_rng(seed).normal(0, 0.1, (len(times), 2))
    tone = 0.3 * np.sin(2 * np.pi * 700 * times) * (np.sin(times * 2) > 0)
    return (noise * (1.1 + np.sin(times * 3))[:, None] / 2 + tone[:, None]).astype("f4")
