"""A leaderboard as a value: places, differences and verdicts on numbers that are known."""

import dataclasses

import numpy as np
import pytest
from made_boards import board_of_clips, board_of_means

import xaiaudio as xa
from xaiaudio.evaluate.benchmark.board import Leaderboard
from xaiaudio.evaluate.benchmark.rows import Row
from xaiaudio.evaluate.metrics import registry as measure


def test_positions_lie_between_the_floor_and_the_best():
    board = board_of_means(
        {"a": [3.0, 1.0, 5.0], "b": [2.0, 4.0, 1.0], "c": [0.5, 2.0, 0.0], "chance": [1.0, 0, 0]},
        up=("higher", "chance"),
        down=("lower", "worst"),
        shape=("neither", "chance"),
    )
    assert [board.position(name, "up") for name in "abc"] == [1, 0.5, 0]
    assert [board.position(name, "down") for name in "abc"] == pytest.approx([1, 0, 2 / 3])
    assert np.isnan(board.position("a", "shape"))
    assert (board.best("up"), board.best("down")) == ("a", "a")
    with pytest.raises(xa.XaiAudioError, match="says nothing of better"):
        board.best("shape")
    # a, b, c by up; a, c, b by down: one neighbouring pair of three is swapped.
    assert board.agreement() == pytest.approx(np.array([[1, 0.5], [0.5, 1]]))


def test_differences_are_taken_clip_by_clip():
    rng = np.random.default_rng(0)
    hard = rng.normal(size=30) * 5
    values = {"a": hard + 1 + rng.normal(size=30) / 9, "b": hard, "c": rng.permutation(hard)}
    columns = (measure.Measure("m", "m", "f", "u", "higher", 0, 9, "", "", None),)
    rows = tuple(Row(name, False, {"m": found}) for name, found in values.items())
    board = Leaderboard("net", "set", 30, 0, columns, rows)
    wide, gap = board.interval("a", "m"), board.difference("a", "b", "m")
    assert wide.low < board.mean("b", "m") < wide.high  # the intervals overlap by far
    assert gap.mean == pytest.approx(np.mean(values["a"] - values["b"]))
    assert 0.9 < gap.low < gap.mean < gap.high < 1.1
    assert board.beats("a", "b", "m") and not board.beats("b", "a", "m")
    assert board.level("m") == ["a", "c"]


@pytest.mark.parametrize(("count", "sure"), [(4, False), (5, True)])
def test_few_clips_decide_nothing(count, sure):
    columns = (measure.Measure("m", "m", "f", "u", "higher", 0, 9, "", "", None),)
    rows = (Row("a", False, {"m": np.ones(count)}), Row("b", False, {"m": np.zeros(count)}))
    board = Leaderboard("net", "set", count, 0, columns, rows)
    assert board.beats("a", "b", "m") == sure
    assert board.level("m") == (["a"] if sure else ["a", "b"])


@pytest.mark.parametrize("better", ["higher", "lower", "neither"])
def test_all_pairs_with_their_verdict(better):
    rng = np.random.default_rng(0)
    hard = rng.normal(size=30) * 5
    values = {"a": hard + 1 + rng.normal(size=30) * 0.1, "b": hard, "c": hard + 99}
    values["d"] = hard + rng.normal(size=30)  # as good as b, but for chance
    board = board_of_clips({**values, "chance": hard}, better)
    pairs = board.pairs("m")
    assert [(pair.first, pair.second) for pair in pairs] == [
        ("a", "b"), ("a", "c"), ("a", "d"), ("b", "c"), ("b", "d"), ("c", "d")
    ]  # fmt: skip
    for pair in pairs:
        gap = board.difference(pair.first, pair.second, "m")
        assert pair.difference == gap
        assert pair.decided == (not gap.low <= 0 <= gap.high)
        one, two = (board.interval(name, "m") for name in (pair.first, pair.second))
        assert pair.apart == (max(one.low, two.low) > min(one.high, two.high))
        ahead, behind = (pair.first, pair.second)[:: 1 if gap.mean > 0 else -1]
        told = {"higher": ahead, "lower": behind, "neither": ""}[better]
        assert pair.better == (told if pair.decided else "")
    # Clip by clip a beats b, though their intervals overlap; c lies far off; b and d are level.
    assert [pair.decided for pair in pairs] == [True, True, True, True, False, True]
    assert [pair.apart for pair in pairs] == [False, True, False, True, False, True]
    (one,) = board.pairs("m", ["chance", "c"])
    assert (one.first, one.second, one.decided) == ("chance", "c", True)


@pytest.mark.parametrize("better", ["higher", "lower", "neither"])
def test_methods_that_are_better_than_a_row(better):
    rng = np.random.default_rng(1)
    noise = rng.normal(size=40)
    noise -= noise.mean()
    values = {"up": noise + 3, "down": noise - 3, "hardly": 2 * noise + 0.01, "none": [np.nan] * 40}
    board = board_of_clips({**values, "chance": np.zeros(40)}, better)
    clear = {"higher": ["up"], "lower": ["down"], "neither": []}[better]
    assert board.better_than("chance", "m") == clear
    means = {"higher": ["up", "hardly"], "lower": ["down"], "neither": []}[better]
    assert board.better_than("chance", "m", on_average=True) == means


def test_methods_in_order():
    board = board_of_means(
        {"a": [2.0, 2.0], "b": [3.0, 3.0], "c": [2.0, 2.0], "d": [np.nan, 1.0], "chance": [9, 0]},
        up=("higher", "chance"),
        down=("lower", "worst"),
    )
    assert board.order("up") == ["b", "a", "c"]
    assert board.order("down") == ["d", "a", "c", "b"]
    empty = board_of_means({"a": [np.nan]}, up=("higher", "chance"))
    assert empty.order("up") == []
    with pytest.raises(xa.XaiAudioError, match="none has an answer"):
        empty.best("up")


def test_rows_of_another_leaderboard_are_added():
    board = board_of_clips({"a": [1.0, 2], "chance": [0, 0]}, measures=("m", "n"))
    mine = board_of_clips({"mine": [3.0, 4]})
    both = board.add(mine)
    assert [row.name for row in both.rows] == ["a", "mine", "chance"]
    assert both.mean("mine", "m") == 3.5 and np.isnan(both.mean("mine", "n"))
    assert both.best("m") == "mine" and both.best("n") == "a"
    assert [row.name for row in board.rows] == ["a", "chance"]
    for wrong, told in (
        (board_of_clips({"a": [3.0, 4]}), "a row called 'a' already"),
        (board_of_clips({"b": [3.0, 4, 5]}), "differ in their cases"),
        (board_of_clips({"b": [3.0, 4]}, network="other"), "differ in their network"),
        (board_of_clips({"b": [3.0, 4]}, measures=("m", "o")), "has no measure 'o'"),
        (dataclasses.replace(mine, groups=("x", "x")), "differ in their groups"),
    ):
        with pytest.raises(xa.XaiAudioError, match=told):
            board.add(wrong)


def test_clips_of_one_recording_count_once():
    columns = (measure.Measure("m", "m", "f", "u", "higher", 0, 9, "", "", None),)
    rows = (Row("a", False, {"m": np.array([1.0, 1.0, 1.0, 4.0])}),)
    board = Leaderboard("net", "set", 4, 0, columns, rows, groups=("x", "x", "x", "y"))
    assert board.interval("a", "m").n == 2 and board.mean("a", "m") == 2.5
