"""The measures of the leaderboard, each a few words around the function that computes it."""

from __future__ import annotations

import numpy as np

from . import deletion, faithfulness, localisation, similarity
from .registry import register

_KEPT = "keep or remove what the map shows: "
_PETSIUK = "Petsiuk et al., RISE, BMVC 2018"
_ARRAS = "Arras et al., CLEVR-XAI, Information Fusion 2022"
_SPEECHBRAIN = "Paissan et al., L-MAC, ICML 2024"

FAITHFUL = "faithfulness"
TRUTH = "ground truth"
FORM = "form"
TRUST = "trust"
COST = "cost"


@register(
    "AD",
    title="AD (%)",
    family=FAITHFUL,
    unit="%",
    better="lower",
    low=0,
    high=100,
    summary=_KEPT + "average drop of the probability when only the explanation is kept",
    source="Chattopadhay et al., Grad-CAM++, WACV 2018",
)
def average_drop(trial):
    """Return the drop of the probability, in per cent of it, when only the explanation is kept."""
    return trial.faithful["AD"]


@register(
    "AI",
    title="AI (%)",
    family=FAITHFUL,
    unit="%",
    better="higher",
    low=0,
    high=100,
    summary=_KEPT + "share of sounds whose probability rises when only the explanation is kept",
    source="Chattopadhay et al., Grad-CAM++, WACV 2018",
)
def average_increase(trial):
    """Return 100 where the probability rises when only the explanation is kept, else 0."""
    return trial.faithful["AI"]


@register(
    "AG",
    title="AG (%)",
    family=FAITHFUL,
    unit="%",
    better="higher",
    low=0,
    high=100,
    summary=_KEPT + "average gain of the probability when only the explanation is kept",
    source="Zhang et al., Opti-CAM, 2023",
)
def average_gain(trial):
    """Return the gain of the probability, in per cent of what is possible."""
    return trial.faithful["AG"]


@register(
    "FF",
    title="FF",
    family=FAITHFUL,
    unit="probability",
    better="higher",
    low=-1,
    high=1,
    summary=_KEPT + "fall of the probability when the explanation is removed",
    source=_SPEECHBRAIN,
)
def faithfulness_on_removal(trial):
    """Return the fall of the probability when the explanation is removed."""
    return trial.faithful["FF"]


@register(
    "Fid-In",
    title="Fid-In",
    family=FAITHFUL,
    unit="share",
    better="higher",
    low=0,
    high=1,
    summary=_KEPT + "share of sounds whose answer stays when only the explanation is kept",
    source=_SPEECHBRAIN,
)
def input_fidelity(trial):
    """Return 1 where the answer stays when only the explanation is kept, else 0."""
    return trial.faithful["Fid-In"]


@register(
    "deletion",
    title="deletion",
    family=FAITHFUL,
    unit="probability",
    better="lower",
    low=0,
    high=1,
    summary="area under the probability while cells are removed, the most relevant first",
    source=_PETSIUK,
)
def deletion_area(trial):
    """Return the area under the deletion curve."""
    return deletion.deletion(trial.model, trial.result, steps=_steps(trial), progress=False).area


def _steps(trial) -> int:
    return min(20, trial.result.maps[0].size)


@register(
    "insertion",
    title="insertion",
    family=FAITHFUL,
    unit="probability",
    better="higher",
    low=0,
    high=1,
    summary="area under the probability while cells are put back, the most relevant first",
    source=_PETSIUK,
)
def insertion_area(trial):
    """Return the area under the insertion curve."""
    return deletion.insertion(trial.model, trial.result, steps=_steps(trial), progress=False).area


@register(
    "MuFidelity",
    title="MuFidelity",
    family=FAITHFUL,
    unit="correlation",
    better="higher",
    low=-1,
    high=1,
    summary="correlation of a random part's relevance with what its removal costs",
    source="Bhatt et al., Evaluating and aggregating feature-based explanations, IJCAI 2020",
)
def mu_fidelity(trial):
    """Return the correlation between relevance and the fall of the score over random parts."""
    return deletion.mu_fidelity(
        trial.model, trial.result, drops=trial.once("drops", lambda: _drops(trial))
    )


def _drops(trial):
    patches = trial.cases.patches
    # A small patch has no room for that many rectangles.
    grid = tuple(
        min(wanted, cells) for wanted, cells in zip((12, 8), patches.shape[1:], strict=True)
    )
    return deletion.drops_of(trial.model, patches, grid=grid, seed=trial.seed, progress=False)


@register(
    "mass",
    title="mass",
    family=TRUTH,
    unit="share",
    better="higher",
    low=0,
    high=1,
    summary="share of the relevance that lies on the true event",
    source=_ARRAS,
)
def mass(trial):
    """Return the share of the relevance on the event."""
    return _against_truth(trial, localisation.relevance_mass)


@register(
    "rank",
    title="rank",
    family=TRUTH,
    unit="share",
    better="higher",
    low=0,
    high=1,
    summary="share of the highest cells, as many as the event has, that lie on the true event",
    source=_ARRAS,
)
def rank(trial):
    """Return the share of the highest cells on the event."""
    return _against_truth(trial, localisation.relevance_rank)


@register(
    "pointing",
    title="pointing",
    family=TRUTH,
    unit="share",
    better="higher",
    low=0,
    high=1,
    summary="share of sounds whose highest cell lies on the true event",
    source="Zhang et al., Top-down neural attention by excitation backprop, IJCV 2018",
)
def pointing(trial):
    """Return 1 where the highest cell lies on the event, else 0."""
    return _against_truth(trial, localisation.pointing_game)


def _against_truth(trial, function):
    if trial.cases.truth is None:
        return trial.unknown()
    return function(trial.result.maps, trial.cases.truth)


@register(
    "sparseness",
    title="sparseness",
    family=FORM,
    unit="Gini index",
    better="neither",
    low=0,
    high=1,
    summary="how few cells hold the relevance: 0 all alike, 1 a single cell",
    source="Chalasani et al., ICML 2020",
)
def sparseness(trial):
    """Return the Gini index of the magnitudes."""
    return faithfulness.sparseness(trial.result.maps)


@register(
    "complexity",
    title="complexity",
    family=FORM,
    unit="nats",
    better="neither",
    low=0,
    high=np.inf,
    summary="entropy of the relevance: 0 a single cell, ln N all N cells alike",
    source="Bhatt et al., IJCAI 2020",
)
def complexity(trial):
    """Return the entropy of the magnitudes."""
    return faithfulness.complexity(trial.result.maps)


@register(
    "seeds",
    title="seeds",
    family=TRUST,
    unit="rank correlation",
    better="higher",
    low=-1,
    high=1,
    summary="likeness of the maps of two seeds, for methods that draw at random",
    source="Mishra et al., Reliable local explanations for machine listening, IJCNN 2020",
)
def seeds(trial):
    """Return the rank correlation of the maps of two seeds; NaN for a method that draws nothing."""
    if not trial.subject.seeded:
        return trial.unknown()
    first, second = trial.first, trial.again(seed=trial.seed + 1)
    # A map that is flat has no ranks, and so no answer.
    flat = (np.ptp(first, axis=(1, 2)) == 0) | (np.ptp(second, axis=(1, 2)) == 0)
    return trial.spread(np.where(flat, np.nan, similarity.rank_correlation(first, second)))


@register(
    "time",
    title="ms a map",
    family=COST,
    unit="ms",
    better="lower",
    low=0,
    high=np.inf,
    summary="milliseconds that a map takes on this machine, without compiling",
    source="",
    floor="worst",
)
def milliseconds(trial):
    """Return the milliseconds of a map, for each case the same; NaN for a reference."""
    if trial.subject.reference:
        return trial.unknown()
    return np.full(len(trial.cases), 1000 * trial.result.seconds / len(trial.cases))
