"""Figures of prototypes: the sound, what it is like, and where."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from . import canvas
from .sounds import LOUDNESS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from matplotlib.figure import Figure
    from numpy.typing import ArrayLike

    from ..frontend import LogMel
    from ..models.designs.matching import Match, View

_EDGE = "#56B4E9"  # light on magma, and told apart by all eyes


def alike(
    patch: ArrayLike,
    matches: Sequence[Match],
    views: Sequence[View],
    frontend: LogMel,
    names: Sequence[str],
) -> Figure:
    """Draw a patch and the prototypes that it is like, side by side, with the places outlined.

    Parameters
    ----------
    patch : array_like of float, shape (frames, bands)
    matches : sequence of Match
        Of :func:`xaiaudio.models.designs.matching.matches`: a row each.
    views : sequence of View
        Of the prototypes' places.
    frontend : LogMel
    names : sequence of str
        Of the prototypes.

    Returns
    -------
    matplotlib.figure.Figure
        `data`: ``patch``, ``added``, ``boxes`` (rows, 2, 4): first and last frame and band of the
        place in the patch and in the prototype's picture.
    """
    patch = np.asarray(patch)
    figure, axes = canvas.grid(len(matches), 2, height=1.9, extra=0.7, sharey=True)
    limits = canvas.common(np.concatenate([patch.ravel(), *(one.cells.ravel() for one in views)]))
    boxes = []
    for row, match, view, name in zip(axes, matches, views, names, strict=True):
        drawn = canvas.image(row[0], patch, frontend, limits=limits, start=0.0)
        canvas.image(row[1], view.cells, frontend, limits=limits, start=view.start)
        _outline(row[0], match.frames, match.bands, 0.0, frontend)
        _outline(row[1], view.frames, view.bands, view.start, frontend)
        canvas.mel_axis(row[0], frontend)
        canvas.title(row[0], f"this adds {match.added:.2f}")
        canvas.title(row[1], f"like that: {name}")
        boxes.append([[*match.frames, *match.bands], [*view.frames, *view.bands]])
    axes[-1, 0].set_xlabel("time in the patch (s)")
    axes[-1, 1].set_xlabel("time in the training clip (s)")
    canvas.colour_bar(figure, drawn, axes, LOUDNESS)
    added = [match.added for match in matches]
    return canvas.finish(figure, patch=patch, added=added, boxes=boxes)


def together(views: Sequence[View], frontend: LogMel, names: Sequence[str]) -> Figure:
    """Draw places of several clips side by side, outlined.

    Parameters
    ----------
    views : sequence of View
    frontend : LogMel
    names : sequence of str

    Returns
    -------
    matplotlib.figure.Figure
        `data`: ``boxes`` (places, 4): first and last frame and band.
    """
    columns = min(3, len(views))
    rows = -(-len(views) // columns)
    figure, axes = canvas.grid(rows, columns, height=1.9, extra=0.7, sharey=True)
    limits = canvas.common(
        [value for view in views for value in (view.cells.min(), view.cells.max())]
    )
    for ax, view, name in zip(axes.flat, views, names, strict=False):
        drawn = canvas.image(ax, view.cells, frontend, limits=limits, start=view.start)
        _outline(ax, view.frames, view.bands, view.start, frontend)
        canvas.title(ax, name)
        ax.set_xlabel("time (s)")
    for row in axes:
        canvas.mel_axis(row[0], frontend)
    canvas.hide(axes.flat[len(views) :])
    canvas.colour_bar(figure, drawn, axes, LOUDNESS)
    return canvas.finish(figure, boxes=[[*view.frames, *view.bands] for view in views])


def radius(factors: ArrayLike, clips: ArrayLike, own: ArrayLike) -> Figure:
    """Draw how many clips lie in balls of prototypes, and how many of them belong there.

    Parameters
    ----------
    factors : array_like of float, shape (n,)
        Of the balls' own radii.
    clips : array_like of float, shape (n,)
        Clips in a ball, on average.
    own : array_like of float, shape (n,)
        Share of what is inside that is of the ball's own class, in [0, 1].

    Returns
    -------
    matplotlib.figure.Figure
        `data`: ``factors``, ``clips``, ``own``.
    """
    factors = np.asarray(factors, float)
    clips, own = np.asarray(clips, float), np.asarray(own, float)
    figure, axes = canvas.grid(1, 2, height=2.4)
    for ax, values, colour, text in (
        (axes[0, 0], clips, canvas.BLUE, "clips in a ball"),
        (axes[0, 1], 100 * own, canvas.ORANGE, "of its own class (%)"),
    ):
        ax.plot(factors, values, "o-", color=colour)
        ax.axvline(1, color=canvas.GREY, linewidth=1, linestyle="--")
        ax.set_ylim(0, 1.1 * max(values.max(), 1e-9))
        ax.set_ylabel(text)
        ax.set_xlabel("radius, in its own")
        ax.spines[["top", "right"]].set_visible(False)
    return canvas.finish(figure, factors=factors, clips=clips, own=own)


def sums(added: Mapping[str, float], total: float, unit: str = "logit") -> Figure:
    """Draw what parts add to a logit, one after the other, up to their sum.

    Parameters
    ----------
    added : mapping of str to float
        Name of each part, or group of parts, to what it adds.
    total : float
        The logit.
    unit : str
        Of the axis.

    Returns
    -------
    matplotlib.figure.Figure
        `data`: ``added``, ``total``.
    """
    names, values = list(added), np.array(list(added.values()), float)
    ends = np.cumsum(values)
    figure, axes = canvas.grid(height=1.0 + 0.3 * (len(names) + 1))
    ax = axes[0, 0]
    colours = [canvas.BLUE if value >= 0 else canvas.ORANGE for value in values]
    rows = np.arange(len(names) + 1)
    ax.barh(rows[:-1], values, left=ends - values, color=colours, height=0.6)
    ax.barh(rows[-1], total, color=canvas.GREY, height=0.6)
    for row, (value, end) in enumerate(zip(values, ends, strict=True)):
        place = max(end, end - value)
        ax.text(place, row, f" {value:+.2f}", va="center", fontsize=canvas.FONT - 2)
    ax.text(max(total, 0), rows[-1], f" {total:.2f}", va="center", fontsize=canvas.FONT - 2)
    ax.set_yticks(rows, [*names, "sum"])
    ax.invert_yaxis()
    ax.margins(x=0.15)
    ax.axvline(0, color="black", linewidth=0.8)
    ax.set_xlabel(unit)
    ax.spines[["top", "right"]].set_visible(False)
    return canvas.finish(figure, added=values, total=total)


def _outline(ax, frames, bands, start, frontend) -> None:
    from matplotlib.patches import Rectangle

    step = frontend.hop / frontend.sample_rate
    box = Rectangle(
        (start + frames[0] * step, bands[0]),
        (frames[1] - frames[0]) * step,
        bands[1] - bands[0],
        fill=False,
        edgecolor=_EDGE,
        linewidth=2.5,
    )
    ax.add_patch(box)
