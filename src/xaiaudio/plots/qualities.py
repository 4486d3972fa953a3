"""Figures of named qualities: bars side by side, and a table of signed numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..errors import XaiAudioError
from . import canvas

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from matplotlib.figure import Figure
    from numpy.typing import ArrayLike


def quality_bars(
    series: Mapping[str, ArrayLike], names: Sequence[str], label: str, *, texts: Sequence[str] = ()
) -> Figure:
    """Draw a bar for each quality, and the series side by side in it.

    Parameters
    ----------
    series : mapping of str to array_like of float, shape (qualities,)
    names : sequence of str
        Of the qualities, from the top down.
    label : str
        Of the axis.
    texts : sequence of str, optional
        What is written behind the names, one each: a value with its unit.

    Returns
    -------
    matplotlib.figure.Figure
        `data`: each series by its name.

    Examples
    --------
    >>> import xaiaudio as xa
    >>> figure = xa.plots.quality_bars({"R2": [0.9, 0.4]}, ["tonality", "pulse"], "R2")
    """
    values = {name: np.asarray(given, float) for name, given in series.items()}
    if not values or any(given.shape != (len(names),) for given in values.values()):
        raise XaiAudioError("quality_bars() draws one number for each quality, and a series.")
    figure, axes = canvas.grid(1, 1, height=0.6 + 0.3 * len(names) + 0.08 * len(values), extra=0.4)
    ax, size = axes[0, 0], 0.8 / len(values)
    for index, (name, given) in enumerate(values.items()):
        places = np.arange(len(names)) + size * (index - (len(values) - 1) / 2)
        ax.barh(places, given, size, color=canvas.COLOURS[index % 4], label=name)
    written = [f"{name} ({text})" for name, text in zip(names, texts, strict=True)] if texts else ()
    ax.set_yticks(np.arange(len(names)), written or list(names))
    ax.set_ylim(len(names) - 0.4, -0.6)
    ax.axvline(0, color=canvas.GREY, linewidth=0.8)
    ax.set_xlabel(label)
    ax.grid(axis="x", alpha=0.3)
    ax.spines[["top", "right"]].set_visible(False)
    if len(values) > 1:
        canvas.legend(figure, ax, 3)
    return canvas.finish(figure, **values)


def signed_table(
    values: ArrayLike, rows: Sequence[str], columns: Sequence[str], label: str
) -> Figure:
    """Draw a table of numbers of both signs, as colours and written in their cells.

    Parameters
    ----------
    values : array_like of float, shape (rows, columns)
    rows, columns : sequence of str
    label : str
        Of the colours.

    Returns
    -------
    matplotlib.figure.Figure
        `data`: ``values``.

    Examples
    --------
    >>> import xaiaudio as xa
    >>> figure = xa.plots.signed_table([[1, -2]], ["tonality"], ["Rain", "Rooster"], "weight")
    """
    values = np.asarray(values, float)
    if values.shape != (len(rows), len(columns)):
        raise XaiAudioError(
            f"The table has the shape {values.shape}, but {len(rows)} rows and {len(columns)} "
            "columns are named."
        )
    figure, axes = canvas.grid(1, 1, height=0.3 * len(rows), extra=2.0)
    ax, limits = axes[0, 0], canvas.symmetric(values)
    drawn = ax.imshow(values, cmap=canvas.SIGNED, vmin=limits[0], vmax=limits[1], aspect="auto")
    for (row, column), value in np.ndenumerate(values):
        ink = "white" if abs(value) > 0.6 * limits[1] else "black"
        ax.text(
            column,
            row,
            f"{value:.1f}",
            ha="center",
            va="center",
            color=ink,
            fontsize=canvas.FONT - 2,
        )
    ax.set_yticks(np.arange(len(rows)), list(rows))
    ax.set_xticks(np.arange(len(columns)), list(columns), rotation=45, ha="right")
    canvas.colour_bar(figure, drawn, axes, label)
    return canvas.finish(figure, values=values)
