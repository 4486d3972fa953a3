"""Figures of archives: what a network listens to, class by class, and groups of maps."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from . import canvas

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.figure import Figure

    from ..corpus.classes import ClassReport
    from ..corpus.spectral import Groups
    from ..frontend import LogMel


def class_profiles(reports: Sequence[ClassReport], frontend: LogMel, *, columns: int = 2) -> Figure:
    """Draw mean relevance by frequency for each class, with its interval over clips.

    Parameters
    ----------
    reports : sequence of ClassReport
        By :func:`xaiaudio.corpus.classes.by_class`.
    frontend : LogMel
    columns : int

    Returns
    -------
    matplotlib.figure.Figure
        `data`: ``labels``, ``clips``, and ``mean``, ``low`` and ``high`` (classes, bands).

    Examples
    --------
    >>> import numpy as np, xaiaudio as xa
    >>> from xaiaudio.corpus.classes import ClassReport
    >>> groups, flat = xa.corpus.groups_of(np.ones((3, 96, 64))), np.zeros(64)
    >>> names = np.array(["a", "b", "c"])
    >>> report = ClassReport("Rain", names, flat, flat, flat, np.zeros(3), groups, ())
    >>> figure = xa.plots.class_profiles([report], xa.LogMel.vggish())
    """
    canvas.check_any(reports, "report")
    rows = math.ceil(len(reports) / columns)
    figure, axes = canvas.grid(rows, columns, height=1.5, extra=0.4, sharex=True, sharey=True)
    canvas.hide(axes.flat)
    for ax, report in zip(axes.flat, reports, strict=False):
        ax.set_axis_on()
        _profile(ax, report.mean, canvas.BLUE, (report.low, report.high))
        ax.axhline(0, color=canvas.GREY, linewidth=0.8)
        canvas.title(ax, f"{report.label} ({len(report.files)})")
    for number, ax in enumerate(axes.flat[: len(reports)]):
        _hertz(ax, frontend, number + columns >= len(reports))
    for ax in axes[:, 0]:
        ax.set_ylabel("relevance")
    return canvas.finish(
        figure,
        labels=[report.label for report in reports],
        clips=[len(report.files) for report in reports],
        mean=[report.mean for report in reports],
        low=[report.low for report in reports],
        high=[report.high for report in reports],
    )


def map_groups(groups: Groups, frontend: LogMel) -> Figure:
    """Draw groups of maps: the eigenvalues, the maps as points, and what each group listens to.

    Parameters
    ----------
    groups : Groups
        By :func:`xaiaudio.corpus.spectral.groups_of`.
    frontend : LogMel

    Returns
    -------
    matplotlib.figure.Figure
        `data`: ``eigenvalues``, ``gap``, ``chance`` (the gap that one cloud in twenty exceeds),
        ``places``, ``groups``, and ``profiles`` (groups, cells).

    Examples
    --------
    >>> import numpy as np, xaiaudio as xa
    >>> maps = np.abs(np.random.default_rng(0).normal(size=(20, 96, 64)))
    >>> figure = xa.plots.map_groups(xa.corpus.groups_of(maps), xa.LogMel.vggish())
    """
    figure, axes = canvas.grid(2, 2, height=2.2, extra=0.4)
    top, below = axes[0], axes[1, 0]
    axes[1, 1].remove()
    below.set_subplotspec(axes[1, 0].get_gridspec()[1, :])
    count = np.arange(1, len(groups.eigenvalues) + 1)
    top[0].plot(count, groups.eigenvalues, "o-", color=canvas.GREY)
    if groups.found > 1:
        top[0].axvline(groups.found + 0.5, color=canvas.ORANGE, linestyle="--")
    top[0].set_xlabel("number")
    top[0].set_ylabel("eigenvalue")
    top[1].set_xlabel("first direction")
    top[1].set_ylabel("second direction")
    bands = groups.grid[1]
    profiles = []
    for group in range(groups.found):
        inside = groups.labels == group
        colour = canvas.COLOURS[group % len(canvas.COLOURS)]
        name = f"group {group + 1} ({int(inside.sum())})"
        marker = "os^Dv<>P"[group % 8]
        top[1].scatter(*groups.places[inside].T, s=18, color=colour, marker=marker)
        size = groups.pooled[inside].reshape(-1, groups.grid[0], bands).sum(axis=1)
        total = np.maximum(size.sum(axis=1, keepdims=True), 1e-12)
        profiles.append((size / total).mean(axis=0) if inside.any() else np.zeros(bands))
        below.plot(np.arange(bands) + 0.5, profiles[-1], color=colour, marker=marker, label=name)
    _hertz(below, frontend, True, bands)
    below.set_ylabel("share of relevance")
    canvas.legend(figure, below, columns=4)
    return canvas.finish(
        figure,
        eigenvalues=groups.eigenvalues,
        gap=groups.gap,
        chance=float(np.quantile(groups.chance, 0.95)) if len(groups.chance) else 0.0,
        places=groups.places,
        groups=groups.labels,
        profiles=profiles,
    )


def _profile(ax, mean, colour, ends) -> None:
    """Draw a value for each band, with its interval."""
    place = np.arange(len(mean)) + 0.5
    ax.fill_between(place, *ends, color=colour, alpha=0.3, linewidth=0)
    ax.plot(place, mean, color=colour, linewidth=1.2)


def _hertz(ax, frontend, labels, bands=None) -> None:
    """Mark round frequencies on a horizontal axis that counts bands, or cells of several bands."""
    edges = np.asarray(frontend.band_edges(), float)
    marks = [hertz for hertz in canvas.ROUND_HERTZ if edges[0] <= hertz <= edges[-1]]
    scale = 1.0 if bands is None else bands / (len(edges) - 1)
    ax.set_xticks(np.interp(marks, edges, np.arange(len(edges))) * scale)
    ax.set_xticklabels([f"{hertz:g}" for hertz in marks] if labels else [], rotation=45)
    ax.set_xlim(0, (len(edges) - 1) * scale)
    if labels:
        ax.set_xlabel("frequency (Hz)")
        ax.tick_params(labelbottom=True)
