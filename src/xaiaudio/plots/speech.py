"""Figures of a model that hears speech and writes it."""

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


def aligned(
    patch: ArrayLike,
    attention: ArrayLike,
    tokens: Sequence[str],
    onsets: ArrayLike,
    found: ArrayLike,
    frontend: LogMel,
) -> Figure:
    """Draw a string of words, and below it the attention with which each token is written.

    Parameters
    ----------
    patch : array_like of float, shape (frames, bands)
    attention : array_like of float, shape (tokens, moments)
        A row for each token, from 0 on.
    tokens : sequence of str
    onsets, found : array_like of float, shape (words,)
        Where words truly begin, and where attention says so, in seconds.
    frontend : LogMel

    Returns
    -------
    matplotlib.figure.Figure
        `data`: ``patch``, ``attention``, ``onsets``, ``found``.

    Examples
    --------
    >>> import numpy as np, xaiaudio as xa
    >>> paid = np.full((2, 24), 1 / 24)
    >>> vggish = xa.LogMel.vggish()
    >>> figure = xa.plots.aligned(np.zeros((96, 64)), paid, ["7", "3"], [0, 0.5], [0, 0.4], vggish)
    """
    patch, attention = np.asarray(patch, float), np.asarray(attention, float)
    onsets, found = np.asarray(onsets, float), np.asarray(found, float)
    if attention.ndim != 2 or len(attention) != len(tokens):
        raise XaiAudioError("aligned() needs a row of attention for each token.")
    length = len(patch) * frontend.hop / frontend.sample_rate
    figure, axes = canvas.grid(
        2, 1, height=1.7, extra=0.9, sharex=True, height_ratios=(1.4, 0.3 * len(tokens) + 0.2)
    )
    sound, paid = axes[:, 0]
    start = frontend.times()[0]
    canvas.image(sound, patch, frontend, start=start)
    canvas.mel_axis(sound, frontend)
    drawn = paid.imshow(
        attention,
        aspect="auto",
        interpolation="nearest",
        extent=(start, start + length, len(tokens), 0),
        cmap=canvas.MAGNITUDE,
        vmin=0,
    )
    paid.set_yticks(np.arange(len(tokens)) + 0.5, list(tokens))
    paid.set_ylabel("written")
    paid.set_xlabel("time (s)")
    for ax in (sound, paid):
        for times, style, name in ((onsets, "-", "true onset"), (found, ":", "from attention")):
            for number, time in enumerate(times):
                ax.axvline(
                    time,
                    color="white" if style == "-" else "#56B4E9",
                    linestyle=style,
                    linewidth=1.6,
                    label="" if number else name,
                )
    sound.set_facecolor("black")
    canvas.colour_bar(figure, drawn, paid, "attention (mean over the picked heads)")
    handles, names = sound.get_legend_handles_labels()
    box = figure.legend(
        handles, names, loc="outside lower center", ncols=2, fontsize=canvas.FONT - 1
    )
    box.get_frame().set_facecolor("#444444")
    for text in box.get_texts():
        text.set_color("white")
    return canvas.finish(figure, patch=patch, attention=attention, onsets=onsets, found=found)


def amounts(
    labels: Sequence[str],
    series: Mapping[str, ArrayLike],
    xlabel: str,
    *,
    zero: bool = True,
) -> Figure:
    """Draw numbers with their confidence intervals, a line for each label.

    Parameters
    ----------
    labels : sequence of str
    series : mapping of str to array_like of float, shape (labels, 3)
        Name to lower end, value and upper end, in the unit of the axis.
    xlabel : str
        What they are, with the unit.
    zero : bool
        Draw a line at 0.

    Returns
    -------
    matplotlib.figure.Figure
        `data`: ``labels`` and one array (labels, 3) per series.

    Examples
    --------
    >>> import xaiaudio as xa
    >>> figure = xa.plots.amounts(["by ear"], {"error": [[40, 50, 62]]}, "error (ms)")
    """
    lines = {name: np.asarray(values, float) for name, values in series.items()}
    figure, axes = canvas.grid(height=1.2 + 0.2 * len(labels) * max(1.5, len(lines)))
    ax = axes[0, 0]
    canvas.dots(ax, labels, lines, canvas.COLOURS, fontsize=canvas.FONT - 1)
    if zero:
        ax.axvline(0, color=canvas.GREY, linestyle="--", linewidth=1)
    ax.set_xlabel(xlabel)
    if len(lines) > 1:
        canvas.legend(figure, ax)
    return canvas.finish(figure, labels=list(labels), **lines)
