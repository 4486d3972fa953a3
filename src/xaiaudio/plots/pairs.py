"""Figures of two sides, and of where they differ."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..errors import XaiAudioError
from . import canvas
from .measures import OUTLINE

if TYPE_CHECKING:
    from collections.abc import Mapping

    from matplotlib.figure import Figure
    from numpy.typing import ArrayLike

    from ..frontend import LogMel


def pair(
    left: ArrayLike,
    right: ArrayLike,
    maps: Mapping[str, ArrayLike],
    frontend: LogMel,
    *,
    place: ArrayLike | None = None,
) -> Figure:
    """Draw the two sides of a pair, and maps over the cells of a side.

    Parameters
    ----------
    left, right : array_like of float, shape (frames, bands)
    maps : mapping of str to array_like of float, shape (frames, bands)
        Each drawn from 0 to its own largest value, negative ones as 0.
    frontend : LogMel
        That of one side.
    place : array_like of bool, shape (frames, bands), optional
        Where the change is: outlined in all panels.

    Returns
    -------
    matplotlib.figure.Figure
        `data`: ``left``, ``right``, each map by its name, and ``place``.

    Examples
    --------
    >>> import numpy as np, xaiaudio as xa
    >>> left, right = np.random.default_rng(0).normal(size=(2, 96, 64))
    >>> vggish = xa.LogMel.vggish()
    >>> figure = xa.plots.pair(left, right, {"difference": abs(left - right)}, vggish)
    """
    sides = {"left": np.asarray(left, float), "right": np.asarray(right, float)}
    shown = {name: np.asarray(cells, float) for name, cells in maps.items()}
    if any(cells.shape != frontend.patch_shape for cells in (*sides.values(), *shown.values())):
        raise XaiAudioError(
            f"pair() draws sides and maps of the shape {frontend.patch_shape}, frames and bands."
        )
    count = 2 + len(shown)
    columns = count if count <= 3 else 2
    rows = -(-count // columns)
    figure, axes = canvas.grid(rows, columns, height=2.3, extra=0.3, sharex=True, sharey=True)
    canvas.hide(axes.flat[count:])
    limits = canvas.common(list(sides.values()))
    for ax, (name, cells) in zip(axes.flat, {**sides, **shown}.items(), strict=False):
        top = (0.0, float(np.max(cells, initial=0.0))) if name in shown else limits
        canvas.image(ax, cells, frontend, limits=top)
        canvas.title(ax, name)
        if place is not None:
            canvas.borders(ax, np.asarray(place, int), frontend, OUTLINE)
    for ax in axes[:, 0]:
        canvas.mel_axis(ax, frontend)
    for ax in axes[-1]:
        ax.set_xlabel("time (s)")
    marked = np.zeros(frontend.patch_shape, bool) if place is None else np.asarray(place, bool)
    return canvas.finish(figure, **sides, **shown, place=marked)
