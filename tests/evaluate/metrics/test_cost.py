"""What a map costs is the time of the run, shared out evenly."""

import dataclasses
from types import SimpleNamespace

import numpy as np
import pytest

from xaiaudio.evaluate.metrics.cost import milliseconds
from xaiaudio.evaluate.metrics.registry import measures


def context(result, *, reference=False):
    return SimpleNamespace(
        is_reference=reference,
        cases=range(len(result)),
        result=result,
        missing=lambda: np.full(len(result), np.nan),
    )


@pytest.mark.slow
def test_each_map_takes_its_share_of_the_time(result):
    timed = dataclasses.replace(result, seconds=0.5)
    np.testing.assert_array_equal(milliseconds(context(timed)), [125.0] * 4)


@pytest.mark.slow
def test_maps_that_ask_no_network_have_no_time(result):
    assert np.isnan(milliseconds(context(result, reference=True))).all()


def test_less_time_is_better_and_a_random_map_is_no_floor():
    about = measures()["time"]
    assert (about.better, about.unit, about.floor) == ("lower", "ms", "worst")
    assert about.write(1234.0) != about.write(0.1)


@pytest.mark.slow
def test_a_leaderboard_measures_it_without_the_references():
    from made_methods import SHAPE, cases_for
    from small_networks import additive

    from xaiaudio.evaluate.benchmark.leaderboard import leaderboard

    model = additive(SHAPE)[0]
    cases = cases_for(model).part(range(4))
    board = leaderboard(model, cases, ["saliency"], ["time"], references=("uniform",))
    values = board.row("saliency").values["time"]
    assert len(values) == len(cases) and len(set(values)) == 1
    assert values[0] == pytest.approx(1000 * board.row("saliency").seconds)
    assert np.isnan(board.mean("uniform", "time"))
