"""Figures of the leaderboard: who stands where, and how sure that is."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from . import canvas

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.figure import Figure

    from ..evaluate.benchmark.board import Leaderboard

# From dark to light, legible for colour-blind eyes and in grey.
PLACES = "cividis"
FRAME = canvas.ORANGE
NO_BETTER = "#D0D0D0"


def leaderboard(board: Leaderboard, measures: Sequence[str] | None = None) -> Figure:
    """Draw methods by measures: means in cells, coloured by their place in the column.

    Bright is the best method, dark is the floor: the random map, or the worst method where a random
    map would win without merit (see `Leaderboard.position`). Grey: these clips cannot tell that it
    is better than the random map. Framed: they cannot tell it from the best. Both are read from the
    differences clip by clip (95 %, see `Leaderboard.difference`). White cells have no better or
    worse, or no answer.

    Parameters
    ----------
    board : Leaderboard
    measures : sequence of str, optional
        By default all that have an answer for some row.

    Returns
    -------
    matplotlib.figure.Figure
        `data`: ``rows``, ``measures``, and arrays (rows, measures): ``means``, ``low``, ``high``,
        ``positions``, ``ahead`` (how far ahead of the random map at least; grey unless above 0)
        and ``behind`` (how far behind the best at least; framed unless above 0).

    Examples
    --------
    >>> import xaiaudio as xa
    >>> board = xa.evaluate.leaderboard(model, clips)  # doctest: +SKIP
    >>> figure = xa.plots.leaderboard(board)  # doctest: +SKIP
    """
    names = [row.name for row in board.rows]
    columns = _answered(board) if measures is None else list(measures)
    shown = _numbers(board, names, columns)
    shown |= _differences(board, names, columns)
    figure, axes = canvas.grid(height=2.3 + 0.29 * len(names))
    ax = axes[0, 0]
    _cells(ax, board, names, columns, shown)
    _families(ax, board, columns)
    ax.set_xticks(range(len(columns)), [_head(board.measure(name)) for name in columns])
    ax.set_yticks(range(len(names)), [_row(board.row(name)) for name in names])
    ax.xaxis.tick_top()
    ax.tick_params(length=0, labelsize=canvas.FONT - 1)
    ax.tick_params(axis="x", rotation=60)
    for label in ax.get_xticklabels():
        label.set(ha="left", va="bottom", rotation_mode="anchor")
    ax.spines[:].set_visible(False)
    _legend(figure)
    return canvas.finish(figure, rows=names, measures=columns, **shown)


def leaderboard_intervals(board: Leaderboard, measures: Sequence[str]) -> Figure:
    """Draw each method's mean as a dot in its 95 % interval, a panel for each measure.

    Parameters
    ----------
    board : Leaderboard
    measures : sequence of str

    Returns
    -------
    matplotlib.figure.Figure
        `data`: ``rows``, ``measures``, ``means``, ``low``, ``high``, arrays (rows, measures).

    Examples
    --------
    >>> import xaiaudio as xa
    >>> figure = xa.plots.leaderboard_intervals(board, ["deletion", "mass"])  # doctest: +SKIP
    """
    names = [row.name for row in board.rows if not row.error]
    shown = _numbers(board, names, measures)
    rows = -(-len(measures) // 2)
    figure, axes = canvas.grid(rows, 2, height=0.8 + 0.24 * len(names), sharey=True)
    places = np.arange(len(names))
    references = np.array([board.row(name).reference for name in names])
    for column, (ax, name) in enumerate(zip(axes.flat, measures, strict=False)):
        means, low, high = (shown[key][:, column] for key in ("means", "low", "high"))
        for chosen, colour, marker in ((~references, canvas.BLUE, "o"), (references, "k", "D")):
            ax.hlines(places[chosen], low[chosen], high[chosen], color=colour, linewidth=2)
            ax.plot(means[chosen], places[chosen], marker, color=colour, markersize=5)
        if "chance" in names:
            ax.axvline(means[names.index("chance")], color=canvas.GREY, linestyle=":")
        canvas.title(ax, _head(board.measure(name)))
        ax.spines[["top", "right"]].set_visible(False)
        ax.set_xlabel(board.measure(name).unit)
    for ax in axes[:, 0]:
        ax.set_yticks(places, names, fontsize=canvas.FONT - 1)
    axes[0, 0].set_ylim(len(names) - 0.4, -0.6)
    canvas.hide(axes.flat[len(measures) :])
    return canvas.finish(
        figure,
        rows=names,
        measures=list(measures),
        **{key: shown[key] for key in ("means", "low", "high")},
    )


def _answered(board) -> list[str]:
    return [
        one.name
        for one in board.measures
        if any(np.isfinite(board.mean(row.name, one.name)) for row in board.rows)
    ]


def _numbers(board, names, columns) -> dict[str, np.ndarray]:
    """Means, their intervals and positions, each (rows, measures)."""
    shown = {
        key: np.full((len(names), len(columns)), np.nan)
        for key in ("means", "low", "high", "positions")
    }
    for i, row in enumerate(names):
        for j, name in enumerate(columns):
            shown["means"][i, j] = board.mean(row, name)
            shown["positions"][i, j] = board.position(row, name)
            if np.isfinite(shown["means"][i, j]):
                found = board.interval(row, name)
                shown["low"][i, j], shown["high"][i, j] = found.low, found.high
    return shown


def _differences(board, names, columns) -> dict[str, np.ndarray]:
    """How far each row is ahead of the random map, and behind the best method, at least."""
    shown = {key: np.full((len(names), len(columns)), np.nan) for key in ("ahead", "behind")}
    ordered = [name for name in columns if name in board.ordered()]
    for name in ordered:
        about, j = board.measure(name), columns.index(name)
        for i, row in enumerate(names):
            if not np.isfinite(board.mean(row, name)):
                continue
            shown["behind"][i, j] = _least(board, board.best(name), row, about)
            if about.floor == "chance" and np.isfinite(_mean(board, "chance", name)):
                shown["ahead"][i, j] = _least(board, row, "chance", about)
    return shown


def _least(board, row, other, about) -> float:
    """Return by how much a row is better than another at least, in the measure's unit."""
    gap = board.difference(row, other, about.name)
    return gap.low if about.better == "higher" else -gap.high


def _mean(board, row, name) -> float:
    known = any(one.name == row for one in board.rows)
    return board.mean(row, name) if known else float("nan")


def _cells(ax, board, names, columns, shown) -> None:
    import matplotlib as mpl
    from matplotlib.patches import Rectangle

    colours = mpl.colormaps[PLACES].with_extremes(bad="white", under=NO_BETTER)
    grey = shown["ahead"] <= 0
    places = np.ma.masked_invalid(np.where(grey, -1, shown["positions"]))
    ax.imshow(places, cmap=colours, vmin=0, vmax=1, aspect="auto")
    size = canvas.FONT - (1 if len(columns) < 12 else 2)
    for (i, j), value in np.ndenumerate(shown["means"]):
        dark = shown["positions"][i, j] < 0.5 and not grey[i, j]
        text = board.measure(columns[j]).write(value).replace("0.", ".").replace("-", "\u2212")
        about = {"ha": "center", "va": "center", "color": "white" if dark else "black"}
        ax.text(j, i, text, fontsize=size, **about)
        if shown["behind"][i, j] <= 0 and not grey[i, j] and not board.row(names[i]).reference:
            place = (j - 0.44, i - 0.42)
            ax.add_patch(Rectangle(place, 0.88, 0.84, fill=False, ec=FRAME, lw=2, zorder=4))
    ax.set_xticks(np.arange(len(columns) - 1) + 0.5, minor=True)
    ax.set_yticks(np.arange(len(names) - 1) + 0.5, minor=True)
    ax.grid(which="minor", color="white", linewidth=1.5)
    ax.tick_params(which="minor", length=0)
    first = next((i for i, name in enumerate(names) if board.row(name).reference), 0)
    if first:
        ax.axhline(first - 0.5, color="black", linewidth=1.5)


def _families(ax, board, columns) -> None:
    """Name the families below their columns, and part them."""
    families = [board.measure(name).family for name in columns]
    edges = [j for j in range(1, len(families)) if families[j] != families[j - 1]]
    for start, end in zip([0, *edges], [*edges, len(families)], strict=True):
        if start:
            ax.axvline(start - 0.5, color="white", linewidth=5)
        words = families[start].replace(" ", "\n") if end - start < 3 else families[start]
        middle = (start + end - 1) / 2
        place = ax.get_xaxis_transform()
        about = {"ha": "center", "va": "top", "fontsize": canvas.FONT - 2, "color": canvas.GREY}
        ax.text(middle, -0.015, words, transform=place, **about)


def _legend(figure) -> None:
    import matplotlib as mpl
    from matplotlib.patches import Patch

    colours = mpl.colormaps[PLACES]
    handles = [
        Patch(facecolor=colours(1.0), label="best method"),
        Patch(facecolor=colours(0.0), label="hardly above the floor"),
        Patch(facecolor="white", edgecolor=FRAME, linewidth=2, label="level with the best method"),
        Patch(facecolor=NO_BETTER, label="no better than a random map"),
    ]
    figure.legend(
        handles=handles,
        loc="outside lower center",
        ncols=2,
        frameon=False,
        fontsize=canvas.FONT - 1,
    )


def _head(measure) -> str:
    return measure.title + {"higher": " ↑", "lower": " ↓", "neither": ""}[measure.better]


def _row(row) -> str:
    return f"{row.name} (no map)" if row.error else row.name
