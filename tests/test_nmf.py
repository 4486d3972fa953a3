import numpy as np
import pytest

import xaiaudio as xa
from xaiaudio.nmf import dictionary, divergence, factorised, kl_activations, kl_factorised, shares

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


START = kl_factorised(VALUES, 4, rounds=1)


def test_neither_cost_ever_rises():
    values = VALUES + 1e-3  # a frame of zeros would be 0 / 0
    columns, active = (part.astype(float) + 1e-3 for part in START)
    costs = []
    for _ in range(100):  # the updates as they are written down
        columns = columns * ((values / (columns @ active)) @ active.T) / active.sum(axis=1)
        costs.append(divergence(values, columns @ active))
        active = active * (columns.T @ (values / (columns @ active)))
        active /= columns.sum(axis=0)[:, None]
        costs.append(divergence(values, columns @ active))
    assert (np.diff(costs) <= 1e-9 * costs[0]).all() and costs[-1] < costs[0]
    ours = [
        divergence(VALUES, np.matmul(*kl_factorised(VALUES, 4, rounds=n))) for n in range(1, 30)
    ]
    assert (np.diff(ours) <= 1e-5 * ours[0]).all() and ours[-1] < 0.9 * ours[0]


def test_each_frame_keeps_its_energy():
    columns, active = kl_factorised(VALUES, 4)
    np.testing.assert_allclose(columns.sum(axis=0), 1, atol=1e-5)
    np.testing.assert_allclose(active.sum(axis=0), VALUES.sum(axis=0), rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose((columns @ active).sum(), VALUES.sum(), rtol=1e-5)
    again = kl_activations(VALUES, columns.astype(float), rounds=3)
    np.testing.assert_allclose(again.sum(axis=0), VALUES.sum(axis=0), rtol=1e-9)


def test_squared_errors_keep_no_energy():
    columns, active = factorised(VALUES, 2, sparsity=0.0, rounds=100)
    assert abs((columns @ active).sum() / VALUES.sum() - 1) > 1e-3


def test_scale_goes_from_one_side_to_the_other():
    columns, active = START
    scale = np.array([0.1, 1, 10, 100])
    moved = (columns * scale) @ (active / scale[:, None])
    np.testing.assert_allclose(moved, columns @ active, rtol=1e-4, atol=1e-6)


def test_zeros_stay_zeros():
    columns = START[0].copy()
    columns[:, 2] = 0
    assert not kl_activations(VALUES, columns, rounds=5)[2].any()


def test_separate_spectra_are_found_again():
    rng = np.random.default_rng(2)
    true = np.eye(4).repeat(5, axis=0) * rng.uniform(0.5, 1, (20, 4))
    values = true @ (rng.random((4, 200)) * (rng.random((4, 200)) < 0.5))
    found = kl_factorised(values, 4, rounds=300, seed=1)[0]
    unit = [part / np.linalg.norm(part, axis=0) for part in (found, true)]
    assert (unit[0].T @ unit[1]).max(axis=0).min() > 0.99


def test_a_floor_leaves_no_bin_deaf():
    columns = kl_factorised(np.eye(4).repeat(9, axis=1), 2, floor=1e-3)[0]
    assert columns.min() >= 0.999e-3
    np.testing.assert_allclose(columns.sum(axis=0), 1, atol=1e-5)


def test_shares_sum_to_one_and_give_the_sound_back():
    columns, active = START
    found = shares(columns.astype(float), active.astype(float))
    np.testing.assert_allclose(found.sum(axis=0), 1, atol=1e-12)
    np.testing.assert_allclose((found * VALUES).sum(axis=0), VALUES, atol=1e-12)
    cell = columns[3] * active[:, 7]
    if cell.sum() > 0:
        np.testing.assert_allclose(found[:, 3, 7], cell / cell.sum(), rtol=1e-5)
