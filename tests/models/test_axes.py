"""Which axis is time and which is frequency, followed through layers whose doing is plain."""

import keras
import pytest
import tensorflow as tf
from keras import layers, ops

from xaiaudio.models.axes import axes_of
from xaiaudio.models.graph import graph_of

T, F, C = "time", "frequency", "channel"


def axes(*steps, shape=(12, 8, 1)):
    """Return the axes behind some layers, one after the other."""
    start = x = keras.Input(shape)
    for step in steps:
        x = step(x)
    graph = graph_of(keras.Model(start, x))
    return axes_of(graph)[graph.output]


class Mine(layers.Layer):
    """Somebody's own layer, of which nothing is known but what it does."""

    def __init__(self, does):
        super().__init__()
        self.does = does

    def call(self, x):
        return self.does(x)


def turned(x):
    return ops.transpose(x, (0, 2, 1, *range(3, len(x.shape))))


@pytest.mark.parametrize("shape", [(12, 8, 1), (12, 8), (12, 8, 3), (12,)])
def test_the_input_is_frames_by_bands(shape):
    assert axes(layers.Identity(), shape=shape) == (T, F, C)[: len(shape)]


@pytest.mark.slow
@pytest.mark.parametrize(
    "steps, wanted",
    [
        ([layers.Conv2D(4, 3), layers.BatchNormalization(), layers.MaxPooling2D(2)], (T, F, C)),
        ([layers.Permute((2, 1, 3))], (F, T, None)),
        ([layers.Conv2D(2, 1), layers.Permute((2, 1, 3))], (F, T, C)),
        ([layers.Permute((2, 1, 3)), layers.Conv2D(4, 3), layers.ReLU()], (F, T, C)),
        ([layers.Permute((2, 1, 3)), layers.Permute((2, 1, 3))], (T, F, None)),
        ([lambda x: ops.swapaxes(x, 1, 3)], (None, F, T)),
        ([layers.Reshape((12, 8))], (T, F)),
        ([layers.Reshape((12, 8)), layers.Conv1D(5, 3)], (T, C)),
        ([layers.Reshape((12, 8)), layers.Permute((2, 1)), layers.Conv1D(5, 3)], (F, C)),
        ([lambda x: ops.squeeze(x, -1), lambda x: ops.expand_dims(x, 1)], (None, T, F)),
        ([lambda x: x[:, 1:11, ::2]], (T, F, None)),
        # What is left of a cut lies elsewhere in the axis.
        ([lambda x: x[:, 2:9, ::2]], (None, F, None)),
        ([layers.Cropping2D(((0, 0), (4, 0)))], (T, None, None)),
        ([lambda x: layers.Concatenate(axis=1)([x[:, 6:], x[:, :6]])], (None, F, None)),
        ([lambda x: layers.Concatenate(axis=-2)([x, x])], (T, None, None)),
        ([lambda x: layers.Concatenate()([x, x])], (T, F, None)),
        # Frames in blocks of three are frames in both of their axes.
        ([layers.Reshape((4, 3, 8))], (T, T, F)),
        # Axes run together, or backwards, are none.
        ([layers.Flatten()], (None,)),
        ([layers.Conv2D(2, 1), layers.Reshape((12, 16))], (T, None)),
        ([lambda x: ops.flip(x, 1)], (None, F, None)),
    ],
)
def test_axes_are_moved_as_layers_move_them(steps, wanted):
    found = axes(*steps)
    sure = [axis for axis, name in enumerate(wanted) if name is not None]
    assert len(found) == len(wanted)
    assert [found[axis] for axis in sure] == [wanted[axis] for axis in sure]
    for axis, name in enumerate(wanted):
        if name is None:
            assert found[axis] in (None, C)  # an axis of one cell may be either


@pytest.mark.parametrize(
    "step, wanted",
    [
        (layers.GlobalAveragePooling2D(), (C,)),
        (lambda x: ops.mean(x, axis=1), (F, C)),
        (lambda x: ops.max(x, axis=2), (T, C)),
    ],
)
def test_a_mean_leaves_the_axes_whose_size_is_left(step, wanted):
    assert axes(layers.Conv2D(5, 3, padding="same"), step) == wanted


def test_a_size_that_occurs_twice_tells_nothing():
    assert axes(layers.Conv2D(8, 3, padding="same"), layers.GlobalAveragePooling2D()) == (None,)


@pytest.mark.slow
@pytest.mark.parametrize("units", [5, 8, 12])
def test_the_last_state_of_a_recurrent_layer_is_channels_whatever_its_size(units):
    reshaped = layers.Reshape((12, 8))
    assert axes(reshaped, layers.LSTM(units, return_sequences=True)) == (T, C)
    assert axes(reshaped, layers.GRU(units)) == (C,)


def test_a_layer_of_ones_own_is_tried():
    assert axes(Mine(turned)) == (F, T, None)
    assert axes(Mine(lambda x: 2 * x + 1))[:2] == (T, F)
    assert axes(layers.Lambda(turned))[:2] == (F, T)
    # What it does to values cannot be told apart from what it does to places: sizes tell.
    assert axes(Mine(lambda x: turned(x) ** 2))[:2] == (F, T)
    assert axes(Mine(lambda x: x**2))[:2] == (T, F)


def test_a_layer_that_refuses_what_is_tried_is_known_by_its_sizes():
    def picky(x):
        if tf.executing_eagerly():  # what only looks at shapes is answered
            raise ValueError("not these numbers")
        return turned(x)

    assert axes(Mine(picky))[:2] == (F, T)


def test_where_inputs_come_together_they_must_agree():
    x = keras.Input((8, 8, 1))
    across = layers.Permute((2, 1, 3))(x)
    both = layers.Add()([x, x])
    mixed = layers.Add()([x, across])
    joined = layers.Concatenate()([across, across])
    graph = graph_of(keras.Model(x, [layers.Concatenate()([both, mixed, joined])]))
    found = {node.name: axes for node, axes in axes_of(graph).items()}
    names = [tensor._keras_history.operation.name for tensor in (both, mixed, joined)]
    assert [found[name][:2] for name in names] == [(T, F), (None, None), (F, T)]


def test_what_is_the_same_everywhere_has_no_say():
    """A gain for each band, from one row, is multiplied with all frames."""
    x = keras.Input((12, 8, 1))
    gain = layers.Conv2D(1, (12, 1))(x)  # one row left
    graph = graph_of(keras.Model(x, layers.Multiply()([x, layers.Permute((1, 2, 3))(gain)])))
    assert axes_of(graph)[graph.output][:2] == (T, F)
