"""Which training sounds an answer of a linear head rests on: what it would be without one.

P. W. Koh and P. Liang, "Understanding black-box predictions via influence functions", ICML 2017.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ..errors import XaiAudioError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

_ROUNDS = 200
_DONE = 1e-9
# Numbers that a batch of refits may hold.
_ROOM = 20_000_000


@dataclass(frozen=True, eq=False)
class Head:
    """A linear layer behind fixed features, fitted to the end.

    Attributes
    ----------
    features : ndarray of float64, shape (n, numbers + 1)
        What it was fitted on; the last column is 1, whose weights are the biases.
    targets : ndarray of int, shape (n,)
    weights : ndarray of float64, shape (numbers + 1, classes)
    penalty : float
        What half the sum of the squared weights, biases among them, costs beside the mean loss:
        scikit-learn's C is 1 / (n * penalty).
    """

    features: np.ndarray
    targets: np.ndarray
    weights: np.ndarray
    penalty: float

    def probabilities(self, features: ArrayLike) -> np.ndarray:
        """Return the probabilities of the classes for features (n, numbers), (n, classes)."""
        return _softmax(_with_ones(features) @ self.weights)

    def losses(self, features: ArrayLike, targets: ArrayLike) -> np.ndarray:
        """Return minus the logarithm of the probability of the target of each row, (n,)."""
        shares = self.probabilities(features)
        return -np.log(shares[np.arange(len(shares)), np.asarray(targets, int)])


def fit(features: ArrayLike, targets: ArrayLike, *, penalty: float = 0.01) -> Head:
    """Fit multinomial logistic regression by Newton's method, until the gradient is nothing.

    Parameters
    ----------
    features : array_like of float, shape (n, numbers)
        Standardised: the penalty is the same for all of them. A few dozen; the matrix of second
        derivatives has a row for each number and class.
    targets : array_like of int, shape (n,)
        Classes from 0 on.
    penalty : float
        Above 0: without it, classes that can be told apart have no best weights.

    Returns
    -------
    Head

    Raises
    ------
    XaiAudioError
        If the sizes do not fit, a class is missing, or the penalty is not above 0.

    Examples
    --------
    >>> from xaiaudio.probes import influence
    >>> head = influence.fit([[-1.0], [-2.0], [1.0], [2.0]], [0, 0, 1, 1])
    >>> head.probabilities([[3.0]]).argmax()
    np.int64(1)
    """
    features, targets = _with_ones(features), np.asarray(targets, int)
    found = np.unique(targets)
    if (
        targets.shape != (len(features),)
        or not len(found)
        or (found != np.arange(len(found))).any()
    ):
        raise XaiAudioError(
            f"There are {len(features)} rows and {targets.size} targets of the classes "
            f"{found.tolist()}: one for each row, from 0 on without gaps, is needed."
        )
    if not penalty > 0:
        raise XaiAudioError(f"penalty is {penalty!r}: a number above 0 is needed.")
    weights = np.zeros((features.shape[1], targets.max() + 1))
    head = Head(features, targets, weights, float(penalty))
    for _ in range(_ROUNDS):
        slope = _slope(head, weights)
        if np.abs(slope).max() < _DONE:
            return Head(features, targets, weights, float(penalty))
        head = Head(features, targets, weights, float(penalty))
        step = np.linalg.solve(hessian(head), slope.reshape(-1)).reshape(weights.shape)
        length, now = 1.0, _objective(head, weights)
        while length > 1e-6 and _objective(head, weights - length * step) > now + 1e-14:
            length /= 2
        weights = weights - length * step
    raise XaiAudioError("The head did not converge: standardise the features, or raise penalty.")


def hessian(head: Head) -> np.ndarray:
    """Return the second derivatives of the head's loss, float64 (p, p), p its number of weights."""
    x, shares = head.features, _softmax(head.features @ head.weights)
    n, numbers = x.shape
    classes = shares.shape[1]
    # Of one row: its products times what the classes' probabilities do to each other.
    outer = -np.einsum("na,nc,nb,nd->acbd", x, shares, x, shares, optimize=True)
    own = np.einsum("na,nc,nb->acb", x, shares, x, optimize=True)
    every = np.arange(classes)
    outer[:, every, :, every] += own.transpose(1, 0, 2)
    size = numbers * classes
    return outer.reshape(size, size) / n + head.penalty * np.eye(size)


def influences(head: Head, features: ArrayLike, targets: ArrayLike) -> np.ndarray:
    """Predict how the loss of each question would change without each training row.

    To first order, leaving out row i moves the weights by ``H^-1 g_i / n``, with g_i the gradient
    of its loss and H the second derivatives of the whole; the loss of a question moves by that
    times its own gradient.

    Parameters
    ----------
    head : Head
    features : array_like of float, shape (m, numbers)
        The questions.
    targets : array_like of int, shape (m,)
        The class whose loss is asked for.

    Returns
    -------
    ndarray of float64, shape (m, n)
        Above 0: without this training row the loss would be larger. The row helps.

    Examples
    --------
    >>> from xaiaudio.probes import influence
    >>> head = influence.fit([[-1.0], [-2.0], [1.0], [2.0]], [0, 0, 1, 1])
    >>> influence.influences(head, [[1.5]], [1]).argmax()
    np.int64(2)
    """
    asked = _gradients(*_questions(head, features, targets), head.weights)
    rows = _gradients(head.features, head.targets, head.weights)
    return asked @ np.linalg.solve(hessian(head), rows.T) / len(rows)


def without_each(head: Head, features: ArrayLike, targets: ArrayLike) -> np.ndarray:
    """Fit the head again without each training row, and return how each question's loss changes.

    The rows that are left weigh as much against the penalty as they did before. All heads are
    fitted side by side, each to the end, by steps with the second derivatives of the whole: they
    are nearly those of each.

    Parameters
    ----------
    head, features, targets
        As in :func:`influences`.

    Returns
    -------
    ndarray of float64, shape (m, n)

    Raises
    ------
    XaiAudioError
        If one does not converge.
    """
    n = len(head.features)
    asked, wanted = _questions(head, features, targets)
    before = head.losses(features, wanted)
    inverse = np.linalg.inv(hessian(head))
    batch = max(1, _ROOM // (n * head.weights.shape[1]))
    found = np.empty((len(asked), n))
    for start in range(0, n, batch):
        left = np.arange(start, min(start + batch, n))
        weights = _refitted(head, left, inverse)
        shares = _softmax(np.einsum("ma,iac->imc", asked, weights, optimize=True))
        after = -np.log(shares[:, np.arange(len(asked)), wanted])
        found[:, left] = after.T - before[:, None]
    return found


def _refitted(head, left, inverse):
    """Return the weights without each of some rows, float64 (rows, numbers + 1, classes)."""
    x, n = head.features, len(head.features)
    truth = np.eye(head.weights.shape[1])[head.targets]
    weights = np.repeat(head.weights[None], len(left), axis=0)
    for _ in range(_ROUNDS):
        wrong = _softmax(np.einsum("na,iac->inc", x, weights, optimize=True)) - truth
        wrong[np.arange(len(left)), left] = 0
        slope = np.einsum("na,inc->iac", x, wrong, optimize=True) / n
        slope += head.penalty * weights
        if np.abs(slope).max() < _DONE:
            return weights
        weights -= (slope.reshape(len(left), -1) @ inverse).reshape(weights.shape)
    raise XaiAudioError("A head without one row did not converge: raise penalty.")


def alike(head: Head, features: ArrayLike, targets: ArrayLike) -> np.ndarray:
    """Return what similarity alone would say: cosines, negative for rows of another class.

    A baseline that knows nothing of how the head was fitted.

    Parameters
    ----------
    head, features, targets
        As in :func:`influences`.

    Returns
    -------
    ndarray of float64, shape (m, n)
    """
    asked, wanted = _questions(head, features, targets)
    one, two = asked[:, :-1], head.features[:, :-1]
    one, two = (
        rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-12) for rows in (one, two)
    )
    same = wanted[:, None] == head.targets[None, :]
    return np.where(same, 1, -1) * (one @ two.T)


def _questions(head, features, targets) -> tuple[np.ndarray, np.ndarray]:
    """Return questions with a column of ones, and their classes, if they fit the head."""
    asked, wanted = _with_ones(features), np.asarray(targets, int)
    numbers, classes = head.weights.shape
    fits = asked.shape[1] == numbers and wanted.shape == (len(asked),)
    if not fits or not np.isin(wanted, np.arange(classes)).all():
        raise XaiAudioError(
            f"The questions have {asked.shape[1] - 1} numbers each and {wanted.size} classes for "
            f"{len(asked)} rows: {numbers - 1} numbers and one class from 0 to {classes - 1} are "
            "needed for each."
        )
    return asked, wanted


def _gradients(x, targets, weights) -> np.ndarray:
    """Return the gradient of each row's loss by the weights, (n, weights)."""
    wrong = _softmax(x @ weights) - np.eye(weights.shape[1])[targets]
    return (x[:, :, None] * wrong[:, None, :]).reshape(len(x), -1)


def _slope(head, weights) -> np.ndarray:
    wrong = _softmax(head.features @ weights) - np.eye(weights.shape[1])[head.targets]
    return head.features.T @ wrong / len(head.features) + head.penalty * weights


def _objective(head, weights) -> float:
    logits = head.features @ weights
    logits = logits - logits.max(axis=1, keepdims=True)
    chosen = logits[np.arange(len(logits)), head.targets]
    losses = np.log(np.exp(logits).sum(axis=1)) - chosen
    return float(losses.mean() + head.penalty / 2 * np.square(weights).sum())


def _softmax(logits) -> np.ndarray:
    powers = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return powers / powers.sum(axis=-1, keepdims=True)


def _with_ones(features) -> np.ndarray:
    features = np.asarray(features, float)
    if features.ndim != 2 or not np.isfinite(features).all():
        raise XaiAudioError(
            f"The features have the shape {features.shape}: finite (n, numbers) are needed."
        )
    return np.hstack([features, np.ones((len(features), 1))])
