"""The probe itself against plain gradient descent, and its features against loops."""

import numpy as np
import pytest
from plain_probes import plain_standardised

from xaiaudio import XaiAudioError
from xaiaudio.probes.fitting import check_penalty, checked, probabilities, standardised


def plain_logistic(train, targets, test, classes, penalty, steps=20_000, rate=0.002):
    """Gradient descent on the sum of logarithmic losses and half the penalised squares."""
    train, test = plain_standardised(train, test)
    weights, bias = np.zeros((train.shape[1], classes)), np.zeros(classes)
    one_hot = np.eye(classes)[targets]
    for _ in range(steps):
        powers = np.exp(train @ weights + bias)
        wrong = powers / powers.sum(axis=1, keepdims=True) - one_hot
        weights = weights - rate * (train.T @ wrong + penalty * weights)
        bias = bias - rate * wrong.sum(axis=0)
    powers = np.exp(test @ weights + bias)
    return powers / powers.sum(axis=1, keepdims=True)


@pytest.fixture
def rng():
    return np.random.default_rng(11)


@pytest.mark.slow
@pytest.mark.parametrize("classes", [3, 4])
def test_the_probe_is_penalised_logistic_regression(rng, classes):
    targets = np.arange(40) % classes
    train = rng.normal(size=(40, 3)) * [1, 10, 0.1] + targets[:, None]
    test = rng.normal(size=(9, 3))
    for penalty in (1.0, 10.0):
        found = probabilities(train, targets, test, classes, penalty)
        wanted = plain_logistic(train, targets, test, classes, penalty)
        np.testing.assert_allclose(found, wanted, atol=5e-3)


def test_a_class_that_was_not_met_has_no_probability(rng):
    train, test = rng.normal(size=(20, 2)), rng.normal(size=(5, 2))
    found = probabilities(train, np.arange(20) % 2 * 2, test, 4)
    np.testing.assert_array_equal(found[:, [1, 3]], 0)
    np.testing.assert_allclose(found.sum(axis=1), 1)
    alone = probabilities(train, np.full(20, 1), test, 3)
    np.testing.assert_array_equal(alone, np.tile([0.0, 1, 0], (5, 1)))


def test_features_are_standardised_by_the_training_rows(rng):
    train, test = rng.normal(3, 2, size=(8, 3)), rng.normal(size=(4, 3))
    train[:, 1] = 5.3
    for found, wanted in zip(
        standardised(train, test), plain_standardised(train, test), strict=True
    ):
        np.testing.assert_allclose(found, wanted, atol=1e-9)


def test_what_is_beyond_the_training_rows_is_brought_to_their_end():
    train, test = np.array([[0.0], [2.0]]), np.array([[-50.0], [1.0], [9.0]])
    assert standardised(train, test)[1].ravel().tolist() == [-1, 0, 1]


def test_rounding_is_no_spread():
    train = np.full((9, 1), 1e6) + np.linspace(-1e-4, 1e-4, 9)[:, None]
    assert not standardised(train, train + 5)[0].any()


@pytest.mark.parametrize("penalty", [0, -1.0, np.nan, np.inf])
def test_a_penalty_is_a_finite_number_above_0(penalty):
    with pytest.raises(XaiAudioError, match="penalty is"):
        check_penalty(penalty)


@pytest.mark.parametrize(
    ("rows", "values", "groups"), [(3, 2, 3), (3, 3, 2), (0, 0, 0), (None, 3, 3)]
)
def test_each_sound_has_a_row_a_value_and_a_recording(rows, values, groups):
    features = np.zeros(3) if rows is None else np.zeros((rows, 2))
    with pytest.raises(XaiAudioError, match="for each sound"):
        checked(features, np.zeros(values), np.zeros(groups))
    assert checked([[1.0]], ["cat"], [0])[1].tolist() == ["cat"]
