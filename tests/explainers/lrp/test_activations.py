"""Which activations let relevance pass, and which factors only open and close."""

import keras
import numpy as np
import pytest
from keras import layers

from xaiaudio.explainers.lrp.activations import (
    OPENING,
    PASSING,
    activation_of,
    gates_of,
    reached,
)
from xaiaudio.models.graph import graph_of


def nodes_of(start, end):
    return list(graph_of(keras.Model(start, end)).nodes)


def named(nodes, name):
    return next(node for node in nodes if node.name == name)


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in PASSING if name != "linear"])
def test_what_passes_leaves_zero_at_zero_and_large_values_their_sign(name):
    function = keras.activations.get(name)
    values = np.asarray(function(np.array([0.0, 3.0, 30.0], "float32")))
    assert values[0] == 0 and (values[1:] > 0).all()
    assert np.asarray(function(np.array([-30.0], "float32")))[0] <= 0


@pytest.mark.parametrize("name", OPENING)
def test_what_opens_lies_between_0_and_1_and_is_not_0_at_zero(name):
    values = np.asarray(keras.activations.get(name)(np.array([[-9.0, 0.0, 9.0]], "float32")))
    assert (values >= 0).all() and (values <= 1).all() and values[0, 1] > 0


def test_the_activation_of_a_layer_by_name():
    assert activation_of(layers.Dense(2, activation="gelu")) == "gelu"
    assert activation_of(layers.Dense(2)) == activation_of(layers.Flatten()) == "linear"
    assert activation_of(layers.Dense(2, activation=abs)) == "abs"


def gate(kind, start):
    return {
        "layer": lambda: layers.Dense(4, activation="sigmoid", name="gate")(start),
        "operation": lambda: keras.ops.sigmoid(layers.Dense(4, name="gate")(start)),
        "softmax": lambda: layers.Softmax()(layers.Dense(4, name="gate")(start)),
        "moved": lambda: layers.Reshape((4,))(
            layers.Dropout(0.1)(layers.Dense(4, activation="hard_sigmoid", name="gate")(start))
        ),
    }[kind]()


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["layer", "operation", "softmax", "moved"])
@pytest.mark.parametrize("first", [True, False])
def test_a_factor_that_opens_is_a_gate_wherever_it_stands(kind, first):
    start = keras.Input((5,))
    signal, opening = layers.Dense(4, name="signal")(start), gate(kind, start)
    both = [opening, signal] if first else [signal, opening]
    nodes = nodes_of(start, layers.Multiply(name="product")(both))
    assert gates_of(named(nodes, "product")) == ((0,) if first else (1,))
    names = {node.name for node in reached(nodes)}
    assert "signal" in names and "gate" not in names


def test_where_all_factors_open_none_is_a_gate():
    start = keras.Input((5,))
    one, two = (layers.Dense(4, activation="sigmoid", name=name)(start) for name in "ab")
    nodes = nodes_of(start, one * two)
    assert gates_of(nodes[-1]) == ()
    assert {"a", "b"} <= {node.name for node in reached(nodes)}


def test_a_sum_has_no_gates():
    start = keras.Input((5,))
    one, two = layers.Dense(4, name="a")(start), layers.Dense(4, activation="sigmoid", name="b")
    nodes = nodes_of(start, layers.Add(name="sum")([one, two(start)]))
    assert gates_of(named(nodes, "sum")) == ()
    assert {"a", "b"} <= {node.name for node in reached(nodes)}


def test_a_mask_that_the_network_computes_is_a_gate_of_attention():
    start = keras.Input((4, 6))
    seen = layers.Dense(4, name="seen")(start) > 0
    queries, values = layers.Dense(6, name="query")(start), layers.Dense(6, name="value")(start)
    attention = layers.MultiHeadAttention(2, 3, name="it")
    nodes = nodes_of(start, attention(queries, values, attention_mask=seen))
    node = named(nodes, "it")
    (place,) = gates_of(node)
    assert node.parents[place].operation.__class__.__name__ == "Greater"
    names = {one.name for one in reached(nodes)}
    assert {"query", "value"} <= names and "seen" not in names


def test_a_mask_of_a_softmax_is_a_gate():
    start = keras.Input((4,))
    seen = layers.Dense(4, name="seen")(start) > 0
    nodes = nodes_of(start, layers.Softmax(name="it")(layers.Dense(4, name="a")(start), mask=seen))
    assert len(gates_of(named(nodes, "it"))) == 1
    names = {one.name for one in reached(nodes)}
    assert "a" in names and "seen" not in names
