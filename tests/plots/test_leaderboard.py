import dataclasses

import numpy as np
import pytest
from made_boards import random_board

from xaiaudio import plots
from xaiaudio.evaluate.benchmark.leaderboard import Leaderboard, Row
from xaiaudio.evaluate.metrics.registry import Measure


@pytest.fixture
def board():
    return random_board()


@pytest.mark.slow
def test_the_picture_holds_every_mean_and_interval(board):
    figure = plots.leaderboard(board)
    data = figure.data
    assert data["means"].shape == (4, 7)
    assert data["means"][0, 3] == pytest.approx(board.rows[0].values["m3"].mean())
    assert np.isnan(data["means"][2]).all()
    found = board.interval("b", "m6")
    assert (data["low"][1, 6], data["high"][1, 6]) == (found.low, found.high)
    best = data["means"][:2].argmax(axis=0)
    assert (data["positions"][best, range(7)] <= 1).all()
    written = [text.get_text() for ax in figure.axes for text in ax.texts]
    assert f"{data['means'][0, 0]:.2f}".replace("0.", ".") in written


def test_grey_and_frames_are_read_from_the_differences():
    rng = np.random.default_rng(1)
    noise = rng.normal(size=(4, 30))
    values = {"best": 3 + noise[0], "level": 3 + noise[1], "luck": noise[2], "chance": noise[3]}
    column = Measure("m", "m", "f", "u", "higher", 0, 9, "", "", None)
    rows = [Row(name, name == "chance", {"m": found}) for name, found in values.items()]
    figure = plots.leaderboard(Leaderboard("net", "set", 30, 0, (column,), tuple(rows)))
    assert (figure.data["ahead"][:, 0] > 0).tolist() == [True, True, False, False]
    assert (figure.data["behind"][:, 0] <= 0).tolist() == [True, True, False, False]
    ax = figure.axes[0]
    assert sum(type(patch).__name__ == "Rectangle" for patch in ax.patches) == 2
    drawn = ax.images[0].get_array()
    assert (drawn[:, 0] < 0).tolist() == [False, False, True, True]


def test_a_board_without_a_random_map_has_no_grey(board):
    rows = tuple(row for row in board.rows if row.name != "chance")
    figure = plots.leaderboard(dataclasses.replace(board, rows=rows))
    assert np.isnan(figure.data["ahead"]).all()


def test_the_intervals(board):
    figure = plots.leaderboard_intervals(board, ["m1", "m4", "m6"])
    assert figure.data["rows"].tolist() == ["a", "b", "chance"]
    assert figure.data["means"].shape == (3, 3)
