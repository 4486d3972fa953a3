"""Down the gradient: Adam by its formula, lines through knots, and options that make no sense."""

import math

import numpy as np
import pytest
import tensorflow as tf

import xaiaudio as xa
from xaiaudio.synthesis.ddsp.descent import check_options, descend, through


@pytest.mark.parametrize("frames, knot", [(9, 4), (10, 4), (5, 1), (3, 8), (1, 4)])
def test_straight_lines_through_knots(frames, knot):
    weights = through(frames, knot).numpy()
    np.testing.assert_allclose(weights.sum(axis=1), 1, rtol=1e-6)
    values = np.random.default_rng(0).standard_normal(weights.shape[1])
    wanted = np.interp(np.arange(frames), knot * np.arange(len(values)), values)
    np.testing.assert_allclose(weights @ values, wanted, rtol=1e-5, atol=1e-6)
    assert weights.any(axis=0).all()  # no knot is without a frame


def test_each_step_is_that_of_the_paper():
    """(x - 3)^2 plus the number of the step, by hand."""
    found = descend(
        lambda value, number: (value - 3) ** 2 + tf.cast(number, tf.float64),
        *(tf.constant(0.5, tf.float64), 6, 0.1, "", False),
    )
    value, first, second, losses, way = 0.5, 0.0, 0.0, [], []
    for number in range(1, 8):
        losses.append((value - 3) ** 2 + number - 1)
        way.append(value)
        if number == 7:
            break
        slope = 2 * (value - 3)
        first = 0.9 * first + 0.1 * slope
        second = 0.999 * second + 0.001 * slope**2
        mean, square = first / (1 - 0.9**number), second / (1 - 0.999**number)
        value -= 0.1 * mean / math.sqrt(square)
    assert float(found[0]) == pytest.approx(value, rel=1e-6)
    np.testing.assert_allclose(found[1], losses, rtol=1e-6)
    np.testing.assert_allclose(found[2], way, rtol=1e-6)


@pytest.mark.slow
def test_of_several_numbers_each_goes_its_own_way():
    goal = np.array([1.0, -2.0, 0.0])
    start = tf.zeros(3, tf.float64)
    value, losses, way = descend(
        lambda value, number: tf.reduce_sum((value - goal) ** 2), start, 80, 0.1, "", False
    )
    np.testing.assert_allclose(value, goal, atol=0.1)
    assert losses[-1] < 0.01 * losses[0] and len(losses) == 81
    assert np.isnan(way).all()  # no single number to show


@pytest.mark.parametrize(
    "options, told",
    [
        ((-1, 0.1, (64,)), "steps is -1"),
        ((True, 0.1, (64,)), "steps is True"),
        ((3, 0.0, (64,)), "rate is 0.0"),
        ((3, float("nan"), (64,)), "rate is nan"),
        ((3, "x", (64,)), "rate is 'x'"),
        ((3, 0.1, ()), "sizes is ()"),
        ((3, 0.1, (64, 3)), r"sizes is \(64, 3\)"),
        ((3, 0.1, 64), "sizes is 64"),
        ((3, 0.1, (64,), -1), "seed is -1"),
        ((3, 0.1, (64,), 2**31), "seed is 2147483648"),
    ],
)
def test_options_that_make_no_sense(options, told):
    with pytest.raises(xa.XaiAudioError, match=told):
        check_options(*options)


def test_options_that_make_sense():
    check_options(0, 1e-3, [4])
    check_options(np.int64(5), np.float32(0.1), np.array([64, 128]), np.int64(7))
