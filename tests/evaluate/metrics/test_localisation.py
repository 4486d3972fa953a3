"""Maps against the truth, counted cell by cell."""

import numpy as np
import pytest

from xaiaudio import XaiAudioError
from xaiaudio.evaluate.metrics.localisation import (
    chance,
    pointing_game,
    relevance_mass,
    relevance_rank,
)

RANDOM = np.random.default_rng(0)
MAPS = RANDOM.normal(size=(6, 7, 5)).astype("float32")
TRUTH = RANDOM.random((6, 7, 5)) < 0.3


@pytest.mark.slow
def test_mass_rank_and_point_are_counts():
    for cells, true, mass, rank, point in zip(
        MAPS,
        TRUTH,
        relevance_mass(MAPS, TRUTH),
        relevance_rank(MAPS, TRUTH),
        pointing_game(MAPS, TRUTH),
        strict=True,
    ):
        positive = {place: max(0.0, cells[place]) for place in np.ndindex(cells.shape)}
        inside = sum(value for place, value in positive.items() if true[place])
        assert mass == pytest.approx(inside / sum(positive.values()), rel=1e-5)
        order = sorted(positive, key=lambda place: -positive[place])
        size = int(true.sum())
        assert size < sum(value > 0 for value in positive.values())  # no ties to break
        assert rank == pytest.approx(sum(true[place] for place in order[:size]) / size)
        assert point == float(true[order[0]])


def test_the_truth_itself_is_the_oracle():
    maps = TRUTH.astype("float32")
    for measure in (relevance_mass, relevance_rank, pointing_game):
        np.testing.assert_allclose(measure(maps, TRUTH), 1)
        np.testing.assert_allclose(measure(~TRUTH, TRUTH), 0)


def test_a_map_that_says_nothing_scores_at_chance():
    expected = TRUTH.mean(axis=(1, 2))
    np.testing.assert_allclose(chance(TRUTH), expected)
    for maps in (np.zeros_like(MAPS), np.full_like(MAPS, 0.7), -np.abs(MAPS)):
        for measure in (relevance_mass, relevance_rank, pointing_game):
            np.testing.assert_allclose(measure(maps, TRUTH), expected)


def test_equal_cells_count_by_what_a_random_order_would_give():
    maps = np.array([[[2.0, 1.0, 1.0, 1.0]]])
    truth = np.array([[[True, True, False, False]]])
    # The first is in; one of three equal cells has room.
    assert relevance_rank(maps, truth) == pytest.approx((1 + 1 / 3) / 2)


def test_random_maps_are_at_chance_on_average():
    maps = np.random.default_rng(3).random((400, 7, 5))
    truth = np.repeat(TRUTH[:1], 400, axis=0)
    for measure in (relevance_mass, relevance_rank, pointing_game):
        assert measure(maps, truth).mean() == pytest.approx(TRUTH[0].mean(), abs=0.08)


def test_without_truth_there_is_no_number():
    empty = np.zeros_like(TRUTH)
    for found in (
        relevance_mass(MAPS, empty),
        relevance_rank(MAPS, empty),
        pointing_game(MAPS, empty),
        chance(empty),
    ):
        assert np.isnan(found).all()


def test_shapes_that_do_not_fit_are_told():
    with pytest.raises(XaiAudioError, match="must be"):
        relevance_mass(MAPS, TRUTH[:, :3])
