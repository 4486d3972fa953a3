"""Layers without weights pass relevance on, or put it back to where the values came from."""

import keras
import numpy as np
import pytest
from keras import layers
from lrp_definitions import shared
from lrp_networks import chain, inputs_for, randomise

from xaiaudio.explainers import lrp

pytestmark = pytest.mark.usefixtures("eager")


@pytest.mark.slow
@pytest.mark.parametrize("rule", ["epsilon", "z+", "flat", "w2", "box", "gamma"])
def test_padding_layers_are_padding(rule):
    """The zeros of a padding layer are nobody's input: they get nothing."""
    inside = chain((6, 5, 2), layers.Conv2D(3, 3, padding="same", name="conv"))
    outside = chain(
        (6, 5, 2), layers.ZeroPadding2D(1), layers.Dropout(0.5), layers.Conv2D(3, 3, name="conv")
    )
    inputs, targets = inputs_for(inside), [0, 1, 2, 0]
    randomise(inside)
    outside.set_weights(inside.get_weights())
    one, two = (
        lrp.relevance(network, inputs, targets, {"conv": rule}, low=-4, high=5).inputs
        for network in (inside, outside)
    )
    np.testing.assert_allclose(one, two, atol=1e-5 * np.abs(one).max())


def test_values_that_only_move():
    moving = [
        layers.Reshape((6, 4, 1)),
        layers.Permute((2, 1, 3)),
        layers.Cropping2D(((1, 0), (2, 1))),
        layers.GaussianNoise(0.1),
        layers.Identity(),
        layers.LeakyReLU(0.1),
    ]
    network = randomise(chain((24,), *moving))
    inputs = inputs_for(network, 3)
    found = lrp.relevance(network, inputs, [0, 1, 2], "0").inputs
    kernel, _ = network.get_layer("logits").get_weights()
    places = np.arange(24).reshape(6, 4).T[1:, 2:-1].ravel()
    for x, row, target in zip(inputs, found, (0, 1, 2), strict=True):
        expected = np.zeros(24)
        seen = x[places]
        expected[places] = np.where(seen > 0, seen, 0.1 * seen) * kernel[:, target]
        np.testing.assert_allclose(row, expected, rtol=1e-4, atol=1e-6)


class Augment(layers.Layer):
    """The identity in use, as SpecAugment is."""

    def call(self, x, training=False):
        return x * keras.random.uniform(keras.ops.shape(x)) if training else x


@pytest.mark.slow
@pytest.mark.parametrize(
    "layer",
    [
        lambda: Augment(),
        lambda: layers.Identity(),
        lambda: layers.Activation("linear", dtype="float32"),
        lambda: layers.RandomTranslation(0.1, 0.1),
        lambda: layers.GaussianNoise(1.0),
        lambda: layers.ActivityRegularization(0.1),
    ],
)
def test_layers_that_are_the_identity_in_use_change_nothing(layer):
    def build(*middle):
        return randomise(chain((5, 4, 2), *middle, layers.Conv2D(4, 3, name="conv"), layers.ReLU()))

    plain, augmented = build(), build(layer())
    inputs, targets = inputs_for(plain), [0, 1, 2, 0]
    one, two = (lrp.relevance(each, inputs, targets).inputs for each in (plain, augmented))
    np.testing.assert_array_equal(one, two)


def test_a_learnt_slope_passes_relevance():
    network = keras.Sequential(
        [keras.Input((5,)), layers.Dense(4), layers.PReLU(name="bent"), layers.Dense(3)]
    )
    randomise(network)
    found = lrp.relevance(network, inputs_for(network), [0, 1, 2, 1], "epsilon", report=True)
    (bent,) = [layer for layer in found.layers if layer.name == "bent"]
    np.testing.assert_allclose(bent.arrived, bent.passed, rtol=1e-6)
    steep = keras.Sequential([keras.Input((5,)), layers.PReLU(), layers.Dense(3)])
    randomise(steep)
    slopes, kernel, bias = steep.get_weights()
    x = inputs_for(steep, 1)
    y = np.where(x[0] > 0, x[0], slopes * x[0])
    found = lrp.relevance(steep, x, [1], "epsilon")
    expected = shared(found.logits[0], [*(y * kernel[:, 1]), bias[1]])[:-1]
    np.testing.assert_allclose(found.inputs[0], expected, rtol=1e-4, atol=1e-6)


def test_of_one_tensor_that_comes_twice_each_share_goes_back():
    start = keras.Input((4,))
    network = keras.Model(start, layers.Concatenate()([start, start]))
    inputs = inputs_for(network, 2)
    found = lrp.relevance(network, inputs, [1, 6], "0").inputs
    for x, row, target in zip(inputs, found, (1, 6), strict=True):
        expected = np.zeros(4)
        expected[target % 4] = x[target % 4]
        np.testing.assert_array_equal(row, expected.astype("float32"))


@pytest.mark.slow
@pytest.mark.parametrize("name", ["relu", "tanh", "silu", "elu"])
def test_an_activation_as_a_layer_or_an_operation_passes_everything(name):
    start = keras.Input((5,))
    x = layers.Dense(4, name="low")(start)
    top = layers.Dense(3, name="top")
    networks = [
        keras.Model(start, top(layers.Activation(name)(x))),
        keras.Model(start, top(getattr(keras.ops, name)(x))),
        keras.Model(start, top(layers.Dense(4, activation=name, name="low")(start))),
    ]
    randomise(networks[0])
    networks[2].set_weights(networks[0].get_weights())
    inputs, targets = inputs_for(networks[0], 3), [0, 1, 2]
    first, *others = (lrp.relevance(each, inputs, targets, "epsilon").inputs for each in networks)
    for other in others:
        np.testing.assert_allclose(other, first, rtol=1e-5, atol=1e-7)
