"""Sources of sounds: what each of them adds and when, and what they add on average."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..errors import XaiAudioError
from . import canvas

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from matplotlib.figure import Figure

    from ..explainers.averages import Average
    from ..explainers.parts import PartsExplanation
    from ..frontend import LogMel


def by_source(results: Mapping[str, PartsExplanation], frontend: LogMel) -> Figure:
    """Draw a sound's spectrogram, and below it the weight of each source in each stretch of time.

    Parameters
    ----------
    results : mapping of str to PartsExplanation
        Of one sound, each by sources in stretches of time, in the order of
        :meth:`.Components.times`; by the name of the panel. One scale serves all.
    frontend : LogMel

    Returns
    -------
    matplotlib.figure.Figure
        `data`: ``spectrogram``, and by the panel's name the weights (sources, stretches).

    Raises
    ------
    XaiAudioError
        If the parts are not sources in stretches of time.

    Examples
    --------
    >>> import numpy as np, xaiaudio as xa
    >>> from xaiaudio.explainers.audiolime import explain_sources
    >>> model, wave = xa.load_model("lite"), np.sin(np.arange(32_000) / 5).astype("float32")
    >>> result = explain_sources(model, wave, "Rain", {"low": wave / 2, "rest": wave / 4})
    >>> figure = xa.plots.by_source({"stems": result}, model.frontend)
    >>> figure.data["stems"].shape
    (2, 2)
    """
    tables = {name: _table(result) for name, result in results.items()}
    first = next(iter(results.values()))
    rows = frontend.spectrogram(first.components.whole)
    seconds = len(first.components.whole) / first.sample_rate
    heights = [2.2, *(0.5 + 0.3 * len(names) for names, _ in tables.values())]
    figure, axes = canvas.grid(
        len(heights), height=sum(heights) / len(heights), height_ratios=heights, sharex=True
    )
    canvas.image(axes[0, 0], rows, frontend)
    canvas.mel_axis(axes[0, 0], frontend)
    limits = canvas.symmetric(np.concatenate([cells.ravel() for _, cells in tables.values()]))
    for ax, (name, (names, cells)) in zip(axes[1:, 0], tables.items(), strict=True):
        drawn = _cells(ax, cells, names, (0, seconds), limits)
        canvas.title(ax, name)
    axes[-1, 0].set_xlabel("time (s)")
    axes[-1, 0].set_xlim(0, seconds)
    unit = "logit" if first.output == "logits" else "probability"
    canvas.colour_bar(figure, drawn, axes[1:, 0], f"weight ({unit})")
    shown = {name: cells for name, (_, cells) in tables.items()}
    return canvas.finish(figure, spectrogram=rows, **shown)


def source_averages(averages: Sequence[Average]) -> Figure:
    """Draw the mean weight of each part for each class, one cell each.

    Parameters
    ----------
    averages : sequence of Average
        As :func:`xaiaudio.explainers.averages.averages` returns them.

    Returns
    -------
    matplotlib.figure.Figure
        `data`: ``classes``, ``parts`` and ``weights`` (classes, parts), NaN where a class has no
        such part.

    Examples
    --------
    >>> import xaiaudio as xa
    >>> from xaiaudio.explainers.averages import Average
    >>> figure = xa.plots.source_averages([Average("Rain", "noise", 3, 2.0, 2.0, 1.0)])
    >>> figure.data["weights"].tolist()
    [[2.0]]
    """
    classes = list(dict.fromkeys(one.target for one in averages))
    parts = list(dict.fromkeys(one.part for one in averages))
    weights = np.full((len(classes), len(parts)), np.nan)
    for one in averages:
        weights[classes.index(one.target), parts.index(one.part)] = one.weight
    figure, axes = canvas.grid(height=0.8 + 0.3 * len(classes))
    ax = axes[0, 0]
    drawn = _cells(ax, weights, classes, (0, len(parts)), canvas.symmetric(np.nan_to_num(weights)))
    ax.set_xticks(np.arange(len(parts)) + 0.5, parts)
    canvas.colour_bar(figure, drawn, [ax], "mean weight")
    return canvas.finish(figure, classes=classes, parts=parts, weights=weights)


def _table(result) -> tuple[list[str], np.ndarray]:
    """Return the sources' names, and their weights (sources, stretches)."""
    cut = [name.rpartition(", time ")[::2] for name in result.components.names]
    names = list(dict.fromkeys(source for source, _ in cut))
    times = list(dict.fromkeys(time for _, time in cut))
    if cut != [(source, time) for time in times for source in names] or "" in names:
        raise XaiAudioError(
            "These parts are no sources in stretches of time: make them with Components.times."
        )
    return names, np.asarray(result.weights).reshape(len(times), len(names)).T


def _cells(ax, cells, names, extent, limits):
    """Draw cells with their numbers, the first row on top; return the picture."""
    drawn = ax.imshow(
        cells,
        aspect="auto",
        interpolation="nearest",
        extent=(*extent, len(cells), 0),
        cmap=canvas.SIGNED,
        vmin=limits[0],
        vmax=limits[1],
    )
    ax.set_yticks(np.arange(len(cells)) + 0.5, names)
    width = (extent[1] - extent[0]) / cells.shape[1]
    for (row, column), value in np.ndenumerate(cells):
        if np.isfinite(value):
            dark = abs(value) > 0.6 * limits[1]
            ax.text(
                extent[0] + (column + 0.5) * width,
                row + 0.5,
                f"{value:z.1f}",
                ha="center",
                va="center",
                fontsize=canvas.FONT - 1,
                color="white" if dark else "black",
            )
    return drawn
