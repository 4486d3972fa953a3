"""The engine that follows a network backwards: variants of inputs, batch by batch."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers
from small_networks import smooth_network

from xaiaudio import XaiAudioError
from xaiaudio.explainers import gradients
from xaiaudio.explainers.engines import backward


@pytest.mark.slow
def test_more_inputs_than_a_batch_holds():
    network = smooth_network((6, 4))
    inputs = np.random.default_rng(0).normal(size=(backward.BATCH * 2 + 5, 6, 4))
    targets = np.arange(len(inputs)) % 3
    found = gradients.gradient(network, inputs, targets)
    for number in (0, backward.BATCH - 1, backward.BATCH, len(inputs) - 1):
        alone = gradients.gradient(network, inputs[[number]], targets[[number]])
        np.testing.assert_allclose(found[number], alone[0], atol=1e-6)


def test_a_network_without_gradient_is_refused():
    inputs = keras.Input((4, 3))
    x = layers.Lambda(lambda x: tf.cast(tf.argmax(x, axis=-1), tf.float32))(inputs)
    network = keras.Model(inputs, layers.Dense(2)(x))
    with pytest.raises(XaiAudioError, match="not differentiable"):
        gradients.gradient(network, np.zeros((1, 4, 3)), [0])


def test_a_subclassed_model_is_refused():
    class Mine(keras.Model):
        def call(self, x):
            return x

    with pytest.raises(XaiAudioError, match="not a functional Keras model"):
        gradients.gradient(Mine(), np.zeros((1, 4)), [0])


def squares_and_first(x):
    """Logits whose gradients are known: the sum of squares, and the first value."""
    return tf.stack([tf.reduce_sum(x**2, axis=1), x[:, 0]], axis=1)


INPUTS = np.random.default_rng(0).normal(size=(5, 3)).astype("float32")
TARGETS = np.array([0, 1, 0, 0, 1])


def known(inputs, targets):
    return np.where(targets[:, None] == 0, 2 * inputs, np.eye(3)[0])


@pytest.mark.slow
@pytest.mark.parametrize("batch", [1, 3, 64])
def test_variants_are_averaged_input_by_input(batch):
    rng = np.random.default_rng(1)
    directions, factors = rng.normal(size=(5, 3)), rng.normal(size=(7, 3))
    engine = backward.Backward(squares_and_first, (3,), batch)
    found = engine(INPUTS, TARGETS, directions, factors, progress=False)
    for number in range(5):
        moved = INPUTS[number] + directions[number] * factors
        wanted = known(moved, np.full(7, TARGETS[number])).mean(axis=0)
        np.testing.assert_allclose(found[number], wanted, atol=1e-5)


@pytest.mark.slow
def test_directions_and_factors_may_be_one_number_each():
    engine = backward.Backward(squares_and_first, (3,), 4)
    directions, factors = np.arange(5.0)[:, None], np.array([[0.5], [1.5]])
    found = engine(INPUTS, TARGETS, directions, factors, progress=False)
    wanted = known(INPUTS + directions, TARGETS)  # the factors are 1 on average
    np.testing.assert_allclose(found, wanted, atol=1e-5)


def test_scores_are_the_logits_of_the_targets():
    engine = backward.Backward(squares_and_first, (3,), 2)
    wanted = np.where(TARGETS == 0, (INPUTS**2).sum(axis=1), INPUTS[:, 0])
    np.testing.assert_allclose(engine.scores(INPUTS, TARGETS), wanted, rtol=1e-5)
    assert engine.scores(INPUTS[:0], TARGETS[:0]).shape == (0,)
    assert engine(INPUTS[:0], TARGETS[:0]).shape == (0, 3)


@pytest.mark.slow
@pytest.mark.parametrize("groups", [1, 2])
def test_a_network_runs_as_it_is_and_in_groups_it_has_a_gradient(groups):
    keras.utils.set_random_seed(0)
    start = keras.Input((6, 4))
    x = layers.Conv1D(4, 3, groups=groups, activation="tanh")(start)
    network = keras.Model(start, layers.Dense(2)(layers.GlobalAveragePooling1D()(x)))
    inputs = np.random.default_rng(0).normal(size=(2, 6, 4)).astype("float32")
    found = backward.plain(network, tf.constant(inputs))
    np.testing.assert_allclose(found, network.predict_on_batch(inputs), atol=1e-5)
    engine = backward.engine_of(network)
    assert engine is backward.engine_of(network)
    slopes = engine(inputs, [0, 1])
    step = np.zeros((2, 6, 4), "float32")
    step[:, 2, 1] = 1e-2
    rise = engine.scores(inputs + step, [0, 1]) - engine.scores(inputs - step, [0, 1])
    np.testing.assert_allclose(slopes[:, 2, 1], rise / 2e-2, atol=2e-3)
