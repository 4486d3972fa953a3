"""Figures of chance: designs of coalitions, the error that they leave, the weights of parts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from . import canvas

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from matplotlib.figure import Figure
    from numpy.typing import ArrayLike


def designs(drawn: Mapping[str, ArrayLike], *, rows: int = 32) -> Figure:
    """Draw coalitions of parts, and how far each two parts are on together by chance.

    Parameters
    ----------
    drawn : mapping of str to array_like of int, shape (m, count)
        Title to coalitions, 1 where a part is on, one column of panels each.
    rows : int
        Most coalitions to draw, from the first on; all of them count below.

    Returns
    -------
    matplotlib.figure.Figure
        `data`: by title the coalitions drawn, and by ``"TITLE, together"`` the correlations
        (count, count) of the parts over all coalitions.

    Examples
    --------
    >>> import xaiaudio as xa
    >>> figure = xa.plots.designs({"all of two": [[1, 1], [0, 1], [1, 0], [0, 0]]})
    >>> figure.data["all of two, together"].tolist()
    [[1.0, 0.0], [0.0, 1.0]]
    """
    figure, axes = canvas.grid(2, len(drawn), height=2.4, extra=0.7)
    data = {}
    for column, (name, present) in enumerate(drawn.items()):
        signs = 2.0 * np.asarray(present) - 1
        data[name] = np.asarray(present)[:rows]
        signs = signs - signs.mean(axis=0)
        size = np.sqrt(np.square(signs).sum(axis=0))
        signs = signs / np.where(size > 0, size, 1)
        data[f"{name}, together"] = together = (signs.T @ signs).round(12)
        count = len(together)
        top, below = axes[0, column], axes[1, column]
        edges = (0.5, count + 0.5)
        top.imshow(
            data[name],
            cmap="Greys",
            vmin=0,
            vmax=1,
            aspect="auto",
            interpolation="nearest",
            extent=(*edges, len(data[name]) + 0.5, 0.5),
        )
        canvas.title(top, name)
        drawn_below = below.imshow(
            together,
            cmap=canvas.SIGNED,
            vmin=-1,
            vmax=1,
            aspect="auto",
            interpolation="nearest",
            extent=(*edges, *edges[::-1]),
        )
        top.set_xlabel("part")
        below.set_xlabel("part")
        if column == 0:
            top.set_ylabel("coalition")
            below.set_ylabel("part")
    canvas.colour_bar(figure, drawn_below, axes[1], "correlation of two parts over all coalitions")
    return canvas.finish(figure, **data)


def errors(
    samples: Sequence[int],
    series: Mapping[str, ArrayLike],
    *,
    y_label: str = "error, share of the map",
) -> Figure:
    """Draw how an error falls as samples grow: its median, in a band of the middle half.

    Parameters
    ----------
    samples : sequence of int
    series : mapping of str to array_like of float, shape (samples, runs)
        Name to the errors of several runs, above 0.
    y_label : str

    Returns
    -------
    matplotlib.figure.Figure
        `data`: ``samples``, and by name an array (3, samples): lower quartile, median and upper
        quartile.

    Examples
    --------
    >>> import xaiaudio as xa
    >>> figure = xa.plots.errors([64, 128], {"coins": [[0.4, 0.6], [0.2, 0.4]]})
    >>> figure.data["coins"][1].round(2).tolist()
    [0.5, 0.3]
    """
    figure, axes = canvas.grid(height=3.4)
    ax = axes[0, 0]
    shown = {}
    for index, (name, values) in enumerate(series.items()):
        low, middle, high = np.quantile(np.asarray(values, float), [0.25, 0.5, 0.75], axis=1)
        colour = canvas.COLOURS[index % len(canvas.COLOURS)]
        ax.fill_between(samples, low, high, color=colour, alpha=0.2, linewidth=0)
        ax.plot(
            samples,
            middle,
            color=colour,
            linestyle=("-", "--", ":", "-.")[index % 4],
            marker="os^D"[index % 4],
            label=name,
        )
        shown[name] = np.stack([low, middle, high])
    ax.set_xscale("log")
    ax.set_yscale("log")
    ax.set_xticks(samples, [f"{number:g}" for number in samples])
    lowest = min(values.min() for values in shown.values())
    highest = max(values.max() for values in shown.values())
    marks = [mark for mark in _MARKS if lowest / 1.3 <= mark <= highest * 1.3]
    ax.set_yticks(marks, [f"{mark:g}" for mark in marks])
    ax.minorticks_off()
    ax.set_xlabel("samples")
    ax.set_ylabel(y_label)
    ax.grid(alpha=0.3)
    ax.spines[["top", "right"]].set_visible(False)
    canvas.legend(figure, ax, handlelength=3)
    return canvas.finish(figure, samples=list(samples), **shown)


# Round numbers for an axis of shares.
_MARKS = (0.01, 0.02, 0.03, 0.05, 0.1, 0.2, 0.3, 0.5, 1, 2, 3, 5)


def part_weights(
    names: Sequence[str],
    series: Mapping[str, ArrayLike],
    *,
    errors: Mapping[str, ArrayLike] | None = None,
    x_label: str = "weight (logit)",
) -> Figure:
    """Draw what each part of a sound adds, by several methods.

    Parameters
    ----------
    names : sequence of str
        Of the parts, from the top down.
    series : mapping of str to array_like of float, shape (parts,)
        Method to weights.
    errors : mapping of str to array_like of float, shape (parts,), optional
        Method to the standard errors of its weights, drawn to either side.
    x_label : str

    Returns
    -------
    matplotlib.figure.Figure
        `data`: ``parts``, and by method an array (parts, 3): lower end, weight and upper end.

    Examples
    --------
    >>> import xaiaudio as xa
    >>> figure = xa.plots.part_weights(["drums", "bass"], {"LIME": [1.0, -0.5]})
    >>> figure.data["LIME"].tolist()
    [[1.0, 1.0, 1.0], [-0.5, -0.5, -0.5]]
    """
    shown = {}
    for name, weights in series.items():
        weights = np.asarray(weights, float)
        error = np.zeros(len(weights)) if errors is None else np.asarray(errors[name], float)
        shown[name] = np.stack([weights - error, weights, weights + error], axis=1)
    figure, axes = canvas.grid(height=1.2 + 0.32 * len(names))
    ax = axes[0, 0]
    canvas.dots(ax, list(names), shown, canvas.COLOURS)
    ax.axvline(0, color=canvas.GREY, linewidth=0.8)
    ax.set_xlabel(x_label)
    canvas.legend(figure, ax)
    return canvas.finish(figure, parts=list(names), **shown)
