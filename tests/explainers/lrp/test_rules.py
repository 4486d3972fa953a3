"""Each rule on one layer, against a matrix and loops over single numbers."""

import keras
import numpy as np
import pytest
from keras import layers
from lrp_definitions import share
from lrp_networks import chain, inputs_for, randomise
from lrp_units import as_matrix

from xaiaudio import XaiAudioError
from xaiaudio.explainers import lrp
from xaiaudio.explainers.lrp.rules import divided, rule

RULES = ["0", "epsilon", "gamma", "z+", "alpha-beta", "flat", "w2", "box"]
LAYERS = {
    "dense": ((7,), lambda: layers.Dense(5, name="it")),
    "dense over time": ((3, 4), lambda: layers.Dense(5, name="it")),
    "same": ((5, 4, 2), lambda: layers.Conv2D(3, 3, padding="same", name="it")),
    "valid, even": ((6, 5, 2), lambda: layers.Conv2D(3, (2, 4), name="it")),
    "strided": ((7, 6, 1), lambda: layers.Conv2D(3, 3, (2, 3), padding="same", name="it")),
    "dilated": ((8, 7, 2), lambda: layers.Conv2D(2, (3, 2), dilation_rate=2, name="it")),
    "grouped": ((5, 4, 4), lambda: layers.Conv2D(4, 3, groups=2, padding="same", name="it")),
    "samples": ((23, 1), lambda: layers.Conv1D(4, 5, 3, padding="same", name="it")),
    "causal": ((9, 2), lambda: layers.Conv1D(3, 3, dilation_rate=2, padding="causal", name="it")),
    "depthwise": ((6, 5, 3), lambda: layers.DepthwiseConv2D(3, 2, "same", name="it")),
    "depthwise, two each": (
        (5, 4, 2),
        lambda: layers.DepthwiseConv2D((2, 3), depth_multiplier=2, name="it"),
    ),
    "depthwise samples": ((9, 3), lambda: layers.DepthwiseConv1D(3, 2, name="it")),
    "pointwise": ((4, 3, 3), lambda: layers.Conv2D(5, 1, name="it")),
    "separable": ((6, 5, 2), lambda: layers.SeparableConv2D(3, 3, padding="same", name="it")),
    "separable samples": ((9, 2), lambda: layers.SeparableConv1D(3, 4, 2, name="it")),
    "average": ((5, 7, 2), lambda: layers.AveragePooling2D((2, 3), padding="same", name="it")),
    "average samples": ((9, 2), lambda: layers.AveragePooling1D(3, 2, name="it")),
    "global average": ((3, 4, 2), lambda: layers.GlobalAveragePooling2D(name="it")),
    "normalisation": ((3, 4, 2), lambda: layers.BatchNormalization(name="it")),
}


pytestmark = pytest.mark.usefixtures("eager")


def one_layer(kind):
    """Return a network of the layer alone, all its values being the classes."""
    shape, make = LAYERS[kind]
    return randomise(chain(shape, make(), layers.Flatten(), head=False))


@pytest.mark.slow
@pytest.mark.parametrize("kind", LAYERS)
def test_equals_its_definition(kind):
    network = one_layer(kind)
    inputs = inputs_for(network, 3)
    weights, bias = as_matrix(network)
    logits = network(inputs).numpy().astype(float)
    targets = np.array([0, weights.shape[1] // 2, weights.shape[1] - 1])
    for name in RULES:
        found = lrp.relevance(network, inputs, targets, {"it": name}, low=-5, high=4, report=True)
        own = next(layer for layer in found.layers if layer.name == "it")
        assert own.rule == name
        for index, target in enumerate(targets):
            x = inputs[index].ravel().astype(float)
            start = np.zeros(weights.shape[1])
            start[target] = logits[index, target]
            expected, kept = share(name, x, weights, bias, start, -5.0, 4.0)
            scale = np.abs(expected).max()
            # An average is as small as its weights, so that epsilon is felt a little more.
            digits = 2e-5 if "average" in kind else 1e-5
            actual = found.inputs[index].ravel()
            np.testing.assert_allclose(actual, expected, atol=digits * scale)
            np.testing.assert_allclose(own.bias[index], kept, atol=1e-5 * max(scale, abs(kept)))
        assert np.abs(found.inputs).max() > 0


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in RULES if name != "box"])
def test_two_layers_one_after_the_other(name):
    """The second layer's inputs are positive, which spares half of the work and must not matter."""
    network = randomise(
        chain((6, 5, 1), layers.Conv2D(3, 3, padding="same", activation="relu", name="conv"))
    )
    conv = network.get_layer("conv")
    hidden = keras.Model(network.inputs[0], conv.output)
    bare = layers.Conv2D(3, 3, padding="same")
    lower = chain((6, 5, 1), bare, layers.Flatten(), head=False)
    bare.set_weights(conv.get_weights())
    inputs = inputs_for(network, 2)
    found = lrp.relevance(network, inputs, [0, 2], {"Conv2D": name, "Dense": name})
    weights, bias = as_matrix(lower)
    kernel, shift = (part.astype(float) for part in network.get_layer("logits").get_weights())
    for index, target in enumerate((0, 2)):
        middle = hidden(inputs[index : index + 1]).numpy().ravel().astype(float)
        start = np.eye(3)[target] * (middle @ kernel + shift)
        between, _ = share(name, middle, kernel, shift, start)
        expected, _ = share(name, inputs[index].ravel().astype(float), weights, bias, between)
        scale = np.abs(expected).max()
        np.testing.assert_allclose(found.inputs[index].ravel(), expected, atol=1e-5 * scale)


@pytest.mark.slow
def test_signed_gamma_is_gamma_where_all_is_positive():
    network = randomise(chain((8,)))
    inputs = inputs_for(network, 40, positive=True)
    logits = network(inputs).numpy()
    targets = logits.argmax(axis=1)
    plain, signed = (
        lrp.relevance(network, inputs, targets, f"gamma(0.25, {flag})").inputs for flag in (0, 1)
    )
    above = logits.max(axis=1) > 0
    assert above.sum() > 10
    np.testing.assert_allclose(signed[above], plain[above], rtol=1e-4, atol=1e-6)
    mixed = inputs_for(network, 40)
    plain, signed = (
        lrp.relevance(network, mixed, targets, f"gamma(0.25, {flag})").inputs for flag in (0, 1)
    )
    assert np.abs(plain - signed).max() > 0.01


def test_signed_gamma_strengthens_what_agrees_with_the_output():
    network = randomise(chain((8,)), seed=2)
    inputs = inputs_for(network, 6)
    kernel, bias = (part.astype(float) for part in network.get_layer("logits").get_weights())
    found = lrp.relevance(network, inputs, [1] * 6, "gamma(0.5, 1)").inputs
    for x, row in zip(inputs.astype(float), found, strict=True):
        each, shift = x * kernel[:, 1], bias[1]
        z = each.sum() + shift
        each = each * np.where(np.sign(each) == np.sign(z), 1.5, 1)
        shift *= 1.5 if np.sign(shift) == np.sign(z) else 1
        expected = each / (each.sum() + shift) * z
        np.testing.assert_allclose(row, expected, atol=1e-5 * np.abs(expected).max())


def test_rules_are_read_from_text():
    for text in ("epsilon", "gamma(0.1, 0)", "alpha-beta(3, 2)", "box(, 4)", "z+", "0", "flat"):
        assert rule(str(rule(text))) == rule(text)
    assert rule("box(, 4)") == lrp.Box(None, 4.0)
    assert rule(lrp.Gamma(0.1)) == lrp.Gamma(0.1)
    assert str(lrp.Gamma()) == "gamma" and str(lrp.Zero()) == "0"


def test_the_numbers_of_the_literature():
    assert (lrp.Epsilon().epsilon, lrp.Gamma().gamma) == (1e-6, 0.25)
    assert (lrp.AlphaBeta().alpha, lrp.AlphaBeta().beta) == (2, 1)
    assert (lrp.ZPlus().alpha, lrp.ZPlus().beta) == (1, 0)
    # The sign of zero is plus; without an epsilon, an output of zero hands nothing on.
    rates = divided(np.float32([1, 1, 1, 0]), np.float32([0, 1, -1, 0]))
    np.testing.assert_allclose(rates, [1e6, 1 / (1 + 1e-6), -1 / (1 + 1e-6), 0])
    np.testing.assert_array_equal(divided(np.float32([1, 1]), np.float32([0, 2]), 0), [0, 0.5])


@pytest.mark.parametrize(
    "text, message",
    [
        ("sigma", "there are 0, epsilon, gamma"),
        ("gamma(", "No rule"),
        ("gamma(a lot)", "takes gamma, signed"),
        ("gamma(nan)", "cannot be read"),
        ("z+(1)", "takes no numbers"),
        ("epsilon(1, 2)", "takes epsilon"),
        ("epsilon(-1)", "must not be negative"),
        ("gamma(-1)", "must not be negative"),
        ("alpha-beta(2, 2)", "alpha must be 1 more"),
        ("alpha-beta(0, -1)", "must not be negative"),
        ("box(4, 3)", "low must be below high"),
        (3, "No rule"),
        (None, "No rule"),
    ],
)
def test_rules_that_there_are_not(text, message):
    with pytest.raises(XaiAudioError, match=message):
        rule(text)
