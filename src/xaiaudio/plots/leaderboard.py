"""Figures of the leaderboard: who stands where, and how sure that is."""

from __future__ import annotations

import numpy as np

from . import canvas

# From dark to light, legible for colour-blind eyes and in grey.
PLACES = "cividis"

# More columns than this leave no room for the numbers on a narrow page.
COLUMNS = 4


def leaderboard(board, measures=None):
    """Draw methods by measures: numbers in cells, coloured by their place.

    Bright is the best method, dark is the floor: the random map, or the worst method where a random
    map would win without merit (see `Leaderboard.position`). White cells have no better or worse,
    or no answer. Below each mean stands its 95 % interval over clips. Panels stand one below the
    other, so that a narrow page can hold them.

    Parameters
    ----------
    board : Leaderboard
    measures : sequence of str, optional
        By default all that have an answer for some row.

    Returns
    -------
    matplotlib.figure.Figure
        `data`: ``rows``, ``measures``, ``means``, ``low``, ``high`` and ``positions``, arrays
        (rows, measures).

    Examples
    --------
    >>> import xaiaudio as xa
    >>> board = xa.evaluate.leaderboard(model, clips)  # doctest: +SKIP
    >>> figure = xa.plots.leaderboard(board)  # doctest: +SKIP
    """
    names = [row.name for row in board.rows]
    columns = _answered(board) if measures is None else list(measures)
    shown = _numbers(board, names, columns)
    panels = _panels(board, columns)
    heights = [0.9 + 0.42 * len(names)] * len(panels)
    figure, axes = canvas.grid(len(panels), height=heights[0])
    for ax, panel in zip(axes[:, 0], panels, strict=True):
        picked = [columns.index(name) for name in panel]
        part = {name: values[:, picked] for name, values in shown.items()}
        _panel(ax, board, names, panel, part)
    return canvas.finish(figure, rows=names, measures=columns, **shown)


def leaderboard_intervals(board, measures):
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
        canvas.title(ax, _head(board.measure(name)).replace("\n", " "))
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


def _panels(board, columns) -> list[list[str]]:
    """Group columns by family, and split what is too wide."""
    families: dict[str, list[str]] = {}
    for name in columns:
        families.setdefault(board.measure(name).family, []).append(name)
    panels: list[list[str]] = []
    for group in families.values():
        parts = -(-len(group) // COLUMNS)
        split = [part.tolist() for part in np.array_split(np.array(group, object), parts)]
        # Small families share a panel.
        if panels and len(panels[-1]) + len(group) <= COLUMNS:
            panels[-1] += group
        else:
            panels += split
    return panels


def _panel(ax, board, names, columns, shown) -> None:
    import matplotlib as mpl

    colours = mpl.colormaps[PLACES].with_extremes(bad="white")
    places = np.ma.masked_invalid(shown["positions"])
    ax.imshow(places, cmap=colours, vmin=0, vmax=1, aspect="auto")
    for (i, j), value in np.ndenumerate(shown["means"]):
        measure = board.measure(columns[j])
        text = measure.write(value)
        low, high = shown["low"][i, j], shown["high"][i, j]
        if np.isfinite(low) and high > low:
            text += f"\n{measure.write(low)} to {measure.write(high)}"
        position = shown["positions"][i, j]
        ink = "white" if position < 0.5 else "black"
        ax.text(j, i, text, ha="center", va="center", color=ink, fontsize=canvas.FONT - 2)
    ax.set_xticks(range(len(columns)), [_head(board.measure(name)) for name in columns])
    ax.xaxis.tick_top()
    ax.set_yticks(range(len(names)), [_row(board.row(name)) for name in names])
    ax.tick_params(length=0, labelsize=canvas.FONT - 1)
    first = next((i for i, name in enumerate(names) if board.row(name).reference), 0)
    if first:
        ax.axhline(first - 0.5, color="black", linewidth=1.5)
    ax.set_xlim(-0.5, len(columns) - 0.5)


def _head(measure) -> str:
    way = {"higher": "\n↑ better", "lower": "\n↓ better", "neither": "\n"}[measure.better]
    return measure.title + way


def _row(row) -> str:
    return f"{row.name} (no map)" if row.error else row.name
