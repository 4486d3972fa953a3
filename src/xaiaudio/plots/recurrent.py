"""Figures of relevance over time: maps above their sums, and averages over many clips."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..errors import XaiAudioError
from . import canvas

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from matplotlib.figure import Figure
    from numpy.typing import ArrayLike

    from ..frontend import LogMel

DASHES = ("-", "--", ":", "-.")


def in_time(
    patches: ArrayLike,
    maps: Mapping[str, ArrayLike],
    frontend: LogMel,
    *,
    titles: Sequence[str] | None = None,
    outlines: ArrayLike | None = None,
) -> Figure:
    """Draw maps of a few patches, and below them what they add up to at each frame.

    Parameters
    ----------
    patches : array_like of float, shape (n, frames, bands)
        One column each; two read well.
    maps : mapping of str to array_like of float, shape (n, frames, bands)
        Method to signed maps. The first method's are drawn as maps, all methods' as sums.
    frontend : LogMel
    titles : sequence of str, optional
        One per patch.
    outlines : array_like of bool, shape (n, frames, bands), optional
        Cells to surround with a line, for example the true events.

    Returns
    -------
    matplotlib.figure.Figure
        `data`: ``patches``, ``map`` (n, frames, bands) as a share of each map's largest magnitude,
        and per method its sums (n, frames), likewise a share of their largest magnitude.

    Raises
    ------
    XaiAudioError
        If the maps do not have the patches' shape.

    Examples
    --------
    >>> import numpy as np, xaiaudio as xa
    >>> patch = np.random.default_rng(0).normal(size=(1, 96, 64))
    >>> figure = xa.plots.in_time(patch, {"relevance": patch}, xa.LogMel.vggish())
    >>> figure.data["relevance"].shape
    (1, 96)
    """
    patches = np.asarray(patches, float)
    maps = {name: np.asarray(values, float) for name, values in maps.items()}
    for name, values in maps.items():
        if values.shape != patches.shape:
            raise XaiAudioError(
                f"The maps of {name} have the shape {values.shape}, the patches {patches.shape}: "
                "they must be the same."
            )
    count = len(patches)
    sums = {name: _share(values.sum(axis=2)) for name, values in maps.items()}
    main = _share(next(iter(maps.values())))
    figure, axes = canvas.grid(3, count, height=1.9, extra=0.9, sharex="col", sharey="row")
    limits = canvas.common(patches)
    # One cell is often far above all others: from half of it on, colours are the same.
    colours = (-0.5, 0.5)
    for index in range(count):
        sound, cells, line = axes[:, index]
        canvas.image(sound, patches[index], frontend, limits=limits)
        drawn = canvas.image(cells, main[index], frontend, cmap=canvas.SIGNED, limits=colours)
        if outlines is not None and np.any(outlines[index]):
            for ax, colour in ((sound, "white"), (cells, "black")):
                _outline(ax, outlines[index], frontend, colour)
        for number, (name, values) in enumerate(sums.items()):
            line.plot(
                _times(patches, frontend),
                values[index],
                canvas.COLOURS[number % 4],
                linestyle=DASHES[number % 4],
                linewidth=1.2,
                label=name,
            )
        line.axhline(0, color=canvas.GREY, linewidth=0.6)
        line.set_xlabel("time (s)")
        line.set_ylim(-1.05, 1.05)
        if titles is not None:
            canvas.title(sound, titles[index])
    for ax in axes[:2, 0]:
        canvas.mel_axis(ax, frontend)
    axes[2, 0].set_ylabel("sum per frame")
    canvas.colour_bar(figure, drawn, axes[1], "share of each map's largest value (cut off at 0.5)")
    _legend(figure, axes[2, 0])
    data = {"patches": patches, "map": main, **sums}
    if outlines is not None:
        data["outlines"] = np.asarray(outlines, bool)
    return canvas.finish(figure, **data)


def mean_curves(
    x: ArrayLike,
    series: Mapping[str, ArrayLike],
    *,
    x_label: str = "",
    y_label: str = "",
    reference: float | None = None,
) -> Figure:
    """Draw the mean of many curves, with its 95 % interval as a band.

    Parameters
    ----------
    x : array_like of float, shape (points,)
    series : mapping of str to array_like of float, shape (n, points)
        Name to curves, for example one a clip.
    x_label, y_label : str
    reference : float, optional
        Height of a dashed grey line.

    Returns
    -------
    matplotlib.figure.Figure
        `data`: ``x``, and per name an array (3, points): lower end, mean and upper end of a
        bootstrap interval over the curves.

    Examples
    --------
    >>> import xaiaudio as xa
    >>> figure = xa.plots.mean_curves([0, 1], {"drop": [[0.0, 1.0], [0.0, 3.0]]})
    >>> figure.data["drop"][1].tolist()
    [0.0, 2.0]
    """
    x = np.asarray(x, float)
    figure, axes = canvas.grid(height=3.2, extra=0.3)
    ax = axes[0, 0]
    shown = {}
    for number, (name, values) in enumerate(series.items()):
        low, mean, high = shown[name] = _interval(np.asarray(values, float))
        colour = canvas.COLOURS[number % 4]
        ax.fill_between(x, low, high, color=colour, alpha=0.2, linewidth=0)
        ax.plot(x, mean, color=colour, linestyle=DASHES[number % 4], label=name)
    if reference is not None:
        ax.axhline(reference, color=canvas.GREY, linestyle="--", linewidth=0.8)
    ax.set_xlim(x[0], x[-1])
    ax.set_xlabel(x_label)
    ax.set_ylabel(y_label)
    ax.spines[["top", "right"]].set_visible(False)
    ax.grid(alpha=0.3)
    _legend(figure, ax)
    return canvas.finish(figure, x=x, **shown)


def _interval(values) -> np.ndarray:
    """Return lower end, mean and upper end over the rows, (3, points)."""
    draws = np.random.default_rng(0).integers(len(values), size=(1000, len(values)))
    weights = np.stack([np.bincount(draw, minlength=len(values)) for draw in draws])
    low, high = np.quantile(weights @ values / len(values), [0.025, 0.975], axis=0)
    return np.stack([low, values.mean(axis=0), high])


def _share(values) -> np.ndarray:
    """Divide each first-axis part by its largest magnitude."""
    largest = np.abs(values).max(axis=tuple(range(1, values.ndim)), keepdims=True)
    return np.divide(values, largest, out=np.zeros_like(values), where=largest > 0)


def _outline(ax, cells, frontend, colour) -> None:
    cells = np.asarray(cells, float)
    ax.contour(
        _times(cells[None], frontend),
        np.arange(cells.shape[1]) + 0.5,
        cells.T,
        levels=[0.5],
        colors=colour,
        linewidths=0.7,
    )


def _times(patches, frontend) -> np.ndarray:
    """Return the middle of each frame as the images show it, in seconds."""
    step = frontend.hop / frontend.sample_rate
    return frontend.times()[0] + (np.arange(patches.shape[1]) + 0.5) * step


def _legend(figure, ax) -> None:
    names = ax.get_legend_handles_labels()[1]
    canvas.legend(figure, ax, columns=2 if len(names) == 4 else 3)
