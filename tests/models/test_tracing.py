"""Functions compiled once, for the tensors that they were compiled for."""

import numpy as np
import pytest
import tensorflow as tf

from xaiaudio.models.tracing import traced

FLOATS = [tf.TensorSpec((None, 2), tf.float32)]


@pytest.fixture
def eagerly():
    tf.config.run_functions_eagerly(True)
    yield
    tf.config.run_functions_eagerly(False)


def counting():
    """Return a function, and how often Python itself ran it."""
    ran = []

    def double(x):
        ran.append(1)
        return 2 * x

    return double, ran


def test_it_is_run_by_python_once_whatever_number_it_is_given():
    double, ran = counting()
    found = traced(double, FLOATS)
    assert len(ran) == 1  # here and now
    for count in (1, 5, 0):
        given = tf.ones((count, 2))
        np.testing.assert_array_equal(found(given), 2 * given)
    assert len(ran) == 1


@pytest.mark.slow
def test_a_function_made_many_times_is_no_function_that_changes(caplog):
    for factor in range(8):
        found = traced(lambda x, factor=factor: factor * x, FLOATS)
        np.testing.assert_array_equal(found(tf.ones((1, 2))), [[factor, factor]])
    assert "retracing" not in caplog.text


def test_numbers_of_another_kind_are_refused():
    found = traced(lambda x: 2 * x, FLOATS)
    for wrong in (tf.ones((3, 2), tf.float64), tf.ones((3, 2), tf.int32)):
        with pytest.raises((TypeError, ValueError, tf.errors.InvalidArgumentError)):
            found(wrong)


def test_gradients_pass_through_it():
    found = traced(lambda x: x**3, FLOATS)
    given = tf.constant([[1.0, 2.0]])
    with tf.GradientTape() as tape:
        tape.watch(given)
        total = tf.reduce_sum(found(given))
    np.testing.assert_allclose(tape.gradient(total, given), [[3, 12]])


def test_step_by_step_where_that_is_asked_for(eagerly):
    double, ran = counting()
    found = traced(double, FLOATS)
    assert not ran
    for _ in range(2):
        np.testing.assert_array_equal(found(tf.ones((1, 2))), [[2, 2]])
    assert len(ran) == 2
