"""Figures of the segments that a patch is cut into."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from . import canvas
from .maps import RAW
from .sounds import LOUDNESS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from matplotlib.figure import Figure
    from numpy.typing import ArrayLike

    from ..frontend import LogMel


def segments(
    patch: ArrayLike,
    segmentations: Mapping[str, ArrayLike],
    frontend: LogMel,
    *,
    weights: Mapping[str, ArrayLike] | None = None,
) -> Figure:
    """Draw how a patch is cut into segments, with the borders over its spectrogram.

    Parameters
    ----------
    patch : array_like of float, shape (frames, bands)
    segmentations : mapping of str to array_like of int, shape (frames, bands)
        Title to the number of each cell's segment: one panel each.
    frontend : LogMel
    weights : mapping of str to array_like of float, shape (segments,), optional
        Colours each segment by its weight instead of showing the spectrogram.

    Returns
    -------
    matplotlib.figure.Figure
        `data`: ``patch``, the segment numbers (or their weights, cell by cell) by title.

    Examples
    --------
    >>> import numpy as np, xaiaudio as xa
    >>> frontend = xa.LogMel.vggish()
    >>> patch = frontend(np.sin(np.arange(16000) / 5))[0]
    >>> halves = np.repeat([0, 1], 48)[:, None] * np.ones((1, 64), int)
    >>> figure = xa.plots.segments(patch, {"two halves": halves}, frontend)
    """
    count = len(segmentations)
    figure, axes = canvas.grid(1, count, height=2.6, extra=0.6, width=canvas.width_of(count))
    cells = {name: np.asarray(numbers) for name, numbers in segmentations.items()}
    if weights is not None:
        cells = {name: np.asarray(weights[name])[numbers] for name, numbers in cells.items()}
    limits = canvas.symmetric([np.abs(part).max() for part in cells.values()])
    for column, (ax, name) in enumerate(zip(axes[0], cells, strict=True)):
        if weights is None:
            drawn = canvas.image(ax, patch, frontend)
        else:
            drawn = canvas.image(ax, cells[name], frontend, cmap=canvas.SIGNED, limits=limits)
        canvas.borders(
            ax, np.asarray(segmentations[name]), frontend, "white" if weights is None else "0.4"
        )
        canvas.mel_axis(ax, frontend, labels=column == 0)
        ax.set_xlabel("time (s)")
        canvas.title(ax, name)
    canvas.colour_bar(figure, drawn, axes, LOUDNESS if weights is None else RAW)
    return canvas.finish(figure, patch=patch, **cells)
