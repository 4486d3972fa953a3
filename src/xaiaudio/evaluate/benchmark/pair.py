"""Two rows of a leaderboard, compared clip by clip."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .bootstrap import Interval


@dataclass(frozen=True)
class Pair:
    """Two rows of a leaderboard under one measure.

    Attributes
    ----------
    first, second : str
        The rows.
    difference : Interval
        By how much the first exceeds the second, see :meth:`.board.Leaderboard.difference`.
    apart : bool
        Whether their own two intervals do not touch.
    better : str
        The better one of the two; empty if the clips cannot tell, or nothing is better or worse.
    """

    first: str
    second: str
    difference: Interval
    apart: bool
    better: str

    @property
    def decided(self) -> bool:
        """Whether the whole interval of the difference lies on one side of 0."""
        return self.difference.low > 0 or self.difference.high < 0
