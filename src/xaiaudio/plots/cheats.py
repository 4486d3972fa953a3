"""Figures of networks that answer for a known reason: an attack, or a cheat."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from . import canvas
from .maps import SHARE, scaled
from .sounds import LOUDNESS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from matplotlib.figure import Figure
    from numpy.typing import ArrayLike

    from ..frontend import LogMel

CHANGE = "quieter  ←  change  →  louder"


def cause(
    clean: ArrayLike,
    changed: ArrayLike,
    maps: Mapping[str, ArrayLike],
    frontend: LogMel,
    *,
    columns: int = 3,
) -> Figure:
    """Draw a patch before and after an attack, what changed, and maps of the wrong answer.

    Parameters
    ----------
    clean, changed : array_like of float, shape (frames, bands)
    maps : mapping of str to array_like of float, shape (frames, bands)
        One per method. Each is divided by its own largest magnitude.
    frontend : LogMel
    columns : int

    Returns
    -------
    matplotlib.figure.Figure
        `data`: ``clean``, ``changed``, ``change``, and the maps by the method's name.

    Examples
    --------
    >>> import numpy as np, xaiaudio as xa
    >>> patch = np.zeros((96, 64))
    >>> figure = xa.plots.cause(patch, patch + 1, {"none": patch}, xa.LogMel.vggish())
    """
    clean, changed = np.asarray(clean), np.asarray(changed)
    maps = {name: scaled(cells) for name, cells in maps.items()}
    rows = 1 + math.ceil(len(maps) / columns)
    figure, axes = canvas.grid(rows, columns, height=1.8, extra=2.1, sharex=True)
    canvas.hide(axes.flat)
    limits = canvas.common([clean.min(), clean.max(), changed.min(), changed.max()])
    change = changed - clean
    pictures = {
        "before": (clean, canvas.MAGNITUDE, limits),
        "after": (changed, canvas.MAGNITUDE, limits),
        "change": (change, canvas.SIGNED, canvas.symmetric(change)),
        **{name: (cells, canvas.SIGNED, (-1, 1)) for name, cells in maps.items()},
    }
    places = [*axes[0, :3], *axes[1:].flat]
    drawn = {}
    for index, (ax, (name, (cells, colours, scale))) in enumerate(
        zip(places, pictures.items(), strict=False)
    ):
        ax.set_axis_on()
        drawn[name] = canvas.image(ax, cells, frontend, cmap=colours, limits=scale)
        canvas.mel_axis(ax, frontend, labels=index % columns == 0)
        canvas.title(ax, name)
        if index + columns >= len(pictures):
            ax.set_xlabel("time (s)")
            ax.tick_params(labelbottom=True)
    canvas.colour_bar(figure, drawn["before"], axes, LOUDNESS)
    canvas.colour_bar(figure, drawn["change"], axes, CHANGE)
    if maps:
        canvas.colour_bar(figure, drawn[next(iter(maps))], axes, SHARE)
    return canvas.finish(figure, clean=clean, changed=changed, change=change, **maps)


def networks(
    patch: ArrayLike,
    maps: Mapping[str, Mapping[str, ArrayLike]],
    frontend: LogMel,
    *,
    band: tuple[float, float] | None = None,
) -> Figure:
    """Draw the maps that several methods give of several networks, for one patch.

    Parameters
    ----------
    patch : array_like of float, shape (frames, bands)
    maps : mapping of str to mapping of str to array_like of float, shape (frames, bands)
        Method, then network. Each map is divided by its own largest magnitude.
    frontend : LogMel
    band : pair of float, optional
        Frequencies in hertz, marked by lines.

    Returns
    -------
    matplotlib.figure.Figure
        `data`: ``patch``, and per method the maps as shown, (networks, frames, bands).

    Examples
    --------
    >>> import numpy as np, xaiaudio as xa
    >>> patch = np.zeros((96, 64))
    >>> maps = {"gradcam": {"honest": patch, "cheat": patch}}
    >>> figure = xa.plots.networks(patch, maps, xa.LogMel.vggish(), band=(6300, 6800))
    """
    names = list(next(iter(maps.values())))
    figure, axes = canvas.grid(len(maps) + 1, len(names), height=1.6, extra=1.3, sharex=True)
    shown: dict = {}
    for column, network in enumerate(names):
        spectrum = canvas.image(axes[0, column], patch, frontend)
        canvas.title(axes[0, column], network)
        for row, (method, found) in enumerate(maps.items(), 1):
            cells = scaled(found[network])
            drawn = canvas.image(
                axes[row, column], cells, frontend, cmap=canvas.SIGNED, limits=(-1, 1)
            )
            shown.setdefault(method, []).append(cells)
        axes[-1, column].set_xlabel("time (s)")
    for row, name in enumerate(["sound", *maps]):
        for column, ax in enumerate(axes[row]):
            canvas.mel_axis(ax, frontend, labels=column == 0)
            if band is not None:
                _mark(ax, frontend, band)
        axes[row, 0].set_ylabel(f"{name}\nHz")
    canvas.colour_bar(figure, spectrum, axes, LOUDNESS)
    canvas.colour_bar(figure, drawn, axes, SHARE)
    return canvas.finish(
        figure, patch=patch, **{name: np.stack(cells) for name, cells in shown.items()}
    )


def _mark(ax, frontend, band) -> None:
    """Draw a line below and above a band of frequencies."""
    edges = frontend.band_edges()
    for hertz in band:
        place = np.interp(hertz, edges, np.arange(len(edges)))
        ax.axhline(place, color=canvas.GREEN, linewidth=1)
