"""Normalisation by what a layer is given, with its deviation held."""

import keras
import numpy as np
import pytest
from keras import layers
from lrp_definitions import shared
from lrp_networks import inputs_for, randomise

from xaiaudio import XaiAudioError
from xaiaudio.explainers import lrp

pytestmark = pytest.mark.usefixtures("eager")


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


@pytest.mark.slow
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


@pytest.mark.slow
def test_each_channel_may_be_a_group_of_its_own():
    start = keras.Input((3, 4))
    inputs = np.random.default_rng(0).normal(size=(2, 3, 4)).astype("float32")
    found = []
    for groups in (-1, 4):
        layer = layers.GroupNormalization(groups)
        network = keras.Model(start, layers.Dense(3)(layers.Flatten()(layer(start))))
        found.append(lrp.relevance(randomise(network), inputs, [0, 2], "epsilon").inputs)
    np.testing.assert_array_equal(*found)


@pytest.mark.parametrize(
    ("layer", "told"),
    [
        (lambda: layers.GroupNormalization(2, axis=1, name="odd"), "'odd' has its channels first"),
        (lambda: layers.LayerNormalization(rms_scaling=True, name="odd"), "RMSNormalization"),
    ],
)
@pytest.mark.filterwarnings("ignore:You passed `rms_scaling=True`")
def test_normalisations_it_cannot_treat_are_named(layer, told):
    start = keras.Input((4, 4))
    network = keras.Model(start, layers.Dense(2)(layers.Flatten()(layer()(start))))
    with pytest.raises(XaiAudioError, match=told):
        lrp.relevance(network, np.ones((1, 4, 4), "float32"), [0])
