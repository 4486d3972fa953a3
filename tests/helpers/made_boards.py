"""Leaderboards of given numbers."""

import numpy as np

from xaiaudio.evaluate.benchmark.board import Leaderboard
from xaiaudio.evaluate.benchmark.rows import Row
from xaiaudio.evaluate.metrics.registry import Measure

# A network whose name must be escaped in pages.
NASTY = "<b>&'\"net"


def board_of_means(values, **about):
    """Return a board of given means: name of a row to one value a measure."""
    rows = tuple(
        Row(name, name == "chance", dict(zip(about, np.array(row)[:, None], strict=True)))
        for name, row in values.items()
    )
    columns = tuple(
        Measure(name, name, "f", "u", better, 0, 9, "", "", None, floor)
        for name, (better, floor) in about.items()
    )
    return Leaderboard("net", "set", 1, 0, columns, rows)


def board_of_clips(values, better="higher", network="net", measures=("m",), references=("chance",)):
    """Return a board of given values, clip by clip: name of a row to its values."""
    columns = tuple(Measure(name, name, "f", "u", better, 0, 9, "", "", None) for name in measures)
    rows = tuple(
        Row(name, name in references, dict.fromkeys(measures, np.array(row, float)))
        for name, row in values.items()
    )
    return Leaderboard(network, "set", len(rows[0].values[measures[0]]), 0, columns, rows)


def random_board():
    """Return a board of three rows and seven measures, and a method that failed."""
    rng = np.random.default_rng(0)
    columns = [
        Measure(f"m{i}", f"title {i}", f"family {i // 5}", "u", "higher", 0, 9, "<i>s", "p", None)
        for i in range(7)
    ]
    rows = [
        Row(name, name == "chance", {one.name: rng.random(5) for one in columns})
        for name in ("a", "b", "chance")
    ]
    rows.insert(2, Row("sick", False, {}, error="It needs <a> convolution."))
    return Leaderboard(NASTY, "set", 5, 2, tuple(columns), tuple(rows))
