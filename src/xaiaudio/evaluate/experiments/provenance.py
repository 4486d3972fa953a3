"""Whether a behaviour comes from a part of the training data: train again without, and compare."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ...errors import XaiAudioError
from ..benchmark.bootstrap import DRAWS, Interval

if TYPE_CHECKING:
    from numpy.typing import ArrayLike


def double_difference(
    full: ArrayLike, without: ArrayLike, touched: ArrayLike, *, level: float = 0.95, seed: int = 0
) -> Interval:
    """Return how much more errors rise where the part matters than where it does not.

    A difference in differences: the rise from the full model to the one that was trained without a
    part of the data, on sounds that the part is about, minus the same rise on all others. What
    merely comes from training once more is on both sides, and goes.

    Parameters
    ----------
    full, without : array_like of float, shape (n,)
        The errors of both models on the same sounds.
    touched : array_like of bool, shape (n,)
        Which sounds the part is about.
    level : float
        Share of the draws inside the interval, in (0, 1).
    seed : int

    Returns
    -------
    Interval
        Percentile bootstrap over sounds, drawn on either side by themselves. It tells how the
        number would move with other sounds, not with another training.

    Raises
    ------
    XaiAudioError
        If the lengths differ, there is no sound on one side, an error is no number, or `level` is
        not between 0 and 1.

    Examples
    --------
    >>> from xaiaudio.evaluate.experiments.provenance import double_difference
    >>> double_difference([0, 0, 0, 0], [1, 1, 0, 1], [True, True, False, False]).mean
    0.5
    """
    full, without = np.asarray(full, float), np.asarray(without, float)
    touched = np.asarray(touched, bool)
    if not full.shape == without.shape == touched.shape or full.ndim != 1:
        raise XaiAudioError(
            f"There are {full.size} and {without.size} errors and {touched.size} marks: one each "
            "for every sound is needed."
        )
    if touched.all() or not touched.any():
        raise XaiAudioError("There must be sounds that the part is about, and others.")
    if not (np.isfinite(full).all() and np.isfinite(without).all()):
        raise XaiAudioError("An error is NaN or infinite: leave that sound out on both sides.")
    if not 0 < level < 1:
        raise XaiAudioError(f"level is {level!r}: a number between 0 and 1 is needed.")
    rng = np.random.default_rng(seed)
    sides = [(without - full)[side] for side in (touched, ~touched)]
    drawn = [side[rng.integers(len(side), size=(DRAWS, len(side)))].mean(axis=1) for side in sides]
    low, high = np.quantile(drawn[0] - drawn[1], [(1 - level) / 2, (1 + level) / 2])
    mean = float(sides[0].mean() - sides[1].mean())
    return Interval(mean, float(low), float(high), len(full))
