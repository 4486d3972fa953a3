"""Tests that count: signs thrown at random, and the correction for many tests."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import ArrayLike


def sign_flips(counts: ArrayLike) -> float:
    """Return how likely signs thrown at random give a sum as far from 0, counting all throws.

    Parameters
    ----------
    counts : array_like of int, shape (draws,)
        Of each draw, the patches whose logit rises less those whose logit falls.

    Returns
    -------
    float
        Two-sided, above 0 and up to 1. If each count is as likely as its negative and they are
        independent, it is below x with a probability of x at most.

    References
    ----------
    Fisher 1935, The Design of Experiments.

    Examples
    --------
    >>> from xaiaudio.probes.significance import sign_flips
    >>> sign_flips([3, 3, 3, 3, 3])
    0.0625
    """
    counts = np.asarray(counts)
    sizes = np.abs(counts).astype(int)
    reach = int(sizes.sum())
    # The chances of the sums -reach to reach, one draw after the other.
    chances = np.zeros(2 * reach + 1)
    chances[reach] = 1.0
    for size in sizes[sizes > 0]:
        chances = (np.roll(chances, size) + np.roll(chances, -size)) / 2
    far = np.abs(np.arange(-reach, reach + 1)) >= abs(int(counts.sum()))
    return min(1.0, float(chances[far].sum()))


def holm(p: ArrayLike) -> np.ndarray:
    """Correct p values for their number, by Holm's procedure.

    Parameters
    ----------
    p : array_like of float, any shape
        All that is tested.

    Returns
    -------
    ndarray of float, the same shape
        If all below some level are called significant, the chance that any of these is a false
        one is that level at most, however the tests depend on each other.

    Examples
    --------
    >>> from xaiaudio.probes.significance import holm
    >>> holm([0.01, 0.04, 0.03]).round(4).tolist()
    [0.03, 0.06, 0.06]
    """
    p = np.asarray(p, float)
    flat = p.ravel()
    order = np.argsort(flat, kind="stable")
    steps = flat[order] * np.arange(len(flat), 0, -1)
    corrected = np.empty_like(flat)
    corrected[order] = np.minimum(1.0, np.maximum.accumulate(steps))
    return corrected.reshape(p.shape)
