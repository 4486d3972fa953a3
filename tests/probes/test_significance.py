"""Signs thrown at random, all of them; and the correction for many tests, step by step."""

import itertools

import numpy as np
import pytest
from scipy import stats

from xaiaudio.probes import significance


@pytest.mark.parametrize("counts", [[3, -1, 2, 5], [4, 4, -4, 4, 4], [0, 0, 2], [0, 0], [7]])
def test_sign_flips_counts_all_throws(counts):
    sums = [abs(np.dot(signs, counts)) for signs in itertools.product((1, -1), repeat=len(counts))]
    assert significance.sign_flips(counts) == pytest.approx(
        np.mean(np.array(sums) >= abs(sum(counts)))
    )


def test_sign_flips_of_equal_counts_is_the_sign_test():
    for positive in range(21):
        counts = [6] * positive + [-6] * (20 - positive)
        wanted = stats.binomtest(positive, 20).pvalue
        assert significance.sign_flips(counts) == pytest.approx(wanted)


def test_holm_step_by_step():
    p = np.random.default_rng(0).random((3, 4)) ** 3
    corrected = significance.holm(p)
    for level in np.linspace(0, 1, 201):
        rejected, left = set(), sorted(range(12), key=lambda k: p.flat[k])
        for rank, number in enumerate(left):
            if p.flat[number] >= level / (12 - rank):
                break
            rejected.add(number)
        assert set(np.flatnonzero(corrected.ravel() < level)) == rejected


def test_a_corrected_value_is_no_smaller_and_no_larger_than_1():
    p = np.array([[0.9, 0.02], [0.5, 0.04]])
    corrected = significance.holm(p)
    assert corrected.shape == p.shape and (corrected >= p).all() and corrected.max() == 1
    assert corrected[0, 1] == pytest.approx(4 * 0.02)  # the least is multiplied by their number
    assert significance.holm([]).shape == (0,)


def test_exchanging_signs_changes_no_chance():
    counts = np.random.default_rng(0).integers(-9, 10, size=20)
    assert significance.sign_flips(counts) == pytest.approx(significance.sign_flips(-counts))
