import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

from xaiaudio.explainers.gradients import gradient
from xaiaudio.models import grouped
from xaiaudio.models.graph import graph_of, run

KINDS = [
    ((9, 6), lambda: layers.Conv1D(4, 3, padding="causal", groups=2, dilation_rate=2)),
    ((9, 7, 6), lambda: layers.Conv2D(9, (3, 2), strides=2, padding="same", groups=3)),
    ((9, 7, 4), lambda: layers.Conv2D(4, 3, groups=4, activation="tanh", use_bias=False)),
]


@pytest.mark.slow
@pytest.mark.parametrize("shape, layer", KINDS)
def test_groups_one_by_one_are_the_layer(shape, layer):
    keras.utils.set_random_seed(0)
    layer, x = layer(), np.random.default_rng(0).normal(size=(2, *shape)).astype("float32")
    wanted = layer(x)
    assert grouped.is_grouped(layer)
    np.testing.assert_allclose(grouped.call(layer, tf.constant(x)), wanted, atol=1e-5)
    start = keras.Input(shape)
    graph = graph_of(keras.Model(start, layer(start)))
    found = run(graph, {graph.nodes[0]: x}, [graph.output])[0]
    np.testing.assert_allclose(found, wanted, atol=1e-5)


@pytest.mark.slow
def test_a_network_with_groups_has_its_gradient():
    """TensorFlow has none on a processor without oneDNN; this one is by differences."""
    keras.utils.set_random_seed(0)
    start = keras.Input((5, 4, 4))
    x = layers.Conv2D(4, 3, groups=2, activation="tanh")(start)
    network = keras.Model(start, layers.Dense(2)(layers.Flatten()(x)))
    value = np.random.default_rng(0).normal(size=(1, 5, 4, 4)).astype("float32")
    found = gradient(network, value, [1])[0]
    for place in [(0, 0, 0), (2, 1, 3), (4, 3, 1)]:
        moved = np.repeat(value, 2, axis=0)
        moved[0][place] += 0.01
        moved[1][place] -= 0.01
        slope = np.subtract(*network(moved).numpy()[:, 1]) / 0.02
        assert abs(found[place] - slope) < 1e-3
