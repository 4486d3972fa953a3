"""What networks that explain themselves cost, and whether they explain the same way twice."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.optimize import linear_sum_assignment
from scipy.special import expit, softmax

from ...errors import XaiAudioError
from ..training.tables import PatchTable, patch_table
from ..training.testing import judged, test
from . import nmf
from .grounds import activations_on

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import ArrayLike

    from ...datasets.base import ClipSet
    from ...patches import Patches
    from ..backbones import Backbone
    from ..classifier import AudioClassifier
    from .base import SelfExplaining

# What the parts that make up a decision hold of all that was added and taken away.
SHARE = 0.9


@dataclass(frozen=True)
class Price:
    """One row of a comparison.

    Attributes
    ----------
    name : str
    clip_accuracy, patch_accuracy : float
        On clips that it has not seen, in [0, 1].
    seconds : float
        Of training; NaN if unknown.
    weights : int
        Numbers in the network.
    parts : int
        That it has; 0 for a network that does not explain itself.
    per_decision : float
        Parts that make up nine tenths of a decision, see :func:`parts_per_decision`; NaN without
        parts.
    """

    name: str
    clip_accuracy: float
    patch_accuracy: float
    seconds: float
    weights: int
    parts: int
    per_decision: float


def price(
    model: AudioClassifier,
    clips: ClipSet | PatchTable,
    name: str | None = None,
    *,
    backbone: Backbone | None = None,
) -> Price:
    """Test a network on clips, and count what it takes to understand it.

    Parameters
    ----------
    model : AudioClassifier
        A `SelfExplaining`, or any other to compare with.
    clips : ClipSet or PatchTable
        That it has not seen.
    name : str, optional
        Of the row; the model's own by default.
    backbone : Backbone, optional
        What several networks stand on that are tested on the same clips: it is asked once.

    Returns
    -------
    Price
    """
    from .base import SelfExplaining

    table = clips if isinstance(clips, PatchTable) else patch_table(clips, model.frontend)
    parts, needed = 0, np.array([np.nan])
    if isinstance(model, SelfExplaining):
        table.targets(model.labels)  # before the work, not after it
        added = model.added_by(_active(model, table.patches, backbone))
        # The logits are their sums: the network need not be asked a second time.
        logits = added.sum(axis=1) + model.bias
        scores = expit(logits) if model.activation == "sigmoid" else softmax(logits, axis=1)
        found = judged(table, scores, model.labels)
        parts, needed = len(model.parts), _needed(model, added, SHARE)
    else:
        found = test(model, table)
    return Price(
        name=model.name if name is None else name,
        clip_accuracy=found.clip_accuracy,
        patch_accuracy=found.patch_accuracy,
        seconds=float(model.history.get("seconds", np.nan)),
        weights=int(sum(np.prod(weight.shape) for weight in model.network.weights)),
        parts=parts,
        per_decision=float(np.median(needed)),
    )


def _active(model, patches, backbone) -> np.ndarray:
    """Return the numbers or vectors of the parts, nothing of it computed twice."""
    if model.design == "nmf":
        return nmf.taken(model.logits_network, patches)
    if backbone is None:
        return model.activations(patches)
    return activations_on(model, backbone, patches)


def parts_per_decision(
    model: SelfExplaining, patches: Patches | ArrayLike, share: float = SHARE
) -> np.ndarray:
    """Return how few parts hold a share of what is added to, or taken from, the winning logit.

    Of two classes of which one is heard, the difference of the logits decides, and so it is what
    parts add to the difference that counts: one of the logits may be the same whatever is heard.

    Parameters
    ----------
    model : SelfExplaining
    patches : array_like of float, shape (n, frames, bands)
    share : float
        Of the sum of absolute contributions, in (0, 1].

    Returns
    -------
    ndarray of int, shape (n,)
        From 1 to the number of parts; 0 where no part adds anything.

    Raises
    ------
    XaiAudioError
        If the share is not in (0, 1].
    """
    if not 0 < share <= 1:
        raise XaiAudioError(f"The share is {share}: it must be above 0 and up to 1.")
    return _needed(model, model.contributions(patches), share)


def _needed(model, found, share) -> np.ndarray:
    """Return how few parts hold a share, of what each adds to each logit (n, parts, classes)."""
    winners = (found.sum(axis=1) + model.bias).argmax(axis=1)
    added = found[np.arange(len(winners)), :, winners]
    if model.activation == "softmax" and len(model.labels) == 2:
        added = added - found[np.arange(len(winners)), :, 1 - winners]
    added = np.abs(added)
    sums = np.cumsum(-np.sort(-added.astype(float), axis=1), axis=1)
    total = sums[:, -1:]
    counts = 1 + (sums < share * total * (1 - 1e-9)).sum(axis=1)
    return np.where(total[:, 0] > 0, counts, 0)


def purity(model: SelfExplaining, table: PatchTable, count: int = 5) -> float:
    """Return how far parts speak for the sounds that they answer to.

    For each part, of the clips that it answers to most, the share that is of the class for which
    its weight is largest. A last layer makes good use of parts that belong to no class in
    particular; who is shown such a part is told nothing by its name.

    Parameters
    ----------
    model : SelfExplaining
        Whose parts are one number each.
    table : PatchTable
        Better of clips that it has not seen.
    count : int
        Clips of each part; their loudest answers are compared.

    Returns
    -------
    float
        The mean over the parts, in [0, 1]. By lot it is one over the number of classes.

    Raises
    ------
    XaiAudioError
        If the parts are vectors, or there are fewer clips.
    """
    found = model.activations(table.patches)
    if found.ndim != 2:
        raise XaiAudioError(f"The parts of {model.name} are vectors: they have no loudest answer.")
    first = np.flatnonzero(np.diff(table.clip, prepend=-1))
    if not 1 <= count <= len(first):
        raise XaiAudioError(f"count is {count}, but there are {len(first)} clips.")
    best = np.maximum.reduceat(found, first)  # (clips, parts)
    chosen = np.argsort(-best, axis=0, kind="stable")[:count]
    truth = table.targets(model.labels)[first]
    return float(np.mean(truth[chosen] == model.weights.argmax(axis=1)))


def likeness(
    models: Sequence[SelfExplaining],
    patches: Patches | ArrayLike,
    *,
    added: Callable | None = None,
    dealt: int | None = None,
) -> tuple[float, np.ndarray]:
    """Return how alike the parts of networks of several seeds are, each matched with its like.

    Two parts are alike if they add the same to the same logits of the same patches: the cosine of
    their contributions. Parts are matched one to one, by Hungarian assignment, so that the sum is
    as large as it can be.

    Parameters
    ----------
    models : sequence of SelfExplaining
        Two at least, with the same classes and front end.
    patches : array_like of float, shape (n, frames, bands)
    added : callable, optional
        ``(model, patches) -> contributions`` (n, parts, classes), where the parts to compare are
        others than the networks' own.
    dealt : int, optional
        A seed. The patches are dealt out anew for each network, so that no two answer the same:
        how alike the matched parts are by chance, and by what they add whatever is heard.

    Returns
    -------
    mean : float
        Over all pairs of networks and their matched parts, in [-1, 1]. Parts that add nothing in
        either network do not count.
    pairs : ndarray of float, shape (pairs,)
        The mean of each pair of networks.

    Raises
    ------
    XaiAudioError
        If there are fewer than two networks, or their classes differ.
    """
    if len(models) < 2:
        raise XaiAudioError("Likeness is of two networks at least.")
    if len({model.labels for model in models}) > 1:
        raise XaiAudioError("The networks must have the same classes, in the same order.")
    rows, rng = [], np.random.default_rng(dealt)
    for model in models:
        found = model.contributions(patches) if added is None else added(model, patches)
        if dealt is not None:
            found = found[rng.permutation(len(found))]
        flat = found.astype(float).transpose(1, 0, 2).reshape(found.shape[1], -1)
        length = np.linalg.norm(flat, axis=1, keepdims=True)
        rows.append(flat / np.where(length > 0, length, 1))
    pairs = np.array([_matched(one, two) for n, one in enumerate(rows) for two in rows[n + 1 :]])
    return float(np.nanmean(pairs)) if np.isfinite(pairs).any() else float("nan"), pairs


def _matched(one, two) -> float:
    cosines = one @ two.T
    rows, columns = linear_sum_assignment(-cosines)
    counts = one[rows].any(axis=1) | two[columns].any(axis=1)
    return float(cosines[rows, columns][counts].mean()) if counts.any() else float("nan")
