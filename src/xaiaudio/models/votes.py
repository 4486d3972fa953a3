"""From the scores of a clip's patches to one label."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

# A patch so many decibels below the loudest of its clip is silence beside it, and has no say.
QUIET_DB = 60.0

# A sound with no patch above this is silence: what is left is the last bit of 16, or rounding.
SILENT_DB = -90.0


@dataclass(frozen=True)
class ClipPrediction:
    """What a network says of a whole sound.

    Attributes
    ----------
    label : str
        The class that most voting patches were given; a tie goes to the higher mean score.
    shares : dict of str to float
        Share of the voting patches given to each class, in the order of the labels; sums to 1.
    patch_scores : ndarray of float32, shape (n, classes)
        Each patch's probabilities.
    voted : ndarray of bool, shape (n,)
        False for patches that are silence beside the others: they have no vote.
    """

    label: str
    shares: dict[str, float]
    patch_scores: np.ndarray
    voted: np.ndarray

    @property
    def quiet(self) -> int:
        """How many patches had no vote, because they are silence beside the others."""
        return int((~self.voted).sum())


def voters(levels) -> np.ndarray:
    """Tell which patches of a clip vote for its class: those that are no silence.

    Parameters
    ----------
    levels : array_like of float, shape (n,)
        In dB relative to full scale, as `Patches.levels`; -inf is digital silence.

    Returns
    -------
    ndarray of bool, shape (n,)
        False for patches more than 60 dB below the loudest. A clip that is all silence, below
        -90 dB, has no voter.

    Examples
    --------
    >>> voters([-20.0, -79.0, -81.0, -np.inf]).tolist()
    [True, True, False, False]
    """
    levels = np.asarray(levels, float)
    loudest = levels.max(initial=-np.inf)
    if loudest < SILENT_DB:
        return np.zeros(levels.shape, bool)
    return levels >= loudest - QUIET_DB


def vote_shares(scores) -> np.ndarray:
    """Return the share of patches whose highest score each class has.

    Parameters
    ----------
    scores : ndarray of float, shape (n, classes)

    Returns
    -------
    ndarray of float64, shape (classes,)
        Sums to 1.
    """
    scores = np.asarray(scores)
    return np.bincount(scores.argmax(axis=1), minlength=scores.shape[1]) / len(scores)


def majority(scores) -> int:
    """Return the class that most patches were given; a tie goes to the higher mean score.

    Examples
    --------
    >>> import numpy as np
    >>> majority(np.array([[0.6, 0.4], [0.1, 0.9]]))  # one vote each, means 0.35 and 0.65
    1
    """
    scores = np.asarray(scores)
    votes = np.bincount(scores.argmax(axis=1), minlength=scores.shape[1])
    tied = np.flatnonzero(votes == votes.max())
    return int(tied[scores.mean(axis=0)[tied].argmax()])
