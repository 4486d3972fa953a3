"""One patch in a row: the sound, and beside it what each method heard in it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..errors import XaiAudioError
from . import canvas
from .maps import SHARE, named, scaled, write_largest
from .sounds import LOUDNESS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.figure import Figure

    from ..explainers.explanation import Explanation


def strip(results: Sequence[Explanation], *, names: Sequence[str] | None = None) -> Figure:
    """Draw one patch's spectrogram and, beside it, one map per method.

    Each map is divided by its largest magnitude, which stands in its corner, with its unit if it
    has one.

    Parameters
    ----------
    results : sequence of Explanation
        One per method, each of the same single patch.
    names : sequence of str, optional
        One per result, each another; by default its method, numbered where several have the same.

    Returns
    -------
    matplotlib.figure.Figure
        `data`: ``patch``, each method's map divided by its largest magnitude, by name, and these
        ``largest`` magnitudes; where there is padding, which is hatched, also ``sound``, the
        frames before it.

    Raises
    ------
    XaiAudioError
        If a result holds more than one patch, or there is none.

    Examples
    --------
    >>> import numpy as np, xaiaudio as xa
    >>> model = xa.load_model("lite")
    >>> patch = model.frontend(np.sin(np.arange(48000) / 5))[0]
    >>> figure = xa.plots.strip([xa.explain(model, patch, method="gradcam")])
    """
    canvas.check_any(results, "explanation")
    if any(len(result) != 1 for result in results):
        raise XaiAudioError("strip() draws one patch: explain one, or pick it with result[i].")
    names = named(results, names)
    first = results[0]
    maps = {name: scaled(result.maps[0]) for name, result in zip(names, results, strict=True)}
    figure, axes = canvas.grid(1, len(maps) + 1, height=2.0, extra=0.6, sharey=True)
    axes = axes[0]
    start = first.times()[0]
    spectrum = canvas.image(axes[0], first.patches[0], first.frontend, start=start)
    canvas.title(axes[0], "spectrogram")
    for ax, (name, cells) in zip(axes[1:], maps.items(), strict=True):
        relevance = canvas.image(
            ax, cells, first.frontend, start=start, cmap=canvas.SIGNED, limits=(-1, 1)
        )
        canvas.title(ax, name)
    for index, ax in enumerate(axes):
        ax.set_xlabel("time (s)")
        # Times with two digits run into each other where panels are narrow.
        ax.locator_params(axis="x", nbins=4 if len(axes) <= 4 else 3)
        if index == 0:
            canvas.mel_axis(ax, first.frontend)
    canvas.padding(axes, first.times(), first.padding[0])
    largest = np.array([[np.abs(result.maps[0]).max()] for result in results])
    write_largest(axes[1:], largest, [result.unit for result in results])
    canvas.colour_bar(figure, spectrum, axes[:1], LOUDNESS)
    canvas.colour_bar(figure, relevance, axes[1:], SHARE)
    marks = canvas.padding_data(first.padding)
    return canvas.finish(figure, patch=first.patches[0], **maps, largest=largest[:, 0], **marks)
