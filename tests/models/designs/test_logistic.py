"""A logistic regression with a column for each class, at the least of what it minimises."""

import numpy as np
import pytest

from xaiaudio.models.designs.logistic import logistic


def drawn(classes, n=60, parts=4):
    """Return inputs and classes that overlap, so that weights stay finite."""
    rng = np.random.default_rng(classes)
    targets = rng.integers(classes, size=n)
    return rng.normal(size=(n, parts)) + rng.normal(size=(classes, parts))[targets], targets


def chances(inputs, weights, bias):
    powers = np.exp(inputs @ weights + bias)
    return powers / powers.sum(axis=1, keepdims=True)


@pytest.mark.parametrize("freedom", [0.1, 3.0])
@pytest.mark.parametrize("classes", [2, 3, 5])
def test_no_weight_can_be_moved_to_make_the_cost_less(classes, freedom):
    """The cost: half the sum of squared weights, and `freedom` times the summed cross-entropy."""
    inputs, targets = drawn(classes)
    weights, bias = logistic(inputs, targets, freedom=freedom)
    assert weights.shape == (4, classes) and bias.shape == (classes,)
    wrong = chances(inputs, weights, bias) - np.eye(classes)[targets]
    # Of two classes there is one direction, the second against the first, and it is counted once.
    cost = weights[:, 1:] - weights[:, :1] if classes == 2 else weights
    slopes = cost + freedom * inputs.T @ (wrong[:, 1:] if classes == 2 else wrong)
    np.testing.assert_allclose(slopes, 0, atol=2e-2)
    np.testing.assert_allclose(freedom * wrong.sum(axis=0), 0, atol=2e-2)


def test_two_classes_are_each_others_opposite():
    weights, bias = logistic(*drawn(2))
    np.testing.assert_array_equal(weights[:, 0], -weights[:, 1])
    assert bias[0] == -bias[1] != 0


@pytest.mark.parametrize("classes", [2, 3])
def test_columns_are_in_the_order_of_the_classes_that_there_are(classes):
    inputs, targets = drawn(classes)
    plain = logistic(inputs, targets)
    for names in ([4, 7, 11][:classes], [2, 1, 0][-classes:]):
        found = logistic(inputs, np.array(names)[targets])
        order = np.argsort(names)
        for one, other in zip(found, plain, strict=True):
            np.testing.assert_allclose(one, other[..., order], atol=1e-2)


def test_more_freedom_gives_larger_weights():
    sizes = [np.abs(logistic(*drawn(3), freedom=freedom)[0]).sum() for freedom in (0.01, 1, 100)]
    assert sizes[0] < sizes[1] < sizes[2]
