"""How simple is a map? Few cells that hold the relevance, or many alike."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ...errors import XaiAudioError
from .registry import FORM, register

if TYPE_CHECKING:
    from numpy.typing import ArrayLike


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
    takes=("maps",),
)
def sparseness(maps: ArrayLike) -> np.ndarray:
    """Return the Gini index of the magnitudes of each map.

    Parameters
    ----------
    maps : array_like of float, shape (n, ...)

    Returns
    -------
    ndarray of float, shape (n,)
        0 if all cells weigh the same, 1 - 1/N if one of the N cells has all. A map of zeros has 0.

    References
    ----------
    Chalasani et al. 2020, Concise explanations of neural networks using adversarial training.

    Examples
    --------
    >>> from xaiaudio.evaluate.metrics.complexity import sparseness
    >>> sparseness([[[0.0, 0.0, 0.0, 1.0]]])
    array([0.75])
    """
    ordered = np.sort(_magnitudes(maps), axis=1)
    count = ordered.shape[1]
    weights = (2 * np.arange(1, count + 1) - count - 1) / count
    total = ordered.sum(axis=1)
    return np.where(total > 0, ordered @ weights / np.where(total > 0, total, 1), 0.0)


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
    takes=("maps",),
)
def complexity(maps: ArrayLike) -> np.ndarray:
    """Return the entropy of the shares that the cells have in each map's magnitude.

    Parameters
    ----------
    maps : array_like of float, shape (n, ...)

    Returns
    -------
    ndarray of float, shape (n,)
        In nats: 0 if one cell has all, ln N if all N weigh the same; a map of zeros counts as that.

    References
    ----------
    Bhatt, Weller and Moura 2020, Evaluating and aggregating feature-based model explanations.

    Examples
    --------
    >>> from xaiaudio.evaluate.metrics.complexity import complexity
    >>> complexity([[[0.0, 0.0, 0.0, 1.0]]])
    array([0.])
    """
    values = _magnitudes(maps)
    values[~values.any(axis=1)] = 1.0
    shares = values / values.sum(axis=1, keepdims=True)
    logs = np.log(shares, out=np.zeros_like(shares), where=shares > 0)
    return np.abs((shares * logs).sum(axis=1))


@register(
    "mask-mean",
    title="mask mean",
    family=FORM,
    unit="share",
    better="neither",
    low=0,
    high=1,
    summary="how much the map keeps as a mask: the mean of its positive part, largest 1",
    source="Paissan et al., LMAC-ZS, NeurIPS 2024",
    takes=("maps",),
)
def mask_mean(maps: ArrayLike) -> np.ndarray:
    """Return the mean of the mask that each map makes: its positive part, divided by its maximum.

    Of masks of 0 and 1 sparseness and complexity say the same as this.

    Parameters
    ----------
    maps : array_like of float, shape (n, ...)

    Returns
    -------
    ndarray of float, shape (n,)
        0 for a map without a positive cell.

    Examples
    --------
    >>> from xaiaudio.evaluate.metrics.complexity import mask_mean
    >>> mask_mean([[[2.0, -1.0, 0.0, 1.0]]])
    array([0.375])
    """
    _magnitudes(maps)  # refuses what is no maps
    positive = np.maximum(np.asarray(maps, np.float64).reshape(len(maps), -1), 0)
    highest = positive.max(axis=1)
    return positive.mean(axis=1) / np.where(highest > 0, highest, 1)


def _magnitudes(maps) -> np.ndarray:
    maps = np.abs(np.asarray(maps, np.float64))
    if maps.ndim < 2 or maps.size == 0:
        raise XaiAudioError(f"The maps have the shape {maps.shape}: (n, frames, bands) is needed.")
    return maps.reshape(len(maps), -1)
