"""Shapley values: what a segment adds on average, whichever others were there before it.

Exact where the network can be asked about all coalitions. Else KernelSHAP: a regression whose rows
are drawn by the kernel under which it has the Shapley values as its solution, and whose weights sum
to what all segments together add.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import comb
from typing import TYPE_CHECKING

import numpy as np

from ..errors import XaiAudioError
from .engines import designs, surrogate, switching
from .engines.designs import Design
from .engines.surrogate import Fit
from .engines.switching import SegmentOptions, Solver
from .registry import Found, register

if TYPE_CHECKING:
    from ..models.classifier import AudioClassifier

#: How coalitions of the kernel's sizes can be drawn, the best first.
DRAWS = ("complements", "independent")


@dataclass(frozen=True)
class Options(SegmentOptions):
    """Options of Shapley values, beside those of :class:`.switching.SegmentOptions`.

    Attributes
    ----------
    samples : int
        At least three times as many as there are segments and two more, unless these are all
        coalitions: with fewer, the regression nearly follows its rows, and chance with them.
    draws : {"complements", "independent"}
        How the coalitions are drawn, see :func:`design_of`.
    """

    samples: int = 512
    draws: str = "complements"

    def __post_init__(self):
        super().__post_init__()
        if self.draws not in DRAWS:
            raise XaiAudioError(f"draws is {self.draws!r}: it must be one of {DRAWS}.")


@register(
    "shapley",
    options=Options,
    summary="What each segment adds to the logit, averaged over the orders of all segments.",
    paper="Lundberg & Lee 2017, A Unified Approach to Interpreting Model Predictions",
    many_targets=True,
)
def shapley(
    classifier: AudioClassifier, patches: np.ndarray, targets: np.ndarray, options: Options
) -> Found:
    """Compute maps (n, k, frames, bands) of the Shapley values of segments for `targets` (n, k).

    The values of all segments of a map sum to the answer to the patch less the answer to the patch
    with all segments switched off. The report is that of :func:`report_of`.
    """
    return Found(*switching.solved(classifier, patches, targets, options, SOLVER))


def design_of(count: int, options: Options) -> Design:
    """Choose coalitions: that of all parts, that of none, and then others by their sizes.

    With `n` parts, a coalition of k is drawn with a chance that goes with 1 / (k (n - k)), as in
    the kernel of Lundberg and Lee. Of one size, all are drawn alike.

    Parameters
    ----------
    count : int
        Parts, 1 or more.
    options : Options
        Its `samples`, `seed` and `draws`. With ``"complements"`` each coalition is followed by its
        complement, whose chance is the same.

    Returns
    -------
    Design
        With all coalitions if they are no more than `samples`.

    Raises
    ------
    XaiAudioError
        If the samples are too few to tell the parts apart.

    References
    ----------
    I. Covert and S.-I. Lee, "Improving KernelSHAP: Practical Shapley Value Estimation via Linear
    Regression", AISTATS 2021, for the complements.

    Examples
    --------
    >>> design = design_of(6, Options(samples=20))
    >>> design.present[:2].tolist()
    [[1, 1, 1, 1, 1, 1], [0, 0, 0, 0, 0, 0]]
    >>> (design.present[2::2] + design.present[3::2]).min(), design.complete
    (np.int8(1), False)
    """
    count = int(count)
    if 2**count <= options.samples:
        return designs.draw(count, options.samples)
    least = min(3 * count + 2, 2**count)
    if options.samples < least:
        raise XaiAudioError(
            f"samples is {options.samples}: the Shapley values of {count} segments need {least} or "
            "more."
        )
    paired = options.draws == "complements"
    left = options.samples - 2
    number = -(-left // 2) if paired else left
    rng = np.random.default_rng(options.seed)
    chances = 1 / (np.arange(1, count) * np.arange(count - 1, 0, -1))
    sizes = rng.choice(np.arange(1, count), number, p=chances / chances.sum())
    ranks = rng.permuted(np.tile(np.arange(count), (number, 1)), axis=1)
    rows, groups = (ranks < sizes[:, None]).astype(np.int8), np.arange(number)
    if paired:
        rows = np.stack([rows, 1 - rows], axis=1).reshape(-1, count)[:left]
        groups = np.repeat(groups, 2)[:left]
    both = np.repeat(np.array([[1], [0]], np.int8), count, axis=1)
    return Design(np.concatenate([both, rows]), np.concatenate([[0, 1], 2 + groups]))


def values(design: Design, answers: np.ndarray, options: Options) -> Fit:
    """Make Shapley values of the answers to a design.

    Parameters
    ----------
    design : Design
        All coalitions, or those of :func:`design_of`.
    answers : ndarray of float, shape (m, k)
    options : Options

    Returns
    -------
    Fit
        The values as `weights`, the answers with all parts off as `intercepts`. `r2` is the share
        of the answers' variance under the kernel that the sum of the values explains.

    Examples
    --------
    >>> import numpy as np
    >>> design = design_of(2, Options())
    >>> both = design.present.prod(axis=1, keepdims=True)  # it takes both parts
    >>> values(design, both, Options()).weights.tolist()
    [[0.5, 0.5]]
    """
    present, answers = np.asarray(design.present, np.float64), np.asarray(answers, np.float64)
    count = present.shape[1]
    on = present.sum(axis=1).astype(int)
    none = answers[on == 0][0]
    gained = answers - none
    total = gained[0]
    # In the middle, where neither all parts are on nor none.
    middle = (on > 0) & (on < count)
    # An equal share each, and what the regression finds beyond it, which sums to zero.
    left = present[middle] - on[middle, None] / count
    right = gained[middle] - on[middle, None] / count * total
    if design.complete:
        weights = _exact(present, on, gained)
        root = np.sqrt([1 / (comb(count, size) * size * (count - size)) for size in on[middle]])
    else:
        solver = np.linalg.pinv(left)
        weights = total / count + solver @ right
        root = np.ones(len(left))
    rest = root[:, None] * (right - left @ (weights - total / count))
    level = root @ (root[:, None] * gained[middle]) / max(root @ root, 1e-300)
    spread = np.square(root[:, None] * (gained[middle] - level)).sum(axis=0)
    constant = np.ptp(answers, axis=0) <= surrogate.SAME * np.abs(answers).max(axis=0)
    weights[:, constant] = 0  # what is left there is rounding, and speaks for nothing
    varied = ~constant & (spread > 0)
    r2 = 1 - np.square(rest).sum(axis=0) / np.where(varied, spread, 1)
    errors = np.zeros_like(weights)
    if not design.complete:
        groups = np.unique(design.groups[middle], return_inverse=True)[1]
        enough = groups.max() >= count  # more groups than values, of which one is settled
        errors[:] = surrogate.standard_errors(solver, left, rest, groups) if enough else np.nan
    return Fit(weights.T, none, np.where(varied, r2, np.nan), errors.T, float(root @ root))


def _exact(present, on, gained) -> np.ndarray:
    """Return the values (count, k) by their definition, from the answers to all coalitions."""
    count = present.shape[1]
    # In the mean over all orders, how often a part completes, or follows, a coalition of a size.
    completes = np.array([0, *(1 / (count * comb(count - 1, k - 1)) for k in range(1, count + 1))])
    follows = np.array([*(1 / (count * comb(count - 1, k)) for k in range(count)), 0])
    share = np.where(present == 1, completes[on][:, None], -follows[on][:, None])
    return share.T @ gained


def report_of(design: Design, fit: Fit, options: Options) -> dict[str, np.ndarray]:
    """Return how values were found, one number for each of k answers.

    Parameters
    ----------
    design : Design
    fit : Fit
    options : Options

    Returns
    -------
    dict of str to ndarray of shape (k,)
        ``samples`` coalitions that the network was asked about, of which ``rows`` are different;
        ``none``, its answer with all parts off; ``total``, what all values sum to; ``r2``, how much
        of the answers' variance under the kernel the sum of the values explains, NaN if there is
        none; ``stability``, the correlation to be expected with the values of another seed, see
        :func:`.surrogate.stability`, which is 1 where they are exact. NaN if there are too few
        samples to tell.
    """
    same = {"samples": len(design), "rows": design.distinct}
    report = {name: np.full(len(fit.r2), number, float) for name, number in same.items()}
    sums = {"none": fit.intercepts, "total": fit.weights.sum(axis=1)}
    return report | sums | {"r2": fit.r2, "stability": fit.stability}


#: How Shapley values are drawn for, computed and reported.
SOLVER = Solver(design_of, values, report_of)
