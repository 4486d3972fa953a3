"""Figures of explanations: maps beside the spectrograms they explain."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from ..errors import XaiAudioError
from . import canvas
from .sounds import LOUDNESS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from matplotlib.figure import Figure
    from numpy.typing import ArrayLike

    from ..explainers.explanation import Explanation

RAW = "against  ←  relevance for the class  →  for"
SHARE = "against  ←  relevance, largest = 1  →  for"
EFFECT = "against  ←  effect on the {}  →  for"
RAW_SIZE, SHARE_SIZE = "relevance without sign", "relevance without sign, largest = 1"


def scaled(maps) -> np.ndarray:
    """Divide maps by their largest magnitude, all by the same one; zeros stay zeros."""
    maps = np.asarray(maps, np.float32)
    largest = np.max(np.abs(maps), initial=0.0)
    return maps / largest if largest > 0 else maps


def plot(
    result: Explanation,
    max_patches: int = 6,
    *,
    normalise: bool = False,
    overlay: bool = False,
    magnitude: bool = False,
    titles: Sequence[str] | None = None,
    columns: int = 3,
) -> Figure:
    """Draw each patch of an explanation: its spectrogram, and below it the map.

    Parameters
    ----------
    result : Explanation
    max_patches : int
        How many patches to draw, from the first on.
    normalise : bool
        False shows the maps in the method's own unit; True divides all of them by the largest
        magnitude shown. Either way all maps share one scale with zero in the middle.
    overlay : bool
        Lay the map over a grey spectrogram instead: the stronger, the more opaque.
    magnitude : bool
        True for maps that have no sign, as those of saliency: the scale begins at zero.
    titles : sequence of str, optional
        One per patch; by default the class explained and its probability.
    columns : int

    Returns
    -------
    matplotlib.figure.Figure
        `data`: ``patches`` and ``maps`` as shown, ``limit`` of the colour scale; where there is
        padding, which is hatched, also ``sound``, the frames of each patch before it.

    Examples
    --------
    >>> import numpy as np, xaiaudio as xa
    >>> model = xa.load_model("lite")
    >>> result = xa.explain(model, model.frontend(np.sin(np.arange(48000) / 5)))
    >>> figure = xa.plot(result, normalise=True)
    """
    canvas.check_any(result, "patch")
    shown = result[: max(1, max_patches)]
    maps = scaled(shown.maps) if normalise else shown.maps
    titles = _titles(shown) if titles is None else titles
    columns = min(columns, len(shown))
    lines = 1 if overlay else 2
    rows = lines * math.ceil(len(shown) / columns)
    figure, axes = canvas.grid(
        rows, columns, height=1.75, extra=1.2, width=canvas.width_of(columns)
    )
    canvas.hide(axes.flat)
    (cmap, limits), sound_limits = _scale(maps, magnitude), canvas.common(shown.patches)
    for index in range(len(shown)):
        block, column = divmod(index, columns)
        pair = axes[block * lines : (block + 1) * lines, column]
        spectrum = canvas.image(
            pair[0],
            shown.patches[index],
            shown.frontend,
            start=shown.times(index)[0],
            cmap=_ground(overlay),
            limits=sound_limits,
        )
        strength = np.abs(maps[index]) / limits[1] if overlay else None
        relevance = canvas.image(
            pair[-1],
            maps[index],
            shown.frontend,
            start=shown.times(index)[0],
            cmap=cmap,
            limits=limits,
            alpha=strength,
        )
        canvas.padding(pair, shown.times(index), shown.padding[index])
        _label_column(pair, shown.frontend, titles[index], left=column == 0)
    if not overlay:
        canvas.colour_bar(figure, spectrum, axes, LOUDNESS)
    unit = _unit(normalise, magnitude, shown.unit)
    canvas.colour_bar(figure, _opaque(figure, relevance), axes, unit)
    marks = canvas.padding_data(shown.padding)
    return canvas.finish(figure, patches=shown.patches, maps=maps, limit=limits[1], **marks)


def _scale(maps, magnitude):
    """Return the colours of maps and their limits: zero in the middle, or below."""
    low, high = canvas.symmetric(maps)
    return (canvas.MAGNITUDE, (0.0, high)) if magnitude else (canvas.SIGNED, (low, high))


def _unit(normalise, magnitude, unit="") -> str:
    """Return what stands under a colour bar; `unit` is that of the explanation."""
    if magnitude:
        return SHARE_SIZE if normalise else RAW_SIZE
    if normalise:
        return SHARE
    return EFFECT.format(unit) if unit else RAW


def _ground(overlay) -> str:
    return "gray" if overlay else canvas.MAGNITUDE


def _opaque(figure, drawn):
    """Return the colours of an image without its transparency, for the colour bar."""
    from matplotlib.cm import ScalarMappable

    return ScalarMappable(norm=drawn.norm, cmap=drawn.cmap)


def _titles(result) -> list[str]:
    chances = result.scores[np.arange(len(result)), result.targets]
    return [
        f"{label}\n{chance:.0%}"
        for label, chance in zip(result.target_labels, chances, strict=True)
    ]


def _label_column(column, frontend, text, *, left, names=None) -> None:
    """Label the panels of one patch: title on top, time below, frequency at the left."""
    for row, ax in enumerate(column):
        ax.set_axis_on()
        canvas.mel_axis(ax, frontend, labels=left)
        if left and names is not None:
            ax.set_ylabel(f"{names[row]}\nHz")
        if ax is not column[-1]:
            ax.set_xticklabels([])
    canvas.title(column[0], text)
    column[-1].set_xlabel("time (s)")


def comparison(
    results: Sequence[Explanation],
    *,
    names: Sequence[str] | None = None,
    titles: Sequence[str] | None = None,
    normalise: bool = True,
    each: bool = False,
    magnitude: bool = False,
    outlines: ArrayLike | None = None,
) -> Figure:
    """Draw several methods side by side: the spectrogram, then one row of maps per method.

    Parameters
    ----------
    results : sequence of Explanation
        One per method, of the same patches: one column each, four at most read well.
    names : sequence of str, optional
        One per result, each another; by default its method, numbered where several have the same.
    titles : sequence of str, optional
        One per patch; by default the class explained and its probability.
    normalise : bool
        True divides each method's maps by their largest magnitude, the same for all its patches,
        and draws one scale. False keeps each method's unit and draws one scale per method.
    each : bool
        True divides every map by its own largest magnitude, and writes that into its corner, with
        its unit if it has one: then a map is legible even where another patch has a thousand times
        more at stake.
    magnitude : bool
        As in :func:`plot`, for all methods.
    outlines : array_like of bool, shape (n, frames, bands), optional
        Cells to surround with a line in the spectrograms, for example the true events.

    Returns
    -------
    matplotlib.figure.Figure
        `data`: ``patches``, and the maps shown by the method's name; ``outlines`` if there are any,
        and with `each` the ``largest`` magnitudes (methods, patches); ``sound`` as :func:`plot`.

    Examples
    --------
    >>> import numpy as np, xaiaudio as xa
    >>> model = xa.load_model("lite")
    >>> patches = model.frontend(np.sin(np.arange(48000) / 5))
    >>> results = [xa.explain(model, patches, "Rain", name) for name in ("gradcam", "occlusion")]
    >>> figure = xa.plots.comparison(results)
    """
    canvas.check_any(results, "explanation")
    first = results[0]
    if any(len(result) != len(first) for result in results):
        raise XaiAudioError(
            "comparison() needs explanations of the same patches, but their numbers differ: "
            f"{[len(result) for result in results]}."
        )
    names = named(results, names)
    rows = {name: result.maps for name, result in zip(names, results, strict=True)}
    units = [result.unit for result in results]
    titles = _titles(first) if titles is None else titles
    patches, frontend, starts = first.patches, first.frontend, _starts(first)
    if not each:
        figure = map_rows(
            patches, rows, titles, frontend, normalise, magnitude, starts, units, first.padding
        )
    else:
        shown = {name: np.stack([scaled(cells) for cells in maps]) for name, maps in rows.items()}
        figure = map_rows(
            patches, shown, titles, frontend, True, magnitude, starts, padded=first.padding
        )
        largest = np.array([np.abs(maps).max(axis=(1, 2)) for maps in rows.values()])
        write_largest(figure.axes[len(first) :], largest, units)
        figure.data["largest"] = largest
    if outlines is not None:
        for ax, cells in zip(figure.axes, outlines, strict=False):
            canvas.borders(ax, np.asarray(cells, int), first.frontend, "#7fffd4")
        figure.data["outlines"] = np.asarray(outlines, bool)
    return figure


def named(results: Sequence[Explanation], names: Sequence[str] | None = None) -> list[str]:
    """Return a name for each result: the given ones, or its method; several of one are numbered.

    Raises
    ------
    XaiAudioError
        If there are other numbers of names, or two of them are the same.
    """
    if names is None:
        methods = [result.method for result in results]
        before = [methods[:place].count(method) for place, method in enumerate(methods)]
        return [f"{name} {n + 1}" if n else name for name, n in zip(methods, before, strict=True)]
    if len(names) != len(results) or len(set(names)) != len(names):
        raise XaiAudioError(
            f"There are {len(results)} results, and the names are {', '.join(map(str, names))}: "
            "give each its own."
        )
    return list(names)


def write_largest(axes, largest, units) -> None:
    """Write into the corner of each map what its 1 stands for.

    `largest` is (methods, patches), and `units` has one of each method.
    """
    words = np.repeat(units, largest.shape[1])
    for ax, value, unit in zip(axes, largest.ravel(), words, strict=False):
        ax.text(
            0.97,
            0.95,
            f"1 = {value:.2g} {unit}".rstrip(),
            transform=ax.transAxes,
            ha="right",
            va="top",
            fontsize=canvas.FONT - 3,
            bbox={"facecolor": "white", "alpha": 0.8, "linewidth": 0, "pad": 1.5},
        )


def class_comparison(
    results: Sequence[Mapping[str, Explanation]],
    *,
    patch: int = 0,
    classes: Sequence[str] | None = None,
    names: Sequence[str] | None = None,
    titles: Sequence[str] | None = None,
    normalise: bool = True,
) -> Figure:
    """Draw the maps of several classes for one patch, for example the true and the predicted one.

    Parameters
    ----------
    results : sequence of dict of str to Explanation
        One per method, as :func:`xaiaudio.explain_classes` returns them: one row each.
    patch : int
        Number of the patch.
    classes : sequence of str, optional
        The columns; by default all classes of the first result.
    names, titles, normalise
        As in :func:`comparison`, a title per class. The classes of one method share their scale.

    Returns
    -------
    matplotlib.figure.Figure
        `data`: ``patches`` (the same one per class), and the maps by the method's name.

    Examples
    --------
    >>> import numpy as np, xaiaudio as xa
    >>> model = xa.load_model("lite")
    >>> patches = model.frontend(np.sin(np.arange(48000) / 5))
    >>> both = xa.explain_classes(model, patches, ["Chainsaw", "Helicopter"], "occlusion")
    >>> figure = xa.plots.class_comparison([both])
    """
    canvas.check_any(results, "method's explanations")
    classes = list(results[0]) if classes is None else list(classes)
    columns = [[by_class[label][int(patch)] for label in classes] for by_class in results]
    names = named([line[0] for line in columns], names)
    rows = {
        name: np.concatenate([result.maps for result in line])
        for name, line in zip(names, columns, strict=True)
    }
    first = columns[0]
    titles = [_titles(result)[0] for result in first] if titles is None else titles
    patches = np.concatenate([result.patches for result in first])
    starts = [start for result in first for start in _starts(result)]
    units = [line[0].unit for line in columns]
    padded = np.concatenate([result.padding for result in first])
    frontend = first[0].frontend
    return map_rows(
        patches, rows, titles, frontend, normalise, starts=starts, units=units, padded=padded
    )


def _starts(result) -> list[float]:
    """Return where each patch begins in its sound, in seconds."""
    return [result.times(number)[0] for number in range(len(result))]


def map_rows(
    patches,
    rows,
    titles,
    frontend,
    normalise,
    magnitude=False,
    starts=None,
    units=None,
    padded=None,
):
    """Draw a row of spectrograms and one row of maps per name.

    `starts` are seconds, and `padded` is bool (n, frames).
    """
    starts = [None] * len(patches) if starts is None else starts
    units = [""] * len(rows) if units is None else units
    count = len(patches)
    own_bars = 0 if normalise else 0.55 * len(rows)
    figure, axes = canvas.grid(
        len(rows) + 1, count, height=1.55, extra=1.2 + own_bars, width=canvas.width_of(count)
    )
    shown = {name: scaled(maps) if normalise else maps for name, maps in rows.items()}
    limits = canvas.common(patches)
    for column in range(count):
        spectrum = canvas.image(
            axes[0, column], patches[column], frontend, start=starts[column], limits=limits
        )
        _label_column(
            axes[:, column],
            frontend,
            titles[column],
            left=column == 0,
            names=["spectrogram", *rows],
        )
    for line, maps, unit in zip(axes[1:], shown.values(), units, strict=True):
        cmap, limits = _scale(maps, magnitude)
        for ax, cells, start in zip(line, maps, starts, strict=True):
            relevance = canvas.image(ax, cells, frontend, start=start, cmap=cmap, limits=limits)
        if not normalise:
            canvas.colour_bar(figure, relevance, line, _unit(normalise, magnitude, unit))
    for column, frames in enumerate([] if padded is None else padded):
        start = frontend.times()[0] if starts[column] is None else starts[column]
        times = start + np.arange(len(frames) + 1) * frontend.hop / frontend.sample_rate
        canvas.padding(axes[:, column], times, frames)
    canvas.colour_bar(figure, spectrum, axes if normalise else axes[0], LOUDNESS)
    if normalise:
        relevance.set_clim(0 if magnitude else -1, 1)
        canvas.colour_bar(figure, relevance, axes, _unit(normalise, magnitude))
    marks = {} if padded is None else canvas.padding_data(padded)
    return canvas.finish(figure, patches=patches, **shown, **marks)
