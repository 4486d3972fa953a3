"""Figures of sanity checks: maps as a network forgets, and how alike they stay."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from . import canvas
from .maps import map_rows, scaled

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from matplotlib.figure import Figure
    from numpy.typing import ArrayLike

    from ..frontend import LogMel

COLOURS = (canvas.BLUE, canvas.ORANGE, canvas.GREEN, canvas.GREY, "#CC79A7", "#56B4E9")
DASHES = ("-", "--", ":", "-.", (0, (6, 2, 1, 2)), (0, (1, 3)))
MEASURES = {
    "spearman": "of the values",
    "absolute": "of the magnitudes",
    "ssim": "structural",
}


def forgetting(
    patch: ArrayLike, maps: Mapping[str, Mapping[str, ArrayLike]], frontend: LogMel
) -> Figure:
    """Draw a patch's maps as its network is destroyed, a column for each method.

    Parameters
    ----------
    patch : array_like of float, shape (frames, bands)
    maps : mapping of str to mapping of str to array_like of float, shape (frames, bands)
        Method to state to map. Four methods at most read well. Each map is divided by its own
        largest magnitude: what counts is its shape.
    frontend : LogMel

    Returns
    -------
    matplotlib.figure.Figure
        `data`: ``patches`` (the same one per method), and the maps shown, (methods, frames, bands),
        by state.

    Examples
    --------
    >>> import numpy as np, xaiaudio as xa
    >>> patch, frontend = np.zeros((96, 64)), xa.LogMel.vggish()
    >>> figure = xa.plots.forgetting(patch, {"a method": {"whole": patch}}, frontend)
    """
    canvas.check_any(maps, "method's maps")
    patches = np.stack([np.asarray(patch)] * len(maps))
    states = list(next(iter(maps.values())))
    rows = {
        state: np.stack([scaled(by_state[state]) for by_state in maps.values()]) for state in states
    }
    return map_rows(patches, rows, list(maps), frontend, True)


def likeness_curves(states: Sequence[str], curves: Mapping[str, Mapping[str, ArrayLike]]) -> Figure:
    """Draw how alike maps stay while a network is destroyed, a panel for each measure.

    Parameters
    ----------
    states : sequence of str
        What was destroyed, from the top layer down.
    curves : mapping of str to mapping of str to array_like of float, shape (states,)
        Method to measure (``"spearman"``, ``"absolute"``, ``"ssim"``) to mean similarity. Six
        methods at most read well.

    Returns
    -------
    matplotlib.figure.Figure
        `data`: ``states``, and per measure an array (methods, states + 1), which begins with the
        whole network's 1; ``methods``.

    Examples
    --------
    >>> import xaiaudio as xa
    >>> curves = {"a method": {"spearman": [0.5, 0.1], "ssim": [0.6, 0.2]}}
    >>> figure = xa.plots.likeness_curves(["logits", "all"], curves)
    """
    canvas.check_any(curves, "method's curves")
    measures = list(next(iter(curves.values())))
    figure, axes = canvas.grid(len(measures), height=2.0, extra=1.0, sharex=True)
    places = np.arange(len(states) + 1)
    shown = {}
    for ax, measure in zip(axes[:, 0], measures, strict=True):
        shown[measure] = np.array([[1.0, *by_measure[measure]] for by_measure in curves.values()])
        for index, (name, values) in enumerate(zip(curves, shown[measure], strict=True)):
            style = {"color": COLOURS[index % 6], "linestyle": DASHES[index % 6], "label": name}
            ax.plot(places, values, marker="osD^vP"[index % 6], markersize=5, **style)
        ax.axhline(0, color=canvas.GREY, linewidth=0.8)
        ax.set_ylabel("likeness")
        canvas.title(ax, MEASURES.get(measure, measure))
        ax.spines[["top", "right"]].set_visible(False)
    axes[-1, 0].set_xticks(places, ["nothing", *states], rotation=25)
    for text in axes[-1, 0].get_xticklabels():
        text.set(ha="right", rotation_mode="anchor")
    axes[-1, 0].set_xlabel("destroyed, from the top down to")
    canvas.legend(figure, axes[0, 0], handlelength=3)
    return canvas.finish(figure, states=list(states), methods=list(curves), **shown)


def likeness_table(
    rows: Sequence[str],
    columns: Sequence[str],
    values: ArrayLike,
    limits: ArrayLike,
    *,
    label: str = "likeness to the true network's map",
) -> Figure:
    """Draw similarities as a table, and frame those above what unrelated sounds have.

    Parameters
    ----------
    rows, columns : sequence of str
        Methods and states.
    values : array_like of float, shape (rows, columns)
        Mean similarity, -1 to 1.
    limits : array_like of float, shape (rows,)
        Each method's threshold: it gets a column of its own, at the left.
    label : str

    Returns
    -------
    matplotlib.figure.Figure
        `data`: ``rows``, ``columns``, ``values``, ``limits``.

    Examples
    --------
    >>> import xaiaudio as xa
    >>> figure = xa.plots.likeness_table(["edges"], ["logits", "all"], [[1.0, 1.0]], [0.2])
    """
    values, limits = np.asarray(values, float), np.asarray(limits, float)
    figure, axes = canvas.grid(height=2.1 + 0.3 * len(rows))
    ax = axes[0, 0]
    cells = np.concatenate([limits[:, None], values], axis=1)
    drawn = ax.imshow(cells, cmap=canvas.SIGNED, vmin=-1, vmax=1, aspect="auto")
    for (row, column), value in np.ndenumerate(cells):
        colour = "white" if abs(value) > 0.6 else "black"
        ax.text(
            column,
            row,
            f"{value:.2f}",
            ha="center",
            va="center",
            color=colour,
            fontsize=canvas.FONT - 2,
        )
        if column and value >= limits[row]:
            _frame(ax, column, row)
    ax.axvline(0.5, color="white", linewidth=6)
    ax.set_xticks(range(len(columns) + 1), ["unrelated\nsounds, top", *columns])
    ax.set_yticks(range(len(rows)), rows)
    ax.tick_params(length=0, labelsize=canvas.FONT - 2)
    ax.tick_params(axis="x", rotation=40)
    for text in ax.get_xticklabels():
        text.set(ha="right", rotation_mode="anchor")
    ax.spines[:].set_visible(False)
    canvas.colour_bar(figure, drawn, ax, label)
    return canvas.finish(
        figure, rows=list(rows), columns=list(columns), values=values, limits=limits
    )


def likeness_dots(
    labels: Sequence[str],
    series: Mapping[str, ArrayLike],
    *,
    spans: ArrayLike | None = None,
    x_label: str = "rank correlation",
    span_label: str = "",
) -> Figure:
    """Draw similarities with their intervals, a line for each method.

    Parameters
    ----------
    labels : sequence of str
    series : mapping of str to array_like of float, shape (labels, 3)
        Name to lower end, mean and upper end.
    spans : array_like of float, shape (labels, 2), optional
        A grey bar for each label, from lower to upper end.
    x_label, span_label : str

    Returns
    -------
    matplotlib.figure.Figure
        `data`: ``labels``, one array (labels, 3) per series, ``spans`` if there are any.

    Examples
    --------
    >>> import xaiaudio as xa
    >>> figure = xa.plots.likeness_dots(["LIME"], {"seeds": [[0.5, 0.7, 0.8]]}, spans=[[-0.1, 0.2]])
    """
    series = {name: np.asarray(values, float) for name, values in series.items()}
    figure, axes = canvas.grid(height=1.2 + 0.2 * len(labels) * max(1.4, len(series)))
    ax = axes[0, 0]
    data = {"labels": list(labels), **series}
    if spans is not None:
        data["spans"] = spans = np.asarray(spans, float)
        ax.barh(
            range(len(labels)),
            spans[:, 1] - spans[:, 0],
            left=spans[:, 0],
            height=0.8,
            color="#D0D0D0",
            label=span_label or None,
        )
    canvas.dots(ax, labels, series, COLOURS)
    ax.axvline(0, color=canvas.GREY, linewidth=0.8)
    ax.set_xlabel(x_label)
    if len(series) > 1 or span_label:
        canvas.legend(figure, ax, handlelength=3)
    return canvas.finish(figure, **data)


def _frame(ax, column, row) -> None:
    from matplotlib.patches import Rectangle

    ax.add_patch(
        Rectangle(
            (column - 0.46, row - 0.42),
            0.92,
            0.84,
            fill=False,
            edgecolor=canvas.ORANGE,
            linewidth=2.5,
            zorder=3,
        )
    )
