"""How well components of a sound are notes: each matched to one, and compared frame by frame."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.optimize import linear_sum_assignment

from ...errors import XaiAudioError


@dataclass(frozen=True, eq=False)
class Transcription:
    """Components matched to notes.

    Attributes
    ----------
    components, notes : ndarray of int, shape (pairs,)
        Which component was matched to which note.
    likeness : ndarray of float, shape (pairs,)
        Cosine between activation and note.
    roll : ndarray of bool, shape (notes, T)
        What was transcribed; a note without a component is silent.
    precision, recall, f : float
        Over all cells of the piano roll, in [0, 1].
    """

    components: np.ndarray
    notes: np.ndarray
    likeness: np.ndarray
    roll: np.ndarray
    precision: float
    recall: float
    f: float


def transcribed(activations: ArrayLike, truth: ArrayLike, *, level: float = 0.2) -> Transcription:
    """Match components to the notes of a piano roll, and compare frame by frame.

    Each component gets one note at most, and each note one component, so that the sum of their
    cosines is as large as it can be (the Hungarian method). A component sounds where it is above a
    share of its largest activation.

    Parameters
    ----------
    activations : array_like of float, shape (components, T)
        Not negative.
    truth : array_like of bool, shape (notes, T)
    level : float
        The share.

    Returns
    -------
    Transcription

    Raises
    ------
    XaiAudioError
        If the two are not of one length.

    References
    ----------
    H. W. Kuhn, "The Hungarian method for the assignment problem", Naval Research Logistics
    Quarterly 2, 1955.

    Examples
    --------
    >>> import numpy as np
    >>> from xaiaudio.evaluate.metrics.transcription import transcribed
    >>> transcribed([[0, 5.0], [3.0, 0]], [[True, False], [False, True]]).f
    1.0
    """
    heights, roll = np.asarray(activations, float), np.asarray(truth, bool)
    if heights.ndim != 2 or roll.ndim != 2 or heights.shape[1] != roll.shape[1]:
        raise XaiAudioError(
            f"The activations have the shape {heights.shape} and the piano roll {roll.shape}: both "
            "need a row each and the same frames."
        )
    unit = [_unit(part) for part in (heights, roll.astype(float))]
    likeness = unit[0] @ unit[1].T
    components, notes = linear_sum_assignment(-likeness)
    found = np.zeros(roll.shape, bool)
    peaks = heights.max(axis=1, keepdims=True)
    found[notes] = ((heights > level * peaks) & (peaks > 0))[components]
    precision, recall, f = agreement(found, roll)
    return Transcription(
        components, notes, likeness[components, notes], found, precision, recall, f
    )


def agreement(found: ArrayLike, truth: ArrayLike) -> tuple[float, float, float]:
    """Return precision, recall and F-measure of cells that are found, each 0 if nothing is.

    Examples
    --------
    >>> from xaiaudio.evaluate.metrics.transcription import agreement
    >>> agreement([True, True, False], [True, False, False])
    (0.5, 1.0, 0.6666666666666666)
    """
    found, truth = np.asarray(found, bool), np.asarray(truth, bool)
    both = int((found & truth).sum())
    total = int(found.sum()) + int(truth.sum())
    return (
        both / max(int(found.sum()), 1),
        both / max(int(truth.sum()), 1),
        2 * both / max(total, 1),
    )


def _unit(rows) -> np.ndarray:
    return rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-12)
