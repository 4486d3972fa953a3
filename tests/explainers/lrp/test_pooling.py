"""Pooling: the winner takes all, or every cell gets its part of the sum."""

import keras
import numpy as np
import pytest
from keras import layers
from lrp_networks import chain, inputs_for

from xaiaudio import XaiAudioError
from xaiaudio.explainers import lrp
from xaiaudio.explainers.lrp.pooling import _everything

pytestmark = pytest.mark.usefixtures("eager")


def cells_of(window, strides, size, padding):
    """Return the cells (first, last-plus-one) that each position of a window covers on one axis."""
    if padding == "valid":
        return [(i, i + window) for i in range(0, size - window + 1, strides)]
    count = -(-size // strides)
    before = max((count - 1) * strides + window - size, 0) // 2
    starts = [i * strides - before for i in range(count)]
    return [(max(start, 0), min(start + window, size)) for start in starts]


@pytest.mark.slow
@pytest.mark.parametrize("pooling", ["winner", "proportional"])
@pytest.mark.parametrize(
    "shape, window, strides, padding",
    [((6, 8), (2, 2), (2, 2), "valid"), ((7, 5), (2, 3), (2, 2), "same"), ((5, 6), 3, 1, "same")],
)
def test_max_pooling(pooling, shape, window, strides, padding):
    layer = layers.MaxPooling2D(window, strides, padding, name="pool")
    network = chain((*shape, 2), layer, layers.Flatten(), head=False)
    inputs = inputs_for(network, 1, positive=True)
    # Two cells that are equally high: the first one wins.
    inputs[0, 2, 2:4] = 9
    rows, columns = (
        cells_of(*each, padding) for each in zip(layer.pool_size, layer.strides, shape, strict=True)
    )
    classes = network.output_shape[-1]
    found = lrp.relevance(
        network, np.repeat(inputs, classes, axis=0), np.arange(classes), "0", pooling=pooling
    )
    x = inputs[0].astype(float)
    number = 0
    for top, bottom in rows:
        for left, right in columns:
            for channel in range(2):
                part = x[top:bottom, left:right, channel]
                expected = np.zeros((*shape, 2))
                if pooling == "winner":
                    row, column = np.unravel_index(part.argmax(), part.shape)
                    expected[top + row, left + column, channel] = part.max()
                else:
                    expected[top:bottom, left:right, channel] = part / part.sum() * part.max()
                np.testing.assert_allclose(found.inputs[number], expected, atol=1e-5)
                number += 1
    assert number == classes


@pytest.mark.slow
@pytest.mark.parametrize("pooling", ["winner", "proportional"])
def test_pooling_over_time_is_pooling_over_one_axis(pooling):
    flat = chain((11, 3), layers.MaxPooling1D(3, 2, "same"), layers.Flatten(), head=False)
    deep = chain(
        (11, 1, 3), layers.MaxPooling2D((3, 1), (2, 1), "same"), layers.Flatten(), head=False
    )
    inputs, targets = inputs_for(flat), [0, 5, 9, 17]
    one = lrp.relevance(flat, inputs, targets, "0", pooling=pooling).inputs
    two = lrp.relevance(deep, inputs[:, :, None], targets, "0", pooling=pooling).inputs
    np.testing.assert_array_equal(one, two[:, :, 0])


@pytest.mark.slow
@pytest.mark.parametrize("kind", [layers.GlobalMaxPooling1D, layers.GlobalMaxPooling2D])
def test_global_max_pooling(kind):
    shape = (7, 3) if kind is layers.GlobalMaxPooling1D else (4, 5, 3)
    network = chain(shape, kind(), head=False)
    inputs, targets = inputs_for(network, positive=True), np.array([0, 1, 2, 1])
    winner = lrp.relevance(network, inputs, targets, "0").inputs
    shared = lrp.relevance(network, inputs, targets, "0", pooling="proportional").inputs
    for x, target, one, all_of_them in zip(inputs, targets, winner, shared, strict=True):
        channel = x.reshape(-1, 3)[:, target]
        expected = np.zeros((len(channel), 3))
        expected[channel.argmax(), target] = channel.max()
        np.testing.assert_allclose(one.reshape(-1, 3), expected, atol=1e-6)
        expected[:, target] = channel / channel.sum() * channel.max()
        np.testing.assert_allclose(all_of_them.reshape(-1, 3), expected, atol=1e-5)


def test_an_average_shares_as_equal_weights_would():
    network = chain((4, 6, 2), layers.AveragePooling2D((2, 3)), layers.Flatten(), head=False)
    inputs = inputs_for(network, 1)
    classes = network.output_shape[-1]
    found = lrp.relevance(network, np.repeat(inputs, classes, axis=0), np.arange(classes), "0")
    for number, (row, column, channel) in enumerate(np.ndindex(2, 2, 2)):
        expected = np.zeros((4, 6, 2))
        cells = np.s_[2 * row : 2 * row + 2, 3 * column : 3 * column + 3, channel]
        expected[cells] = inputs[0][cells] / 6
        np.testing.assert_allclose(found.inputs[number], expected, atol=1e-6)


@pytest.mark.parametrize("summing", [keras.ops.sum, keras.ops.mean])
def test_sums_over_some_axes_share_what_they_are_made_of(summing):
    start = keras.Input((5, 3))
    network = keras.Model(start, summing(start, axis=1))
    inputs = inputs_for(network, 3)
    found = lrp.relevance(network, inputs, [0, 1, 2], "0").inputs
    for x, row, target in zip(inputs, found, (0, 1, 2), strict=True):
        expected = np.zeros((5, 3))
        expected[:, target] = x[:, target] / (5 if summing is keras.ops.mean else 1)
        np.testing.assert_allclose(row, expected, atol=1e-5)


def test_a_maximum_over_any_length_is_named():
    layer = layers.GlobalMaxPooling1D(name="odd")
    with pytest.raises(XaiAudioError, match="'odd' takes inputs of any length"):
        _everything(layer, keras.Input((None, 3)))
    assert _everything(layer, keras.Input((7, 3)))["window_shape"] == (7,)


@pytest.mark.parametrize("kind", [layers.MaxPooling1D, layers.AveragePooling1D])
def test_channels_must_be_last(kind):
    start = keras.Input((4, 6))
    pooled = kind(2, data_format="channels_first", name="odd")(start)
    network = keras.Model(start, layers.Dense(2)(layers.Flatten()(pooled)))
    with pytest.raises(XaiAudioError, match="'odd' has its channels first"):
        lrp.relevance(network, inputs_for(network, 1), [0])
