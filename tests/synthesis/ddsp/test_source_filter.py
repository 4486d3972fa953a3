"""The filter by its lines: in order, stable, and what the definition says in loops."""

import numpy as np
import pytest
import tensorflow as tf
from scipy.signal import freqz

from xaiaudio.synthesis.ddsp import source_filter
from xaiaudio.synthesis.ddsp.source_filter import ORDER, Voice, gain, lines, polynomial, resonances

RAW = np.random.default_rng(0).normal(0, 2, (12, ORDER + 1))
LINES = lines(tf.constant(RAW)).numpy()


def plain_polynomial(row):
    """Multiply the factors of both halves out, one by one."""
    sums = [1.0, 1.0], [1.0, -1.0]
    for number, line in enumerate(row):
        factor = [1.0, -2 * np.cos(line), 1.0]
        old = sums[number % 2]
        new = [0.0] * (len(old) + 2)
        for i, one in enumerate(old):
            for j, other in enumerate(factor):
                new[i + j] += one * other
        sums[number % 2][:] = new
    return [(p + q) / 2 for p, q in zip(*sums, strict=True)]


def test_lines_are_in_order_inside_half_a_turn():
    wild = lines(tf.constant(100 * RAW)).numpy()
    for found in (LINES, wild):
        assert np.all(np.diff(found, axis=1) > 0) and found.min() > 0 and found.max() < np.pi


def test_the_polynomial_is_what_its_definition_says():
    found = polynomial(LINES)
    for row, ours in zip(LINES, found, strict=True):
        theirs = plain_polynomial(row)
        assert theirs[-1] == pytest.approx(0, abs=1e-9)
        np.testing.assert_allclose(ours, theirs[:-1], atol=1e-9)
    assert np.allclose(found[:, 0], 1)


def test_all_poles_lie_inside_the_unit_circle():
    for row in polynomial(lines(tf.constant(3 * RAW)).numpy()):
        assert np.abs(np.roots(row)).max() < 1


def test_the_gain_is_that_of_the_filter():
    hertz = np.linspace(0, 7999, 40)
    calm = lines(tf.constant(0.5 * RAW)).numpy()
    ours = gain(tf.constant(calm), tf.constant(hertz)).numpy()
    for row, heights in zip(polynomial(calm), ours, strict=True):
        _, theirs = freqz([1.0], row, worN=hertz, fs=16_000)
        # What keeps the gradient finite shows where the gain is in the thousands.
        np.testing.assert_allclose(heights, np.abs(theirs), rtol=1e-3)


def test_each_frame_may_ask_for_its_own_frequencies():
    hertz = np.random.default_rng(1).uniform(0, 8000, (len(LINES), 5))
    ours = gain(tf.constant(LINES), tf.constant(hertz)).numpy()
    for row, asked, heights in zip(LINES, hertz, ours, strict=True):
        alone = gain(tf.constant(row[None]), tf.constant(asked)).numpy()[0]
        np.testing.assert_allclose(heights, alone, rtol=1e-12)


def test_resonances_are_those_that_were_put_in():
    known, width = np.array([500.0, 1500.0, 2500.0]), 80.0
    row = np.array([1.0])
    for hertz in known:
        radius = np.exp(-np.pi * width / 16_000)
        row = np.convolve(row, [1, -2 * radius * np.cos(2 * np.pi * hertz / 16_000), radius**2])
    # The lines of a polynomial: the angles of what its two halves vanish at.
    halves = [np.append(row, 0) + sign * np.append(row, 0)[::-1] for sign in (1, -1)]
    angles = [np.angle(np.roots(half)) for half in halves]
    found = np.sort(np.concatenate([one[(one > 1e-6) & (one < np.pi - 1e-6)] for one in angles]))
    np.testing.assert_allclose(polynomial(found[None])[0], row, atol=1e-9)
    hertz, widths = resonances(found[None])
    np.testing.assert_allclose(hertz[0], known, rtol=1e-6)
    np.testing.assert_allclose(widths[0], width, rtol=1e-6)
    voice = Voice(np.array([100.0]), np.ones(1), found[None], np.zeros((1, 40)))
    np.testing.assert_allclose(voice.formants()[0], known, rtol=1e-6)
    assert np.isnan(voice.formants(widest=50.0)).all()


def test_the_source_falls_by_six_decibels_an_octave_above_its_corner():
    heights = source_filter.slope(tf.constant([100.0, 0.0], tf.float64), 100).numpy()
    assert heights[0, :2].tolist() == [1.0, 1.0]
    assert heights[0, 7] / heights[0, 3] == pytest.approx(0.5)
    assert not heights[0, 79:].any() and heights[0, 78] > 0 and not heights[1].any()
