"""Figures of sparse features: where they fire, how they differ from luck, what they carry."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from . import canvas

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from matplotlib.figure import Figure
    from numpy.typing import ArrayLike

    from ..frontend import LogMel


def ranked(
    series: Mapping[str, ArrayLike], ylabel: str, *, reference: tuple[str, float] | None = None
) -> Figure:
    """Draw sets of values, each sorted from the largest to the smallest.

    Parameters
    ----------
    series : mapping of str to array_like of float, shape (n,)
        Sets may have different sizes: they are drawn over the share of each.
    ylabel : str
    reference : pair of (str, float), optional
        Name and value of a line across all.

    Returns
    -------
    matplotlib.figure.Figure
        `data`: of each series its values, the largest first.

    Examples
    --------
    >>> import xaiaudio as xa
    >>> xa.plots.ranked({"two seeds": [0.2, 0.9]}, "cosine").data["two seeds"].tolist()
    [0.9, 0.2]
    """
    figure, axes = canvas.grid(height=3.0)
    ax, data = axes[0, 0], {}
    styles = ("-", "--", "-.", ":")
    for index, (name, values) in enumerate(series.items()):
        values = np.sort(np.asarray(values, float))[::-1]
        places = 100 * (np.arange(len(values)) + 0.5) / len(values)
        colour = canvas.COLOURS[index % 4]
        ax.plot(places, values, color=colour, label=name, linestyle=styles[index % 4], linewidth=2)
        data[name] = values
    if reference is not None:
        ax.axhline(reference[1], color=canvas.GREY, linewidth=0.8, label=reference[0])
    ax.set_xlabel("units, the largest first (%)")
    ax.set_ylabel(ylabel)
    ax.grid(axis="y", alpha=0.3)
    ax.spines[["top", "right"]].set_visible(False)
    canvas.legend(figure, ax, 3)
    return canvas.finish(figure, **data)


def taken_out(counts: Sequence[int], series: Mapping[str, ArrayLike], ylabel: str) -> Figure:
    """Draw what is left when more and more features are taken out.

    Parameters
    ----------
    counts : sequence of int
        How many features, from 0 up.
    series : mapping of str to array_like of float, shape (counts, 3)
        Lower end, value and upper end, 0 to 1.
    ylabel : str

    Returns
    -------
    matplotlib.figure.Figure
        `data`: ``counts`` and the series.

    Examples
    --------
    >>> import xaiaudio as xa
    >>> rows = [[0.8, 0.9, 1.0], [0.1, 0.2, 0.3]]
    >>> figure = xa.plots.taken_out([0, 8], {"of the class": rows}, "still named")
    """
    figure, axes = canvas.grid(height=3.0)
    ax, data = axes[0, 0], {"counts": np.asarray(counts)}
    places = np.arange(len(counts))
    for index, (name, rows) in enumerate(series.items()):
        low, middle, high = 100 * np.asarray(rows, float).T
        colour = canvas.COLOURS[index % 4]
        ax.fill_between(places, low, high, color=colour, alpha=0.2, linewidth=0)
        ax.plot(places, middle, "os^D"[index % 4] + "-", color=colour, label=name)
        data[name] = np.asarray(rows, float)
    ax.set_xticks(places, [f"{count}" for count in counts])
    ax.set_xlabel("features taken out")
    ax.set_ylabel(f"{ylabel} (%)")
    ax.set_ylim(-3, 103)
    ax.grid(axis="y", alpha=0.3)
    ax.spines[["top", "right"]].set_visible(False)
    canvas.legend(figure, ax, 2)
    return canvas.finish(figure, **data)


def firing_places(
    rows: Mapping[str, Sequence[tuple[ArrayLike, tuple[int, int], tuple[int, int], str]]],
    frontend: LogMel,
) -> Figure:
    """Draw the patches on which features fire most, and outline what they can see.

    Parameters
    ----------
    rows : mapping of str to sequence of (patch, frames, bands, title)
        Of each feature, by its name: patches (frames, bands) with the first cell and the one behind
        the last of what is seen, and what the patch is of. All rows alike long.
    frontend : LogMel

    Returns
    -------
    matplotlib.figure.Figure
        `data`: ``patches`` (features, places, frames, bands), ``titles``.

    Examples
    --------
    >>> import numpy as np, xaiaudio as xa
    >>> place = (np.zeros((96, 64)), (10, 40), (0, 32), "Rain")
    >>> figure = xa.plots.firing_places({"a feature": [place]}, xa.LogMel.vggish())
    """
    from matplotlib.patches import Rectangle

    columns = max(len(row) for row in rows.values())
    figure, axes = canvas.grid(len(rows), columns, height=1.9, extra=0.9)
    cells = [[np.asarray(place[0], float) for place in row] for row in rows.values()]
    limits = canvas.common([one for row in cells for one in row])
    step = frontend.hop / frontend.sample_rate
    for line, (name, row) in zip(axes, rows.items(), strict=True):
        canvas.hide(line[len(row) :])
        for ax, (patch, frames, bands, title) in zip(line, row, strict=False):
            drawn = canvas.image(ax, patch, frontend, start=0.0, limits=limits)
            corner = (frames[0] * step, bands[0])
            size = ((frames[1] - frames[0]) * step, bands[1] - bands[0])
            ax.add_patch(Rectangle(corner, *size, fill=False, edgecolor="#56B4E9", linewidth=2))
            canvas.title(ax, title)
            canvas.mel_axis(ax, frontend, labels=ax is line[0])
        line[0].set_ylabel(f"{name}\nfrequency (Hz)")
    for ax in axes[-1]:
        ax.set_xlabel("time (s)")
    canvas.colour_bar(figure, drawn, axes, "log-mel magnitude")
    titles = [[place[3] for place in row] for row in rows.values()]
    return canvas.finish(figure, patches=np.array(cells), titles=np.array(titles))
