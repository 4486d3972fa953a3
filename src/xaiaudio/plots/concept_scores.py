"""Figures of tests with concept activation vectors."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..errors import XaiAudioError
from . import canvas

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from matplotlib.figure import Figure
    from numpy.typing import ArrayLike


def concept_scores(
    scores: ArrayLike,
    found: ArrayLike,
    held: ArrayLike,
    concepts: Sequence[str],
    layers: Sequence[str],
    classes: Sequence[str],
) -> Figure:
    """Draw the scores of concepts for classes, a table for each layer.

    Parameters
    ----------
    scores : array_like of float, shape (concepts, layers, classes)
        In [0, 1].
    found : array_like of bool, shape (concepts, layers, classes)
        Which are significant: they are written in bold, in a frame.
    held : array_like of bool, shape (concepts, layers)
        Rows of other layers are hatched: they do not hold the concept.
    concepts, layers, classes : sequence of str

    Returns
    -------
    matplotlib.figure.Figure
        `data`: ``scores``, ``found``, ``held``.

    Examples
    --------
    >>> import xaiaudio as xa
    >>> figure = xa.plots.concept_scores(
    ...     [[[0.2, 0.9]]], [[[False, True]]], [[True]], ["tone"], ["conv2"], ["Rain", "Rooster"]
    ... )
    """
    from matplotlib.patches import Rectangle

    scores, found, held = np.asarray(scores, float), np.asarray(found, bool), np.asarray(held, bool)
    shape = (len(concepts), len(layers), len(classes))
    if scores.shape != shape or found.shape != shape or held.shape != shape[:2]:
        raise XaiAudioError(f"The scores have the shape {scores.shape}, but {shape} is named.")
    figure, axes = canvas.grid(len(layers), height=0.7 + 0.27 * len(concepts), extra=1.9)
    for ax, layer, number in zip(axes[:, 0], layers, range(len(layers)), strict=True):
        canvas.title(ax, layer)
        drawn = ax.imshow(scores[:, number], cmap=canvas.SIGNED, vmin=0, vmax=1, aspect="auto")
        for (row, column), value in np.ndenumerate(scores[:, number]):
            strong = found[row, number, column]
            ink = "white" if abs(value - 0.5) > 0.32 else "black"
            weight = "bold" if strong else "normal"
            place = {"ha": "center", "va": "center", "fontsize": canvas.FONT - 3}
            ax.text(column, row, f"{100 * value:.0f}", color=ink, weight=weight, **place)
            if strong:
                ax.add_patch(
                    Rectangle((column - 0.46, row - 0.44), 0.92, 0.88, fill=False, edgecolor=ink)
                )
        for row in np.flatnonzero(~held[:, number]):
            stripes = Rectangle((-0.5, row - 0.5), len(classes), 1, fill=False, hatch="////")
            stripes.set(edgecolor="#999999", linewidth=0)
            ax.add_patch(stripes)
        ax.set_yticks(np.arange(len(concepts)), list(concepts))
        last = number == len(layers) - 1
        names = list(classes) if last else []
        ax.set_xticks(
            np.arange(len(classes)), names or [""] * len(classes), rotation=45, ha="right"
        )
    canvas.colour_bar(figure, drawn, axes, "share of patches whose logit rises")
    return canvas.finish(figure, scores=scores, found=found, held=held)


def predicted_changes(
    series: Mapping[str, tuple[ArrayLike, ArrayLike]], xlabel: str, ylabel: str
) -> Figure:
    """Draw what was predicted against what happened, a panel each.

    Parameters
    ----------
    series : mapping of str to (array_like, array_like)
        Title to predictions and what happened, of one shape.
    xlabel, ylabel : str

    Returns
    -------
    matplotlib.figure.Figure
        `data`: of each series ``TITLE/predicted``, ``TITLE/happened``.

    Examples
    --------
    >>> import xaiaudio as xa
    >>> figure = xa.plots.predicted_changes({"conv2": ([0.1, 1.0], [0.2, 0.8])}, "said", "was")
    """
    figure, axes = canvas.grid(1, len(series), height=2.9, sharey=True)
    data: dict = {}
    for ax, (name, pair) in zip(axes[0], series.items(), strict=True):
        told, was = (np.ravel(np.asarray(one, float)) for one in pair)
        canvas.title(ax, name)
        ax.axhline(0, color=canvas.GREY, linewidth=0.8)
        ax.axvline(0, color=canvas.GREY, linewidth=0.8)
        ax.plot(told, was, "o", color=canvas.BLUE, markersize=4, alpha=0.7)
        ax.set_xlabel(xlabel)
        ax.spines[["top", "right"]].set_visible(False)
        data |= {f"{name}/predicted": told, f"{name}/happened": was}
    axes[0, 0].set_ylabel(ylabel)
    return canvas.finish(figure, **data)
