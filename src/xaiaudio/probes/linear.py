"""Linear probes: whether a class or a number can be read from a layer's activations."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ..errors import XaiAudioError
from ..evaluate.benchmark.bootstrap import Interval, interval
from .splitting import folds_of

if TYPE_CHECKING:
    from typing import Any

    from numpy.typing import ArrayLike

    from .activations import Activations

#: What a squared weight costs, beside the sum of the logarithmic losses.
PENALTY = 10.0
# Of ridge: the cheapest on the training rows, each left out in turn, is taken.
_PENALTIES = np.geomspace(1e-1, 1e6, 8)
_ROUNDS = 300
# Of a feature whose spread is smaller than this share of its size, only rounding is left.
_LEAST = 1e-6


@dataclass(frozen=True, eq=False)
class Reading:
    """How well a probe reads one property from one layer.

    Attributes
    ----------
    measure : {"accuracy", "R2"}
    score : Interval
        On the recordings that were held out, each recording counting once; 95 % bootstrap interval
        over recordings. R2 is 1 where every number is read rightly, and 0 where naming the mean of
        the training rows would do as well; it can be negative.
    chance : float
        Score of guessing: 1 / classes, or 0.
    majority : float
        Score of naming the most frequent class of the training rows, or their mean.
    by_fold : ndarray of float, shape (folds,)
        The score in each fold; NaN for the R2 of numbers that are all the mean of the others.
    predicted : ndarray, shape (n,)
        What is read in each row by a probe that was not trained on its recording.
    """

    measure: str
    score: Interval
    chance: float
    majority: float
    by_fold: np.ndarray
    predicted: np.ndarray

    @property
    def above_chance(self) -> bool:
        """Whether the whole interval lies above guessing and above naming the most frequent."""
        return bool(self.score.low > max(self.chance, self.majority))

    def table(self) -> list[dict[str, Any]]:
        """Return one row of plain numbers, for a data frame."""
        low, mean, high = self.score.ends
        return [
            {"measure": self.measure, "score": mean, "low": low, "high": high}
            | {"chance": self.chance, "majority": self.majority, "recordings": self.score.n}
            | {"above_chance": self.above_chance}
        ]


@dataclass(frozen=True, eq=False)
class Knowledge:
    """What is read from each layer of a network.

    Attributes
    ----------
    layers : tuple of str
        From the input on.
    readings : dict of str to tuple of Reading
        By property: one for each layer.
    """

    layers: tuple[str, ...]
    readings: dict[str, tuple[Reading, ...]]

    def curve(self, name: str) -> np.ndarray:
        """Return lower end, score and upper end of a property by layer, float (layers, 3)."""
        return np.array([reading.score.ends for reading in self.readings[name]])

    def best(self, name: str) -> int:
        """Return the number of the layer from which a property is read best."""
        return int(np.nanargmax(self.curve(name)[:, 1]))

    def table(self) -> list[dict[str, Any]]:
        """Return a row of plain numbers for each property and layer, for a data frame."""
        return [
            {"property": name, "layer": layer} | reading.table()[0]
            for name, readings in self.readings.items()
            for layer, reading in zip(self.layers, readings, strict=True)
        ]


def over_layers(
    activations: Activations,
    properties: Mapping[str, ArrayLike],
    groups: ArrayLike,
    *,
    folds: int = 5,
    penalty: float = PENALTY,
    seed: int = 0,
) -> Knowledge:
    """Read properties from each layer of a network.

    Parameters
    ----------
    activations : Activations
        A row for each patch or sound.
    properties : mapping of str to array_like, shape (n,)
        Floats are numbers, read by ridge regression; everything else are classes, read by logistic
        regression.
    groups : array_like, shape (n,)
        The recording of each row: no recording is on both sides.
    folds : int
    penalty : float
        Of the logistic regression.
    seed : int
        Decides the folds.

    Returns
    -------
    Knowledge

    Raises
    ------
    XaiAudioError
        See :func:`classify` and :func:`regress`.

    Examples
    --------
    >>> import numpy as np
    >>> from xaiaudio.probes import Activations, over_layers
    >>> values = np.random.default_rng(0).normal(size=(60, 4)).astype("float32")
    >>> layers = Activations(("input", "deep"), (values, np.abs(values)))
    >>> found = over_layers(layers, {"first number": values[:, 0].astype(float)}, np.arange(60))
    >>> found.layers[found.best("first number")]
    'input'
    """
    columns = {name: np.asarray(values) for name, values in properties.items()}
    numbers = [name for name, values in columns.items() if values.dtype.kind == "f"]
    found: dict[str, list[Reading]] = {name: [] for name in columns}
    for features in activations.values:
        if numbers:
            many = np.stack([columns[name] for name in numbers], axis=1)
            readings = _regress(features, many, numbers, groups, folds, seed)
            for name, reading in zip(numbers, readings, strict=True):
                found[name].append(reading)
        for name in columns:
            if name not in numbers:
                one = classify(
                    features, columns[name], groups, folds=folds, penalty=penalty, seed=seed
                )
                found[name].append(one)
    return Knowledge(activations.layers, {name: tuple(rows) for name, rows in found.items()})


def classify(
    features: ArrayLike,
    labels: ArrayLike,
    groups: ArrayLike,
    *,
    folds: int = 5,
    penalty: float = PENALTY,
    seed: int = 0,
) -> Reading:
    """Read a class by logistic regression with squared weights as a penalty (scikit-learn).

    Features are standardised by the training rows alone.

    Parameters
    ----------
    features : array_like of float, shape (n, numbers)
    labels : array_like, shape (n,)
        Two classes at least, each in two recordings at least.
    groups : array_like, shape (n,)
        The recording of each row.
    folds : int
    penalty : float
        Above 0; scikit-learn's C is 1 / penalty.
    seed : int
        Decides the folds.

    Returns
    -------
    Reading

    Raises
    ------
    XaiAudioError
        If there is one class only, a class is absent from the training rows of a fold, or labels
        are one-hot.

    Examples
    --------
    >>> import numpy as np
    >>> from xaiaudio.probes import classify
    >>> values = np.arange(20.0)[:, None]
    >>> classify(values, values[:, 0] > 9.5, np.arange(20), penalty=0.1).score.mean
    1.0
    """
    features, labels, groups = checked(features, labels, groups)
    if labels.ndim != 1:
        raise XaiAudioError(
            f"The labels have the shape {labels.shape}: give one for each sound; of one-hot rows, "
            "labels.argmax(axis=1)."
        )
    classes, targets = np.unique(labels, return_inverse=True)
    if len(classes) < 2:
        raise XaiAudioError(
            f"All rows are of the class {classes.tolist()[0]!r}: there is nothing to read."
        )
    fold = folds_of(groups, folds, labels=labels, seed=seed)
    found, most = np.empty(len(labels), int), np.empty(len(labels), int)
    for number in range(folds):
        test = fold == number
        counts = np.bincount(targets[~test], minlength=len(classes))
        if not counts.all():
            raise XaiAudioError(
                f"The class {classes[counts.argmin()].item()!r} is absent from the training rows "
                "of a fold: each class must be in two recordings at least."
            )
        shares = probabilities(
            features[~test], targets[~test], features[test], len(classes), penalty
        )
        found[test], most[test] = shares.argmax(axis=1), counts.argmax()
    right = (found == targets).astype(float)
    return Reading(
        measure="accuracy",
        score=interval(right, groups),
        chance=1 / len(classes),
        majority=interval(most == targets, groups).mean,
        by_fold=np.array(
            [interval(right[fold == k], groups[fold == k]).mean for k in range(folds)]
        ),
        predicted=classes[found],
    )


def regress(
    features: ArrayLike, numbers: ArrayLike, groups: ArrayLike, *, folds: int = 5, seed: int = 0
) -> Reading:
    """Read a number by ridge regression (scikit-learn).

    What a squared weight costs is chosen on the training rows, each left out in turn.

    Parameters
    ----------
    features : array_like of float, shape (n, numbers)
    numbers : array_like of float, shape (n,)
    groups : array_like, shape (n,)
        The recording of each row.
    folds : int
    seed : int
        Decides the folds.

    Returns
    -------
    Reading

    Raises
    ------
    XaiAudioError
        If a number is not finite, or all are the same.

    Examples
    --------
    >>> import numpy as np
    >>> from xaiaudio.probes import regress
    >>> values = np.random.default_rng(0).normal(size=(50, 3))
    >>> round(regress(values, values.sum(axis=1), np.arange(50)).score.mean, 2)
    1.0
    """
    numbers = np.asarray(numbers, float)
    return _regress(features, numbers[:, None], ["the numbers"], groups, folds, seed)[0]


def _regress(features, numbers, names, groups, folds, seed) -> list[Reading]:
    """Read several numbers at once: numbers (n, properties)."""
    from sklearn.linear_model import RidgeCV

    features, numbers, groups = checked(features, np.asarray(numbers, float), groups)
    for name, column in zip(names, numbers.T, strict=True):
        if not np.isfinite(column).all() or np.ptp(column) == 0:
            what = "all the same" if np.isfinite(column).all() else "not all finite"
            raise XaiAudioError(f"The values of {name} are {what}: there is nothing to read.")
    fold = folds_of(groups, folds, seed=seed)
    found, mean = np.empty_like(numbers), np.empty_like(numbers)
    for number in range(folds):
        test = fold == number
        train, held = standardised(features[~test], features[test])
        mean[test] = numbers[~test].mean(axis=0)
        scale = np.maximum(numbers[~test].std(axis=0), np.finfo(float).tiny)
        ridge = RidgeCV(alphas=_PENALTIES, alpha_per_target=True)
        ridge.fit(train, (numbers[~test] - mean[test][0]) / scale)
        found[test] = mean[test] + scale * ridge.predict(held).reshape(len(held), -1)
    return [
        _reading_of_numbers(numbers[:, k], found[:, k], mean[:, k], groups, fold)
        for k in range(len(names))
    ]


def _reading_of_numbers(true, found, mean, groups, fold) -> Reading:
    wrong, spread = np.square(true - found), np.square(true - mean)
    return Reading(
        measure="R2",
        score=_r2(wrong, spread, groups),
        chance=0.0,
        majority=0.0,
        by_fold=np.array(
            [
                _r2(wrong[fold == k], spread[fold == k], groups[fold == k]).mean
                for k in range(fold.max() + 1)
            ]
        ),
        predicted=found,
    )


def _r2(wrong, spread, groups) -> Interval:
    """Return 1 minus the quotient of two means over recordings, with its interval.

    Both means change with the recordings that are drawn. To first order the quotient then changes
    as this sum of one term a row does, whose mean is the quotient itself.
    """
    below = interval(spread, groups).mean
    if not below > 0:  # all numbers of a fold are the mean of the training rows
        return Interval(np.nan, np.nan, np.nan, len(np.unique(groups)))
    quotient = interval(wrong, groups).mean / below
    return interval(1 - quotient - (wrong - quotient * spread) / below, groups)


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
    >>> from xaiaudio.probes.linear import standardised
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
