"""Products: the signal takes all, and factors that are no gates share alike."""

import keras
import numpy as np
import pytest
from keras import layers
from lrp_definitions import shared
from lrp_networks import inputs_for, randomise

from xaiaudio.explainers import lrp

pytestmark = pytest.mark.usefixtures("eager")


def squeezed(gate):
    """Squeeze and excitation: channels are weighed by what they have on the whole."""
    start = keras.Input((3, 2, 4))
    x = layers.Reshape((1, 1, 4))(layers.GlobalAveragePooling2D()(start))
    x = gate(layers.Dense(4, name="gate")(x))
    return start, layers.Multiply(name="product")([start, x])


@pytest.mark.slow
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


@pytest.mark.slow
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
