"""Figures of how far a network's answers can be trusted."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from . import canvas
from .charts import COUNTS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from matplotlib.figure import Figure
    from numpy.typing import ArrayLike

    from ..frontend import LogMel


def intervals(
    labels: Sequence[str],
    series: Mapping[str, ArrayLike],
    *,
    reference: tuple[str, float] | None = None,
    xlabel: str = "share",
    whole: bool = True,
) -> Figure:
    """Draw shares with their confidence intervals, one line per label.

    Parameters
    ----------
    labels : sequence of str
    series : mapping of str to array_like of float, shape (labels, 3)
        Name to lower end, value and upper end, 0 to 1. NaN where there is nothing to tell.
    reference : pair of (str, float), optional
        Name and value of a line across all labels.
    xlabel : str
    whole : bool
        Let the axis reach to 100 %, or else only as far as the values do.

    Returns
    -------
    matplotlib.figure.Figure
        `data`: ``labels``, one array (labels, 3) per series, ``reference`` if there is one.

    Examples
    --------
    >>> import xaiaudio as xa
    >>> figure = xa.plots.intervals(["Rain"], {"recall": [[0.5, 0.75, 0.9]]})
    """
    series = {name: np.asarray(values, float) for name, values in series.items()}
    figure, axes = canvas.grid(height=1.3 + 0.2 * len(labels) * max(1.4, len(series)))
    ax = axes[0, 0]
    shares = {name: 100 * values for name, values in series.items()}
    canvas.dots(ax, labels, shares, canvas.COLOURS, fontsize=canvas.FONT - 1)
    if reference is not None:
        name, value = reference
        ax.axvline(100 * value, color=canvas.GREY, linestyle="--", label=name)
    if whole:
        ax.set_xlim(None, 101.5)
    ax.set_xlabel(f"{xlabel} (%)")
    if len(series) > 1 or reference is not None:
        canvas.legend(figure, ax)
    data = {"labels": list(labels), **series}
    if reference is not None:
        data["reference"] = float(reference[1])
    return canvas.finish(figure, **data)


def calibration(confidence: ArrayLike, right: ArrayLike, *, bins: int = 10) -> Figure:
    """Draw how often answers were right against how sure the network was.

    Parameters
    ----------
    confidence : array_like of float, shape (n,)
        The highest score of each patch, 0 to 1.
    right : array_like of bool, shape (n,)
        Whether that class was the true one.
    bins : int
        Even steps from 0 to 1.

    Returns
    -------
    matplotlib.figure.Figure
        `data`: ``count``, ``confidence`` and ``right`` (means per bin, NaN where it is empty), and
        ``error``, the expected calibration error: the mean distance of the two, weighted by count.

    Examples
    --------
    >>> import xaiaudio as xa
    >>> figure = xa.plots.calibration([0.95, 0.95, 0.55, 0.55], [True, True, True, False])
    >>> round(figure.data["error"], 3)
    0.05
    """
    confidence, right = np.asarray(confidence, float), np.asarray(right, bool)
    places = np.minimum((confidence * bins).astype(int), bins - 1)
    count = np.bincount(places, minlength=bins)
    with np.errstate(invalid="ignore"):
        sure = np.bincount(places, confidence, minlength=bins) / count
        good = np.bincount(places, right, minlength=bins) / count
    error = float(np.nansum(count * np.abs(sure - good)) / max(count.sum(), 1))
    figure, axes = canvas.grid(
        2, height=0.0, extra=4.8, sharex=True, height_ratios=(3, 1), width=5.5
    )
    upper, lower = axes[:, 0]
    centres = 100 * (np.arange(bins) + 0.5) / bins
    upper.plot([0, 100], [0, 100], color=canvas.GREY, linestyle="--", label="as sure as right")
    upper.bar(centres, 100 * good, 92 / bins, color="#9ecae1", label="right")
    upper.plot(100 * sure, 100 * good, "o", color=canvas.BLUE, label="at the mean score")
    upper.set_ylabel("patches right (%)")
    upper.set_ylim(0, 102)
    # Below the axes: inside, it would hide the bins of low scores.
    figure.legend(loc="outside lower center", ncols=3, frameon=False, fontsize=canvas.FONT - 2)
    lower.bar(centres, count, 92 / bins, color=canvas.GREY)
    lower.set_ylabel("patches")
    lower.set_xlabel("score of the predicted class (%)")
    lower.set_xlim(0, 100)
    return canvas.finish(figure, count=count, confidence=sure, right=good, error=error)


def patch_scores(
    scores: ArrayLike, labels: Sequence[str], frontend: LogMel, *, true: str | None = None
) -> Figure:
    """Draw the scores of a clip's patches over time, and which class each patch votes for.

    Parameters
    ----------
    scores : array_like of float, shape (n, classes)
        Probabilities.
    labels : sequence of str
    frontend : LogMel
        With the overlap that the patches were cut with.
    true : str, optional
        The true label, marked in the axis.

    Returns
    -------
    matplotlib.figure.Figure
        `data`: ``scores``, ``seconds``, the middle of each patch.

    Examples
    --------
    >>> import numpy as np, xaiaudio as xa
    >>> scores = np.array([[0.9, 0.1], [0.4, 0.6]])
    >>> figure = xa.plots.patch_scores(scores, ["Rain", "Rooster"], xa.LogMel.vggish(0.75))
    """
    scores = np.asarray(scores)
    first = frontend.times(0)[0] + frontend.patch_seconds / 2
    seconds = first + frontend.hop_seconds * np.arange(len(scores))
    half = frontend.hop_seconds / 2
    figure, axes = canvas.grid(height=1.2 + 0.27 * len(labels), extra=0.4)
    ax = axes[0, 0]
    drawn = ax.imshow(
        100 * scores.T,
        aspect="auto",
        interpolation="nearest",
        cmap=COUNTS,
        vmin=0,
        vmax=100,
        extent=(seconds[0] - half, seconds[-1] + half, len(labels) - 0.5, -0.5),
    )
    winners = scores.argmax(axis=1)
    ax.plot(seconds, winners, "o", color=canvas.ORANGE, markeredgecolor="white", markersize=7)
    marked = [f"{label} (true)" if label == true else label for label in labels]
    ax.set_yticks(range(len(labels)), marked, fontsize=canvas.FONT - 1)
    ax.set_xlabel("middle of the patch (s)")
    canvas.colour_bar(figure, drawn, ax, "score (%)")
    return canvas.finish(figure, scores=scores, seconds=seconds)
