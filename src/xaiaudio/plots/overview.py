"""A long sound at a glance: how loud it is, what a network hears when, and the events."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..errors import XaiAudioError
from . import canvas

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.figure import Figure

    from ..datasets.timed import Event
    from ..timelines.finding import HeardEvent
    from ..timelines.scored import Timeline

# Columns of a strip, at most: a page is not wider.
COLUMNS = 1000


def overview(
    timeline: Timeline,
    found: Sequence[HeardEvent] = (),
    *,
    truth: Sequence[Event] | None = None,
    marked: Sequence[HeardEvent] = (),
    most: int = 12,
) -> Figure:
    """Draw a long sound: its envelope, a strip of scores for each class, and the events as bars.

    Where there are more patches than columns, each column shows the highest score of its patches,
    so that a short event is not lost.

    Parameters
    ----------
    timeline : Timeline
    found : sequence of HeardEvent
    truth : sequence of Event, optional
        What there is, where it is known.
    marked : sequence of HeardEvent
        Those of `found` that get a number, in this order, from 1 on.
    most : int
        Classes to show, at most: those with most events, then those with the highest scores.

    Returns
    -------
    matplotlib.figure.Figure
        `data`: ``classes`` shown; ``scores`` (columns, classes) and ``edges`` (columns + 1,) in
        seconds; ``envelope`` (columns,); ``found`` and, if it is given, ``truth``: class, start
        and end in rows.

    Raises
    ------
    XaiAudioError
        If the timeline has no patches.

    Examples
    --------
    >>> import numpy as np, xaiaudio as xa
    >>> from xaiaudio.timelines import Timeline, events
    >>> scores = np.random.default_rng(0).dirichlet([0.3] * 3, 200)
    >>> starts = np.arange(200) * 0.5
    >>> line = Timeline(starts, starts + 1, scores, ("cat", "dog", "rain"))
    >>> figure = xa.plots.overview(line, events(line))
    >>> figure.data["scores"].shape
    (200, 3)
    """
    if not len(timeline):
        raise XaiAudioError("The timeline has no patches: there is nothing to draw.")
    rows = _rows(timeline, [*found, *(truth or ())], most)
    edges, scores, envelope = _columns(timeline, rows)
    heights = [0.6, 0.24 * len(rows) + 0.1, 0.24 * len(rows) + 0.1]
    figure, axes = canvas.grid(
        3, 1, height=0.0, extra=sum(heights) + 1.9, sharex=True, height_ratios=heights
    )
    loud, strip, bars = axes[:, 0]
    loud.fill_between(edges, *_mirrored(envelope), step="post", color=canvas.GREY, linewidth=0)
    high = max(float(envelope.max(initial=0)), 1e-6)
    loud.set_ylim(-1.05 * high, 1.05 * high)
    loud.set_yticks([])
    loud.set_ylabel("sound", rotation=0, ha="right", va="center")
    lines = np.arange(len(rows) + 1) - 0.5
    drawn = strip.pcolormesh(edges, lines, scores.T, cmap=canvas.MAGNITUDE, vmin=0, vmax=1)
    strip.set_yticks(range(len(rows)), rows)
    strip.invert_yaxis()
    table = {"found": _bars(bars, found, rows, edges, canvas.ORANGE, "found", truth is not None)}
    if truth is not None:
        table["truth"] = _bars(bars, truth, rows, edges, canvas.BLUE, "there", True, above=True)
    for number, event in enumerate(marked, 1):
        if event.label in rows:
            bars.annotate(
                str(number), (event.peak, rows.index(event.label)), fontsize=canvas.FONT - 3,
                ha="center", va="center", color="black",
                bbox={"boxstyle": "circle,pad=0.15", "fc": "white", "ec": canvas.GREY, "lw": 0.6},
            )  # fmt: skip
    bars.set_yticks(range(len(rows)), rows)
    bars.set_ylim(len(rows) - 0.5, -0.5)
    bars.grid(axis="y", alpha=0.25)
    bars.set_xlim(edges[0], edges[-1])
    canvas.time_axis(bars, edges[-1])
    canvas.colour_bar(figure, drawn, [strip, bars], "score")
    if truth is not None:
        canvas.legend(figure, bars, 2)
    return canvas.finish(
        figure, classes=rows, scores=scores, edges=edges, envelope=envelope, **table
    )


def _rows(timeline, listed, most) -> list[str]:
    """Return the classes to show, in the order of the network's."""
    counts = dict.fromkeys(timeline.labels, 0)
    for event in listed:
        if event.label in counts:
            counts[event.label] += 1
    highest = dict(zip(timeline.labels, timeline.scores.max(axis=0), strict=True))
    best = sorted(timeline.labels, key=lambda label: (-counts[label], -highest[label]))[:most]
    return [label for label in timeline.labels if label in best]


def _columns(timeline, rows) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return edges, scores and envelope, several patches to a column where there are many."""
    numbers = [timeline.labels.index(label) for label in rows]
    scores = timeline.scores[:, numbers]
    peaks = np.zeros(len(timeline)) if timeline.peaks is None else np.asarray(timeline.peaks)
    first = np.arange(0, len(timeline), -(-len(timeline) // COLUMNS))
    edges = np.append(timeline.edges[first], timeline.edges[-1])
    return edges, np.maximum.reduceat(scores, first), np.maximum.reduceat(peaks, first)


def _mirrored(envelope) -> tuple[np.ndarray, np.ndarray]:
    heights = np.append(envelope, envelope[-1])
    return heights, -heights


def _bars(ax, events, rows, edges, colour, name, two, above=False) -> np.ndarray:
    """Draw events as bars, and return them as class, start and end in rows."""
    lines = [(rows.index(one.label), one.start, one.end) for one in events if one.label in rows]
    table = np.array(lines, float).reshape(-1, 3)
    # One pixel at least: of an hour, a second is less.
    least = (edges[-1] - edges[0]) / COLUMNS
    height = 0.36 if two else 0.7
    place = table[:, 0] + (0 if not two else -0.2 if above else 0.2)
    ax.barh(
        place,
        np.maximum(table[:, 2] - table[:, 1], least),
        left=table[:, 1],
        height=height,
        color=colour,
        label=name,
    )
    return table
