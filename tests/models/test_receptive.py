"""What the cells of feature maps see, against what moves them."""

import keras
import numpy as np
import pytest
from keras import layers

import xaiaudio as xa
from xaiaudio.models.graph import blocks, graph_of
from xaiaudio.models.receptive import fields

SHAPE = (23, 14)


def _network(*stack):
    keras.utils.set_random_seed(2)
    inputs = tensor = keras.Input((*SHAPE, 1))
    for layer in stack:
        tensor = layer(tensor)
    return keras.Model(inputs, tensor)


def _positive(network):
    """All weights above 0, so that nothing cancels and every cell that is seen counts."""
    network.set_weights([np.abs(weight) + 0.1 for weight in network.get_weights()])
    return network


STACKS = {
    "same": [layers.Conv2D(2, 3, padding="same"), layers.Conv2D(2, 5, padding="same")],
    "valid": [layers.Conv2D(2, (3, 2)), layers.ReLU(), layers.AveragePooling2D(2)],
    "strides": [
        layers.Conv2D(2, 3, 2, padding="same"),
        layers.BatchNormalization(),
        layers.DepthwiseConv2D(3, 2, padding="same"),
        layers.Conv2D(3, 1),
    ],
    "even": [layers.AveragePooling2D(2, padding="same"), layers.Conv2D(2, 4, padding="same")],
    "dilated": [layers.Conv2D(2, 3, dilation_rate=(2, 1), padding="same")],
    "padded": [
        layers.ZeroPadding2D(((2, 0), (0, 3))),
        layers.Conv2D(2, 3),
        layers.Cropping2D(((1, 0), (0, 2))),
    ],
    "separable": [layers.SeparableConv2D(2, 3, 2, padding="same")],
}


@pytest.mark.slow
@pytest.mark.parametrize("name", STACKS)
def test_a_cell_sees_what_moves_it(name):
    network = _positive(_network(*STACKS[name]))
    graph = graph_of(network)
    found = fields(graph, graph.output)
    base = np.ones((1, *SHAPE, 1), np.float32)
    height, width = network.output_shape[1:3]
    cells = np.eye(SHAPE[0] * SHAPE[1], dtype=np.float32).reshape(-1, *SHAPE, 1)
    moved = network.predict(base + cells, verbose=0) - network.predict(base, verbose=0)
    moved = np.abs(moved).max(axis=-1).reshape(*SHAPE, height, width) > 1e-3
    for row in range(height):
        for column in range(width):
            rows = np.flatnonzero(moved[:, :, row, column].any(axis=1))
            columns = np.flatnonzero(moved[:, :, row, column].any(axis=0))
            frames, bands = found.of(row * width + column)
            if name == "padded" and not len(rows):  # it sees nothing but zeros
                continue
            assert frames == (rows[0], rows[-1] + 1)
            assert bands == (columns[0], columns[-1] + 1)


def test_branches_are_joined_and_the_unknown_sees_everything():
    inputs = keras.Input((*SHAPE, 1))
    one = layers.Conv2D(2, 3, padding="same", name="one")(inputs)
    two = layers.Conv2D(2, 7, padding="same", name="two")(inputs)
    joined = layers.Add(name="sum")([one, two])
    mixed = layers.LayerNormalization(axis=(1, 2, 3), name="mixed")(joined)
    graph = graph_of(keras.Model(inputs, mixed))
    assert fields(graph, graph.named("one")).frames[10].tolist() == [9, 12]
    assert fields(graph, graph.named("sum")).frames[10].tolist() == [7, 14]
    assert (fields(graph, graph.named("mixed")).bands == [0, SHAPE[1]]).all()


@pytest.mark.slow
def test_of_the_small_network():
    graph = graph_of(xa.models.backbone("lite").network)
    widths = [np.diff(fields(graph, node).frames, axis=1).max() for node in blocks(graph)]
    # 3 x 3 convolutions, each block at half the resolution: by hand.
    assert widths == [3, 8, 26, 62]
