"""What turning a knob does: curves over its strength, and over the way of a generator."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from . import canvas

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from matplotlib.figure import Figure
    from numpy.typing import ArrayLike


def turned(
    strengths: Sequence[float],
    panels: Mapping[str, Mapping[str, ArrayLike]],
    *,
    bands: Mapping[str, ArrayLike] | None = None,
    x_label: str = "strength",
    y_label: str = "change",
    band_label: str = "random directions",
) -> Figure:
    """Draw curves over the strength of a knob, beside what random directions do.

    Parameters
    ----------
    strengths : sequence of float
    panels : mapping of str to mapping of str to array_like of float, shape (strengths,)
        Title of each panel, then name of each curve. The first one is what the knob is for: it is
        drawn heavily.
    bands : mapping of str to array_like of float, shape (directions, strengths), optional
        By the panels' titles, what random directions do: from the lowest to the highest.
    x_label, y_label, band_label : str

    Returns
    -------
    matplotlib.figure.Figure
        `data`: ``strengths``, ``"PANEL, CURVE"``, and ``"PANEL, random"`` with lowest and highest.

    Examples
    --------
    >>> import xaiaudio as xa
    >>> figure = xa.plots.turned([-1, 0, 1], {"probe": {"bright": [-1, 0, 1]}})
    >>> figure.data["probe, bright"].tolist()
    [-1, 0, 1]
    """
    figure, axes = canvas.grid(1, len(panels), height=3.0, extra=0.4, sharey=True)
    data: dict = {"strengths": np.asarray(strengths, float)}
    for ax, (title, curves) in zip(axes[0], panels.items(), strict=True):
        ax.axhline(0, color=canvas.GREY, linewidth=0.8)
        if bands is not None:
            drawn = np.asarray(bands[title], float)
            ends = np.stack([drawn.min(axis=0), drawn.max(axis=0)])
            ax.fill_between(strengths, *ends, color=canvas.GREY, alpha=0.3, label=band_label)
            data[f"{title}, random"] = ends
        for number, (name, values) in enumerate(curves.items()):
            ax.plot(
                strengths,
                values,
                color=canvas.COLOURS[number % len(canvas.COLOURS)],
                linestyle=("-", "--", ":", "-.")[number % 4],
                linewidth=2.4 if number == 0 else 1.4,
                label=name,
            )
            data[f"{title}, {name}"] = np.asarray(values)
        if len(panels) > 1:
            canvas.title(ax, title)
        ax.set_xlabel(x_label)
        ax.grid(alpha=0.3)
        ax.spines[["top", "right"]].set_visible(False)
    axes[0, 0].set_ylabel(y_label)
    canvas.legend(figure, axes[0, 0], columns=3, handlelength=3)
    return canvas.finish(figure, **data)
