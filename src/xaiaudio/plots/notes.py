"""Figures of factorisations: what was transcribed of a tune, and who takes a sound's energy."""

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


def transcription(
    rows: Mapping[str, ArrayLike], times: ArrayLike, notes: Sequence[str], *, truth: ArrayLike
) -> Figure:
    """Draw activations of components as a piano roll, with the notes that were played outlined.

    Parameters
    ----------
    rows : mapping of str to array_like of float, shape (notes, T)
        Title to activations; each row is divided by its largest value.
    times : array_like of float, shape (T,)
        In seconds.
    notes : sequence of str
        What the rows are called, from the bottom up.
    truth : array_like of bool, shape (notes, T)

    Returns
    -------
    matplotlib.figure.Figure
        `data`: ``truth``, and each panel by its title, as shares of the rows' largest values.

    Examples
    --------
    >>> import numpy as np, xaiaudio as xa
    >>> roll = np.eye(3, dtype=bool).repeat(10, axis=1)
    >>> figure = xa.plots.transcription({"found": roll}, np.arange(30.0), "CDE", truth=roll)
    """
    roll, times = np.asarray(truth, bool), np.asarray(times, float)
    panels = {name: np.asarray(values, float) for name, values in rows.items()}
    if any(values.shape != roll.shape for values in panels.values()):
        raise XaiAudioError("transcription() needs activations of the piano roll's shape.")
    panels = {
        name: values / np.maximum(values.max(axis=1, keepdims=True), 1e-12)
        for name, values in panels.items()
    }
    step = float(np.median(np.diff(times)))
    extent = (times[0] - step / 2, times[-1] + step / 2, 0, len(roll))
    figure, axes = canvas.grid(
        len(panels), 1, height=0.6 + 0.19 * len(roll), extra=0.8, sharex=True
    )
    edges = np.append(times - step / 2, times[-1] + step / 2)
    for ax, (name, values) in zip(axes[:, 0], panels.items(), strict=True):
        drawn = ax.imshow(
            values,
            origin="lower",
            aspect="auto",
            interpolation="nearest",
            extent=extent,
            cmap=canvas.MAGNITUDE,
            vmin=0,
            vmax=1,
        )
        changes = np.diff(np.pad(roll.astype(int), ((0, 0), (1, 1))), axis=1)
        row, begin = np.nonzero(changes > 0)
        _, end = np.nonzero(changes < 0)
        for note, first, last in zip(row, edges[begin], edges[end], strict=True):
            ax.plot(
                [first, last, last, first, first],
                note + np.array([0.08, 0.08, 0.92, 0.92, 0.08]),
                color="white",
                linewidth=1,
            )
        ax.set_yticks(np.arange(len(roll)) + 0.5, notes)
        canvas.title(ax, name)
    axes[-1, 0].set_xlabel("time (s)")
    canvas.colour_bar(figure, drawn, axes, "activation, as a share of the row's largest")
    return canvas.finish(figure, truth=roll, **panels)


def energy_shares(
    shares: ArrayLike, classes: Sequence[str], rows: Sequence[str], *, xlabel: str = ""
) -> Figure:
    """Draw how much of some sounds goes to each class.

    Parameters
    ----------
    shares : array_like of float, shape (rows, classes)
    classes, rows : sequence of str
    xlabel : str

    Returns
    -------
    matplotlib.figure.Figure
        `data`: ``shares``.

    Examples
    --------
    >>> import xaiaudio as xa
    >>> figure = xa.plots.energy_shares([[0.7, 0.3]], ["Dog", "Rain"], ["a bark"])
    """
    values = np.asarray(shares, float)
    figure, axes = canvas.grid(1, 1, height=1.3 + 0.34 * len(values), extra=0.9)
    ax = axes[0, 0]
    drawn = ax.imshow(values, aspect="auto", cmap=canvas.MAGNITUDE, vmin=0, vmax=values.max())
    ax.set_xticks(np.arange(len(classes)), classes, rotation=40, ha="right")
    ax.set_yticks(np.arange(len(rows)), rows)
    if xlabel:
        ax.set_xlabel(xlabel)
    for (row, column), value in np.ndenumerate(values):
        dark = value < 0.6 * values.max()
        ax.text(
            column,
            row,
            f"{100 * value:.0f}",
            ha="center",
            va="center",
            color="white" if dark else "black",
            fontsize=canvas.FONT - 2,
        )
    canvas.colour_bar(figure, drawn, axes, "share of the sound (in the cells: per cent)")
    return canvas.finish(figure, shares=values)


def templates(spectra: ArrayLike, frontend: LogMel, rows: Sequence[str]) -> Figure:
    """Draw the short spectrograms that classes are sums of.

    Parameters
    ----------
    spectra : array_like of float, shape (rows, columns, span, bands)
        A row for each class.
    frontend : LogMel
    rows : sequence of str

    Returns
    -------
    matplotlib.figure.Figure
        `data`: ``spectra``, each divided by its largest value.

    Examples
    --------
    >>> import numpy as np, xaiaudio as xa
    >>> figure = xa.plots.templates(np.ones((2, 3, 8, 64)), xa.LogMel.vggish(), ["Dog", "Rain"])
    """
    values = np.asarray(spectra, float)
    values = values / np.maximum(values.max(axis=(2, 3), keepdims=True), 1e-12)
    figure, axes = canvas.grid(
        len(values), values.shape[1], height=0.62, extra=0.9, sharex=True, sharey=True
    )
    length = values.shape[2] * frontend.hop / frontend.sample_rate
    for (row, column), ax in np.ndenumerate(axes):
        drawn = canvas.image(ax, values[row, column], frontend, start=0.0, limits=(0, 1))
        ax.set_xticks([0, round(length, 3)], ["0", f"{length:.2g}"])
        ax.set_yticks([])
        if column == 0:
            ax.set_ylabel(rows[row], rotation=0, ha="right", va="center")
    axes[-1, values.shape[1] // 2].set_xlabel("time (s); frequency from low to high")
    canvas.colour_bar(figure, drawn, axes, "share of its largest value")
    return canvas.finish(figure, spectra=values)
