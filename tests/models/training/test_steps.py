"""What every training run shares, against plain definitions."""

import keras
import numpy as np
import pytest

from xaiaudio.models.training.steps import compiled_step, in_batches, loss_and_accuracy


def test_loss_and_accuracy_against_keras():
    random = np.random.default_rng(0)
    logits, targets = random.normal(0, 30, (20, 4)), random.integers(0, 4, 20)
    loss, accuracy = loss_and_accuracy(logits, targets)
    expected = keras.losses.sparse_categorical_crossentropy(targets, logits, from_logits=True)
    assert loss == pytest.approx(float(np.mean(expected)), rel=1e-5)
    assert accuracy == np.mean(logits.argmax(axis=1) == targets)


def test_outputs_of_any_number_are_those_of_the_network_in_use():
    features = keras.layers.Input((5,))
    dropped = keras.layers.Dropout(0.9)(keras.layers.Dense(3)(features))
    network = keras.Model(features, dropped)
    run = in_batches(network, 4)
    inputs = np.random.default_rng(0).normal(size=(11, 5))
    for count in (1, 4, 11):
        found = run(inputs[:count])
        assert found.dtype == np.float32
        np.testing.assert_allclose(found, network(inputs[:count]), atol=1e-6)
    network.set_weights([2 * weight for weight in network.get_weights()])
    np.testing.assert_allclose(run(inputs), network(inputs), atol=1e-6)  # compiled, not frozen


def test_a_step_follows_the_slope_of_the_cross_entropy_with_shares_of_classes():
    random = np.random.default_rng(2)
    inputs = random.normal(size=(6, 5)).astype("float32")
    targets = random.dirichlet(np.ones(3), 6).astype("float32")
    features = keras.layers.Input((5,))
    network = keras.Model(features, keras.layers.Dense(3, use_bias=False)(features))
    kernel = network.get_weights()[0].astype(float)
    step = compiled_step(network, keras.optimizers.SGD(0.5))
    for _ in range(3):
        powers = np.exp(inputs @ kernel)
        chances = powers / powers.sum(axis=1, keepdims=True)
        loss, accuracy = step(inputs, targets)
        assert float(loss) == pytest.approx(
            -(targets * np.log(chances)).sum(axis=1).mean(), rel=1e-5
        )
        hits = chances.argmax(axis=1) == targets.argmax(axis=1)
        assert float(accuracy) == pytest.approx(hits.mean())
        kernel -= 0.5 * inputs.T @ (chances - targets) / 6
        np.testing.assert_allclose(network.get_weights()[0], kernel, atol=1e-5)


@pytest.mark.slow
def test_layers_that_are_frozen_stay():
    features = keras.layers.Input((5,))
    frozen = keras.layers.Dense(4, trainable=False)
    network = keras.Model(features, keras.layers.Dense(2)(frozen(features)))
    before = [weight.copy() for weight in network.get_weights()]
    step = compiled_step(network, keras.optimizers.Adam(0.1))
    step(np.ones((3, 5), "float32"), np.eye(2, dtype="float32")[[0, 1, 0]])
    moved = [not np.array_equal(a, b) for a, b in zip(before, network.get_weights(), strict=True)]
    assert moved == [False, False, True, True]


def test_certainty_that_is_wrong_costs_much_and_stays_finite():
    loss, accuracy = loss_and_accuracy([[1e4, 0.0], [0.0, 1e4]], np.array([1, 1]))
    assert loss == pytest.approx(5e3) and accuracy == 0.5
