"""Products, normalisation by the input itself, and activations with learnt slopes."""

import keras
import numpy as np
import pytest
from keras import layers
from lrp_networks import inputs_for, randomise

from xaiaudio.explainers import lrp

pytestmark = pytest.mark.usefixtures("eager")


def shared(relevance, parts):
    total = sum(parts)
    total += 1e-6 if total >= 0 else -1e-6
    return np.array([part * relevance / total for part in parts])


def squeezed(gate):
    """Squeeze and excitation: channels are weighed by what they have on the whole."""
    start = keras.Input((3, 2, 4))
    x = layers.Reshape((1, 1, 4))(layers.GlobalAveragePooling2D()(start))
    x = gate(layers.Dense(4, name="gate")(x))
    return start, layers.Multiply(name="product")([start, x])


@pytest.mark.parametrize("gate", [keras.ops.sigmoid, layers.Activation("sigmoid")])
def test_the_signal_takes_all_and_the_gate_gets_nothing(gate):
    start, product = squeezed(gate)
    network = randomise(keras.Model(start, layers.Dense(3)(layers.Flatten()(product))))
    x = inputs_for(network)
    found = lrp.relevance(network, x, [0, 1, 2, 0], "epsilon", report=True)
    by_name = {layer.name: layer for layer in found.layers}
    assert not by_name["gate"].arrived.any() and not by_name["gate"].passed.any()
    # The same numbers as a network in which the gates are constants.
    gated = np.asarray(keras.Model(start, product)(x))
    head = keras.Sequential([keras.Input((3, 2, 4)), layers.Flatten(), network.layers[-1]])
    expected = lrp.relevance(head, gated, [0, 1, 2, 0], "epsilon").inputs
    np.testing.assert_allclose(found.inputs, expected, rtol=1e-4, atol=1e-6)


def test_factors_that_are_no_gates_share_alike():
    start = keras.Input((5,))
    one, two = layers.Dense(4, name="one")(start), layers.Dense(1, name="two")(start)
    network = randomise(keras.Model(start, layers.Multiply()([one, two])))
    x = inputs_for(network, 1)
    found = lrp.relevance(network, x, [2], "epsilon", report=True)
    expected = np.zeros(5)
    for name, unit in (("one", 2), ("two", 0)):
        kernel, bias = network.get_layer(name).get_weights()
        parts = [*(x[0] * kernel[:, unit]), bias[unit]]
        expected += shared(found.logits[0] / 2, parts)[:-1]
    np.testing.assert_allclose(found.inputs[0], expected, rtol=1e-4, atol=1e-6)
    operation = keras.Model(start, one * two)
    np.testing.assert_allclose(
        lrp.relevance(operation, x, [2], "epsilon").inputs, found.inputs, rtol=1e-5
    )


def test_swish_is_a_product_with_its_own_gate():
    start = keras.Input((5,))
    x = layers.Dense(4)(start)
    written = randomise(keras.Model(start, layers.Dense(3)(x * keras.ops.sigmoid(x))))
    for swish in (layers.Activation("silu"), keras.ops.silu, keras.ops.swish):
        named = keras.Model(start, layers.Dense(3)(swish(layers.Dense(4)(start))))
        named.set_weights(written.get_weights())
        values = inputs_for(named)
        one, other = (
            lrp.relevance(network, values, [0, 1, 2, 1]).inputs for network in (written, named)
        )
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-6)


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


def means(name, x):
    """For each value of (h, w, c): which values its mean and deviation are of."""
    h, w, c = x.shape
    for at in np.ndindex(x.shape):
        if name == "layer":
            yield at, [(at[0], at[1], k) for k in range(c)]
        elif name == "all axes":
            yield at, list(np.ndindex(x.shape))
        else:
            first = at[2] // 2 * 2
            yield at, [(i, j, k) for i in range(h) for j in range(w) for k in (first, first + 1)]


@pytest.mark.parametrize("name", ["layer", "all axes", "groups"])
def test_normalisation_with_its_deviation_held(name):
    layer = {
        "layer": lambda: layers.LayerNormalization(name="it"),
        "all axes": lambda: layers.LayerNormalization(axis=(1, 2, 3), name="it"),
        "groups": lambda: layers.GroupNormalization(2, name="it"),
    }[name]()
    start = keras.Input((2, 3, 4))
    network = randomise(keras.Model(start, layers.Dense(3)(layers.Flatten()(layer(start)))))
    x = inputs_for(network, 1)
    found = lrp.relevance(network, x, [1], "epsilon", report=True)
    values, (gamma, beta) = x[0].astype(float), layer.get_weights()
    gamma, beta = np.broadcast_to(gamma, values.shape), np.broadcast_to(beta, values.shape)
    kernel, bias = network.layers[-1].get_weights()
    normal, rows = np.zeros(values.shape), {}
    for at, cells in means(name, values):
        group = np.array([values[cell] for cell in cells])
        deviation = np.sqrt(group.var() + layer.epsilon)
        row = np.zeros(values.shape)
        row[at] += gamma[at] / deviation
        for cell in cells:
            row[cell] -= gamma[at] / deviation / len(cells)
        normal[at], rows[at] = (row * values).sum() + beta[at], row
    arriving = shared(found.logits[0], [*(normal.ravel() * kernel[:, 1]), bias[1]])[:-1]
    expected, kept = np.zeros(values.shape), 0.0
    for at, amount in zip(np.ndindex(values.shape), arriving, strict=True):
        parts = shared(amount, [*(rows[at] * values).ravel(), beta[at]])
        expected += parts[:-1].reshape(values.shape)
        kept += parts[-1]
    np.testing.assert_allclose(found.inputs[0], expected, atol=1e-3 * np.abs(expected).max())
    (account,) = [one for one in found.layers if one.name == "it"]
    np.testing.assert_allclose(account.bias[0], kept, rtol=1e-3, atol=1e-3)
    np.testing.assert_allclose(account.rest / np.abs(arriving).sum(), 0, atol=1e-4)


@pytest.mark.parametrize("kind", [layers.RMSNormalization, layers.UnitNormalization])
def test_a_size_that_is_held_takes_nothing(kind):
    start = keras.Input((6,))
    network = randomise(keras.Model(start, layers.Dense(3, use_bias=False)(kind()(start))))
    found = lrp.relevance(network, inputs_for(network), [0, 1, 2, 1], "epsilon")
    np.testing.assert_allclose(found.arrived, 1, rtol=1e-3)


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
