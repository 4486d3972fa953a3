"""Figures of attention: what each head looks at, and what each moment adds."""

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


def moments(
    patch: ArrayLike,
    heads: ArrayLike,
    curves: Mapping[str, ArrayLike],
    frontend: LogMel,
    *,
    ylabel: str = "logit",
    border: float | None = None,
) -> Figure:
    """Draw a patch, the attention of each head below it, and curves over the same moments.

    Parameters
    ----------
    patch : array_like of float, shape (frames, bands)
    heads : array_like of float, shape (heads, moments)
        A row each.
    curves : mapping of str to array_like of float, shape (moments,)
        At most four.
    frontend : LogMel
    ylabel : str
        What the curves are.
    border : float, optional
        A moment to mark by a line, in seconds from the beginning of the patch.

    Returns
    -------
    matplotlib.figure.Figure
        `data`: ``patch``, ``heads``, and each curve by its name.

    Examples
    --------
    >>> import numpy as np, xaiaudio as xa
    >>> heads = np.full((4, 24), 1 / 24)
    >>> figure = xa.plots.moments(np.zeros((96, 64)), heads, {"Rain": heads[0]}, xa.LogMel())
    """
    patch, heads = np.asarray(patch, float), np.asarray(heads, float)
    lines = {name: np.asarray(values, float) for name, values in curves.items()}
    if any(values.shape != heads.shape[1:] for values in lines.values()):
        raise XaiAudioError("moments() needs curves with a value for each moment of the heads.")
    length = len(patch) * frontend.hop / frontend.sample_rate
    figure, axes = canvas.grid(
        3, 1, height=1.5, extra=0.9, sharex=True, height_ratios=(1.3, 0.25 * len(heads) + 0.3, 1.4)
    )
    sound, paid, line = axes[:, 0]
    canvas.image(sound, patch, frontend, start=0.0)
    canvas.mel_axis(sound, frontend)
    drawn = paid.imshow(
        heads,
        aspect="auto",
        interpolation="nearest",
        extent=(0, length, len(heads), 0),
        cmap=canvas.MAGNITUDE,
        vmin=0,
    )
    paid.set_yticks(np.arange(len(heads)) + 0.5, [str(n + 1) for n in range(len(heads))])
    paid.set_ylabel("head")
    centres = (np.arange(heads.shape[1]) + 0.5) * length / heads.shape[1]
    for number, (name, values) in enumerate(lines.items()):
        line.plot(
            centres,
            values,
            color=canvas.COLOURS[number % 4],
            linestyle=DASHES[number % 4],
            label=name,
        )
    line.axhline(0, color=canvas.GREY, linewidth=0.6)
    line.set_ylabel(ylabel)
    line.set_xlabel("time in the patch (s)")
    if border is not None:
        for ax, colour in ((sound, "white"), (paid, "white"), (line, "black")):
            ax.axvline(border, color=colour, linestyle="--", linewidth=1.2)
    canvas.colour_bar(figure, drawn, paid, "attention (each head's sum is 1)")
    canvas.legend(figure, line, 2)
    return canvas.finish(figure, patch=patch, heads=heads, **lines)


def attention_against(
    pairs: Mapping[str, tuple[ArrayLike, ArrayLike]], labels: Sequence[str]
) -> Figure:
    """Draw two curves against each other, a dot for each moment.

    Parameters
    ----------
    pairs : mapping of str to (array_like, array_like) of float, each (moments,)
        A panel each, by its title.
    labels : (str, str)
        Of the axes.

    Returns
    -------
    matplotlib.figure.Figure
        `data`: per title ``title: x`` and ``title: y``.

    Examples
    --------
    >>> import xaiaudio as xa
    >>> figure = xa.plots.attention_against({"Rain": ([0.1, 0.9], [1, 2])}, ["a", "b"])
    """
    figure, axes = canvas.grid(
        1, len(pairs), height=2.6, width=canvas.width_of(len(pairs)), extra=0.2
    )
    data: dict[str, np.ndarray] = {}
    for ax, (name, (across, up)) in zip(axes[0], pairs.items(), strict=True):
        ax.scatter(np.ravel(across), np.ravel(up), s=9, alpha=0.4, color=canvas.BLUE)
        ax.axhline(0, color=canvas.GREY, linewidth=0.6)
        ax.set_xlabel(labels[0])
        canvas.title(ax, name)
        data |= {f"{name}: x": np.ravel(across), f"{name}: y": np.ravel(up)}
    axes[0, 0].set_ylabel(labels[1])
    return canvas.finish(figure, **data)
