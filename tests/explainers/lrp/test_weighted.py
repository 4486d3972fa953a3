"""Dense layers and convolutions are linear maps, with the normalisation behind folded in."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers
from lrp_networks import chain, inputs_for, randomise

from xaiaudio import XaiAudioError
from xaiaudio.explainers import lrp
from xaiaudio.explainers.lrp.weighted import factor_of, linear_of

pytestmark = pytest.mark.usefixtures("eager")


@pytest.mark.slow
@pytest.mark.parametrize("rule", ["0", "gamma", "z+", "alpha-beta", "flat", "w2", "box"])
@pytest.mark.parametrize(
    "layer",
    [
        lambda **options: layers.Conv2D(4, 3, padding="same", name="it", **options),
        lambda **options: layers.DepthwiseConv2D(3, depth_multiplier=2, name="it", **options),
        lambda **options: layers.SeparableConv2D(4, 3, name="it", **options),
        lambda **options: layers.Dense(4, name="it", **options),
    ],
)
def test_normalisation_is_folded(layer, rule):
    """As if the layer had had other weights from the start."""
    network = randomise(
        chain((5, 6, 2), layer(), layers.BatchNormalization(scale=False), layers.ReLU())
    )
    plain = chain((5, 6, 2), layer(activation="relu"))
    norm = next(x for x in network.layers if isinstance(x, layers.BatchNormalization))
    beta, mean, variance = norm.get_weights()
    factor = 1 / np.sqrt(variance + norm.epsilon)
    *kernels, bias = network.get_layer("it").get_weights()
    kernels[-1] = kernels[-1] * factor.reshape(
        (2, 2) if isinstance(network.get_layer("it"), layers.DepthwiseConv2D) else -1
    )
    plain.get_layer("it").set_weights([*kernels, (bias - mean) * factor + beta])
    plain.get_layer("logits").set_weights(network.get_layer("logits").get_weights())
    inputs, targets = inputs_for(network), [0, 1, 2, 0]
    np.testing.assert_allclose(network(inputs), plain(inputs), atol=1e-4)
    one, two = (
        lrp.relevance(each, inputs, targets, {"it": rule, "logits": "epsilon"}).inputs
        for each in (network, plain)
    )
    np.testing.assert_allclose(one, two, atol=1e-4 * np.abs(two).max())


@pytest.mark.slow
def test_one_matrix_for_each_token_is_a_dense_layer():
    start = keras.Input((4, 5))
    names = ("dense", "einsum")
    made = (layers.Dense(3), layers.EinsumDense("btp,pd->btd", (4, 3), bias_axes="d"))
    networks = [keras.Model(start, layers.Flatten()(layer(start))) for layer in made]
    randomise(networks[0])
    networks[1].set_weights(networks[0].get_weights())
    x = inputs_for(networks[0])
    for rule in ("epsilon", "z+", "gamma", "flat", "w2", "box"):
        one, other = (lrp.relevance(each, x, [0, 4, 8, 11], rule).inputs for each in networks)
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-6, err_msg=f"{rule} {names}")


LINEAR = {
    "dense": ((7,), lambda: layers.Dense(4)),
    "dense on tokens": ((5, 7), lambda: layers.Dense(4, use_bias=False)),
    "einsum": ((5, 7), lambda: layers.EinsumDense("btp,pd->btd", (5, 4), bias_axes="d")),
    "causal": ((9, 3), lambda: layers.Conv1D(4, 3, padding="causal", dilation_rate=2)),
    "strided": ((9, 7, 2), lambda: layers.Conv2D(4, (3, 2), (2, 1), padding="same")),
    "dilated": ((9, 7, 2), lambda: layers.Conv2D(4, 3, dilation_rate=(2, 1))),
    "in groups": ((9, 7, 4), lambda: layers.Conv2D(6, 3, groups=2)),
    "depthwise": ((9, 7, 2), lambda: layers.DepthwiseConv2D(3, depth_multiplier=3)),
    "depthwise in time": ((9, 2), lambda: layers.DepthwiseConv1D(3, padding="same")),
    "separable": ((9, 7, 2), lambda: layers.SeparableConv2D(4, 3, depth_multiplier=2)),
    "separable in time": ((9, 2), lambda: layers.SeparableConv1D(4, 3)),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", list(LINEAR))
def test_the_linear_map_is_the_layer_without_its_activation(name):
    shape, make = LINEAR[name]
    layer = make()
    network = randomise(keras.Model(start := keras.Input(shape), layer(start)))
    x = inputs_for(network, 2)
    linear = linear_of(layer)
    found = linear.apply(tf.constant(x), linear.kernel) + linear.bias
    np.testing.assert_allclose(found, network(x), rtol=1e-4, atol=1e-5)


def test_a_normalisation_is_a_factor_and_a_shift_for_each_channel():
    for options in ({}, {"scale": False}, {"center": False}):
        norm = layers.BatchNormalization(**options)
        network = randomise(keras.Model(start := keras.Input((5, 3)), norm(start)))
        x = inputs_for(network, 2)
        factor, shift = factor_of(norm)
        np.testing.assert_allclose(x * factor + shift, network(x), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    ("layer", "told"),
    [
        (layers.Dense(3, activation="sigmoid", name="odd"), "'odd' ends in sigmoid"),
        (layers.Conv1D(3, 2, data_format="channels_first", name="odd"), "channels first"),
    ],
)
def test_layers_that_are_no_such_map(layer, told):
    layer.build((None, 5, 5))
    with pytest.raises(XaiAudioError, match=told):
        linear_of(layer)
