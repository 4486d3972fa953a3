"""What passes from sources to qualities and from qualities to moods."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from . import canvas

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from numpy.typing import ArrayLike


def effects(
    tables: Mapping[str, ArrayLike],
    rows: Sequence[str],
    columns: Mapping[str, Sequence[str]],
    *,
    label: str = "weight",
) -> Figure:
    """Draw tables of numbers side by side, on one scale: around zero, or from zero on.

    Parameters
    ----------
    tables : mapping of str to array_like of float, shape (rows, columns)
        Title to numbers.
    rows : sequence of str
        The same for all tables.
    columns : mapping of str to sequence of str
        Each table's own, by title.
    label : str
        What the numbers are.

    Returns
    -------
    matplotlib.figure.Figure
        `data`: ``rows``, and the numbers of each table by its title.

    Examples
    --------
    >>> import xaiaudio as xa
    >>> figure = xa.plots.effects({"moods": [[1.0], [-0.5]]}, ["drums", "bass"], {"moods": ["sad"]})
    >>> figure.data["moods"].shape
    (2, 1)
    """
    values = {title: np.asarray(table, float) for title, table in tables.items()}
    every = np.concatenate([table.ravel() for table in values.values()])
    low, high = canvas.symmetric(every)
    colours = canvas.SIGNED
    if every.min() >= 0:
        low, colours = 0.0, "Reds"
    widths = [table.shape[1] for table in values.values()]
    figure, axes = canvas.grid(
        columns=len(values), height=1.6 + 0.4 * len(rows), width_ratios=widths, sharey=True
    )
    for ax, (title, table) in zip(axes[0], values.items(), strict=True):
        drawn = ax.imshow(table, cmap=colours, vmin=low, vmax=high, aspect="auto")
        for (row, column), value in np.ndenumerate(table):
            colour = "white" if abs(value) > 0.6 * high else "black"
            ax.text(
                *(column, row, f"{value:z.2f}"),
                ha="center",
                va="center",
                color=colour,
                fontsize=canvas.FONT - 2,
            )
        ax.set_xticks(range(table.shape[1]), columns[title], rotation=40)
        for text in ax.get_xticklabels():
            text.set(ha="right", rotation_mode="anchor")
        ax.set_yticks(range(len(rows)), rows)
        ax.tick_params(length=0, labelsize=canvas.FONT - 2)
        ax.spines[:].set_visible(False)
        canvas.title(ax, title)
    canvas.colour_bar(figure, drawn, axes[0], label)
    return canvas.finish(figure, rows=list(rows), **values)
