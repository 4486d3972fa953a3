"""What is remembered is what the network gives, and what a training leads to."""

import keras
import numpy as np
import pytest
from small_networks import random_patches

from xaiaudio.models.training import remembered

SHAPE = (6, 5)


def network(seed=0, width=3):
    keras.utils.set_random_seed(seed)
    inputs = keras.Input((*SHAPE, 1), name="patch")
    flat = keras.layers.Flatten(name="flat")(inputs)
    return keras.Model(inputs, keras.layers.Dense(width, name="dense")(flat))


@pytest.fixture
def counted(monkeypatch):
    """Count the patches that are computed."""
    asked = []
    original = remembered.in_batches

    def counting(model):
        run = original(model)
        return lambda inputs: (asked.append(len(inputs)), run(inputs))[1]

    monkeypatch.setattr(remembered, "in_batches", counting)
    monkeypatch.setattr(remembered, "_KNOWN", {})
    return asked


@pytest.mark.slow
def test_each_patch_is_computed_once(counted):
    patches, one = random_patches(9, SHAPE), network()
    wanted = one.predict(patches[..., None], verbose=0)
    for chosen in ([0, 1, 2, 3], [3, 2, 8, 8], list(range(9)), [5]):
        found = remembered.outputs(one, patches[chosen])
        np.testing.assert_allclose(found, wanted[chosen], atol=1e-6)
    assert counted == [4, 1, 4]


@pytest.mark.slow
def test_another_network_has_outputs_of_its_own(counted):
    patches, one, two = random_patches(3, SHAPE), network(0), network(1)
    first, second = remembered.outputs(one, patches), remembered.outputs(two, patches)
    assert not np.allclose(first, second)
    one.set_weights(two.get_weights())
    np.testing.assert_array_equal(remembered.outputs(one, patches), second)
    assert counted == [3, 3]


@pytest.mark.slow
def test_networks_asked_in_turn_are_remembered_while_there_is_room(counted, monkeypatch):
    patches, one, two, three = random_patches(3, SHAPE), *(network(seed) for seed in range(3))
    for _ in range(2):
        for net in (one, two):
            remembered.outputs(net, patches)
    assert counted == [3, 3]
    monkeypatch.setattr(remembered, "ROOM", 2 * 3 * 3)  # that of two networks
    for net in (three, two, three, one):  # the first is forgotten for the third
        remembered.outputs(net, patches)
    assert counted == [3] * 4 and len(remembered._KNOWN) == 2


def test_two_layers_with_the_same_weights_below_them_are_told_apart(counted):
    patches, one = random_patches(3, SHAPE), network()
    pooled = keras.Model(one.inputs, keras.layers.ReLU()(one.outputs[0]))
    values = remembered.outputs(one, patches)
    assert (values < 0).any()
    np.testing.assert_allclose(remembered.outputs(pooled, patches), np.maximum(values, 0))


def test_layers_that_do_something_else_with_the_same_weights_are_told_apart(counted):
    patches, found = random_patches(3, SHAPE), []
    for factor in (1.0, 2.0):
        inputs = keras.Input((*SHAPE, 1), name="patch")
        tensor = keras.layers.Flatten(name="flat")(inputs)
        scaled = keras.layers.Rescaling(factor, name="scaled")(tensor)
        found.append(remembered.outputs(keras.Model(inputs, scaled), patches))
    np.testing.assert_allclose(found[1], 2 * found[0])


@pytest.mark.slow
def test_large_outputs_are_not_kept(counted, monkeypatch):
    monkeypatch.setattr(remembered, "MOST", 2)
    patches = random_patches(3, SHAPE)
    for _ in range(2):
        assert remembered.outputs(network(), patches).shape == (3, 3)
    assert counted == [3, 3] and not remembered._KNOWN


def test_no_patches(counted):
    assert remembered.outputs(network(), np.zeros((2, *SHAPE)))[:0].shape == (0, 3)


@pytest.fixture
def halved(monkeypatch):
    """Return a training that halves a variable, and the list of what it was asked."""
    monkeypatch.setattr(remembered, "_TRAINED", {})
    asked = []

    def train(start, about, array):
        variable = keras.Variable(np.array(start, np.float32))

        def course():
            asked.append((start, about, array))
            variable.assign(variable / 2)
            return {"loss": np.array([1.0]), "seconds": np.array(7.0)}

        return remembered.trained(course, [variable], [about], [np.array(array)]), variable.numpy()

    return train, asked


def test_the_same_training_is_not_done_twice(halved):
    train, asked = halved
    first, second = train([2.0, 4.0], "a", [1]), train([2.0, 4.0], "a", [1])
    np.testing.assert_array_equal(second[1], [1, 2])
    np.testing.assert_array_equal(first[1], [1, 2])
    assert len(asked) == 1
    assert remembered.BEFORE not in first[0] and second[0][remembered.BEFORE] == 7


@pytest.mark.parametrize(
    "other", [([2.0, 5.0], "a", [1]), ([2.0, 4.0], "b", [1]), ([2.0, 4.0], "a", [2])]
)
def test_a_training_that_differs_in_anything_is_done(halved, other):
    train, asked = halved
    train([2.0, 4.0], "a", [1])
    _, value = train(*other)
    np.testing.assert_array_equal(value, np.array(other[0]) / 2)
    assert len(asked) == 2


def test_the_oldest_training_is_forgotten_first(halved, monkeypatch):
    train, asked = halved
    monkeypatch.setattr(remembered, "TRAININGS", 2)
    for start in (1.0, 2.0, 3.0, 3.0, 2.0, 1.0):
        train([start], "a", [1])
    assert [start for (start,), *_ in asked] == [1, 2, 3, 1]
