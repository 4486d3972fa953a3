"""Figures of maps drawn again: which segments are named, when they settle, what noise changes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from . import canvas
from .sounds import LOUDNESS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from matplotlib.figure import Figure
    from numpy.typing import ArrayLike

    from ..frontend import LogMel


def named_segments(patch: ArrayLike, shares: Mapping[str, ArrayLike], frontend: LogMel) -> Figure:
    """Draw how often each place of a patch was among the highest segments.

    Parameters
    ----------
    patch : array_like of float, shape (frames, bands)
    shares : mapping of str to array_like of float, shape (frames, bands)
        Title to the share of the runs, 0 to 1, that named the segment which a cell is in.
    frontend : LogMel

    Returns
    -------
    matplotlib.figure.Figure
        `data`: ``patch``, and the shares by title.

    Examples
    --------
    >>> import numpy as np, xaiaudio as xa
    >>> patch, frontend = np.zeros((96, 64)), xa.LogMel.vggish()
    >>> figure = xa.plots.named_segments(patch, {"50 samples": patch}, frontend)
    """
    shares = {name: np.asarray(cells, float) for name, cells in shares.items()}
    figure, axes = canvas.grid(2, -(-(len(shares) + 1) // 2), height=2.0, extra=1.3)
    canvas.hide(axes.flat)
    panels = axes.ravel()
    drawn = canvas.image(panels[0], patch, frontend)
    canvas.title(panels[0], "spectrogram")
    for ax, (name, cells) in zip(panels[1:], shares.items(), strict=False):
        named = canvas.image(ax, cells, frontend, cmap="cividis", limits=(0, 1))
        canvas.title(ax, name)
    for number, ax in enumerate(panels[: len(shares) + 1]):
        ax.set_axis_on()
        canvas.mel_axis(ax, frontend, labels=number % axes.shape[1] == 0)
        ax.set_xlabel("time (s)")
    canvas.colour_bar(figure, drawn, axes, LOUDNESS)
    canvas.colour_bar(figure, named, axes, "share of the runs that name the segment")
    return canvas.finish(figure, patch=np.asarray(patch), **shares)


def settling(
    samples: Sequence[int],
    series: Mapping[str, ArrayLike],
    *,
    advised: tuple[int, int] | None = None,
    y_label: str = "shared segments",
    chance: Mapping[str, float] | None = None,
) -> Figure:
    """Draw how two runs come to agree as samples grow: each patch thin, their mean thick.

    Parameters
    ----------
    samples : sequence of int
    series : mapping of str to array_like of float, shape (samples, n)
        Name to agreement, 0 to 1, of each patch.
    advised : pair of int, optional
        A range of samples to shade.
    y_label : str
    chance : mapping of str to float, optional
        The agreement of segments picked blindly, by name: a line.

    Returns
    -------
    matplotlib.figure.Figure
        `data`: ``samples``, one array (samples, n) per name.

    Examples
    --------
    >>> import xaiaudio as xa
    >>> figure = xa.plots.settling([50, 100], {"7 x 7": [[0.3, 0.5], [0.9, 1.0]]})
    """
    series = {name: np.asarray(values, float) for name, values in series.items()}
    figure, axes = canvas.grid(height=3.4)
    ax = axes[0, 0]
    if advised is not None:
        ax.axvspan(*advised, color="#E8E8E8", label="advised")
    for index, (name, values) in enumerate(series.items()):
        colour = canvas.COLOURS[index % len(canvas.COLOURS)]
        dashes = ("-", "--", ":", "-.")[index % 4]
        ax.plot(samples, values, color=colour, linestyle=dashes, linewidth=0.7, alpha=0.5)
        ax.plot(
            samples,
            values.mean(axis=1),
            color=colour,
            linestyle=dashes,
            linewidth=3,
            marker="os^D"[index % 4],
            label=name,
        )
        if chance is not None:
            ax.axhline(chance[name], color=colour, linewidth=0.8, linestyle=dashes)
    ax.set_xscale("log")
    ax.set_xticks(samples, [f"{number:g}" for number in samples])
    ax.minorticks_off()
    ax.set_ylim(0, 1.04)
    ax.set_xlabel("samples")
    ax.set_ylabel(y_label)
    ax.grid(axis="y", alpha=0.3)
    ax.spines[["top", "right"]].set_visible(False)
    canvas.legend(figure, ax, handlelength=3)
    return canvas.finish(figure, samples=list(samples), **series)


def changes(
    labels: Sequence[str],
    values: ArrayLike,
    *,
    reference: tuple[str, float] | None = None,
    x_label: str = "largest change, share of the map",
) -> Figure:
    """Draw how far maps change, each sound a point and their median a line, on a log scale.

    Parameters
    ----------
    labels : sequence of str
        Methods.
    values : array_like of float, shape (labels, n)
        Above 0; what is 0 or NaN is not drawn.
    reference : pair of (str, float), optional
        Name and value of a line across all labels.
    x_label : str

    Returns
    -------
    matplotlib.figure.Figure
        `data`: ``labels``, ``values``, ``medians``, ``reference`` if there is one.

    Examples
    --------
    >>> import xaiaudio as xa
    >>> figure = xa.plots.changes(["LIME"], [[0.1, 0.2, 0.4]], reference=("the input", 0.01))
    """
    values = np.asarray(values, float)
    figure, axes = canvas.grid(height=1.3 + 0.3 * len(labels))
    ax = axes[0, 0]
    kept = np.where(values > 0, values, np.nan)
    places = np.arange(len(labels))
    medians = np.array([np.median(row[row > 0]) if (row > 0).any() else np.nan for row in values])
    ax.plot(kept.ravel(), np.repeat(places, kept.shape[1]), "o", color=canvas.BLUE, alpha=0.6)
    ax.plot(medians, places, "|", color=canvas.ORANGE, markersize=20, markeredgewidth=3)
    data = {"labels": list(labels), "values": values, "medians": medians}
    if reference is not None:
        name, value = reference
        ax.axvline(value, color=canvas.GREY, linestyle="--", label=name)
        ax.legend(frameon=False, fontsize=canvas.FONT - 1, loc="lower right")
        data["reference"] = float(value)
    ax.set_xscale("log")
    ax.set_yticks(places, labels)
    ax.set_ylim(len(labels) - 0.4, -0.6)
    ax.set_xlabel(x_label)
    ax.grid(axis="x", alpha=0.3)
    ax.spines[["top", "right"]].set_visible(False)
    return canvas.finish(figure, **data)
