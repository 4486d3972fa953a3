"""Figures of measures: a mixture and its truth, results by condition, curves, changes of order."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from . import canvas
from .leaderboard import PLACES
from .sounds import LOUDNESS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from matplotlib.figure import Figure
    from numpy.typing import ArrayLike

    from ..datasets.mixtures import Mixture
    from ..evaluate.benchmark.board import Leaderboard
    from ..evaluate.metrics.deletion import Curve

OUTLINE = "#7fffd4"  # stands out on all of the colours of a spectrogram

# More columns than this leave no room for the numbers on a narrow page.
_COLUMNS = 5


def mixture(mixed: Mixture) -> Figure:
    """Draw an event, its background, and the mixture with the true cells outlined.

    Parameters
    ----------
    mixed : xaiaudio.datasets.mixtures.Mixture

    Returns
    -------
    matplotlib.figure.Figure
        `data`: ``event``, ``background`` and ``mixture``, spectrograms (T, bands), and the
        ``truth``, bool (T, bands).

    Examples
    --------
    >>> import numpy as np, xaiaudio as xa
    >>> from xaiaudio.datasets.mixtures import mix
    >>> tone = 0.1 * np.sin(np.arange(32_000) * 0.4)
    >>> hiss = 0.01 * np.random.default_rng(0).normal(size=48_000)
    >>> figure = xa.plots.mixture(mix(tone, hiss, snr_db=10, at=1.0, seconds=0.5))
    """
    frontend = mixed.frontend
    waves = {"event": mixed.event, "background": mixed.background, "mixture": mixed.wave}
    rows = {name: frontend.spectrogram(wave) for name, wave in waves.items()}
    limits = canvas.common(list(rows.values()))
    figure, axes = canvas.grid(3, height=1.8, extra=0.6, sharex=True)
    for ax, (name, cells) in zip(axes[:, 0], rows.items(), strict=True):
        drawn = canvas.image(ax, cells, frontend, limits=limits)
        canvas.mel_axis(ax, frontend)
        canvas.title(ax, name)
    canvas.title(axes[2, 0], f"mixture, {mixed.snr_db:.0f} dB: the event's cells outlined")
    _outline(axes[2, 0], mixed.events, frontend)
    axes[2, 0].set_xlabel("time (s)")
    canvas.colour_bar(figure, drawn, axes, LOUDNESS)
    return canvas.finish(figure, **rows, truth=mixed.events)


def _outline(ax, truth, frontend) -> None:
    """Surround the true cells of a clip of any length."""
    import dataclasses

    canvas.borders(
        ax, np.asarray(truth, int), dataclasses.replace(frontend, frames=len(truth)), OUTLINE
    )


def breakdown(
    boards: Mapping[str, Leaderboard], measure: str, *, rows: Sequence[str] | None = None
) -> Figure:
    """Draw one measure under several conditions: methods by conditions, numbers in cells.

    Colours run from chance (dark) to the best that is possible (bright). Chance differs between
    conditions, as the events have more or fewer cells: colours are comparable across columns,
    numbers are not.

    Parameters
    ----------
    boards : mapping of str to Leaderboard
        Name of the condition to the results, for example parts of one leaderboard. Needs the
        reference ``"uniform"``: a map that is the same everywhere has what chance would get.
    measure : {"mass", "rank", "pointing"}
    rows : sequence of str, optional
        Methods and references to show; by default all that have maps.

    Returns
    -------
    matplotlib.figure.Figure
        `data`: ``rows``, ``columns``, ``means``, ``low``, ``high``, arrays (rows, columns), and
        ``chance`` (columns,).

    Examples
    --------
    >>> import xaiaudio as xa
    >>> parts = {"all": board, "recognised": board.part(right)}  # doctest: +SKIP
    >>> figure = xa.plots.breakdown(parts, "mass")  # doctest: +SKIP
    """
    columns = list(boards)
    first = boards[columns[0]]
    if rows is None:
        rows = [row.name for row in first.rows if not row.error]
    found = [[boards[name].interval(row, measure) for name in columns] for row in rows]
    shown = {
        key: np.array([[getattr(one, part) for one in line] for line in found])
        for key, part in (("means", "mean"), ("low", "low"), ("high", "high"))
    }
    chance = np.array([boards[name].mean("uniform", measure) for name in columns])
    places = np.clip((shown["means"] - chance) / np.maximum(1 - chance, 1e-9), 0, 1)
    panels = np.array_split(np.arange(len(columns)), -(-len(columns) // _COLUMNS))
    figure, axes = canvas.grid(len(panels), height=0.8 + 0.4 * len(rows))
    first_reference = next((i for i, row in enumerate(rows) if first.row(row).reference), 0)
    for ax, chosen in zip(axes[:, 0], panels, strict=True):
        part = {key: values[:, chosen] for key, values in shown.items()}
        drawn = _cells(ax, places[:, chosen], part)
        ax.set_xticks(range(len(chosen)), [_folded(columns[k]) for k in chosen])
        ax.xaxis.tick_top()
        ax.set_yticks(range(len(rows)), rows)
        ax.tick_params(length=0, labelsize=canvas.FONT - 1)
        if first_reference:
            ax.axhline(first_reference - 0.5, color="black", linewidth=1.5)
    bar = figure.colorbar(drawn, ax=list(axes[:, 0]), location="bottom", aspect=40, shrink=0.7)
    bar.set_label("from chance (0) to all on the event (1)", fontsize=canvas.FONT - 1)
    bar.ax.tick_params(labelsize=canvas.FONT - 2)
    return canvas.finish(figure, rows=rows, columns=columns, **shown, chance=chance)


def _folded(text) -> str:
    """Break a long head of a column into two lines."""
    return text.replace(" ", "\n", 1) if len(text) > 8 else text


def _cells(ax, places, shown):
    """Draw numbers with their intervals in coloured cells."""
    drawn = ax.imshow(np.ma.masked_invalid(places), cmap=PLACES, vmin=0, vmax=1, aspect="auto")
    for (i, j), mean in np.ndenumerate(shown["means"]):
        low, high = shown["low"][i, j], shown["high"][i, j]
        text = f"{mean:.2f}" if np.isfinite(mean) else "–"
        if np.isfinite(low) and high > low:
            text += f"\n{low:.2f} to {high:.2f}"
        ink = "white" if places[i, j] < 0.5 else "black"
        ax.text(j, i, text, ha="center", va="center", color=ink, fontsize=canvas.FONT - 3)
    return drawn


def curves(panels: Mapping[str, Mapping[str, Curve]]) -> Figure:
    """Draw mean curves of deletion and insertion.

    Parameters
    ----------
    panels : mapping of str to mapping of str to Curve
        Title of a panel to the curves by the method's name; at most six.

    Returns
    -------
    matplotlib.figure.Figure
        `data`: ``fractions``, and each mean curve, called ``title: name``.

    Examples
    --------
    >>> import xaiaudio as xa
    >>> from xaiaudio.evaluate.metrics.deletion import deletion
    >>> curve = deletion(model, result)  # doctest: +SKIP
    >>> figure = xa.plots.curves({"deletion": {"Grad-CAM": curve}})  # doctest: +SKIP
    """
    figure, axes = canvas.grid(1, len(panels), height=3.0, extra=0.9, sharey=True)
    shown = {}
    for ax, (title, named) in zip(axes[0], panels.items(), strict=True):
        for index, (name, curve) in enumerate(named.items()):
            mean = curve.scores.mean(axis=0)
            style = {"color": _COLOURS[index % 6], "linestyle": _DASHES[index % 6]}
            ax.plot(curve.fractions, mean, label=name, linewidth=1.8, **style)
            shown[f"{title}: {name}"] = mean
        canvas.title(ax, title)
        ax.set_xlabel("share of the cells")
        ax.set_xlim(0, 1)
        ax.set_ylim(0, 1)
        ax.spines[["top", "right"]].set_visible(False)
    axes[0, 0].set_ylabel("probability of the class")
    canvas.legend(figure, axes[0, 0])
    return canvas.finish(figure, fractions=curve.fractions, **shown)


# Okabe and Ito's colours, each with its own dashes for readers who cannot tell them apart.
_COLOURS = (canvas.BLUE, canvas.ORANGE, canvas.GREEN, "#CC79A7", "#E69F00", "black")
_DASHES = ("-", "--", "-.", (0, (5, 1)), (0, (3, 1, 1, 1)), ":")


def orders(
    names: Sequence[str], values: Mapping[str, ArrayLike], *, better: str = "higher"
) -> Figure:
    """Draw how the order of methods changes between two ways of measuring.

    Parameters
    ----------
    names : sequence of str
    values : mapping of str to array_like of float, shape (names,)
        Two or more ways, each with one value a method.
    better : {"higher", "lower"}
        The best stands on top.

    Returns
    -------
    matplotlib.figure.Figure
        `data`: ``names``, the values by way, and ``places`` (ways, names), 1 for the best.

    Examples
    --------
    >>> import xaiaudio as xa
    >>> ways = {"silence": [0.1, 0.3], "mean": [0.5, 0.2]}
    >>> figure = xa.plots.orders(["a", "b"], ways, better="lower")
    >>> figure.data["places"].tolist()
    [[1, 2], [2, 1]]
    """
    ways = {title: np.asarray(column, float) for title, column in values.items()}
    sign = -1 if better == "higher" else 1
    order = [np.argsort(sign * column, kind="stable") for column in ways.values()]
    places = np.array([np.argsort(one) + 1 for one in order])
    figure, axes = canvas.grid(height=1.0 + 0.3 * len(names))
    ax = axes[0, 0]
    for index in range(len(names)):
        style = {"color": _COLOURS[index % 6], "linestyle": _DASHES[index % 6]}
        ax.plot(range(len(ways)), places[:, index], marker="o", linewidth=1.6, **style)
    for side, way, align in ((0, 0, "right"), (len(ways) - 1, -1, "left")):
        column = list(ways.values())[way]
        for index, name in enumerate(names):
            text = f"{name}  {column[index]:.2f}" if side == 0 else f"{column[index]:.2f}  {name}"
            offset = -0.04 if side == 0 else 0.04
            place = (side + offset * (len(ways) - 1), places[way, index])
            ax.text(*place, text, ha=align, va="center", fontsize=canvas.FONT - 1)
    ax.set_xticks(range(len(ways)), list(ways))
    ax.xaxis.tick_top()
    ax.tick_params(length=0, labelsize=canvas.FONT)
    ax.set_yticks([])
    ax.set_ylim(len(names) + 0.5, 0.5)
    reach = len(ways) - 1
    ax.set_xlim(-0.75 * reach, 1.75 * reach)
    ax.spines[:].set_visible(False)
    return canvas.finish(figure, names=list(names), places=places, **ways)
