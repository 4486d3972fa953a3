"""A mean over clips, and how sure it is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ...errors import XaiAudioError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike

DRAWS = 2000


@dataclass(frozen=True)
class Interval:
    """A mean and its confidence interval.

    Attributes
    ----------
    mean, low, high : float
        NaN if there was nothing to average.
    n : int
        Groups that the mean is of.
    """

    mean: float
    low: float
    high: float
    n: int

    @property
    def ends(self) -> tuple[float, float, float]:
        """Lower end, mean and upper end: a row of :func:`xaiaudio.plots.intervals`."""
        return self.low, self.mean, self.high

    def __str__(self) -> str:
        return f"{self.mean:.3g} [{self.low:.3g}, {self.high:.3g}]"


def interval(
    values: ArrayLike, groups: Sequence | None = None, *, level: float = 0.95, seed: int = 0
) -> Interval:
    """Average values, with a percentile bootstrap interval over groups.

    The patches of one clip are alike, so they are no independent draws: the bootstrap draws whole
    clips, each with the mean of its patches.

    Parameters
    ----------
    values : array_like of float, shape (n,)
        NaN is left out: a measure that does not apply to that patch.
    groups : sequence, optional
        The clip each value belongs to; by default each value is a group of its own.
    level : float
        Share of the draws inside the interval, in (0, 1).
    seed : int

    Returns
    -------
    Interval

    Raises
    ------
    XaiAudioError
        If the lengths differ or `level` is not between 0 and 1.

    References
    ----------
    Efron 1979, Bootstrap methods: another look at the jackknife.

    Examples
    --------
    >>> from xaiaudio.evaluate.benchmark.bootstrap import interval
    >>> interval([1.0, 1.0, 4.0], ["a", "a", "b"]).mean
    2.5
    """
    values = np.asarray(values, np.float64)
    groups = np.arange(len(values)) if groups is None else np.asarray(groups)
    if values.ndim != 1 or len(groups) != len(values):
        raise XaiAudioError(
            f"There are values of the shape {values.shape} and {len(groups)} groups: give one "
            "group for each value."
        )
    if not 0 < level < 1:
        raise XaiAudioError(f"level is {level!r}: a number between 0 and 1 is needed.")
    kept = np.isfinite(values)
    names, places = np.unique(groups[kept], return_inverse=True)
    if not len(names):
        return Interval(np.nan, np.nan, np.nan, 0)
    means = np.bincount(places, values[kept]) / np.bincount(places)
    chosen = np.random.default_rng(seed).integers(len(means), size=(DRAWS, len(means)))
    low, high = np.quantile(means[chosen].mean(axis=1), [(1 - level) / 2, (1 + level) / 2])
    return Interval(float(means.mean()), float(low), float(high), len(means))
