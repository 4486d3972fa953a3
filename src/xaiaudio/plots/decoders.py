"""Masks that decoders make, the codes that they take, and what they were trained by."""

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

# Decibels below the loudest cell that a magnitude spectrogram shows.
_RANGE = 60.0


def bin_masks(
    magnitudes: ArrayLike,
    masks: Mapping[str, ArrayLike],
    frontend: LogMel,
    *,
    start: float | None = None,
) -> Figure:
    """Draw a patch's magnitudes and, beside them, masks over the same bins.

    Parameters
    ----------
    magnitudes : array_like of float, shape (frames, bins)
    masks : mapping of str to array_like of float, shape (frames, bins)
        0 to 1, on one scale.
    frontend : LogMel
    start : float, optional
        Where the patch begins, in seconds.

    Returns
    -------
    matplotlib.figure.Figure
        `data`: ``decibels`` relative to the loudest cell, and each mask by its name.

    Examples
    --------
    >>> import numpy as np, xaiaudio as xa
    >>> heights = np.random.default_rng(0).random((96, 257))
    >>> figure = xa.plots.bin_masks(heights, {"loud": heights > 0.5}, xa.LogMel.vggish())
    """
    heights = np.asarray(magnitudes, float)
    if not masks or any(np.shape(mask) != heights.shape for mask in masks.values()):
        raise XaiAudioError("bin_masks() draws masks of the shape of the magnitudes: one at least.")
    decibels = 20 * np.log10(np.maximum(heights, 1e-10) / max(float(heights.max()), 1e-10))
    decibels = np.maximum(decibels, -_RANGE)
    panels = len(masks) + 1
    columns = panels if panels <= 4 else 3
    rows = -(-panels // columns)
    figure, axes = canvas.grid(rows, columns, height=2.2, extra=0.7, sharex=True, sharey=True)
    canvas.hide(axes.flat[panels:])
    for ax in axes.flat[max(0, panels - columns) : panels]:
        ax.tick_params(labelbottom=True)
    extent = _extent(heights, frontend, start)
    _cells(axes.flat[0], decibels, extent, (-_RANGE, 0))
    canvas.title(axes.flat[0], "magnitude (dB)")
    drawn = None
    for ax, (name, mask) in zip(axes.flat[1:], masks.items(), strict=False):
        drawn = _cells(ax, np.asarray(mask, float), extent, (0, 1))
        canvas.title(ax, name)
    for ax in axes[:, 0]:
        ax.set_ylabel("frequency (Hz)")
    for ax in axes.flat[max(0, panels - columns) : panels]:
        ax.set_xlabel("time (s)")
    canvas.colour_bar(figure, drawn, axes, "share of the magnitude that is kept")
    return canvas.finish(
        figure, decibels=decibels, **{name: np.asarray(mask, float) for name, mask in masks.items()}
    )


def _extent(heights, frontend, start) -> tuple:
    start = float(frontend.times()[0]) if start is None else start
    length = len(heights) * frontend.hop / frontend.sample_rate
    return (start, start + length, 0, frontend.sample_rate / 2)


def _cells(ax, values, extent, limits):
    return ax.imshow(
        values.T,
        origin="lower",
        aspect="auto",
        interpolation="nearest",
        extent=extent,
        cmap=canvas.MAGNITUDE,
        vmin=limits[0],
        vmax=limits[1],
    )


def code_use(used: ArrayLike, owned: ArrayLike, labels: Sequence[str]) -> Figure:
    """Draw how many of its codes each class uses.

    Parameters
    ----------
    used, owned : array_like of int, shape (classes,)
    labels : sequence of str

    Returns
    -------
    matplotlib.figure.Figure
        `data`: ``used`` and ``owned``.

    Examples
    --------
    >>> import xaiaudio as xa
    >>> figure = xa.plots.code_use([3, 9], [102, 103], ["Rain", "Dog bark"])
    """
    used, owned = np.asarray(used), np.asarray(owned)
    figure, axes = canvas.grid(1, 1, height=0.5 + 0.3 * len(labels), extra=0.3)
    ax, places = axes[0, 0], np.arange(len(labels))
    ax.barh(places, owned, color="#dddddd", label="codes that the class owns")
    ax.barh(places, used, color=canvas.BLUE, label="codes that are used")
    for place, count in zip(places, used, strict=True):
        ax.text(
            count + 0.01 * owned.max(),
            place,
            str(int(count)),
            va="center",
            fontsize=canvas.FONT - 2,
        )
    ax.set_yticks(places, labels)
    ax.invert_yaxis()
    ax.set_xlabel("codes")
    ax.spines[["top", "right"]].set_visible(False)
    canvas.legend(figure, ax, 2)
    return canvas.finish(figure, used=used, owned=owned)


def loss_terms(panels: Mapping[str, Mapping[str, ArrayLike]]) -> Figure:
    """Draw the terms of a loss over the epochs of a training.

    Parameters
    ----------
    panels : mapping of str to mapping of str to array_like of float, shape (epochs,)
        Title to the terms by name.

    Returns
    -------
    matplotlib.figure.Figure
        `data`: each term as ``title: name``.

    Examples
    --------
    >>> import xaiaudio as xa
    >>> figure = xa.plots.loss_terms({"PIQ": {"mask": [0.3, 0.2], "codes": [1.0, 0.1]}})
    """
    width = canvas.width_of(len(panels))
    figure, axes = canvas.grid(1, len(panels), height=2.6, width=width, extra=0.4)
    shown: dict[str, np.ndarray] = {}
    styles: dict[str, tuple[str, str]] = {}
    for ax, (title, terms) in zip(axes[0], panels.items(), strict=True):
        for name, values in terms.items():
            style = styles.setdefault(
                name, (canvas.COLOURS[len(styles) % 4], "osD^"[len(styles) % 4])
            )
            values = np.asarray(values, float)
            epochs = np.arange(1, len(values) + 1)
            ax.plot(epochs, values, color=style[0], marker=style[1], ms=5, label=name)
            shown[f"{title}: {name}"] = values
        ax.axhline(0, color=canvas.GREY, linewidth=0.8)
        ax.set_xlabel("epoch")
        ax.locator_params(axis="x", integer=True)
        ax.spines[["top", "right"]].set_visible(False)
        canvas.title(ax, title)
    axes[0, 0].set_ylabel("loss, weighted")
    canvas.legend_below(figure, axes[0], columns=4)
    return canvas.finish(figure, **shown)
