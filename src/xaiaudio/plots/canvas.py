"""The common ground of all figures: sizes, colours, axes in seconds and hertz.

No figure goes through pyplot, so nothing here touches a global state or a display.
"""

from __future__ import annotations

import functools

import numpy as np

from ..clock import face
from ..errors import XaiAudioError
from .render import render

# Inches. A page of 390 pixels shrinks the figure to half its size, so the text is large for it.
WIDTH = 7.0
FONT = 11

MAGNITUDE = "magma"  # perceptually uniform: equal steps look equal
SIGNED = "RdBu_r"  # diverging: white is zero, safe for colour-blind eyes
BLUE, ORANGE, GREEN, GREY = "#0072B2", "#D55E00", "#009E73", "#666666"  # Okabe and Ito's
COLOURS = (BLUE, ORANGE, GREEN, GREY)  # of series, in this order

ROUND_HERTZ = (125, 250, 500, 1000, 2000, 4000, 8000, 16000)


def check_any(things, what: str) -> None:
    """Raise XaiAudioError if there is nothing to draw."""
    if not len(things):
        raise XaiAudioError(f"There is nothing to draw: give one {what} at least.")


def grid(rows=1, columns=1, *, height=2.0, width=WIDTH, extra=0.0, **options):
    """Make a figure with a grid of axes.

    Parameters
    ----------
    rows, columns : int
    height : float
        Inches per row.
    width : float
        Inches of the whole figure.
    extra : float
        Inches added to the height, for colour bars and titles.
    **options
        For :meth:`matplotlib.figure.Figure.subplots`.

    Returns
    -------
    figure : matplotlib.figure.Figure
    axes : ndarray of Axes, shape (rows, columns)

    Raises
    ------
    XaiAudioError
        If there is no panel.
    """
    check_any(range(rows * columns), "panel")
    # Half a second to import: only who draws pays for it.
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height * rows + extra), dpi=100, layout="constrained")
    figure.get_layout_engine().set(w_pad=0.03, h_pad=0.03)
    axes = figure.subplots(rows, columns, squeeze=False, **options)
    for ax in axes.flat:
        style(ax)
    return figure, axes


def style(ax) -> None:
    """Set the text sizes of one axes, whatever the user's own matplotlib settings are."""
    ax.tick_params(labelsize=FONT - 2)
    ax.xaxis.label.set_size(FONT - 1)
    ax.yaxis.label.set_size(FONT - 1)


def title(ax, text) -> None:
    """Write the title of a panel."""
    ax.set_title(text, fontsize=FONT)


def legend(figure, ax, columns=3, **options) -> None:
    """Name what an axes shows, below all axes: inside, the box would hide somebody's line."""
    figure.legend(
        *ax.get_legend_handles_labels(),
        loc="outside lower center",
        ncols=columns,
        frameon=False,
        fontsize=FONT - 1,
        **options,
    )


def finish(figure, **data):
    """Attach the numbers that the figure shows and hand it out; no text in it is mathematics."""
    from matplotlib.text import Text

    # Classes and files may have any name: between two dollars Matplotlib would look for formulas,
    # and fail on those that are none. The powers of ten on a logarithmic axis are its own.
    for text in figure.findobj(Text):
        if "$" in text.get_text() and r"\mathdefault" not in text.get_text():
            text.set_parse_math(False)
    # A notebook shows a figure by itself only if pyplot was imported; this one always.
    figure._repr_png_ = functools.partial(render, figure)
    figure.data = {
        name: value if isinstance(value, (str, float, int)) else np.asarray(value)
        for name, value in data.items()
    }
    return figure


def mel_axis(ax, frontend, *, labels=True) -> None:
    """Mark round frequencies on a vertical axis that counts mel bands from its lower edge."""
    edges = np.asarray(frontend.band_edges(), float)
    places = np.interp(ROUND_HERTZ, edges, np.arange(len(edges)))
    marks, above = [], np.inf
    # From the top down: low octaves lie close together, and their numbers must not touch.
    for hertz, place in zip(ROUND_HERTZ[::-1], places[::-1], strict=True):
        if edges[0] <= hertz <= edges[-1] and above - place >= 0.11 * frontend.bands:
            marks.append(hertz)
            above = place
    ax.set_yticks(np.interp(marks, edges, np.arange(len(edges))))
    ax.set_yticklabels([f"{hertz:g}" for hertz in marks] if labels else [])
    if labels:
        ax.set_ylabel("frequency (Hz)")


def image(ax, cells, frontend, *, start=None, cmap=MAGNITUDE, limits=None, alpha=None):
    """Draw cells (frames, bands) with time to the right and frequency upwards.

    Time begins at `start`, in seconds; by default where a sound's first frame does.

    Returns the image, for a colour bar.
    """
    cells = np.asarray(cells)
    start = frontend.times()[0] if start is None else start
    step = frontend.hop / frontend.sample_rate
    low, high = (np.min(cells), np.max(cells)) if limits is None else limits
    drawn = ax.imshow(
        cells.T,
        origin="lower",
        aspect="auto",
        interpolation="nearest",
        extent=(start, start + len(cells) * step, 0, cells.shape[1]),
        cmap=cmap,
        vmin=low,
        vmax=high if high > low else low + 1.0,
        alpha=None if alpha is None else np.asarray(alpha).T,
    )
    return drawn


def time_axis(ax, end: float) -> None:
    """Name the horizontal axis: seconds, or minutes and hours where it goes beyond a minute."""
    if end < 60:
        ax.set_xlabel("time (s)")
        return
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    low, high = sorted(ax.get_xlim())
    span = high - low
    # Whole minutes of an hour, whole seconds of a minute.
    unit = 60.0 if span >= 240 else 1.0
    steps = [1, 1.5, 2, 3, 5, 10] if span > 60 else [1, 2, 5, 10]
    located = MaxNLocator(nbins=6, steps=steps).tick_values(low / unit, high / unit)
    marks = np.asarray(located) * unit
    marks = marks[(marks >= low) & (marks <= high)]
    digits = 0 if np.allclose(marks, np.round(marks)) else 1
    ax.set_xticks(marks)
    ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: face(value, digits)))
    ax.set_xlabel("time (h:min:s)" if end >= 3600 else "time (min:s)")


def padding(axes, times, padded) -> None:
    """Hatch the frames that are padding, after a line at the sound's end.

    `times` are the edges of the frames in seconds, and `padded` is bool, one for each frame.
    """
    from matplotlib.patches import Rectangle

    if not np.any(padded):
        return
    start, end = times[int(np.argmax(padded))], times[len(padded)]
    for ax in axes:
        place = ax.get_xaxis_transform()
        ax.add_patch(
            Rectangle(
                (start, 0),
                end - start,
                1,
                transform=place,
                facecolor="#dddddd",
                edgecolor="#999999",
                hatch="///",
                linewidth=0,
            )
        )
        ax.axvline(start, color="black", linewidth=1)


def padding_data(padded) -> dict:
    """Return what a figure records of padding, bool (n, frames): nothing, if there is none."""
    return {"sound": (~padded).sum(axis=1)} if np.any(padded) else {}


def borders(ax, numbers, frontend, colour) -> None:
    """Draw a line between neighbouring cells of different numbers."""
    # Of a patch, or of as many frames as a whole sound has.
    times = frontend.times()[0] + np.arange(len(numbers) + 1) * frontend.hop / frontend.sample_rate
    frame, band = np.nonzero(np.diff(numbers, axis=0))
    ax.vlines(times[frame + 1], band, band + 1, color=colour, linewidth=1)
    frame, band = np.nonzero(np.diff(numbers, axis=1))
    ax.hlines(band + 1, times[frame], times[frame + 1], color=colour, linewidth=1)


def symmetric(values) -> tuple[float, float]:
    """Colour limits with zero in the middle; (-1, 1) if there is nothing but zeros."""
    largest = float(np.max(np.abs(values), initial=0.0))
    return (-largest, largest) if largest > 0 else (-1.0, 1.0)


def common(values) -> tuple[float, float]:
    """Colour limits for magnitudes that are compared."""
    return float(np.min(values)), float(np.max(values))


def colour_bar(figure, drawn, axes, label) -> None:
    """Put a labelled colour bar below some axes: it takes no width from a narrow page."""
    bar = figure.colorbar(
        drawn, ax=list(np.ravel(axes)), location="bottom", aspect=40, shrink=0.7, pad=0.02
    )
    bar.set_label(label, fontsize=FONT - 1)
    bar.ax.tick_params(labelsize=FONT - 2)
    # Drops of a nearly certain probability are tiny: name their power of ten once.
    bar.ax.ticklabel_format(axis="x", scilimits=(-2, 3))
    # Beside the bar, where it does not run into the label.
    bar.ax.xaxis.get_offset_text().set(x=1.06, ha="left", va="bottom", fontsize=FONT - 2)
    bar.ax.locator_params(axis="x", nbins=6)


def dots(ax, labels, series, colours, **text) -> None:
    """Draw values with their intervals, a line for each label and the series side by side in it.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
    labels : sequence of str
        From the top down.
    series : mapping of str to array_like of float, shape (labels, 3)
        Name to lower end, value and upper end, in the units of the axis.
    colours : sequence of str
        Taken in turn.
    **text
        How the labels are written, see :class:`matplotlib.text.Text`.
    """
    step = min(0.3, 0.68 / len(series))
    for index, (name, values) in enumerate(series.items()):
        places = np.arange(len(labels)) + step * (index - (len(series) - 1) / 2)
        low, middle, high = np.asarray(values).T
        ax.errorbar(
            middle,
            places,
            xerr=np.maximum([middle - low, high - middle], 0),
            fmt="os^D"[index % 4],
            color=colours[index % len(colours)],
            markersize=6,
            capsize=3,
            label=name,
        )
    ax.set_yticks(np.arange(len(labels)), labels, **text)
    ax.set_ylim(len(labels) - 0.4, -0.6)
    ax.grid(axis="x", alpha=0.3)
    ax.spines[["top", "right"]].set_visible(False)


def width_of(columns: int) -> float:
    """Return the width of a figure with so many panels side by side, in inches."""
    return min(WIDTH, 2.2 + 2.2 * columns)


def hide(axes) -> None:
    """Blank the panels of a grid that have nothing to show."""
    for ax in axes:
        ax.set_axis_off()


def legend_below(figure, axes, columns: int, **options) -> None:
    """Draw one legend for several panels, below them: a name that stands in two is named once.

    `options` are those of a legend of matplotlib's.
    """
    handles: dict = {}
    for ax in axes:
        for handle, label in zip(*ax.get_legend_handles_labels(), strict=True):
            handles.setdefault(label, handle)
    figure.legend(
        handles.values(),
        handles.keys(),
        loc="outside lower center",
        ncols=columns,
        frameon=False,
        fontsize=FONT - 1,
        **options,
    )
