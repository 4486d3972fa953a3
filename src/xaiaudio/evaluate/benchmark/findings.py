"""What a leaderboard says of its methods, each number beside maps that asked no network."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from .bootstrap import Interval

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..metrics.registry import Measure
    from .board import Leaderboard

VERDICTS = {
    "better": "better than the random map",
    "worse": "worse than the random map",
    "undecided": "not told from the random map",
    "": "neither end is better",
    "alone": "no random map to compare with",
}

NOTHING = Interval(np.nan, np.nan, np.nan, 0)


@dataclass(frozen=True)
class Finding:
    """What one measure says of one method, beside maps that asked no network.

    Attributes
    ----------
    method, measure, family, unit, better : str
    found : Interval
        Mean over recordings and its 95 % interval.
    random : Interval
        The same of the random map; NaN if it has no value.
    gap : Interval
        By how much the method exceeds the random map, clip by clip.
    verdict : str
        A key of `VERDICTS`.
    blind : str
        Which map that asked no network does best here, the true event not counted; empty if none
        has a value, or nothing is better.
    blind_mean : float
        Its mean.
    """

    method: str
    measure: str
    family: str
    unit: str
    better: str
    found: Interval
    random: Interval
    gap: Interval
    verdict: str
    blind: str = ""
    blind_mean: float = float("nan")


def findings(board: Leaderboard) -> Iterator[Finding]:
    """Return what each measure says of each method, where it says anything.

    Parameters
    ----------
    board : Leaderboard

    Yields
    ------
    Finding
        In the order of the rows, then of the columns.
    """
    for row in board.rows:
        for one in board.measures:
            if not row.reference and np.isfinite(board.mean(row.name, one.name)):
                yield _finding(board, row.name, one)


def _finding(board, name, one: Measure) -> Finding:
    known = any(row.name == "chance" for row in board.rows)
    random = board.interval("chance", one.name) if known else NOTHING
    gap = board.difference(name, "chance", one.name) if random.n else NOTHING
    about = (name, one.name, one.family, one.unit, one.better, board.interval(name, one.name))
    return Finding(*about, random, gap, _verdict(board, name, one, random), *_blind(board, one))


def _verdict(board, name, one, random) -> str:
    if not random.n:
        return "alone"
    if one.better == "neither":
        return ""
    if board.beats(name, "chance", one.name):
        return "better"
    return "worse" if board.beats("chance", name, one.name) else "undecided"


def _blind(board, one) -> tuple[str, float]:
    """Return the best of the maps that asked neither the network nor the truth, and its mean."""
    means = {
        row.name: board.mean(row.name, one.name)
        for row in board.rows
        if row.reference and row.name != "oracle"
    }
    means = {name: mean for name, mean in means.items() if np.isfinite(mean)}
    if not means or one.better == "neither":
        return "", np.nan
    best = (max if one.better == "higher" else min)(means, key=means.__getitem__)
    return best, means[best]
