"""The last layer of those designs whose parts are fixed before it is fitted."""

from __future__ import annotations

import numpy as np


def logistic(
    inputs: np.ndarray, targets: np.ndarray, *, freedom: float = 1.0, rounds: int = 2000
) -> tuple[np.ndarray, np.ndarray]:
    """Fit a multinomial logistic regression (scikit-learn), with a column for each class.

    Parameters
    ----------
    inputs : ndarray of float, shape (n, parts)
    targets : ndarray of int, shape (n,)
        Two different ones at least.
    freedom : float
        The larger, the less weights cost.
    rounds : int
        The most steps.

    Returns
    -------
    weights : ndarray of float, shape (parts, classes)
        Of the classes that are among the targets, in their order.
    bias : ndarray of float, shape (classes,)

    Examples
    --------
    >>> import numpy as np
    >>> from xaiaudio.models.designs.logistic import logistic
    >>> weights, bias = logistic(np.array([[0.0], [1.0]]), np.array([0, 1]))
    >>> weights.shape, bool(weights[0, 0] == -weights[0, 1])
    ((1, 2), True)
    """
    from sklearn.linear_model import LogisticRegression

    found = LogisticRegression(C=freedom, max_iter=rounds).fit(inputs, targets)
    weights, bias = found.coef_.T, found.intercept_
    if len(found.classes_) == 2:  # one column, for the second class against the first
        weights, bias = np.hstack([-weights, weights]) / 2, np.hstack([-bias, bias]) / 2
    return weights, bias
