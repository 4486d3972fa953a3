"""The logistic probe itself, and the features as it takes them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..errors import XaiAudioError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

#: What a squared weight costs, beside the sum of the logarithmic losses.
PENALTY = 10.0
_ROUNDS = 300
# Of a feature whose spread is smaller than this share of its size, only rounding is left.
_LEAST = 1e-6


def probabilities(
    train: ArrayLike, targets: ArrayLike, test: ArrayLike, classes: int, penalty: float = PENALTY
) -> np.ndarray:
    """Fit the logistic probe on some rows, and ask it about others.

    Parameters
    ----------
    train, test : array_like of float, shape (n, numbers) and (m, numbers)
    targets : array_like of int, shape (n,)
        Of the training rows, below `classes`.
    classes : int
    penalty : float

    Returns
    -------
    ndarray of float64, shape (m, classes)
        Rows sum to 1. Of a class that is not among the training rows it is 0; of one that is alone
        among them it is 1.
    """
    from sklearn.linear_model import LogisticRegression

    check_penalty(penalty)
    train, test = standardised(train, test)
    present, numbers = np.unique(targets, return_inverse=True)
    found = np.zeros((len(test), classes))
    if len(present) == 1:
        found[:, present] = 1
        return found
    probe = LogisticRegression(C=1 / penalty, max_iter=_ROUNDS, tol=1e-3)
    found[:, present] = probe.fit(train, numbers).predict_proba(test)
    return found


def check_penalty(penalty: float) -> None:
    """Raise XaiAudioError if a penalty of logistic regression is not above 0."""
    if not 0 < penalty < np.inf:
        raise XaiAudioError(f"penalty is {penalty!r}: a number above 0 is needed.")


def standardised(train: ArrayLike, test: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    """Bring features to mean 0 and standard deviation 1 by the training rows; constant ones to 0.

    Of a channel that is hardly ever active the standard deviation is tiny, and one held-out sound
    that moves it would outweigh all else. So what is beyond the range of the training rows is
    brought to its end.

    Parameters
    ----------
    train, test : array_like of float, shape (n, numbers) and (m, numbers)

    Returns
    -------
    train, test : ndarray of float64

    Raises
    ------
    XaiAudioError
        If a feature is not finite.

    Examples
    --------
    >>> from xaiaudio.probes.fitting import standardised
    >>> standardised([[1.0, 7.0], [3.0, 7.0]], [[5.0, 9.0]])[1].tolist()
    [[1.0, 0.0]]
    """
    train, test = np.asarray(train, np.float64), np.asarray(test, np.float64)
    if not (np.isfinite(train).all() and np.isfinite(test).all()):
        raise XaiAudioError("The features hold NaN or infinity: check the sounds they are of.")
    mean, spread = train.mean(axis=0), train.std(axis=0)
    varies = spread > _LEAST * np.abs(train).max(axis=0, initial=0)
    factor = np.where(varies, 1 / np.where(varies, spread, 1), 0)
    test = np.clip(test, train.min(axis=0), train.max(axis=0))
    return (train - mean) * factor, (test - mean) * factor


def checked(
    features: ArrayLike, values: ArrayLike, groups: ArrayLike
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return features, values and recordings as arrays; XaiAudioError if their lengths differ."""
    features, values, groups = np.asarray(features), np.asarray(values), np.asarray(groups)
    if features.ndim != 2 or not len(features) == len(values) == len(groups) > 0:
        raise XaiAudioError(
            f"The features have the shape {features.shape}, and there are {len(values)} values and "
            f"{len(groups)} recordings: a row, a value and a recording are needed for each sound."
        )
    return features, values, groups
