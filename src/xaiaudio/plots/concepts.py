"""Figures of the dictionaries that interpreters explain with."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from . import canvas

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.figure import Figure
    from numpy.typing import ArrayLike

    from ..frontend import LogMel


def atoms(dictionary: ArrayLike, frontend: LogMel, marked: Sequence[int] = ()) -> Figure:
    """Draw the spectra of a dictionary side by side, from low to high.

    Parameters
    ----------
    dictionary : array_like of float, shape (bins, K)
        Over the bins of the front end's Fourier transform.
    frontend : LogMel
    marked : sequence of int
        Columns to point at, by their numbers.

    Returns
    -------
    matplotlib.figure.Figure
        `data`: ``spectra`` (bands, K), each divided by its largest value, and ``order``, the
        columns' numbers as they are drawn.

    Examples
    --------
    >>> import numpy as np, xaiaudio as xa
    >>> figure = xa.plots.atoms(np.random.rand(257, 20), xa.LogMel.vggish(), [3])
    """
    columns = np.asarray(dictionary, float)
    hertz = np.arange(len(columns)) * frontend.sample_rate / frontend.fft
    heaviness = columns.sum(axis=0)
    centre = (hertz[:, None] * columns).sum(axis=0) / np.maximum(heaviness, 1e-12)
    order = np.argsort(centre, kind="stable")
    mel = frontend.mel_matrix()
    bands = (mel / np.maximum(mel.sum(axis=0), 1e-12)).T @ columns[:, order]
    bands = bands / np.maximum(bands.max(axis=0), 1e-12)
    figure, axes = canvas.grid(height=3.2, extra=0.4)
    ax = axes[0, 0]
    drawn = ax.imshow(
        bands,
        origin="lower",
        aspect="auto",
        interpolation="nearest",
        extent=(0, bands.shape[1], 0, len(bands)),
        cmap=canvas.MAGNITUDE,
        vmin=0,
        vmax=1,
    )
    canvas.mel_axis(ax, frontend)
    places = [int(np.flatnonzero(order == number)[0]) for number in marked]
    ax.set_xticks([place + 0.5 for place in places], [str(number) for number in marked])
    ax.set_xlabel("component, by its mean frequency")
    canvas.colour_bar(figure, drawn, axes, "share of its largest value")
    return canvas.finish(figure, spectra=bands, order=order)
