import itertools

import numpy as np
import pytest

from xaiaudio import XaiAudioError
from xaiaudio.explainers.engines.designs import DRAWS, draw

COUNTS = (1, 2, 3, 7, 8, 24, 49, 63, 64, 130)


def signs(rows):
    return 2.0 * rows - 1


@pytest.mark.parametrize("draws", DRAWS)
@pytest.mark.parametrize("count", [1, 2, 5, 49, 64, 1030])
def test_all_parts_first_and_the_rest_of_zeros_and_ones(draws, count):
    design = draw(count, 23, 4, draws)
    assert design.present.shape == (min(23, 2**count), count)
    assert design.present[0].all()
    assert set(np.unique(design.present)) == {0, 1}
    assert len(design.groups) == len(design)
    assert design.groups[0] == 0 and (design.groups[1:] > 0).all()


@pytest.mark.parametrize("draws", DRAWS)
def test_all_coalitions_where_the_samples_are_enough(draws):
    for count in range(1, 8):
        for samples in (2**count, 2**count + 9):
            design = draw(count, samples, 3, draws)
            assert design.complete and design.present[0].all()
            wanted = set(itertools.product((0, 1), repeat=count))
            assert set(map(tuple, design.present.tolist())) == wanted
            assert len(design) == design.distinct == 2**count
        assert not draw(count, 2**count - 1, 3, draws).complete


@pytest.mark.parametrize("draws", DRAWS)
def test_seeds_and_prefixes(draws):
    whole = draw(20, 300, 7, draws)
    assert (whole.present != draw(20, 300, 8, draws).present).any()
    for samples in (1, 2, 33, 64, 65, 66, 299, 300):
        fewer = draw(20, samples, 7, draws)
        np.testing.assert_array_equal(fewer.present, whole.present[:samples])
        np.testing.assert_array_equal(fewer.present, whole.first(samples).present)
        np.testing.assert_array_equal(fewer.groups, whole.first(samples).groups)


@pytest.mark.parametrize("draws", ["orthogonal", "complements"])
@pytest.mark.parametrize("count, samples", [(6, 33), (24, 65), (49, 257), (200, 513)])
def test_each_coalition_has_its_complement(draws, count, samples):
    design = draw(count, samples, 2, draws)
    for group in range(1, samples // 2 + 1):
        rows = design.present[design.groups == group]
        assert len(rows) == 2
        np.testing.assert_array_equal(rows[0], 1 - rows[1])
    # An even number of samples: the last row has lost its complement.
    assert (np.bincount(draw(count, samples - 1, 2, draws).groups) == 1).sum() == 2


def test_the_first_design_comes_before_its_complement_and_others_row_by_row():
    rows = draw(24, 129, 1, "orthogonal").present[1:]
    np.testing.assert_array_equal(rows[:32], 1 - rows[32:64])
    np.testing.assert_array_equal(rows[64::2], 1 - rows[65::2])


def order_of(count):
    """Return the rows of one design: the next power of two above the number of parts."""
    order = 1
    while order <= count:
        order *= 2
    return order


# With fewer parts, all coalitions are asked about and nothing is drawn.
DRAWN = [count for count in COUNTS if 2**count > 4 * order_of(count) + 1]


@pytest.mark.parametrize("count", DRAWN)
@pytest.mark.parametrize("seed", [0, 5])
def test_columns_of_whole_designs_are_balanced_and_orthogonal(count, seed):
    order = order_of(count)
    rows = signs(draw(count, 4 * order + 1, seed, "orthogonal").present[1:])
    halves = rows[:order], rows[order : 2 * order], rows[2 * order :: 2]
    for design in (rows[: 2 * order], rows[2 * order :], *halves):
        gram = design.T @ design
        np.testing.assert_array_equal(gram, len(design) * np.eye(count))
    # With the complements every column is on in one half of the rows.
    np.testing.assert_array_equal(rows[: 2 * order].sum(axis=0), 0)
    assert (rows[: 2 * order] != rows[2 * order :]).any(), "another design follows"


def test_half_a_design_tells_all_parts_apart():
    """Rows in their own order would give parts that are on and off together."""
    for seed in range(5):
        rows = draw(49, 65, seed, "orthogonal").present
        assert len({tuple(column) for column in rows.T}) == 49


@pytest.mark.slow
@pytest.mark.parametrize("draws", DRAWS)
def test_every_coalition_has_the_same_chance_in_every_row(draws):
    found = np.stack([draw(4, 9, seed, draws).present for seed in range(4000)])
    numbers = found @ [8, 4, 2, 1]
    for row in range(1, 9):
        counts = np.bincount(numbers[:, row], minlength=16)
        assert np.abs(counts - 250).max() < 6 * np.sqrt(250)


def test_independent_draws_are_those_of_lime():
    state = np.random.RandomState(11)
    state.randint(0, 1000)
    expected = state.randint(0, 2, 50 * 12).reshape(50, 12)
    expected[0] = 1
    np.testing.assert_array_equal(draw(12, 50, 11, "independent").present, expected)


def test_numbers_that_numpy_cannot_hold():
    assert draw(np.int64(64), 50).present.shape == (50, 64)
    assert draw(np.int64(96), 50, draws="independent").present.shape == (50, 96)


def test_what_cannot_be_drawn():
    with pytest.raises(XaiAudioError, match=r"draws is 'orthogonl' \(did you mean 'orthogonal'"):
        draw(4, 8, draws="orthogonl")
    with pytest.raises(XaiAudioError, match="0 parts"):
        draw(0, 8)
