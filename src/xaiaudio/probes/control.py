"""Control tasks: whether a probe finds what is there, or learns anything by heart."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ..errors import XaiAudioError
from ..evaluate.benchmark.bootstrap import Interval, interval
from .fitting import PENALTY, checked, probabilities
from .splitting import folds_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from numpy.typing import ArrayLike


@dataclass(frozen=True, eq=False)
class Selectivity:
    """Accuracy of a probe on a task and on a control task that means nothing.

    Attributes
    ----------
    task, control : Interval
        Accuracies, on the rows whose type is among the training rows.
    selectivity : Interval
        Task minus control, recording by recording.
    unseen : int
        Rows whose type is absent from the training rows. Their control label can only be guessed.
    control_unseen : float
        Control accuracy on them; NaN if there are none.
    task_unseen : float
    """

    task: Interval
    control: Interval
    selectivity: Interval
    unseen: int
    control_unseen: float
    task_unseen: float

    def table(self) -> list[dict[str, Any]]:
        """Return one row of plain numbers, for a data frame."""
        return [
            {
                f"{name}{end}": value
                for name in ("task", "control", "selectivity")
                for end, value in zip(("_low", "", "_high"), getattr(self, name).ends, strict=True)
            }
            | {
                "unseen": self.unseen,
                "task_unseen": self.task_unseen,
                "control_unseen": self.control_unseen,
            }
        ]


def control_labels(
    types: ArrayLike, labels: ArrayLike, *, seed: int | Sequence[int] = 0
) -> np.ndarray:
    """Draw a label for each type, once: the control task.

    Parameters
    ----------
    types : array_like, shape (n,)
        The recording of each row, or the number of its cluster. Never its class.
    labels : array_like, shape (n,)
        Of the task; control labels are drawn with the same shares.
    seed : int or sequence of int

    Returns
    -------
    ndarray, shape (n,)
        The same for all rows of a type.

    Examples
    --------
    >>> from xaiaudio.probes import control_labels
    >>> found = control_labels(["a", "a", "b"], ["dog", "dog", "cat"])
    >>> bool(found[0] == found[1])
    True
    """
    names, of_row = np.unique(types, return_inverse=True)
    drawn = np.random.default_rng(seed).choice(np.asarray(labels), size=len(names))
    return drawn[of_row]


def selectivity(
    features: ArrayLike,
    labels: ArrayLike,
    types: ArrayLike,
    groups: ArrayLike,
    *,
    draws: int = 3,
    folds: int = 5,
    penalty: float = PENALTY,
    seed: int = 0,
) -> Selectivity:
    """Compare a probe's accuracy on a task with that on control tasks.

    A control task has labels that were drawn at random, one for each type, and never change. A
    layer cannot know them. A probe that is right about them has learnt them by heart.

    Parameters
    ----------
    features : array_like of float, shape (n, numbers)
    labels : array_like, shape (n,)
    types : array_like, shape (n,)
        What a probe could learn by heart, such as the recording of each row. Never the class.
    groups : array_like, shape (n,)
        What is not to be on both sides. With the recordings as types, give parts of them, or all
        types are absent from training.
    draws : int
        Control tasks that are averaged.
    folds : int
    penalty : float
        Of both probes.
    seed : int

    Returns
    -------
    Selectivity

    Raises
    ------
    XaiAudioError
        If there is one class only, the types are the classes, or the lengths differ.

    References
    ----------
    Hewitt and Liang 2019, Designing and interpreting probes with control tasks.

    Examples
    --------
    >>> import numpy as np
    >>> from xaiaudio.probes import selectivity
    >>> rng = np.random.default_rng(0)
    >>> values, types = rng.normal(size=(90, 2)), np.arange(90) // 3
    >>> found = selectivity(values, values[:, 0] > 0, types, np.arange(90))
    >>> found.task.mean > found.control.mean
    True
    """
    features, labels, groups = checked(features, labels, groups)
    types = np.asarray(types)
    if types.shape != labels.shape or draws < 1:
        raise XaiAudioError(
            f"There are {types.size} types for {len(labels)} rows, and {draws} control tasks: a "
            "type for each row, and one task at least, are needed."
        )
    classes, targets = np.unique(labels, return_inverse=True)
    type_numbers = np.unique(types, return_inverse=True)[1]
    pairs = len(np.unique(np.stack([targets, type_numbers], axis=1), axis=0))
    if len(classes) < 2 or pairs == len(classes) == type_numbers.max() + 1:
        raise XaiAudioError(
            "The labels have one class only: there is nothing to read."
            if len(classes) < 2
            else "The types are the classes: a control label would be the class by another name. "
            "Give the recordings."
        )
    tasks = [targets] + [control_labels(types, targets, seed=[seed, draw]) for draw in range(draws)]
    fold = folds_of(groups, folds, labels=labels, seed=seed)
    right, seen = np.empty((len(tasks), len(labels))), np.empty(len(labels), bool)
    for number in range(folds):
        test = fold == number
        seen[test] = np.isin(type_numbers[test], type_numbers[~test])
        for task, wanted in enumerate(tasks):
            shares = probabilities(
                features[~test], wanted[~test], features[test], len(classes), penalty
            )
            right[task, test] = shares.argmax(axis=1) == wanted[test]
    of_task, of_control = right[0], right[1:].mean(axis=0)
    return Selectivity(
        task=interval(of_task[seen], groups[seen]),
        control=interval(of_control[seen], groups[seen]),
        selectivity=interval((of_task - of_control)[seen], groups[seen]),
        unseen=int((~seen).sum()),
        control_unseen=interval(of_control[~seen], groups[~seen]).mean,
        task_unseen=interval(of_task[~seen], groups[~seen]).mean,
    )
