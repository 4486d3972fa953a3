"""Each layer has its rule: bounds go through what lies in front, and what has none is named."""

import keras
import numpy as np
import pytest
from keras import layers
from lrp_networks import chain, inputs_for, randomise

from xaiaudio import XaiAudioError
from xaiaudio.explainers import lrp

pytestmark = pytest.mark.usefixtures("eager")


@pytest.mark.slow
def test_box_bounds_go_through_what_lies_in_front():
    """A normalisation that turns the sign around turns the bounds around."""
    network = randomise(
        chain((4, 3, 1), layers.BatchNormalization(name="norm"), layers.Conv2D(2, 2, name="conv"))
    )
    network.get_layer("norm").set_weights([np.array([value]) for value in (-2.0, 0.5, 0.25, 0.999)])
    plain = chain((4, 3, 1), layers.Conv2D(2, 2, name="conv"))
    plain.set_weights([*network.get_layer("conv").get_weights(), *network.layers[-1].get_weights()])
    inputs, targets = inputs_for(network), [0, 1, 2, 0]
    rules = {"conv": "box", "logits": "epsilon", "norm": "epsilon"}
    found = lrp.relevance(network, inputs, targets, {**rules, "norm": "flat"}, low=-5, high=3)
    factor = -2 / np.sqrt(0.999 + 1e-3)
    shifted = inputs * factor - 0.25 * factor + 0.5
    bounds = sorted(bound * factor - 0.25 * factor + 0.5 for bound in (-5, 3))
    rules.pop("norm")
    expected = lrp.relevance(plain, shifted, targets, rules, low=bounds[0], high=bounds[1])
    np.testing.assert_allclose(found.inputs, expected.inputs, rtol=1e-3, atol=1e-5)


def test_moving_and_averaging_operations():
    start = keras.Input((6, 4, 1))
    x = keras.ops.transpose(layers.Conv2D(3, 3, name="conv")(start), (0, 2, 1, 3))
    x = keras.ops.mean(keras.ops.relu(x), axis=(1, 2))
    network = randomise(keras.Model(start, layers.Dense(3, name="logits")(x)))
    x = layers.GlobalAveragePooling2D()(layers.ReLU()(network.get_layer("conv")(start)))
    plain = keras.Model(start, network.get_layer("logits")(x))
    inputs, targets = inputs_for(network, 3), [0, 1, 2]
    one, two = (lrp.relevance(each, inputs, targets).inputs for each in (network, plain))
    np.testing.assert_allclose(one, two, rtol=1e-4, atol=1e-6)


class Own(layers.Layer):
    def call(self, x):
        return x[:, ::-1] * 2


class Mine(layers.Conv2D):
    pass


@pytest.mark.slow
@pytest.mark.parametrize(
    "bad, message",
    [
        (lambda: keras.Sequential([layers.Conv2D(4, 3)], name="inner"), "'inner'.*flat"),
        (lambda: layers.Conv2DTranspose(2, 3, name="odd"), "'odd' \\(Conv2DTranspose\\)"),
        (lambda: Own(name="odd"), "'odd' \\(Own\\)"),
        (lambda: Mine(2, 3, name="odd"), "'odd' \\(Mine\\)"),
        (lambda: layers.Conv2D(2, 3, activation="sigmoid", name="odd"), "'odd' ends in sigmoid"),
        (lambda: layers.Conv2D(2, 3, activation=abs, name="odd"), "'odd' ends in abs"),
        (lambda: layers.Activation("softplus", name="odd"), "'odd' is softplus"),
        (lambda: layers.ReLU(threshold=1.0, name="odd"), "'odd' has a threshold"),
        (lambda: layers.Lambda(abs, name="odd"), "'odd' \\(Lambda\\)"),
    ],
)
def test_layers_it_cannot_treat_are_named(bad, message):
    network = chain((8, 7, 2), bad())
    with pytest.raises(XaiAudioError, match=message):
        lrp.relevance(network, inputs_for(network, 1), [0])


def test_operations_that_are_no_layers_are_named():
    start = keras.Input((5,))
    x = layers.Dense(3, name="dense")(start)
    network = keras.Model(start, keras.ops.exp(x))
    with pytest.raises(XaiAudioError, match="'exp"):
        lrp.relevance(network, inputs_for(network, 1), [0])
    network = keras.Model(start, x / (x + 1.0))
    with pytest.raises(XaiAudioError, match="divide.*divides by what the network computes"):
        lrp.relevance(network, inputs_for(network, 1), [0])
    x = layers.Dense(4, name="one")(start)
    y = layers.Reshape((1, 4))(x)
    wide = layers.Add(name="broad")([layers.Reshape((4, 1))(x), y])
    network = keras.Model(start, layers.Flatten()(wide))
    with pytest.raises(XaiAudioError, match="'broad' adds tensors of different shapes"):
        lrp.relevance(network, inputs_for(network, 1), [0])
