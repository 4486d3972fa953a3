"""Layers that scale and shift: a factor takes all, a shift keeps its part."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers
from lrp_networks import chain, inputs_for, randomise

from xaiaudio.explainers import lrp

pytestmark = pytest.mark.usefixtures("eager")


@pytest.mark.slow
@pytest.mark.parametrize("composite", lrp.COMPOSITES)
def test_normalisation_that_stands_alone(composite):
    """In front of the convolution, behind an activation, and where a branch leaves: not folded."""
    x = start = keras.Input((6, 5, 2))
    x = layers.BatchNormalization(name="before")(x)
    x = layers.Conv2D(4, 3, padding="same", activation="relu", name="one")(x)
    x = layers.BatchNormalization(name="behind")(x)
    x = layers.Conv2D(4, 3, padding="same", name="two")(x)
    y = layers.ReLU(name="relu")(layers.BatchNormalization(name="branch")(x))
    x = layers.Add(name="add")([layers.ReLU(name="other")(x), y])
    x = layers.GlobalAveragePooling2D(name="pool")(x)
    network = randomise(keras.Model(start, layers.Dense(3, name="logits")(x)), bias=False)
    inputs, targets = inputs_for(network), [0, 1, 2, 0]
    # Bounds that no input reaches: at its bound, an input of the box rule contributes nothing.
    found = lrp.relevance(network, inputs, targets, composite, low=-5, high=5, report=True)
    rules = {layer.name: layer.rule for layer in found.layers}
    assert rules["behind"] == rules["branch"] == "epsilon"
    # In front of all weights it is among the first layers, if the composite speaks of those.
    assert rules["before"] == ("epsilon" if composite == "epsilon-plus" else rules["one"])
    total = found.inputs.sum(axis=(1, 2, 3))
    np.testing.assert_allclose(total, found.logits, rtol=0.01, atol=1e-3)
    zero = lrp.relevance(network, inputs, targets, "0").inputs
    with tf.GradientTape() as tape:
        x = tf.constant(inputs)
        tape.watch(x)
        score = tf.reduce_sum(network(x) * tf.one_hot(targets, 3))
    expected = inputs * tape.gradient(score, x).numpy()
    np.testing.assert_allclose(zero, expected, atol=1e-4 * np.abs(expected).max())


@pytest.mark.slow
@pytest.mark.parametrize("sign", [1, -1])
def test_a_normalisation_of_the_input_keeps_the_relevance_of_cells_at_a_bound(sign):
    """Silence is the lower bound of a log-mel patch: its relevance must not vanish."""
    norm = layers.BatchNormalization(center=False, name="norm")
    network = randomise(chain((4, 3, 1), norm, layers.Conv2D(2, 2, use_bias=False)), bias=False)
    norm.set_weights([np.array([sign * 1.5]), np.zeros(1), np.array([0.7])])
    inputs = inputs_for(network, 2).clip(-0.5, 0.5)
    assert (inputs == -0.5).any() and (inputs == 0.5).any()
    found = lrp.relevance(network, inputs, [0, 1], "epsilon-gamma-box", low=-0.5, high=0.5)
    np.testing.assert_allclose(found.inputs.sum(axis=(1, 2, 3)), found.logits, rtol=1e-3)


def test_sums_and_branches():
    start = keras.Input((5,))
    a = layers.Dense(4, name="a")(start)
    x = layers.Add(name="sum")([a, a])
    x = layers.Concatenate(name="join")([x, a])
    network = randomise(keras.Model(start, layers.Dense(3, name="logits")(x)))
    inputs = inputs_for(network, 2)
    found = lrp.relevance(network, inputs, [0, 1], "0").inputs
    kernel, bias = network.get_layer("a").get_weights()
    top, _ = network.get_layer("logits").get_weights()
    # Both inputs of the sum are one tensor, which gets both shares.
    both = kernel @ (2 * top[:4] + top[4:])
    np.testing.assert_allclose(found[0], inputs[0] * both[:, 0], rtol=1e-3, atol=1e-5)
    np.testing.assert_allclose(found[1], inputs[1] * both[:, 1], rtol=1e-3, atol=1e-5)
    assert np.abs(bias).max() > 0


def affine_layers():
    norm = layers.Normalization(axis=-1, mean=[0.5, -1.0], variance=[2.0, 0.3])
    return {
        "Normalization": [norm],
        "Rescaling": [layers.Rescaling(-0.5, offset=0.7)],
        "constants": [lambda x: 2.0 * (x - 0.3) / 4.0 + 1.0],
        "negative": [lambda x: -x, lambda x: 0.4 - x],
    }


def input_times_gradient(network, inputs, targets):
    with tf.GradientTape() as tape:
        x = tf.constant(inputs)
        tape.watch(x)
        score = tf.reduce_sum(network(x) * tf.one_hot(targets, 3))
    return inputs * tape.gradient(score, x).numpy()


@pytest.mark.slow
@pytest.mark.parametrize("name", affine_layers())
@pytest.mark.parametrize("where", ["before", "behind"])
def test_layers_that_scale_and_shift(name, where):
    """Rule 0 is input times gradient; with epsilon, what is missing stayed with the shifts."""
    conv = layers.Conv2D(4, 3, activation="relu", name="conv")
    middle = affine_layers()[name]
    if where == "behind" and name == "Normalization":
        middle = [layers.Normalization(axis=-1, mean=[0.5, -1, 0, 1], variance=[2, 0.3, 1, 1])]
    network = randomise(
        chain((5, 4, 2), *([*middle, conv] if where == "before" else [conv, *middle]))
    )
    inputs, targets = inputs_for(network), [0, 1, 2, 0]
    found = lrp.relevance(network, inputs, targets, "0").inputs
    expected = input_times_gradient(network, inputs, targets)
    np.testing.assert_allclose(found, expected, atol=2e-4 * np.abs(expected).max())
    report = lrp.relevance(network, inputs, targets, "epsilon", report=True)
    total = report.inputs.sum(axis=(1, 2, 3)) + sum(layer.bias for layer in report.layers)
    np.testing.assert_allclose(total, report.logits, rtol=5e-3, atol=5e-3)
    if where == "before":
        # The first layers are treated by the flat rule, which hands on what it is given here.
        plain = lrp.relevance(network, inputs, targets, report=True)
        ahead = [layer for layer in plain.layers if layer.name not in ("conv", "flatten", "logits")]
        assert ahead and not any(np.any(layer.bias) for layer in ahead)
        # A factor alone takes no rule: what it scales takes all.
        assert {layer.rule for layer in ahead if layer.kind != "Multiply"} == {"flat"}


@pytest.mark.slow
def test_sums_and_differences_that_are_no_layers():
    start = keras.Input((5,))
    a, b = (layers.Dense(4, name=name)(start) for name in "ab")
    plain = keras.Model(start, layers.Dense(3, name="logits")(layers.Add()([a, b])))
    operation = keras.Model(start, plain.get_layer("logits")(a + b))
    randomise(plain)
    inputs, targets = inputs_for(plain, 3), [0, 1, 2]
    one, two = (
        lrp.relevance(each, inputs, targets, "epsilon").inputs for each in (plain, operation)
    )
    np.testing.assert_array_equal(one, two)
    difference = keras.Model(start, plain.get_layer("logits")(keras.ops.relu(a) - b))
    average = keras.Model(start, plain.get_layer("logits")(layers.Average()([a, b])))
    for network in (difference, average):
        found = lrp.relevance(network, inputs, targets, "0").inputs
        expected = input_times_gradient(network, inputs, targets)
        np.testing.assert_allclose(found, expected, atol=2e-4 * np.abs(expected).max())


def test_an_average_of_branches_shares_as_their_sum_does():
    start = keras.Input((5,))
    a, b = (layers.Dense(4, name=name)(start) for name in "ab")
    top = layers.Dense(3, use_bias=False, name="top")
    added = randomise(keras.Model(start, top(layers.Add()([a, b]))))
    averaged = keras.Model(start, top(layers.Average()([a, b])))
    inputs, targets = inputs_for(added, 3), [0, 1, 2]
    one, half = (lrp.relevance(each, inputs, targets, "0") for each in (added, averaged))
    np.testing.assert_allclose(half.inputs, one.inputs / 2, rtol=1e-4, atol=1e-6)


def test_a_difference_of_branches_turns_the_sign_of_the_second():
    start = keras.Input((5,))
    a, b = (layers.Dense(4, use_bias=False, name=name) for name in "ab")
    network = randomise(keras.Model(start, layers.Subtract()([a(start), b(start)])))
    inputs = inputs_for(network, 2)
    found = lrp.relevance(network, inputs, [1, 3], "0").inputs
    kernel = a.get_weights()[0] - b.get_weights()[0]
    np.testing.assert_allclose(found, inputs * kernel[:, [1, 3]].T, rtol=1e-3, atol=1e-5)
