"""Networks of one or two layers whose matrices can be written down, and larger ones."""

import keras
import numpy as np
from keras import layers


def randomise(network, seed=0, bias=True):
    """Give every weight a random value of both signs; variances and scales stay positive."""
    draw = np.random.default_rng(seed)
    for layer in network.layers:
        values = []
        for weight in layer.weights:
            value = draw.normal(0, 0.5, weight.shape)
            name = weight.path.rsplit("/", 1)[-1]
            if name in ("moving_variance", "gamma"):
                value = draw.uniform(0.5, 2.0, weight.shape)
            if not bias and name in ("bias", "beta", "moving_mean"):
                value = np.zeros(weight.shape)
            values.append(value)
        layer.set_weights(values)
    return network


def chain(shape, *middle, classes=3, head=True):
    x = start = keras.Input(shape)
    for layer in middle:
        x = layer(x)
    if head:
        x = layers.Dense(classes, name="logits")(layers.Flatten(name="flatten")(x))
    return keras.Model(start, x)


def branching(shape=(9, 7, 2)):
    """Two branches that are added, then two that are joined."""
    start = keras.Input(shape)
    x = layers.Conv2D(4, 3, padding="same", activation="relu", name="stem")(start)
    y = layers.Conv2D(4, 3, padding="same", activation="relu", name="left")(x)
    x = layers.Add(name="sum")([x, y])
    y = layers.DepthwiseConv2D(3, padding="same", activation="relu", name="depth")(x)
    x = layers.Concatenate(name="both")([x, y])
    x = layers.AveragePooling2D(2, padding="same", name="average")(x)
    x = layers.GlobalAveragePooling2D(name="global")(x)
    return keras.Model(start, layers.Dense(3, name="logits")(x))


def yamnet_like(shape=(12, 9, 1)):
    """A strided convolution, then depthwise and pointwise ones, all with normalisation."""
    x = start = keras.Input(shape)
    x = layers.Conv2D(4, 3, 2, padding="same", use_bias=False, name="conv1")(x)
    x = layers.BatchNormalization(name="conv1_norm")(x)
    x = layers.ReLU(name="conv1_relu")(x)
    for number, stride in ((2, 1), (3, 2)):
        depth = layers.DepthwiseConv2D(3, stride, "same", use_bias=False, name=f"depth{number}")
        x = layers.BatchNormalization(name=f"depth{number}_norm")(depth(x))
        x = layers.ReLU(name=f"depth{number}_relu")(x)
        x = layers.Conv2D(6, 1, use_bias=False, name=f"point{number}")(x)
        x = layers.BatchNormalization(name=f"point{number}_norm")(x)
        x = layers.ReLU(name=f"point{number}_relu")(x)
    x = layers.GlobalAveragePooling2D(name="global")(x)
    return keras.Model(start, layers.Dense(3, name="logits")(x))


def vggish_like(shape=(17, 11, 1), width=3):
    """VGGish's plan: groups of convolutions, max pooling, dense layers."""
    x = start = keras.Input(shape)
    for group, count in enumerate((1, 1, 2, 2), 1):
        for number in range(1, count + 1):
            x = layers.Conv2D(
                width * 2 ** (group - 1),
                3,
                padding="same",
                activation="relu",
                name=f"conv{group}_{number}",
            )(x)
        x = layers.MaxPooling2D(2, padding="same", name=f"pool{group}")(x)
    x = layers.Flatten(name="flat")(x)
    for number in (1, 2):
        x = layers.Dense(4 * width, activation="relu", name=f"fc{number}")(x)
    return keras.Model(start, layers.Dense(3, name="logits")(x))


def waveform_net(samples=60, padding="causal"):
    """Convolutions along a waveform (samples, 1)."""
    return chain(
        (samples, 1),
        layers.Conv1D(4, 7, 3, activation="relu", name="conv1"),
        layers.MaxPooling1D(2, name="pool1"),
        layers.Conv1D(5, 3, activation="relu", padding=padding, name="conv2"),
        layers.GlobalAveragePooling1D(name="global"),
    )


def inputs_for(network, n=4, seed=1, positive=False):
    x = np.random.default_rng(seed).normal(0, 1, (n, *network.input_shape[1:]))
    return (np.abs(x) if positive else x).astype("float32")
