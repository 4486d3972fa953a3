import numpy as np
import pytest

import xaiaudio as xa
from xaiaudio.explainers.trained.nmf import dictionary, factorised

RNG = np.random.default_rng(0)
TRUTH = np.abs(RNG.normal(size=(20, 4))) * (RNG.random((20, 4)) < 0.4)
VALUES = TRUTH @ (RNG.random((4, 300)) * (RNG.random((4, 300)) < 0.5))


def cost(columns, active, sparsity):
    return 0.5 * np.square(VALUES - columns @ active).sum() + sparsity * active.sum()


def test_nothing_is_negative_and_columns_have_length_1():
    columns, active = factorised(VALUES, 4)
    assert columns.shape == (20, 4) and active.shape == (4, 300)
    assert columns.min() >= 0 and active.min() >= 0
    np.testing.assert_allclose(np.linalg.norm(columns, axis=0), 1, atol=1e-5)


def test_each_round_costs_no_more():
    costs = [cost(*factorised(VALUES, 4, rounds=rounds), 0.1) for rounds in range(1, 30)]
    assert (np.diff(costs) <= 1e-3 * costs[0]).all() and costs[-1] < 0.5 * costs[0]


def test_it_finds_what_sounds_are_made_of():
    columns = dictionary(VALUES, 4, sparsity=0.01, rounds=400)
    true = TRUTH / np.linalg.norm(TRUTH, axis=0)
    assert (columns.T @ true).max(axis=0).min() > 0.95


def test_sparsity_costs_activations():
    amounts = [factorised(VALUES, 6, sparsity=one)[1].sum() for one in (0.0, 0.5, 2.0)]
    assert amounts[0] > amounts[1] > amounts[2]


def test_a_seed_decides():
    one, two, other = (dictionary(VALUES, 4, seed=seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(one, two)
    assert not np.array_equal(one, other)


@pytest.mark.parametrize("wrong", [-np.ones((3, 2)), np.zeros((3, 2)), np.full((3, 2), np.nan)])
def test_what_is_no_magnitude_is_refused(wrong):
    with pytest.raises(xa.XaiAudioError, match="needs magnitudes"):
        dictionary(wrong, 2)
