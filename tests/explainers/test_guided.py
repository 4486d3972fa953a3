"""Guided backpropagation against a forward and a backward pass written out in NumPy."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers
from small_networks import classifier_of, convolutional, random_patches

import xaiaudio as xa
from xaiaudio import XaiAudioError
from xaiaudio.explainers import gradients
from xaiaudio.explainers.engines import backward
from xaiaudio.explainers.guided import guided, guided_backpropagation


def dense_network(rectify, *, seed=0, shape=(5, 3)):
    """Three dense layers with biases; `rectify` makes what stands behind the first two."""
    keras.utils.set_random_seed(seed)
    x = inputs = keras.Input(shape)
    x = layers.Flatten()(x)
    for units in (11, 7):
        x = rectify(units)(x)
    network = keras.Model(inputs, layers.Dense(4, bias_initializer="normal")(x))
    for layer in network.layers:
        if layer.weights:
            kernel, bias = layer.get_weights()
            layer.set_weights([3 * kernel, np.random.default_rng(1).normal(size=bias.shape)])
    return network


def behind(layer):
    return lambda units: lambda x: layer()(layers.Dense(units)(x))


def within(activation):
    return lambda units: layers.Dense(units, activation=activation)


def by_hand(network, value, target, low=0.0, high=np.inf):
    """Slope of a ReLU between `low` and `high`, and nothing negative passes back through it."""
    denses = [layer for layer in network.layers if isinstance(layer, layers.Dense)]
    weights = [layer.get_weights() for layer in denses]
    x, before = value.ravel().astype(np.float64), []
    for kernel, bias in weights[:-1]:
        z = x @ kernel + bias
        before.append(z)
        x = np.where(z > low, np.minimum(z, high), 0)
    back = weights[-1][0][:, target]
    for (kernel, _), z in zip(weights[-2::-1], before[::-1], strict=True):
        slope = (z > low) & (z < high)
        back = kernel @ np.where(slope & (back > 0), back, 0)
    return back.reshape(value.shape)


@pytest.mark.slow
@pytest.mark.parametrize(
    "rectify, low, high",
    [
        (within("relu"), 0, np.inf),
        (within("relu6"), 0, 6),
        (within(keras.activations.relu6), 0, 6),
        (within(tf.nn.relu), 0, np.inf),
        (within(keras.ops.relu), 0, np.inf),
        (within(layers.ReLU(max_value=2.0)), 0, 2),
        (behind(layers.ReLU), 0, np.inf),
        (behind(lambda: layers.ReLU(6.0)), 0, 6),
        (behind(lambda: layers.ReLU(max_value=4.0, threshold=0.5)), 0.5, 4),
        (behind(lambda: layers.Activation("relu")), 0, np.inf),
        (behind(lambda: layers.Activation("relu6")), 0, 6),
        (behind(lambda: keras.ops.relu), 0, np.inf),
        (behind(lambda: keras.ops.relu6), 0, 6),
    ],
)
def test_equals_the_definition(rectify, low, high):
    network = dense_network(rectify)
    inputs = np.random.default_rng(2).normal(size=(8, 5, 3)).astype("float32")
    targets = np.arange(8) % 4
    found = guided_backpropagation(network, inputs, targets)
    for value, target, one in zip(inputs, targets, found, strict=True):
        np.testing.assert_allclose(one, by_hand(network, value, target, low, high), atol=1e-4)
    assert np.abs(found - gradients.gradient(network, inputs, targets)).max() > 0.1


@pytest.mark.slow
@pytest.mark.parametrize("size, channels", [((7, 5), 3), ((4, 9), 2)])
def test_a_convolution_with_batch_normalisation_by_hand(size, channels):
    keras.utils.set_random_seed(4)
    rng = np.random.default_rng(4)
    inputs = keras.Input((*size, 1))
    convolution, norm = layers.Conv2D(channels, (3, 2)), layers.BatchNormalization()
    x = layers.Activation("relu")(norm(convolution(inputs)))
    dense = layers.Dense(3)
    network = keras.Model(inputs, dense(layers.Flatten()(x)))
    gamma, variance = rng.uniform(0.5, 2, channels), rng.uniform(0.5, 2, channels)
    beta, mean = rng.normal(size=(2, channels))
    norm.set_weights([gamma, beta, mean, variance])
    value = rng.normal(size=(1, *size, 1)).astype("float32")
    found = guided_backpropagation(network, value, [1])[0, ..., 0]

    kernel, bias = (np.asarray(part, np.float64) for part in convolution.get_weights())
    factor = gamma / np.sqrt(variance + norm.epsilon)
    rows, columns = size[0] - 2, size[1] - 1
    upper = dense.get_weights()[0][:, 1].reshape(rows, columns, channels)
    expected = np.zeros(size)
    for row in range(rows):
        for column in range(columns):
            for channel in range(channels):
                window = value[0, row : row + 3, column : column + 2, 0]
                z = np.sum(window * kernel[:, :, 0, channel]) + bias[channel]
                z = (z - mean[channel]) * factor[channel] + beta[channel]
                back = upper[row, column, channel]
                if z > 0 and back > 0:
                    there = back * factor[channel] * kernel[:, :, 0, channel]
                    expected[row : row + 3, column : column + 2] += there
    np.testing.assert_allclose(found, expected, atol=1e-5)


@pytest.mark.slow
def test_sums_shared_layers_and_pooling():
    """A ReLU layer used twice and a skip connection, in one dimension."""
    keras.utils.set_random_seed(5)
    inputs = keras.Input((12, 1))
    relu = layers.ReLU()
    first = relu(layers.Conv1D(4, 3, padding="same")(inputs))
    second = relu(layers.Conv1D(4, 3, padding="same")(first))
    x = layers.MaxPooling1D(2)(layers.Add()([first, second]) + first)
    network = keras.Model(inputs, layers.Dense(3)(layers.GlobalAveragePooling1D()(x)))
    value = np.random.default_rng(5).normal(size=(2, 12, 1)).astype("float32")
    found = guided_backpropagation(network, value, [0, 2])

    @tf.custom_gradient
    def rectified(z):
        return tf.nn.relu(z), lambda back: tf.where((z > 0) & (back > 0), back, 0.0)

    convolutions = [layer for layer in network.layers if isinstance(layer, layers.Conv1D)]
    with tf.GradientTape() as tape:
        x = tf.constant(value)
        tape.watch(x)
        one = rectified(convolutions[0](x))
        two = rectified(convolutions[1](one))
        pooled = tf.nn.max_pool1d(one + two + one, 2, 2, "VALID")
        logits = network.layers[-1](tf.reduce_mean(pooled, axis=1))
        score = logits[0, 0] + logits[1, 2]
    np.testing.assert_allclose(found, tape.gradient(score, x), atol=1e-6)


@pytest.mark.slow
def test_the_forward_pass_is_the_network_and_nothing_is_changed():
    network = convolutional((13, 7))
    logits = classifier_of(network).logits_network
    inputs = random_patches(3, (13, 7))[..., None]
    nodes = [len(layer._inbound_nodes) for layer in network.layers]
    weights = [id(weight) for weight in network.weights]
    before = gradients.gradient(logits, inputs, [0, 1, 2])
    np.testing.assert_allclose(guided(logits, tf.constant(inputs)), logits(inputs), atol=1e-6)
    guided_backpropagation(logits, inputs, [0, 1, 2])
    np.testing.assert_array_equal(before, gradients.gradient(logits, inputs, [0, 1, 2]))
    assert nodes == [len(layer._inbound_nodes) for layer in network.layers]
    assert weights == [id(weight) for weight in network.weights]


@pytest.mark.slow
def test_compiled_once_and_follows_the_weights():
    network = dense_network(within("relu"))
    inputs = np.random.default_rng(2).normal(size=(2, 5, 3)).astype("float32")
    guided_backpropagation(network, inputs, [0, 1])
    step = backward.engine_of(network, guided)._step
    last = network.layers[-1]
    last.set_weights([-part for part in last.get_weights()])
    found = guided_backpropagation(network, inputs, [0, 1])
    for number in (0, 1):
        np.testing.assert_allclose(
            found[number], by_hand(network, inputs[number], number), atol=1e-4
        )
    # Compiled for one signature: it cannot be traced again.
    assert backward.engine_of(network, guided)._step is step
    assert not hasattr(step, "experimental_get_tracing_count")


@pytest.mark.slow
def test_without_relus_it_is_the_gradient():
    network = dense_network(within(None))
    inputs = np.random.default_rng(2).normal(size=(2, 5, 3))
    found = guided_backpropagation(network, inputs, [0, 1])
    np.testing.assert_allclose(found, gradients.gradient(network, inputs, [0, 1]), atol=1e-6)


@pytest.mark.slow
def test_sequential_models_are_taken():
    network = keras.Sequential([keras.Input((4,)), layers.Dense(5, "relu"), layers.Dense(2)])
    value = np.ones((1, 4), "float32")
    found = guided_backpropagation(network, value, [1])
    np.testing.assert_allclose(found[0], by_hand(network, value[0], 1), atol=1e-5)


class Doubled(layers.Dense):
    """A subclass may do anything."""

    def call(self, inputs):
        return keras.ops.relu(super().call(inputs))


def nested():
    inner = keras.Sequential([keras.Input((6,)), layers.Dense(6, activation="relu")], name="inner")
    return inner


@pytest.mark.slow
@pytest.mark.parametrize(
    "layer, message",
    [
        (nested, "model 'inner'"),
        (lambda: layers.LeakyReLU(), "LeakyReLU"),
        (lambda: layers.ELU(), "ELU"),
        (lambda: layers.PReLU(), "PReLU"),
        (lambda: layers.Softmax(), "Softmax"),
        (lambda: layers.ReLU(negative_slope=0.1), "leaky"),
        (lambda: layers.Activation("gelu"), "gelu"),
        (lambda: layers.Dense(6, activation="tanh"), "tanh"),
        (lambda: layers.Dense(6, activation="leaky_relu"), "leaky_relu"),
        (lambda: layers.Dense(6, activation=lambda x: keras.ops.relu(x)), "<lambda>"),
        (lambda: layers.Dense(6, activation=layers.ReLU(negative_slope=0.1)), "activation"),
        (lambda: layers.Lambda(lambda x: tf.nn.relu(x)), "Lambda"),
        (lambda: Doubled(6), "Doubled"),
        (lambda: lambda x: keras.ops.maximum(x, 0), "Maximum"),
        (lambda: keras.ops.silu, "Silu"),
        (lambda: lambda x: layers.LSTM(3)(layers.Reshape((2, 3))(x)), "LSTM"),
        (lambda: lambda x: layers.LSTM(3)(layers.Masking()(layers.Reshape((2, 3))(x))), "'lstm"),
    ],
)
def test_what_it_cannot_treat_is_refused(layer, message):
    inputs = keras.Input((6,))
    x = layer()(layers.Dense(6, activation="relu")(inputs))
    network = keras.Model(inputs, layers.Dense(2)(x))
    with pytest.raises(XaiAudioError, match=message):
        guided_backpropagation(network, np.ones((1, 6)), [0])


@pytest.mark.slow
def test_as_a_method_it_is_never_the_plain_gradient(small, patches):
    found = xa.explain(small, patches, [0, 1, 2], "guided-backprop").maps
    plain = xa.explain(small, patches, [0, 1, 2], "saliency", signed=True).maps
    direct = guided_backpropagation(small.logits_network, patches[..., None], [0, 1, 2])
    np.testing.assert_array_equal(found, direct[..., 0])
    assert np.abs(found - plain).max() > 1e-3


class Augment(layers.Layer):
    """The identity in use, as SpecAugment is."""

    def call(self, x, training=False):
        return 0.5 * x if training else x


@pytest.mark.slow
@pytest.mark.parametrize(
    "layer",
    [
        Augment,
        layers.Identity,
        lambda: layers.Activation("linear", dtype="float32"),
        lambda: layers.RandomContrast(0.5),
    ],
)
def test_layers_that_are_the_identity_in_use_change_nothing(layer):
    def build(*middle):
        keras.utils.set_random_seed(0)
        x = inputs = keras.Input((6, 5, 1))
        for each in (*middle, layers.Conv2D(3, 3, activation="relu"), layers.Flatten()):
            x = each(x)
        return keras.Model(inputs, layers.Dense(3)(x))

    value = random_patches(2, (6, 5))[..., None]
    one, two = (guided_backpropagation(net, value, [0, 1]) for net in (build(), build(layer())))
    np.testing.assert_array_equal(one, two)
