"""Each number of a board is told beside the random map, and the best map that asked nothing."""

import dataclasses

import numpy as np
import pytest
from made_boards import board_of_clips

from xaiaudio.evaluate.benchmark.findings import VERDICTS, findings

NOISE = np.random.default_rng(0).normal(size=20)
BLIND = ("chance", "uniform", "oracle")
VALUES = {
    "high": NOISE + 3,
    "low": NOISE - 3,
    "level": NOISE + np.random.default_rng(1).normal(size=20),
    "silent": np.full(20, np.nan),
    "chance": NOISE,
    "uniform": NOISE + 1,
    "oracle": NOISE + 9,
}


def found_on(values, better="higher"):
    board = board_of_clips(values, better, references=BLIND)
    return board, {one.method: one for one in findings(board)}


@pytest.mark.parametrize(
    ("better", "verdicts"),
    [
        ("higher", {"high": "better", "low": "worse", "level": "undecided"}),
        ("lower", {"high": "worse", "low": "better", "level": "undecided"}),
        ("neither", {"high": "", "low": "", "level": ""}),
    ],
)
def test_the_verdict_follows_from_the_difference_clip_by_clip(better, verdicts):
    board, found = found_on(VALUES, better)
    # A method without an answer, and maps that are no method, are told of nowhere.
    assert {name: one.verdict for name, one in found.items()} == verdicts
    assert set(verdicts.values()) <= set(VERDICTS)
    for name, one in found.items():
        assert one.found == board.interval(name, "m")
        assert one.random == board.interval("chance", "m")
        assert one.gap.mean == pytest.approx(np.mean(VALUES[name] - VALUES["chance"]))


@pytest.mark.parametrize(("better", "blind"), [("higher", "uniform"), ("lower", "chance")])
def test_the_best_map_that_asked_nothing_is_never_the_truth(better, blind):
    _, found = found_on(VALUES, better)
    for one in found.values():
        assert one.blind == blind and one.blind_mean == pytest.approx(VALUES[blind].mean())


def test_where_nothing_is_better_there_is_no_best():
    _, found = found_on(VALUES, "neither")
    assert found["high"].blind == "" and np.isnan(found["high"].blind_mean)


@pytest.mark.parametrize("chance", [None, np.full(20, np.nan)])
def test_without_a_random_map_a_method_stands_alone(chance):
    values = {"high": VALUES["high"]} | ({} if chance is None else {"chance": chance})
    _, found = found_on(values)
    one = found["high"]
    assert one.verdict == "alone" and one.blind == ""
    assert one.random.n == one.gap.n == 0 and np.isnan(one.gap.mean)


def test_findings_come_row_by_row_then_column_by_column():
    board = board_of_clips(VALUES, measures=("m", "n"), references=BLIND)
    order = [(one.method, one.measure) for one in findings(board)]
    assert order == [(row, column) for row in ("high", "low", "level") for column in "mn"]
    only = dataclasses.replace(board, rows=board.rows[3:])  # "silent" and the references
    assert not list(findings(only))
