"""Parts of networks that explain themselves: their pictures, what they add, and who sounds when."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..errors import XaiAudioError
from . import canvas

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from matplotlib.figure import Figure
    from numpy.typing import ArrayLike

    from ..datasets.timed import Event
    from ..frontend import LogMel


def pictures(
    rows: Mapping[str, ArrayLike], frontend: LogMel, titles: Sequence[str] | None = None
) -> Figure:
    """Draw patches in rows, on one scale.

    Parameters
    ----------
    rows : mapping of str to array_like of float, shape (n, frames, bands)
        What a row shows, and its patches: as many in each row.
    frontend : LogMel
    titles : sequence of str, optional
        Of the columns.

    Returns
    -------
    matplotlib.figure.Figure
        `data`: the patches of each row by its name.

    Examples
    --------
    >>> import numpy as np, xaiaudio as xa
    >>> patches = np.random.default_rng(0).normal(size=(3, 96, 64))
    >>> figure = xa.plots.pictures({"sounds": patches}, xa.LogMel.vggish())
    """
    shown = {name: np.asarray(patches, float) for name, patches in rows.items()}
    shapes = {patches.shape for patches in shown.values()}
    if len(shapes) != 1 or len(next(iter(shapes))) != 3:
        raise XaiAudioError("pictures() draws rows of as many patches each: (n, frames, bands).")
    count = next(iter(shapes))[0]
    if titles is not None and len(titles) != count:
        raise XaiAudioError(f"There are {len(titles)} titles for {count} columns.")
    limits = canvas.common(np.stack(list(shown.values())))
    figure, axes = canvas.grid(len(shown), count, height=1.6, extra=0.8, sharex=True, sharey=True)
    drawn = None
    for line, (name, patches) in zip(axes, shown.items(), strict=True):
        for ax, patch in zip(line, patches, strict=True):
            drawn = canvas.image(ax, patch, frontend, limits=limits)
        # The axes share their marks: to name them once is enough.
        canvas.mel_axis(line[0], frontend)
        line[0].set_ylabel(f"{name}\nfrequency (Hz)")
    for ax, title in zip(axes[0], titles or [""] * count, strict=True):
        canvas.title(ax, title)
    for ax in axes[-1]:
        ax.set_xlabel("time (s)")
    canvas.colour_bar(figure, drawn, axes, "log magnitude")
    return canvas.finish(figure, **shown)


def additions(added: ArrayLike, names: Sequence[str], bias: float, label: str) -> Figure:
    """Draw how a logit comes about: what each part adds, and their sum.

    Parameters
    ----------
    added : array_like of float, shape (parts,)
        What each part adds; drawn from the top.
    names : sequence of str
        Of the parts.
    bias : float
    label : str
        The class.

    Returns
    -------
    matplotlib.figure.Figure
        `data`: ``added``, ``bias`` and ``logit``.

    Examples
    --------
    >>> import xaiaudio as xa
    >>> figure = xa.plots.additions([2.0, -0.5], ["bark", "rest"], 0.1, "Dog bark")
    """
    values = np.asarray(added, float)
    if values.shape != (len(names),):
        raise XaiAudioError(f"There are {len(names)} names for values of shape {values.shape}.")
    logit = float(values.sum() + bias)
    lines = [*values, bias, logit]
    figure, axes = canvas.grid(1, 1, height=0.8 + 0.3 * len(lines))
    ax, places = axes[0, 0], np.arange(len(lines))
    colours = [canvas.BLUE if value >= 0 else canvas.ORANGE for value in lines[:-1]]
    ax.barh(places, lines, color=[*colours, canvas.GREY])
    for place, value in zip(places, lines, strict=True):
        ax.text(
            value,
            place,
            f" {value:+.2f} ",
            va="center",
            ha="left" if value >= 0 else "right",
            fontsize=canvas.FONT - 2,
        )
    ax.set_yticks(places, [*names, "bias", "logit"])
    ax.invert_yaxis()
    ax.margins(x=0.15)
    ax.axvline(0, color=canvas.GREY, linewidth=0.8)
    ax.set_xlabel(f"adds to the logit of {label}")
    ax.spines[["top", "right"]].set_visible(False)
    return canvas.finish(figure, added=values, bias=float(bias), logit=logit)


def cell_additions(patch: ArrayLike, maps: Mapping[str, ArrayLike], frontend: LogMel) -> Figure:
    """Draw a patch and, beside it, what each cell of a coarser grid adds to some logits.

    Parameters
    ----------
    patch : array_like of float, shape (frames, bands)
    maps : mapping of str to array_like of float, shape (t, f)
        Class to what its cells add; all on one scale, with zero in the middle.
    frontend : LogMel

    Returns
    -------
    matplotlib.figure.Figure
        `data`: ``patch``; ``maps``, one for each of ``classes``. Which classes a chapter shows may
        follow from what a network says, so they are no names of values.

    Examples
    --------
    >>> import numpy as np, xaiaudio as xa
    >>> cells = np.random.default_rng(0).normal(size=(12, 16))
    >>> figure = xa.plots.cell_additions(np.zeros((96, 64)), {"dog": cells}, xa.LogMel.vggish())
    """
    patch = np.asarray(patch, float)
    shown = {name: np.asarray(cells, float) for name, cells in maps.items()}
    if not shown or any(cells.ndim != 2 for cells in shown.values()):
        raise XaiAudioError("cell_additions() draws one map of cells (t, f) at least.")
    stacked = np.stack(list(shown.values()))
    limits = canvas.symmetric(stacked)
    figure, axes = canvas.grid(1, len(shown) + 1, height=2.2, extra=0.6, sharex=True, sharey=True)
    canvas.image(axes[0, 0], patch, frontend)
    canvas.title(axes[0, 0], "patch")
    drawn = None
    for ax, (name, cells) in zip(axes[0, 1:], shown.items(), strict=True):
        sizes = [-(-whole // count) for whole, count in zip(patch.shape, cells.shape, strict=True)]
        fine = np.repeat(np.repeat(cells, sizes[0], axis=0), sizes[1], axis=1)
        fine = fine[: patch.shape[0], : patch.shape[1]]
        drawn = canvas.image(ax, fine, frontend, cmap=canvas.SIGNED, limits=limits)
        canvas.title(ax, name)
    canvas.mel_axis(axes[0, 0], frontend)
    for ax in axes[0]:
        ax.set_xlabel("time (s)")
    canvas.colour_bar(figure, drawn, axes, "adds to the logit")
    return canvas.finish(figure, patch=patch, maps=stacked, classes=list(shown))


def timeline(
    truth: Sequence[Event],
    found: Sequence[Event],
    probabilities: ArrayLike,
    edges: ArrayLike,
    labels: Sequence[str],
) -> Figure:
    """Draw who sounds when: what there was, what was found, and how probable each class was.

    Parameters
    ----------
    truth, found : sequence of Event
    probabilities : array_like of float, shape (steps, classes)
    edges : array_like of float, shape (steps + 1,)
        In seconds.
    labels : sequence of str

    Returns
    -------
    matplotlib.figure.Figure
        `data`: ``probabilities``, and ``truth`` and ``found``: class, start and end in rows.

    Examples
    --------
    >>> import numpy as np, xaiaudio as xa
    >>> from xaiaudio.datasets.timed import Event
    >>> events = [Event("dog", 0.2, 0.9)]
    >>> figure = xa.plots.timeline(events, events, np.ones((4, 1)) / 2, np.arange(5) / 4, ["dog"])
    """
    shares, edges = np.asarray(probabilities, float), np.asarray(edges, float)
    if shares.shape != (len(edges) - 1, len(labels)):
        raise XaiAudioError(
            f"The probabilities have the shape {shares.shape}: ({len(edges) - 1}, {len(labels)}) "
            "is needed."
        )
    figure, axes = canvas.grid(1, 1, height=1.0 + 0.36 * len(labels), extra=0.4)
    ax, rows = axes[0, 0], np.arange(len(labels) + 1) - 0.5
    drawn = ax.pcolormesh(edges, rows, shares.T, cmap="Greys", vmin=0, vmax=1)
    kinds = ((truth, -0.24, canvas.BLUE, "there"), (found, 0.24, canvas.ORANGE, "found"))
    table = {}
    for events, offset, colour, name in kinds:
        lines = [(list(labels).index(one.label), one.start, one.end) for one in events]
        for number, (row, start, end) in enumerate(lines):
            ax.plot(
                [start, end],
                [row + offset] * 2,
                color=colour,
                linewidth=5,
                solid_capstyle="butt",
                label=name if not number else None,
            )
        table[name] = np.array(lines, float).reshape(-1, 3)
    ax.set_yticks(range(len(labels)), labels)
    ax.invert_yaxis()
    ax.set_xlabel("time (s)")
    canvas.colour_bar(figure, drawn, axes, "probability")
    canvas.legend(figure, ax, 2)
    return canvas.finish(figure, probabilities=shares, truth=table["there"], found=table["found"])
