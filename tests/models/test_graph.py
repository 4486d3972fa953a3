"""The walk over a Keras graph: order, parents, consumers, what the head reads, running parts."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

from xaiaudio import XaiAudioError
from xaiaudio.models.graph import blocks, feature_maps, graph_of, run


def start(shape=(12, 8, 1)):
    return keras.Input(shape, name="patch")


def conv(name, **options):
    options = {"padding": "same", **options}
    return layers.Conv2D(3, 3, name=name, **options)


def ended(inputs, x):
    return keras.Model(inputs, layers.Dense(3, name="logits")(x))


def names(network):
    return [node.name for node in feature_maps(graph_of(network))]


def test_order_parents_and_consumers():
    x = start()
    a = conv("a")(x)
    b = conv("b")(x)
    joined = layers.Add(name="sum")([b, a])
    conv("unused")(joined)
    graph = graph_of(ended(x, layers.GlobalMaxPooling2D(name="pool")(joined)))
    order = [node.name for node in graph.nodes]
    assert sorted(order) == ["a", "b", "logits", "patch", "pool", "sum"]
    for node in graph.nodes:
        assert all(order.index(parent.name) < order.index(node.name) for parent in node.parents)
    assert [node.name for node in graph.named("sum").parents] == ["b", "a"]
    assert {node.name for node in graph.consumers[graph.named("patch")]} == {"a", "b"}
    assert graph.output.name == "logits" and graph.consumers[graph.output] == ()
    assert graph.named("unused") is None


def test_a_layer_called_twice_is_two_nodes_and_the_last_goes_by_its_name():
    x = start((4,))
    twice = layers.Dense(4, name="twice")
    graph = graph_of(keras.Model(x, twice(twice(x) * 2.0)))
    calls = [node for node in graph.nodes if node.name == "twice"]
    assert len(calls) == 2 and graph.named("twice") is calls[1] is graph.output
    (product,) = (node for node in graph.nodes if not node.is_layer)
    assert product.parents == (calls[0],) and calls[1].parents == (product,)


def test_a_network_inside_is_named():
    inner = keras.Sequential([keras.Input((12, 8, 1)), conv("c")], name="inner")
    x = start()
    graph = graph_of(ended(x, layers.Flatten()(inner(x))))
    assert [node.name for node in graph.nested] == ["inner"]
    with pytest.raises(XaiAudioError, match="'inner': guessing needs a flat one"):
        graph.check_flat("guessing")


def test_a_subclassed_model_has_no_graph():
    class Own(keras.Model):
        def call(self, x):
            return x

    with pytest.raises(XaiAudioError, match="no graph to walk.*keras.layers.Input"):
        graph_of(Own(name="own"))


@pytest.mark.slow
@pytest.mark.parametrize("sequential", [False, True])
def test_running_everything_is_the_network(sequential):
    keras.utils.set_random_seed(0)
    stack = [
        conv("a", activation="relu"),
        layers.BatchNormalization(),
        layers.Dropout(0.5),
        layers.Flatten(),
        layers.Dense(3),
    ]
    network = keras.Sequential([keras.Input((12, 8, 1)), *stack])
    if not sequential:
        x = start()
        network = keras.Model(x, network(x) + 0.0 * layers.GlobalMaxPooling2D()(x)[:, :1])
    values = np.random.default_rng(0).normal(size=(2, 12, 8, 1)).astype("float32")
    graph = graph_of(network)
    (found,) = run(graph, {graph.nodes[0]: values}, [graph.output])
    np.testing.assert_allclose(found, network(values), atol=1e-6)
    zeroed = run(graph, {graph.nodes[0]: values}, [graph.output], lambda layer, x: 0.0 * x)
    assert not np.any(zeroed[0])


def test_running_from_the_middle_needs_nothing_before_it():
    x = start((2,))
    middle = layers.Dense(2, kernel_initializer="ones", name="middle")(x)
    end = layers.Dense(1, kernel_initializer="ones", name="end")(middle)
    graph = graph_of(keras.Model(x, end))
    known = {graph.named("middle"): tf.constant([[3.0, 4.0]])}
    assert run(graph, known, [graph.output])[0].numpy().tolist() == [[7.0]]
    with pytest.raises(XaiAudioError, match="needs 'patch'"):
        run(graph, {}, [graph.output])


def behind(*middle):
    """A network whose convolution is followed by these layers, then pooled."""
    x = inputs = start()
    for layer in middle:
        x = layer(x)
    return ended(inputs, layers.GlobalAveragePooling2D()(x))


def relu(x):
    return keras.ops.relu(x)


@pytest.mark.slow
@pytest.mark.parametrize(
    "middle, expected",
    [
        ([conv("a", activation="relu")], "a"),
        ([conv("a"), layers.BatchNormalization(), layers.ReLU(name="here")], "here"),
        ([conv("a"), layers.GroupNormalization(3), layers.ReLU(name="here")], "here"),
        ([conv("a"), layers.LayerNormalization(), layers.Activation("relu", name="here")], "here"),
        ([conv("a"), layers.PReLU(name="here")], "here"),
        ([conv("a"), layers.Dropout(0.5), layers.ReLU(name="here")], "here"),
        ([conv("a"), layers.MaxPooling2D(2), layers.ReLU(name="here")], "here"),
        ([conv("a"), layers.Dense(5, name="here")], "here"),
        ([conv("a", activation="relu"), layers.BatchNormalization(name="here")], "here"),
        # Before the pooling that leads to the head.
        ([conv("a", activation="relu"), layers.MaxPooling2D(2), layers.Dropout(0.5)], "a"),
        (
            [conv("a", activation="relu"), layers.MaxPooling2D(2), layers.BatchNormalization()],
            "a",
        ),
        (
            [conv("a"), layers.MaxPooling2D(2), layers.BatchNormalization(name="here")],
            "here",
        ),
        ([conv("a", activation="relu"), layers.ZeroPadding2D(1), layers.Cropping2D(1)], "a"),
    ],
)
def test_the_map_that_the_head_reads(middle, expected):
    assert names(behind(*middle)) == [expected]


def test_an_operation_may_be_the_map():
    (name,) = names(behind(conv("a"), layers.GroupNormalization(3), relu))
    assert name.startswith("relu")


def test_residual_and_dense_blocks():
    x = start()
    a = conv("a", activation="relu")(x)
    b = layers.BatchNormalization()(conv("b")(a))
    added = layers.ReLU(name="after_sum")(layers.Add()([a, b]))
    assert names(ended(x, layers.GlobalMaxPooling2D()(added))) == ["after_sum"]
    joined = layers.ReLU(name="after_join")(
        layers.BatchNormalization()(layers.Concatenate()([a, b]))
    )
    assert names(ended(x, layers.Flatten()(layers.AveragePooling2D(2)(joined)))) == ["after_join"]


def test_every_branch_that_the_head_reads():
    x = start()
    a = conv("a", activation="relu")(x)
    b = conv("b", activation="relu")(a)
    pooled = [layers.GlobalAveragePooling2D()(a), layers.GlobalMaxPooling2D()(b)]
    assert names(ended(x, layers.Concatenate()(pooled))) == ["a", "b"]
    pooled = [layers.GlobalAveragePooling2D()(b), layers.Flatten()(layers.MaxPooling2D(2)(b))]
    assert names(ended(x, layers.Concatenate()(pooled))) == ["b"]


def test_a_gate_over_the_whole_patch_is_no_map():
    x = start()
    wide = conv("wide", activation="relu")(x)
    gate = layers.GlobalAveragePooling2D(keepdims=True)(wide)
    gate = layers.Conv2D(3, 1, activation="sigmoid", name="gate")(gate)
    gated = layers.Multiply(name="gated")([wide, gate])
    assert names(ended(x, layers.GlobalAveragePooling2D()(gated))) == ["gated"]


def test_no_map():
    x = start()
    assert names(ended(x, layers.Flatten()(x))) == []
    assert names(ended(x, layers.Flatten()(layers.Conv2D(3, (12, 8))(x)))) == []


@pytest.mark.slow
def test_blocks_end_with_what_follows_their_last_convolution():
    x = inputs = keras.Input((16, 12, 1))
    x = layers.Conv2D(4, 3, padding="same", name="a")(x)
    x = layers.BatchNormalization(name="a_norm")(x)
    x = layers.ReLU(name="a_relu")(x)
    x = layers.MaxPooling2D(2, name="pool")(x)
    x = layers.Dropout(0.1, name="drop")(x)
    x = layers.Conv2D(4, 3, padding="same", name="b")(x)
    x = layers.Conv2D(4, 3, padding="same", name="c")(x)
    x = layers.Add(name="sum")([x, layers.Conv2D(4, 1, name="shortcut")(x)])
    x = layers.MaxPooling2D(2, name="last")(x)
    x = layers.Dense(2)(layers.GlobalAveragePooling2D()(x))
    names = [node.name for node in blocks(graph_of(keras.Model(inputs, x)))]
    assert names == ["a_relu", "sum"]
    dense = keras.Model(inputs, layers.Dense(2)(layers.Flatten()(inputs)))
    assert blocks(graph_of(dense)) == ()
