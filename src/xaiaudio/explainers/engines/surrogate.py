"""Surrogates: a small linear model of what a network answers to coalitions of parts.

The model is fitted for all answers at once, and says how well it fits and how much of it is chance.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from .designs import Design

#: The penalty on the squared weights, as in the package lime.
ALPHA = 1.0

# Answers that differ by less, as a share of the largest, are one and the same.
SAME = 1e-6

# How many answers have their standard errors computed at a time: memory grows with it.
_CHUNK = 64


@dataclass(frozen=True, eq=False)
class Fit:
    """What a surrogate found, for each of k answers.

    Attributes
    ----------
    weights : ndarray of float64, shape (k, count)
        Of the parts. 0 if the answer never changed.
    intercepts : ndarray of float64, shape (k,)
        What the model answers when all parts are off.
    r2 : ndarray of float64, shape (k,)
        Share of the weighted variance of the answers that the model explains; NaN if they have
        none.
    errors : ndarray of float64, shape (k, count)
        Standard error of each weight: how far another seed moves it. 0 where nothing was drawn;
        NaN if there are no more groups of rows than numbers in the model, so that these tell
        nothing of it.
    total : float
        Sum of the rows' weights, which the penalty has to be compared with.
    """

    weights: np.ndarray
    intercepts: np.ndarray
    r2: np.ndarray
    errors: np.ndarray
    total: float

    @property
    def stability(self) -> np.ndarray:
        """The correlation to be expected with the weights of another seed, (k,).

        See :func:`stability`.
        """
        return stability(self.weights, self.errors)

    def __getitem__(self, index: slice) -> Fit:
        """Return the fit of some of the answers."""
        return Fit(
            self.weights[index],
            self.intercepts[index],
            self.r2[index],
            self.errors[index],
            self.total,
        )


def kernel(present: ArrayLike, width: float = 0.25) -> np.ndarray:
    """Return how much each coalition counts: less, the fewer parts are on.

    Parameters
    ----------
    present : array_like of int, shape (m, count)
    width : float
        How fast the weight falls with the cosine distance from the coalition of all parts, which is
        ``1 - sqrt(on / count)``.

    Returns
    -------
    ndarray of float64, shape (m,)
        From 1 for all parts down to ``exp(-1 / (2 width**2))`` for none.

    Examples
    --------
    >>> kernel([[1, 1, 1, 1], [1, 0, 0, 0], [0, 0, 0, 0]]).round(4).tolist()
    [1.0, 0.1353, 0.0003]
    """
    distance = 1 - np.sqrt(np.asarray(present, np.float64).mean(axis=1))
    return np.exp(-(distance**2) / (2 * width**2))


def fit(design: Design, answers: ArrayLike, closeness: ArrayLike, alpha: float = ALPHA) -> Fit:
    """Fit a ridge regression with an intercept, one solve for all answers.

    Parameters
    ----------
    design : Design
    answers : array_like of float, shape (m, k)
        To the coalitions of the design.
    closeness : array_like of float, shape (m,)
        The weight of each row, see :func:`kernel`.
    alpha : float
        The penalty on the squared weights. With 0 the fit is that of least squares, and the
        smallest of these where the rows leave a choice.

    Returns
    -------
    Fit

    Examples
    --------
    >>> from xaiaudio.explainers.engines import designs
    >>> design = designs.draw(2, 4)
    >>> found = fit(design, design.present @ [[3.0], [-1.0]] + 5, [1, 1, 1, 1], alpha=0)
    >>> found.weights.round(6).tolist(), found.intercepts.round(6).tolist(), found.r2.tolist()
    ([[3.0, -1.0]], [5.0], [1.0])
    """
    present = np.asarray(design.present, np.float64)
    answers, closeness = np.asarray(answers, np.float64), np.asarray(closeness, np.float64)
    total, root = closeness.sum(), np.sqrt(closeness)[:, None]
    centre = closeness @ present / total
    left = root * (present - centre)
    # Counted from the answer to all parts, so that an answer that never changes is exactly 0.
    change = answers - answers[0]
    level = closeness @ change / total
    right = root * (change - level)
    solver = _solver(left, alpha)
    weights = solver @ right
    rest = right - left @ weights
    # A narrow kernel can leave one row alone: answers may change, but none of those that count.
    spread = np.square(right).sum(axis=0)
    varied = (np.ptp(answers, axis=0) > SAME * np.abs(answers).max(axis=0)) & (spread > 0)
    weights[:, ~varied] = 0
    explained = 1 - np.square(rest).sum(axis=0) / np.where(varied, spread, 1)
    errors = np.zeros_like(weights)
    if not design.complete and design.groups.max() <= present.shape[1]:
        errors[:, varied] = np.nan  # the model follows the rows wherever they go
    elif not design.complete:
        errors[:, varied] = standard_errors(
            solver, left, rest[:, varied], design.groups, root[:, 0] / np.sqrt(total)
        )
    return Fit(
        weights.T,
        answers[0] + level - centre @ weights,
        np.where(varied, explained, np.nan),
        errors.T,
        float(total),
    )


def _solver(left, alpha) -> np.ndarray:
    """Return the matrix (count, m) that makes the weights of the answers."""
    rows, count = left.shape
    if alpha == 0:
        return np.linalg.pinv(left)
    if rows >= count:
        return np.linalg.solve(left.T @ left + alpha * np.eye(count), left.T)
    return np.linalg.solve(left @ left.T + alpha * np.eye(rows), left).T


def standard_errors(
    solver: np.ndarray,
    left: np.ndarray,
    rest: np.ndarray,
    groups: np.ndarray,
    constant: np.ndarray | None = None,
) -> np.ndarray:
    """Return how far weights would move if other coalitions had been drawn.

    What the model leaves unexplained in one group of rows moves the weights by as much as the
    solver makes of it; the squares of these moves are added up. A model follows the rows that it is
    fitted to, so that they leave less than others would: that is corrected for.

    Parameters
    ----------
    solver : ndarray of float, shape (count, m)
        Weights are ``solver @ answers``.
    left : ndarray of float, shape (m, count)
        What the model says of the answers is ``left @ weights``.
    rest : ndarray of float, shape (m, k)
        The answers without what the model says.
    groups : ndarray of int, shape (m,)
        From 0; rows of one group were drawn together.
    constant : ndarray of float, shape (m,), optional
        Of length 1: a column of the model that was taken out of `left` before, the intercept.

    Returns
    -------
    ndarray of float, shape (count, k)

    References
    ----------
    R. M. Bell and D. F. McCaffrey, "Bias reduction in standard errors for linear regression with
    multi-stage samples", Survey Methodology 2002.
    """
    members = _members(groups)

    def grouped(rows):  # (groups, size, ...), with rows of zeros where a group is smaller
        return np.concatenate([rows, np.zeros_like(rows[:1])])[members]

    makes = grouped(solver.T)
    share = grouped(left) @ makes.transpose(0, 2, 1)
    if constant is not None:
        ones = grouped(constant)
        share = share + ones[:, :, None] * ones[:, None, :]
    size = members.shape[1]
    values, vectors = np.linalg.eigh(np.eye(size) - (share + share.transpose(0, 2, 1)) / 2)
    # A row that the model has to follow exactly leaves nothing, and nothing is made of that.
    scale = np.where(values > 1e-9, 1 / np.sqrt(np.maximum(values, 1e-9)), 0)
    whiten = (vectors * scale[:, None, :]) @ vectors.transpose(0, 2, 1)
    moves = (whiten @ makes).transpose(2, 0, 1)  # (count, groups, size)
    squares = np.zeros((len(solver), rest.shape[1]))
    for start in range(0, rest.shape[1], _CHUNK):
        left_over = grouped(rest[:, start : start + _CHUNK])
        moved = np.einsum("cgs,gsk->cgk", moves, left_over, optimize=True)
        squares[:, start : start + _CHUNK] = np.square(moved).sum(axis=1)
    return np.sqrt(squares)


def _members(groups) -> np.ndarray:
    """Return the numbers of the rows of each group (groups, size), -1 where it has no more."""
    rows, sizes = np.argsort(groups, kind="stable"), np.bincount(groups)
    places = np.arange(sizes.max())
    firsts = (np.cumsum(sizes) - sizes)[:, None]
    inside = places < sizes[:, None]
    return np.where(inside, rows[np.where(inside, firsts + places, 0)], -1)


def stability(weights: ArrayLike, errors: ArrayLike) -> np.ndarray:
    """Return the correlation to be expected between these weights and those of another seed.

    The spread of the weights over the parts is partly chance. The rest of it, as a share, is what
    two draws have in common, and so their correlation.

    Parameters
    ----------
    weights, errors : array_like of float, shape (k, count)
        The weights of the parts, and their standard errors.

    Returns
    -------
    ndarray of float64, shape (k,)
        From 0, all chance, to 1, none. NaN if all weights are the same.

    Examples
    --------
    >>> stability([[1.0, -1.0], [1.0, 1.0]], [[0.5, 0.5], [0.5, 0.5]]).tolist()
    [0.75, nan]
    """
    spread = np.var(weights, axis=1)
    chance = np.square(errors).mean(axis=1)
    flat = spread <= 1e-12 * np.square(weights).max(axis=1)
    return np.where(flat, np.nan, np.maximum(1 - chance / np.where(flat, 1, spread), 0))
