"""What is quicker while a network is fitted: beside plain definitions, in double precision."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from xaiaudio.models.designs import quick

RANDOM = np.random.default_rng(8)
SHAPE = (5, 6, 4, 3)


def normal_of(values, axes, epsilon):
    """Return values without their mean, over their standard deviation, and both moments."""
    mean = values.mean(axis=axes, keepdims=True)
    variance = np.mean((values - mean) ** 2, axis=axes, keepdims=True)
    return (values - mean) / np.sqrt(variance + epsilon), mean, variance


def cost_of(values, aims, stretch, shift, axes, epsilon):
    return np.sum(aims * (normal_of(values, axes, epsilon)[0] * stretch + shift) ** 3)


def slopes_of(cost, *arrays):
    """Return the slopes of a cost, one number after the other."""
    found = []
    for number, array in enumerate(arrays):
        slopes = np.zeros(array.shape)
        for index in np.ndindex(array.shape):
            ends = []
            for step in (1e-5, -1e-5):
                moved = [one.copy() for one in arrays]
                moved[number][index] += step
                ends.append(cost(*moved))
            slopes[index] = (ends[0] - ends[1]) / 2e-5
        found.append(slopes)
    return found


def network_of(layer, shape=SHAPE[1:]):
    inputs = keras.Input(shape)
    return keras.Model(inputs, layer(inputs))


@pytest.fixture
def drawn():
    """Return values, aims, a stretch and a shift, in double precision."""
    return (
        RANDOM.normal(2, 3, SHAPE),
        RANDOM.normal(0, 0.3, SHAPE),
        RANDOM.uniform(0.5, 2, SHAPE[-1]),
        RANDOM.normal(0, 1, SHAPE[-1]),
    )


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["batch", "layer"])
@pytest.mark.parametrize("graph", [True, False])
def test_normalisations_are_what_they_are_by_definition(kind, graph, drawn):
    values, aims, stretch, shift = drawn
    axes = (0, 1, 2) if kind == "batch" else (3,)
    epsilon = 0.03
    layer = (
        keras.layers.BatchNormalization(momentum=0.8, epsilon=epsilon)
        if kind == "batch"
        else keras.layers.LayerNormalization(epsilon=epsilon)
    )
    network = network_of(layer)
    layer.gamma.assign(stretch)
    layer.beta.assign(shift)
    inputs, wanted = (tf.constant(array, tf.float32) for array in (values, aims))

    def run(given):
        with tf.GradientTape() as tape:
            tape.watch(given)
            found = network(given, training=True)
            cost = tf.reduce_sum(wanted * found**3)
        return found, tape.gradient(cost, [given, layer.gamma.value, layer.beta.value])

    with quick.fitted(network):
        found, slopes = (tf.function(run, autograph=False) if graph else run)(inputs)
    normal, mean, variance = normal_of(values, axes, epsilon)
    assert np.allclose(found, normal * stretch + shift, atol=1e-5)

    def cost(*arrays):
        return cost_of(arrays[0], aims, *arrays[1:], axes, epsilon)

    for told, true in zip(slopes, slopes_of(cost, values, stretch, shift), strict=True):
        assert np.allclose(told, true, atol=1e-5 * max(1, np.abs(true).max()))
    if kind == "batch":
        assert np.allclose(layer.moving_mean, 0.2 * mean.ravel(), atol=1e-5)
        assert np.allclose(layer.moving_variance, 0.8 + 0.2 * variance.ravel(), atol=1e-5)


def test_a_normalisation_in_use_stays_what_it_was(drawn):
    network = network_of(keras.layers.BatchNormalization(momentum=0.8))
    network(drawn[0], training=True)
    before = network(drawn[0], training=False)
    with quick.fitted(network):
        again = network(drawn[0], training=False)
    assert np.array_equal(before, again)


@pytest.mark.slow
@pytest.mark.parametrize(
    "layer",
    [
        keras.layers.BatchNormalization(axis=1),
        keras.layers.BatchNormalization(scale=False),
        keras.layers.BatchNormalization(dtype="mixed_bfloat16"),
        keras.layers.LayerNormalization(axis=(1, 2)),
        keras.layers.LayerNormalization(center=False),
    ],
)
def test_what_does_not_fit_stays_plain(layer, drawn):
    network = network_of(layer)
    before = network(drawn[0], training=True)
    with quick.fitted(network):
        assert type(layer) in (
            keras.layers.BatchNormalization,
            keras.layers.LayerNormalization,
        )
        assert np.array_equal(before, network(drawn[0], training=True))


def test_rows_are_normalised_as_well_as_maps():
    layer = keras.layers.BatchNormalization()
    network = network_of(layer, (3,))
    rows = RANDOM.normal(2, 3, (20, 3))
    with quick.fitted(network):
        found = network(rows, training=True)
    assert np.allclose(found, normal_of(rows, 0, layer.epsilon)[0], atol=1e-5)


def test_afterwards_the_layers_are_plain_again_whatever_happened(tmp_path, drawn):
    layer = keras.layers.LayerNormalization()
    network = network_of(layer)
    with pytest.raises(KeyError), quick.fitted(network, network):
        assert type(layer) is not keras.layers.LayerNormalization
        raise KeyError
    assert type(layer) is keras.layers.LayerNormalization
    network.save(tmp_path / "network.keras")
    again = keras.models.load_model(tmp_path / "network.keras")
    assert np.allclose(network(drawn[0]), again(drawn[0]))
