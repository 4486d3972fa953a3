"""Figures of how far explanations agree: with one another, and with themselves when drawn anew."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from . import canvas

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from matplotlib.figure import Figure
    from numpy.typing import ArrayLike


def bands(
    series: Mapping[str, ArrayLike],
    *,
    x: ArrayLike | None = None,
    x_label: str = "",
    y_label: str = "",
) -> Figure:
    """Draw curves that were measured several times: their mean, in a band of all their values.

    Parameters
    ----------
    series : mapping of str to array_like of float, shape (repetitions, n)
        Name to curves, one a repetition, for example one a seed.
    x : array_like of float, shape (n,), optional
        By default 1 to n.
    x_label, y_label : str

    Returns
    -------
    matplotlib.figure.Figure
        `data`: ``x``, and per name an array (3, n): lowest, mean and highest.

    Examples
    --------
    >>> import xaiaudio as xa
    >>> figure = xa.plots.bands({"weights": [[3.0, 1.0], [2.0, 0.0]]})
    >>> figure.data["weights"].tolist()
    [[2.0, 0.0], [2.5, 0.5], [3.0, 1.0]]
    """
    figure, axes = canvas.grid(height=3.2)
    ax = axes[0, 0]
    shown = {}
    points: Any = x
    for index, (name, values) in enumerate(series.items()):
        values = np.asarray(values, float)
        points = np.arange(1, values.shape[1] + 1) if points is None else np.asarray(points)
        low, mean, high = values.min(axis=0), values.mean(axis=0), values.max(axis=0)
        colour = canvas.COLOURS[index % len(canvas.COLOURS)]
        ax.fill_between(points, low, high, color=colour, alpha=0.3, linewidth=0)
        # Each its own dashes, for readers who cannot tell the colours apart.
        ax.plot(points, mean, color=colour, linestyle=("-", "--", ":", "-.")[index % 4], label=name)
        shown[name] = np.stack([low, mean, high])
    ax.axhline(0, color=canvas.GREY, linewidth=0.8)
    ax.set_xlim(points[0], points[-1])
    ax.set_xlabel(x_label)
    ax.set_ylabel(y_label)
    ax.ticklabel_format(axis="y", scilimits=(-2, 3))
    ax.spines[["top", "right"]].set_visible(False)
    ax.legend(frameon=False, fontsize=canvas.FONT - 1)
    return canvas.finish(figure, x=points, **shown)


def agreement(
    matrix: ArrayLike, names: Sequence[str], *, label: str = "rank correlation"
) -> Figure:
    """Draw how far each of several methods agrees with each other one.

    Parameters
    ----------
    matrix : array_like of float, shape (names, names)
        From -1 to 1.
    names : sequence of str
    label : str
        What the numbers are.

    Returns
    -------
    matplotlib.figure.Figure
        `data`: ``names``, ``matrix``.

    Examples
    --------
    >>> import xaiaudio as xa
    >>> figure = xa.plots.agreement([[1.0, 0.4], [0.4, 1.0]], ["Grad-CAM", "LIME"])
    """
    matrix, size = np.asarray(matrix, float), len(names)
    figure, axes = canvas.grid(width=5.0, height=1.6 + 0.5 * size)
    ax = axes[0, 0]
    drawn = ax.imshow(matrix, cmap=canvas.SIGNED, vmin=-1, vmax=1, aspect="auto")
    for (row, column), value in np.ndenumerate(matrix):
        colour = "white" if abs(value) > 0.6 else "black"
        ax.text(column, row, f"{value:.2f}", ha="center", va="center", color=colour)
    # Many names side by side would run into each other.
    turned = {"rotation": 45, "ha": "right"} if size > 5 else {}
    ax.set_xticks(range(size), names, **turned)
    ax.set_yticks(range(size), names)
    canvas.colour_bar(figure, drawn, ax, label)
    return canvas.finish(figure, names=list(names), matrix=matrix)
