"""Does the map lie where the sound is? Maps against the true cells of an event.

Only what speaks *for* the class counts: negative cells are taken as zero. A map without any
positive cell says nothing, and scores like one that is the same everywhere.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ...errors import XaiAudioError
from .registry import TRUTH, register

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

_ARRAS = "Arras et al., CLEVR-XAI, Information Fusion 2022"
_UNKNOWN = "where the events are is not known, or the other sound drowns them"


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
    takes=("maps", "truth"),
    silent=_UNKNOWN,
)
def relevance_mass(maps: ArrayLike, truth: ArrayLike) -> np.ndarray:
    """Return the share of the positive relevance that lies inside the truth.

    Parameters
    ----------
    maps : array_like of float, shape (n, frames, bands)
    truth : array_like of bool, shape (n, frames, bands)
        The cells of the event.

    Returns
    -------
    ndarray of float, shape (n,)
        0 to 1; NaN where the truth is empty.

    Raises
    ------
    XaiAudioError
        If the shapes differ.

    References
    ----------
    Arras, Osman and Samek 2022, CLEVR-XAI: relevance mass accuracy.

    Examples
    --------
    >>> from xaiaudio.evaluate.metrics.localisation import relevance_mass
    >>> relevance_mass([[[3.0, 1.0]]], [[[True, False]]])
    array([0.75])
    """
    relevance, truth = _flat(maps, truth)
    mass = (relevance * truth).sum(axis=1) / relevance.sum(axis=1)
    return np.where(truth.any(axis=1), mass, np.nan)


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
    takes=("maps", "truth"),
    silent=_UNKNOWN,
)
def relevance_rank(maps: ArrayLike, truth: ArrayLike) -> np.ndarray:
    """Return the share of the most relevant cells that lie inside the truth.

    As many cells are taken as the truth has. Cells of one value that only partly find room are
    counted by their expected share, so that the order of storage decides nothing.

    Parameters
    ----------
    maps, truth
        As for :func:`relevance_mass`.

    Returns
    -------
    ndarray of float, shape (n,)
        0 to 1; NaN where the truth is empty.

    References
    ----------
    Arras, Osman and Samek 2022, CLEVR-XAI: relevance rank accuracy.

    Examples
    --------
    >>> from xaiaudio.evaluate.metrics.localisation import relevance_rank
    >>> relevance_rank([[[3.0, 1.0, 2.0]]], [[[True, True, False]]])
    array([0.5])
    """
    relevance, truth = _flat(maps, truth)
    size = truth.sum(axis=1, keepdims=True)
    threshold = np.take_along_axis(-np.sort(-relevance, axis=1), np.maximum(size - 1, 0), axis=1)
    above, level = relevance > threshold, relevance == threshold
    room = (size - above.sum(axis=1, keepdims=True)) / level.sum(axis=1, keepdims=True)
    hits = (truth * (above + room * level)).sum(axis=1)
    return np.where(size[:, 0] > 0, hits / np.maximum(size[:, 0], 1), np.nan)


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
    takes=("maps", "truth"),
    silent=_UNKNOWN,
)
def pointing_game(maps: ArrayLike, truth: ArrayLike) -> np.ndarray:
    """Tell whether the most relevant cell lies inside the truth.

    Parameters
    ----------
    maps, truth
        As for :func:`relevance_mass`.

    Returns
    -------
    ndarray of float, shape (n,)
        1 or 0; with several cells of the highest value, the share of them that is inside. NaN where
        the truth is empty.

    References
    ----------
    Zhang et al. 2018, Top-down neural attention by excitation backprop.

    Examples
    --------
    >>> from xaiaudio.evaluate.metrics.localisation import pointing_game
    >>> pointing_game([[[3.0, 1.0]]], [[[True, False]]])
    array([1.])
    """
    relevance, truth = _flat(maps, truth)
    highest = relevance == relevance.max(axis=1, keepdims=True)
    inside = (highest & truth).sum(axis=1) / highest.sum(axis=1)
    return np.where(truth.any(axis=1), inside, np.nan)


def chance(truth: ArrayLike) -> np.ndarray:
    """Return what a map that knows nothing scores in all three: the truth's share of the cells.

    Parameters
    ----------
    truth : array_like of bool, shape (n, frames, bands)

    Returns
    -------
    ndarray of float, shape (n,)
        NaN where the truth is empty.

    Examples
    --------
    >>> from xaiaudio.evaluate.metrics.localisation import chance
    >>> chance([[[True, False, False, False]]])
    array([0.25])
    """
    truth = np.asarray(truth, bool)
    truth = truth.reshape(len(truth), -1)
    return np.where(truth.any(axis=1), truth.mean(axis=1), np.nan)


def _flat(maps, truth) -> tuple[np.ndarray, np.ndarray]:
    maps, truth = np.asarray(maps, np.float64), np.asarray(truth, bool)
    if maps.ndim != 3 or maps.shape != truth.shape:
        raise XaiAudioError(
            f"The maps have the shape {maps.shape} and the truth {truth.shape}: both must be "
            "(n, frames, bands)."
        )
    relevance = np.maximum(maps, 0).reshape(len(maps), -1)
    silent = ~relevance.any(axis=1)
    relevance[silent] = 1.0
    return relevance, truth.reshape(len(truth), -1)
