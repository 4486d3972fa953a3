"""Small networks whose maps can be computed by hand."""

import keras
import numpy as np
from keras import layers

from xaiaudio import AudioClassifier, LogMel

LABELS = ("cat", "dog", "rain")


def frontend(frames, bands):
    return LogMel(frames=frames, bands=bands)


def convolutional(shape, strides=(1, 1), seed=3):
    """Two convolutions with biases of both signs, pooling, two dense layers."""
    keras.utils.set_random_seed(seed)
    x = inputs = keras.Input((*shape, 1))
    x = layers.Conv2D(4, 3, padding="same", activation="relu", name="first")(x)
    x = layers.MaxPooling2D(2, padding="same", name="pool")(x)
    x = layers.Conv2D(
        6, 3, strides, padding="same", activation="relu", bias_initializer="normal", name="last"
    )(x)
    x = layers.Flatten(name="flat")(x)
    x = layers.Dense(8, activation="relu", name="hidden")(x)
    outputs = layers.Dense(3, activation="softmax", name="classes")(x)
    return keras.Model(inputs, outputs, name="small")


def classifier_of(network, labels=LABELS):
    return AudioClassifier.from_keras(network, labels, frontend(*network.input_shape[1:3]))


def additive(shape, classes=3, seed=5):
    """Return a classifier whose logits are weighted sums of the cells, and the weights."""
    weights = np.random.default_rng(seed).normal(size=(*shape, classes)).astype("float32")
    inputs = keras.Input((*shape, 1))
    dense = layers.Dense(classes, name="logits")
    network = keras.Model(inputs, layers.Softmax()(dense(layers.Flatten()(inputs))))
    dense.set_weights([weights.reshape(-1, classes), np.zeros(classes, "float32")])
    return classifier_of(network, LABELS[:classes]), weights


def random_patches(n, shape, seed=0):
    return np.random.default_rng(seed).normal(-1, 1.5, size=(n, *shape)).astype("float32")


def smooth_network(shape, seed=1):
    """Differentiable everywhere, so that finite differences mean something; odd shapes."""
    keras.utils.set_random_seed(seed)
    x = inputs = keras.Input(shape)
    x = layers.Flatten()(x)
    x = layers.Dense(7, activation="tanh")(x)
    return keras.Model(inputs, layers.Dense(3)(x))
