"""Random convolutional networks: every kind of layer, strides, dilations, branches, odd sizes."""

import keras
import numpy as np
from keras import layers


def random_graph(seed, classes=3):
    """Return a network from a patch of some odd size to logits."""
    rng = np.random.default_rng(seed)
    keras.utils.set_random_seed(seed)
    shape = tuple(int(size) for size in rng.integers(9, 24, 2))
    x = inputs = keras.Input((*shape, 1))
    for _ in range(int(rng.integers(3, 7))):
        x = _layer(rng, x)
    if rng.random() < 0.3:  # what looks at the whole map, and all behind it
        gate = layers.GlobalAveragePooling2D(keepdims=True)(x)
        x = layers.Conv2D(3, 3, padding="same")(layers.Multiply()([x, gate]))
    x = layers.Flatten()(x) if rng.random() < 0.5 else layers.GlobalAveragePooling2D()(x)
    network = keras.Model(inputs, layers.Dense(classes)(x))
    for weight in network.weights:  # biases and moving averages of both signs, too
        drawn = rng.normal(0, 0.5, weight.shape)
        weight.assign(np.abs(drawn) + 0.5 if "variance" in weight.path else drawn)
    return network


def _layer(rng, x):
    """Put a random layer, or a random branch, behind a tensor."""
    high, wide, channels = x.shape[1:]
    pad = str(rng.choice(["same", "valid"])) if min(high, wide) > 6 else "same"
    kernel = tuple(int(size) for size in rng.integers(1, 5, 2))
    dilated = bool(rng.random() < 0.3)
    stride = 1 if dilated or min(high, wide) < 5 else int(rng.integers(1, 3))
    shape = {"padding": pad, "strides": stride}
    shape |= {"dilation_rate": (2, 1) if dilated and high > 8 else 1}
    pooled = {"padding": pad, "strides": stride}
    kind = int(rng.integers(0, 9))
    if kind <= 2:
        return layers.Conv2D(4, kernel, activation="elu", **shape)(x)
    if kind == 3:
        return layers.DepthwiseConv2D(3, activation="gelu", **shape)(x)
    if kind == 4:
        return layers.SeparableConv2D(5, 3, activation="tanh", **shape)(x)
    if kind == 5:
        pool = layers.MaxPooling2D if rng.random() < 0.5 else layers.AveragePooling2D
        return pool(tuple(min(3, size) for size in kernel), **pooled)(x)
    if kind == 6:
        return layers.LeakyReLU()(layers.BatchNormalization()(x))
    if kind == 7:
        x = layers.ZeroPadding2D(((1, 2), (0, 1)))(x)
        return layers.Cropping2D(((0, 1), (1, 0)))(x)
    branch = layers.Conv2D(channels, kernel, padding="same")(x)
    if rng.random() < 0.3:
        return layers.Concatenate()([x, branch])
    return layers.Add()([x, branch]) if rng.random() < 0.5 else keras.ops.relu(x + branch)
