"""What a generator remembers: outputs beside training sounds, alarms, shares, influence."""

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


def beside_nearest(
    made: ArrayLike,
    nearest: ArrayLike,
    similarity: ArrayLike,
    frontend: LogMel,
    *,
    titles: Sequence[str],
) -> Figure:
    """Draw sounds that were made, and below each the training sound that is nearest.

    Parameters
    ----------
    made, nearest : array_like of float, shape (n, frames, bands)
    similarity : array_like of float, shape (n,)
        How alike the two are: written above the lower one.
    frontend : LogMel
    titles : sequence of str
        One for each column.

    Returns
    -------
    matplotlib.figure.Figure
        `data`: ``made``, ``nearest``, ``similarity``.

    Examples
    --------
    >>> import numpy as np, xaiaudio as xa
    >>> patches = np.random.default_rng(0).normal(size=(2, 96, 64))
    >>> figure = xa.plots.beside_nearest(
    ...     patches, patches, [1, 1], xa.LogMel.vggish(), titles=["one", "two"]
    ... )
    >>> figure.data["similarity"].tolist()
    [1.0, 1.0]
    """
    made, nearest = np.asarray(made), np.asarray(nearest)
    similarity = np.asarray(similarity, float)
    figure, axes = canvas.grid(2, len(made), height=2.0, extra=0.7, sharex=True, sharey=True)
    limits = canvas.common([made, nearest])
    for column, title in enumerate(titles):
        for row, cells in enumerate((made[column], nearest[column])):
            drawn = canvas.image(axes[row, column], cells, frontend, limits=limits)
        canvas.title(axes[0, column], title)
        canvas.title(axes[1, column], f"nearest: {similarity[column]:.2f}")
        axes[1, column].set_xlabel("time (s)")
        axes[1, column].locator_params(axis="x", nbins=3)
    for row in (0, 1):
        canvas.mel_axis(axes[row, 0], frontend)
    canvas.colour_bar(figure, drawn, axes, LOUDNESS)
    return canvas.finish(figure, made=made, nearest=nearest, similarity=similarity)


def alarms(curves: Mapping[str, Mapping[str, tuple[ArrayLike, ArrayLike]]]) -> Figure:
    """Draw the shares of false and of true alarms of several measures, a panel for each kind.

    Parameters
    ----------
    curves : mapping of str to mapping of str to (array_like, array_like)
        Kind, then measure, to the shares of false and of true alarms, as
        :func:`xaiaudio.probes.memorisation.roc` returns them.

    Returns
    -------
    matplotlib.figure.Figure
        `data`: by ``"KIND, MEASURE"`` the share of true alarms at 101 shares of false ones.

    Examples
    --------
    >>> import xaiaudio as xa
    >>> figure = xa.plots.alarms({"softer": {"mel": ([0, 0, 1], [0, 1, 1])}})
    >>> figure.data["softer, mel"][:2].tolist()
    [1.0, 1.0]
    """
    columns = min(2, len(curves))
    rows = -(-len(curves) // columns)
    figure, axes = canvas.grid(rows, columns, height=2.4, extra=0.5, sharex=True, sharey=True)
    at, data = np.linspace(0, 1, 101), {}
    for ax, (kind, measures) in zip(axes.flat, curves.items(), strict=False):
        ax.plot([0, 1], [0, 1], color=canvas.GREY, linewidth=0.8)
        for number, (name, (false, true)) in enumerate(measures.items()):
            colour = canvas.COLOURS[number % len(canvas.COLOURS)]
            style = ("-", "--", "-.", ":")[number % 4]
            ax.step(false, true, where="post", color=colour, linestyle=style, label=name)
            places = np.searchsorted(np.asarray(false), at, "right") - 1
            data[f"{kind}, {name}"] = np.asarray(true, float)[places]
        canvas.title(ax, kind)
    for ax in axes[-1]:
        ax.set_xlabel("false alarms")
    for ax in axes[:, 0]:
        ax.set_ylabel("copies found")
    canvas.hide(axes.flat[len(curves) :])
    canvas.legend(figure, axes.flat[0], columns=4, handlelength=3)
    return canvas.finish(figure, **data)


def shares(
    panels: Mapping[str, tuple[ArrayLike, Mapping[str, ArrayLike]]],
    *,
    y_label: str = "share of the outputs",
) -> Figure:
    """Draw shares over a count that doubles and doubles, a panel for each count.

    Parameters
    ----------
    panels : mapping of str to (array_like, mapping of str to array_like)
        What is counted, to the counts and, by name, shares in [0, 1]: one for each count, or
        (counts, 3) with lower end, mean and upper end. NaN is left out.
    y_label : str

    Returns
    -------
    matplotlib.figure.Figure
        `data`: ``"PANEL"``, the counts, and ``"PANEL, NAME"``, the shares, with 0 for NaN.

    Examples
    --------
    >>> import xaiaudio as xa
    >>> figure = xa.plots.shares({"seconds": ([10, 40], {"given back": [1, 0.2]})})
    >>> figure.data["seconds, given back"].tolist()
    [1.0, 0.2]
    """
    figure, axes = canvas.grid(1, len(panels), height=3.0, extra=0.3, sharey=True)
    data: dict[str, np.ndarray] = {}
    named: dict[str, int] = {}
    for ax, (count, (counts, series)) in zip(axes[0], panels.items(), strict=True):
        data[count] = np.asarray(counts)
        for name, values in series.items():
            values = np.asarray(values, float)
            number = named.setdefault(name, len(named))
            style = {
                "color": canvas.COLOURS[number % len(canvas.COLOURS)],
                "linestyle": ("-", "--", ":", "-.")[number % 4],
                "marker": "os^D"[number % 4],
                "label": name,
            }
            middle = values if values.ndim == 1 else values[:, 1]
            if values.ndim == 2:
                ends = np.maximum([middle - values[:, 0], values[:, 2] - middle], 0)
                ax.errorbar(counts, middle, yerr=ends, capsize=3, **style)
            else:
                ax.plot(counts, middle, **style)
            data[f"{count}, {name}"] = np.nan_to_num(values)
        ax.set_xscale("log")
        ax.set_xticks(counts, [f"{value:g}" for value in counts])
        ax.minorticks_off()
        ax.set_ylim(-0.04, 1.04)
        ax.set_xlabel(count)
        ax.grid(alpha=0.3)
        ax.spines[["top", "right"]].set_visible(False)
    axes[0, 0].set_ylabel(y_label)
    canvas.legend_below(figure, axes[0], columns=2, handlelength=3)
    return canvas.finish(figure, **data)


def against_refits(true: ArrayLike, told: Mapping[str, ArrayLike]) -> Figure:
    """Draw what leaving out each training sound does, against what was told of it.

    Parameters
    ----------
    true : array_like of float, shape (n,)
        The change of the loss, by fitting again.
    told : mapping of str to array_like of float, shape (n,)
        By name, what a method says; a panel for each, on axes of its own.

    Returns
    -------
    matplotlib.figure.Figure
        `data`: ``true``, and what was told by name.

    Examples
    --------
    >>> import xaiaudio as xa
    >>> figure = xa.plots.against_refits([0, 1, 2], {"influence": [0, 1, 2]})
    >>> figure.data["influence"].tolist()
    [0, 1, 2]
    """
    figure, axes = canvas.grid(1, len(told), height=3.0, sharey=True)
    for ax, (name, values) in zip(axes[0], told.items(), strict=True):
        ax.axhline(0, color=canvas.GREY, linewidth=0.8)
        ax.axvline(0, color=canvas.GREY, linewidth=0.8)
        ax.plot(values, true, "o", color=canvas.BLUE, markersize=4, alpha=0.6)
        ax.set_xlabel(name)
        ax.ticklabel_format(scilimits=(-2, 3))
        ax.spines[["top", "right"]].set_visible(False)
        ax.locator_params(axis="x", nbins=5)
    axes[0, 0].set_ylabel("change of the loss, fitted again")
    return canvas.finish(figure, true=true, **told)
