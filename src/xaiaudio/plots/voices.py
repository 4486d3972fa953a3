"""Figures of voices by their physics: pitches, separations, formants, rooms."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from . import canvas

if TYPE_CHECKING:
    from collections.abc import Mapping

    from matplotlib.figure import Figure
    from numpy.typing import ArrayLike


def separated(ratios: Mapping[str, ArrayLike], names: tuple[str, ...]) -> Figure:
    """Draw how near each estimate is to the true voice, method by method.

    Parameters
    ----------
    ratios : mapping of str to array_like of float, shape (voices,)
        SI-SDR in dB, by method.
    names : tuple of str
        Of the voices.

    Returns
    -------
    matplotlib.figure.Figure
        `data`: ``ratios``, float (methods, voices).

    Examples
    --------
    >>> import xaiaudio as xa
    >>> xa.plots.separated({"mixture": [0.0, 1.0]}, ("one", "other")).data["ratios"].shape
    (1, 2)
    """
    values = np.array([np.asarray(one, float) for one in ratios.values()])
    figure, axes = canvas.grid(1, 1, height=0.45 * len(values) + 1.3)
    ax = axes[0, 0]
    places = np.arange(len(values))
    for which, name in enumerate(names):
        ax.plot(
            values[:, which], places, "os^D"[which % 4], color=canvas.COLOURS[which], label=name
        )
    ax.set_yticks(places, list(ratios))
    ax.set_ylim(len(values) - 0.5, -0.5)
    ax.axvline(0, color=canvas.GREY, linewidth=1)
    ax.grid(axis="both", alpha=0.3)
    ax.spines[["top", "right"]].set_visible(False)
    ax.set_xlabel("SI-SDR (dB); to the right is nearer to the true voice")
    canvas.legend(figure, ax, len(names))
    return canvas.finish(figure, ratios=values)


def formants(
    times: ArrayLike, found: Mapping[str, ArrayLike], true: Mapping[str, ArrayLike]
) -> Figure:
    """Draw formants that were found over the true ones, a panel for each voice.

    Parameters
    ----------
    times : array_like of float, shape (frames,)
        In seconds.
    found, true : mapping of str to array_like of float, shape (frames, n)
        In hertz, by voice; NaN where there is none.

    Returns
    -------
    matplotlib.figure.Figure
        `data`: ``found`` and ``true``, float (voices, frames, n).

    Examples
    --------
    >>> import numpy as np, xaiaudio as xa
    >>> tracks = {"a voice": np.full((5, 3), 500.0)}
    >>> xa.plots.formants(np.arange(5), tracks, tracks).data["found"].shape
    (1, 5, 3)
    """
    times = np.asarray(times, float)
    figure, axes = canvas.grid(len(found), 1, height=2.2, extra=0.6, sharex=True)
    for ax, name in zip(axes[:, 0], found, strict=True):
        for rows, style, label in (
            (true[name], {"color": canvas.ORANGE, "linewidth": 4, "alpha": 0.5}, "true"),
            (found[name], {"color": canvas.BLUE, "linewidth": 0, "marker": ".", "ms": 3}, "found"),
        ):
            for number, track in enumerate(np.asarray(rows, float).T):
                ax.plot(times, track, label=label if number == 0 else None, **style)
        ax.set_ylim(0, 4000)
        ax.set_ylabel("frequency (Hz)")
        canvas.title(ax, name)
    axes[-1, 0].set_xlabel("time (s)")
    canvas.legend(figure, axes[0, 0], 2)
    return canvas.finish(
        figure, found=np.array([*found.values()], float), true=np.array([*true.values()], float)
    )


def sensitivity(shifts: ArrayLike, ratios: ArrayLike, before: ArrayLike, name: str) -> Figure:
    """Draw how near the estimates are when one pitch is wrong.

    Parameters
    ----------
    shifts : array_like of float, shape (n,)
        In semitones.
    ratios : array_like of float, shape (n,)
        SI-SDR in dB, mean of the voices.
    before : float
        That of the mixture.
    name : str
        Whose pitch it is.

    Returns
    -------
    matplotlib.figure.Figure
        `data`: ``shifts``, ``ratios``, ``before``.

    Examples
    --------
    >>> import xaiaudio as xa
    >>> xa.plots.sensitivity([0, 1], [9.0, 2.0], 0.5, "a voice").data["shifts"].tolist()
    [0, 1]
    """
    figure, axes = canvas.grid(1, 1, height=2.4)
    ax = axes[0, 0]
    ax.plot(shifts, ratios, "o-", color=canvas.BLUE)
    ax.axhline(before, color=canvas.GREY, linestyle="--")
    ax.annotate(
        "the mixture",
        (0.5, before),
        xycoords=("axes fraction", "data"),
        ha="center",
        va="bottom",
        fontsize=canvas.FONT - 2,
        color=canvas.GREY,
    )
    ax.set_xlabel(f"pitch of {name}, off by so many semitones")
    ax.set_ylabel("SI-SDR (dB)")
    ax.grid(alpha=0.3)
    ax.spines[["top", "right"]].set_visible(False)
    return canvas.finish(figure, shifts=shifts, ratios=ratios, before=before)


def rooms(
    true: ArrayLike, found: ArrayLike, tried: ArrayLike, missed: ArrayLike, mark: float
) -> Figure:
    """Draw estimated against true decay, and how well rooms explain sounds.

    Parameters
    ----------
    true, found : array_like of float, shape (rooms,)
        In seconds.
    tried : array_like of float, shape (n,)
        In seconds.
    missed : array_like of float, shape (rooms, n)
        What each tried room leaves unexplained.
    mark : float
        What it may.

    Returns
    -------
    matplotlib.figure.Figure
        `data`: ``true``, ``found``, ``tried``, ``missed``.

    Examples
    --------
    >>> import numpy as np, xaiaudio as xa
    >>> drawn = xa.plots.rooms([0.5], [0.6], [0.1, 1.0], np.array([[0.01, 0.2]]), 0.04)
    >>> drawn.data["found"].tolist()
    [0.6]
    """
    from matplotlib.ticker import FixedLocator

    true, found, missed = (np.asarray(values, float) for values in (true, found, missed))
    figure, axes = canvas.grid(1, 2, height=3.0)
    left, right = axes[0]
    for number, (seconds, row) in enumerate(zip(true, missed, strict=True)):
        colour = canvas.COLOURS[number % len(canvas.COLOURS)]
        style = "-" if number < len(canvas.COLOURS) else ":"
        left.loglog(tried, np.maximum(row, 1e-4), style, color=colour, label=f"{seconds:g} s")
        right.loglog([seconds], [found[number]], "o", color=colour)
    left.axhline(mark, color=canvas.GREY, linestyle="--")
    left.set_xlabel("tried room (s)")
    left.set_ylabel("what it leaves unexplained")
    left.legend(fontsize=canvas.FONT - 3, frameon=False, title="true")
    ends = [0.8 * min(true.min(), found.min()), 1.25 * max(true.max(), found.max())]
    right.plot(ends, ends, color=canvas.GREY, linewidth=1)
    right.set_xlabel("true room (s)")
    right.set_ylabel("estimated (s)")
    for one in (left.xaxis, right.xaxis, right.yaxis):
        one.set_major_locator(FixedLocator([0.1, 0.2, 0.5, 1, 2, 5]))
        one.set_major_formatter("{x:g}")
        one.set_minor_formatter("")
    for ax in (left, right):
        ax.grid(alpha=0.3)
    return canvas.finish(figure, true=true, found=found, tried=np.asarray(tried), missed=missed)
