"""Linear probes: whether a class or a number can be read from a layer's activations."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from ..errors import XaiAudioError
from ..evaluate.benchmark.bootstrap import Interval, interval
from .fitting import PENALTY, checked, probabilities, standardised
from .readings import Knowledge, Reading
from .splitting import folds_of

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from .activations import Activations

# Of ridge: the cheapest on the training rows, each left out in turn, is taken.
_PENALTIES = np.geomspace(1e-1, 1e6, 8)


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
