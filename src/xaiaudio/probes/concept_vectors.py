"""The directions in which a layer moves when a concept comes in, and what logits do along them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

#: Ridge, as a share of the mean square of what is told apart.
RIDGE = 0.1


@dataclass(frozen=True, eq=False)
class Vectors:
    """Concept activation vectors of several draws.

    Attributes
    ----------
    directions : ndarray of float, shape (draws, channels)
        Of length 1, towards the concept; zeros where there is nothing to tell apart.
    apart : ndarray of float, shape (draws,)
        How far the concept's mean lies from the random mean along it, from 0 up.
    accuracy : float
        Of each draw on the sounds of all others, the mean; NaN if there is one draw.
    """

    directions: np.ndarray
    apart: np.ndarray
    accuracy: float


def vectors(concept: ArrayLike, random: ArrayLike, ridge: float = RIDGE) -> Vectors:
    """Fit one linear classifier a draw, all at once: least squares with a ridge.

    With X the activations of a draw minus their mean, and y = 1 for the concept and -1 for random
    sounds, the vector is X' (X X' + r I)^-1 y, brought to length 1.

    Parameters
    ----------
    concept, random : array_like of float, shape (draws, size, channels)
    ridge : float
        r as a share of the mean square length of the rows of X; above 0.

    Returns
    -------
    Vectors

    Examples
    --------
    >>> import numpy as np
    >>> from xaiaudio.probes.concept_vectors import vectors
    >>> rng = np.random.default_rng(0)
    >>> told = vectors(rng.normal(1, 0.1, (20, 3, 2)), rng.normal(0, 0.1, (20, 3, 2)))
    >>> told.directions.shape, told.accuracy
    ((20, 2), 1.0)
    """
    concept, random = np.asarray(concept, np.float64), np.asarray(random, np.float64)
    both = np.concatenate([concept, random], axis=1)
    centres = both.mean(axis=1, keepdims=True)
    both = both - centres
    size = concept.shape[1]
    gram = both @ both.transpose(0, 2, 1)
    strength = ridge * np.trace(gram, axis1=1, axis2=2) / (2 * size)
    eye = np.eye(2 * size)
    # Of sounds that are all alike the system would be singular: any strength gives zeros.
    strength = np.where(strength > 0, strength, 1.0)
    signs = np.repeat([1.0, -1.0], size)[:, None]
    weights = np.linalg.solve(
        gram + strength[:, None, None] * eye, np.tile(signs, (len(both), 1, 1))
    )
    raw = (both.transpose(0, 2, 1) @ weights)[..., 0]
    length = np.linalg.norm(raw, axis=1, keepdims=True)
    directions = raw / np.where(length > 0, length, 1.0)
    gap = both[:, :size].mean(axis=1) - both[:, size:].mean(axis=1)
    return Vectors(
        directions=directions,
        apart=(gap * directions).sum(axis=1),
        accuracy=_accuracy(directions, centres[:, 0], concept, random),
    )


def _accuracy(directions, centres, concept, random) -> float:
    """Return how often a draw's classifier is right about the sounds of all other draws."""
    if len(directions) < 2:
        return np.nan
    borders = (directions * centres).sum(axis=1)[:, None, None]
    sides = [np.einsum("ad,bsd->abs", directions, one) - borders for one in (concept, random)]
    # What lies on the border is right in half of the cases.
    right = (1 + np.sign(sides[0])) / 2 + (1 - np.sign(sides[1])) / 2
    others = ~np.eye(len(directions), dtype=bool)
    return float(right.mean(axis=2)[others].mean() / 2)


def answers(
    told: Vectors, gradients: np.ndarray, targets: np.ndarray, classes: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Count the patches of each class whose logit rises or falls along vectors.

    Parameters
    ----------
    told : Vectors
    gradients : ndarray of float, shape (n, channels)
        Of each patch's own logit, see :class:`.sensitivities.Sensitivity`.
    targets : ndarray of int, shape (n,)
        The patches' classes.
    classes : ndarray of int, shape (classes,)
        Which of them to count.

    Returns
    -------
    rising, falling : ndarray of int, shape (classes, draws)
    effects : ndarray of float, shape (classes,)
        See `Tested`.
    """
    slopes = gradients @ told.directions.T
    mine = targets == np.asarray(classes)[:, None]
    rising, falling = mine @ (slopes > 0).astype(int), mine @ (slopes < 0).astype(int)
    moved = (slopes * told.apart).mean(axis=1)
    return rising, falling, (mine @ moved) / mine.sum(axis=1)
