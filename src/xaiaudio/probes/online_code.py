"""Code length: how many bits the labels take for someone who has the activations."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ..errors import XaiAudioError
from .fitting import PENALTY, probabilities

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from numpy.typing import ArrayLike

#: Where the portions end, in per cent of the rows.
PORTIONS = (0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 6.25, 12.5, 25.0, 50.0, 100.0)


@dataclass(frozen=True, eq=False)
class CodeLength:
    """The bits that the labels of some rows take.

    Attributes
    ----------
    ends : ndarray of int, shape (portions,)
        Rows up to the end of each portion.
    bits : ndarray of float, shape (portions,)
        Bits of the labels of each portion; those of the first are sent uncompressed.
    uniform : float
        Bits of all labels, uncompressed: rows times the binary logarithm of the classes.
    """

    ends: np.ndarray
    bits: np.ndarray
    uniform: float

    @property
    def total(self) -> float:
        """Bits of all labels."""
        return float(self.bits.sum())

    @property
    def compression(self) -> float:
        """How many times shorter the code is than the uncompressed labels; 1 for one class."""
        return self.uniform / self.total if self.total > 0 else 1.0

    def table(self) -> list[dict[str, Any]]:
        """Return one row of plain numbers, for a data frame."""
        return [{"bits": self.total, "uniform": self.uniform, "compression": self.compression}]


def code_length(
    features: ArrayLike,
    labels: ArrayLike,
    groups: ArrayLike | None = None,
    *,
    portions: tuple[float, ...] = PORTIONS,
    penalty: float = PENALTY,
    predict: Callable | None = None,
    seed: int = 0,
) -> CodeLength:
    """Send labels portion by portion: the online code of minimum description length.

    Two people have the activations, and one of them the labels. The labels of the first portion are
    sent as they are. From then on both train the same probe on all that was sent, and the labels of
    the next portion are sent in a code for what the probe expects: a label of probability p takes
    -log2(p) bits. What can be read from few examples takes few bits.

    As a probe gives a class that it has not met the probability 0, it is mixed with guessing, which
    counts as one row.

    Parameters
    ----------
    features : array_like of float, shape (n, numbers)
    labels : array_like, shape (n,)
    groups : array_like, optional
        The recording of each row. Recordings are sent whole, one after the other.
    portions : tuple of float
        Where the portions end, in per cent, rising to 100.
    penalty : float
        Of the probe.
    predict : callable, optional
        In place of the logistic probe: ``(train, targets, test, classes) -> probabilities``, rows
        that sum to 1.
    seed : int
        Decides the order.

    Returns
    -------
    CodeLength

    Raises
    ------
    XaiAudioError
        If the lengths differ, or the portions do not rise to 100.

    References
    ----------
    Voita and Titov 2020, Information-theoretic probing with minimum description length.

    Examples
    --------
    >>> import numpy as np
    >>> from xaiaudio.probes import code_length
    >>> values = np.random.default_rng(0).normal(size=(400, 2))
    >>> code_length(values, values[:, 0] > 0, penalty=0.1).compression > 2
    True
    """
    features, labels = np.asarray(features), np.asarray(labels)
    groups = np.arange(len(labels)) if groups is None else np.asarray(groups)
    if features.ndim != 2 or not len(features) == len(labels) == len(groups) > 0:
        raise XaiAudioError(
            f"The features have the shape {features.shape}, and there are {len(labels)} labels and "
            f"{len(groups)} recordings: a row, a label and a recording are needed for each sound."
        )
    if not portions or portions[-1] != 100 or np.any(np.diff((0, *portions)) <= 0):
        raise XaiAudioError(f"The portions are {portions}: they must rise from above 0 to 100.")
    order, ends = _order(groups, portions, seed)
    classes, targets = np.unique(labels[order], return_inverse=True)
    features, count = features[order], len(classes)
    ask = _probe(penalty) if predict is None else predict
    bits = [ends[0] * np.log2(count)]
    for start, end in zip(ends[:-1], ends[1:], strict=True):
        found = ask(features[:start], targets[:start], features[start:end], count)
        mixed = (start * found + 1 / count) / (start + 1)
        bits.append(-np.log2(mixed[np.arange(end - start), targets[start:end]]).sum())
    return CodeLength(ends, np.array(bits), len(labels) * float(np.log2(count)))


def _probe(penalty):
    def ask(train, targets, test, classes):
        return probabilities(train, targets, test, classes, penalty)

    return ask


def _order(groups, portions, seed) -> tuple[np.ndarray, np.ndarray]:
    """Return the rows in the order of sending, recording by recording, and the portions' ends."""
    names, of_row = np.unique(groups, return_inverse=True)
    rng = np.random.default_rng(seed)
    # Within a recording in any order as well: rows may be sorted by their labels.
    place = rng.permutation(len(names))[of_row]
    order = np.lexsort((rng.permutation(len(of_row)), place))
    whole = np.append(np.flatnonzero(np.diff(place[order])) + 1, len(order))
    wanted = np.ceil(np.array(portions) / 100 * len(order) - 1e-9)
    return order, np.unique(whole[np.searchsorted(whole, wanted)])
