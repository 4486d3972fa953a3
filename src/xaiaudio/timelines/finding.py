"""Events of a timeline: who is heard, from when to when."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ..errors import XaiAudioError
from .scored import SILENT_DB

if TYPE_CHECKING:
    from .scored import Timeline

THRESHOLD = 0.5
# The default of `release`, as a share of the threshold.
RELEASE = 0.7


@dataclass(frozen=True)
class HeardEvent:
    """A class that a network hears from one second to another.

    Attributes
    ----------
    label : str
    start, end : float
        In seconds of the file.
    peak : float
        The middle of the patch in which the class scores highest, in seconds; none of a pause.
    peak_score : float
        The score there, in [0, 1].

    Examples
    --------
    >>> from xaiaudio.timelines import HeardEvent
    >>> HeardEvent("Dog bark", 723.4, 725.0, 724.1, 0.93).seconds
    1.6
    """

    label: str
    start: float
    end: float
    peak: float
    peak_score: float

    @property
    def seconds(self) -> float:
        """How long it lasts, to a millisecond."""
        return round(self.end - self.start, 3)


def events(
    timeline: Timeline,
    threshold: float = THRESHOLD,
    *,
    release: float | None = None,
    gap: float = 1.0,
    shortest: float = 0.0,
    floor: float = SILENT_DB,
) -> tuple[HeardEvent, ...]:
    """Return the events of a timeline.

    An event of a class is a run of patches in which it scores `release` or more, and at least once
    `threshold` or more. So an event that is sure once is not cut to pieces where the network
    doubts, and one that is never sure is none. Pauses of a class shorter than `gap` are closed;
    then events that do not last `shortest` are left out. Of a network with a softmax (one class
    out of all), the class must also be the winner: of all classes the one that scores highest.
    Patches softer than `floor` belong to no event.

    Parameters
    ----------
    timeline : Timeline
    threshold : float
        What a class must reach once, in (0, 1]. The default 0.5 is "more likely than not": of a
        softmax, more likely than all others together. No threshold suits all classes; choose it
        on recordings of which the truth is known.
    release : float, optional
        What it must hold, from 0 to `threshold`; by default 0.7 of the threshold.
    gap : float
        In seconds.
    shortest : float
        In seconds.
    floor : float
        In dB of full scale, see `Timeline.levels`. A network without a class for "nothing" names
        the noise between events too: what is softer than any event of interest can be kept out.

    Returns
    -------
    tuple of HeardEvent
        By their starts; those that start together in the order of the classes.

    Raises
    ------
    XaiAudioError
        If a number makes no sense.

    Examples
    --------
    >>> import numpy as np
    >>> from xaiaudio.timelines import Timeline, events
    >>> dog = np.array([0.1, 0.4, 0.9, 0.6, 0.2, 0.1])
    >>> scores = np.stack([dog, 1 - dog], axis=1)
    >>> line = Timeline(np.arange(6.0), np.arange(6.0) + 1, scores, ("dog", "rain"))
    >>> events(line)[1]
    HeardEvent(label='dog', start=2.0, end=4.0, peak=2.5, peak_score=0.8999999761581421)
    >>> events(Timeline(line.starts, line.ends, scores, line.labels, exclusive=False))[1].start
    1.0
    """
    release = RELEASE * threshold if release is None else release
    _check(threshold, release, gap, shortest, floor)
    scores, edges = timeline.scores, timeline.edges
    if not len(timeline):
        return ()
    held = scores >= np.float32(release)
    if timeline.levels is not None:
        held[np.asarray(timeline.levels) < floor] = False
    if timeline.exclusive:
        held &= np.arange(scores.shape[1]) == timeline.winners[:, None]
    classes, first, last = _runs(held)
    # All classes in one row, so that one reduction finds the peak of each run.
    flat = np.concatenate([scores.T, np.full((scores.shape[1], 1), -1, np.float32)], axis=1).ravel()
    width = scores.shape[0] + 1
    bounds = np.stack([classes * width + first, classes * width + last], axis=1).ravel()
    high = np.maximum.reduceat(flat, bounds)[::2] if len(bounds) else np.zeros(0, np.float32)
    sure = high >= np.float32(threshold)
    classes, first, last = _closed(classes[sure], first[sure], last[sure], edges, gap)
    long = edges[last] - edges[first] >= shortest - 1e-9
    found = [
        _event(timeline, held, edges, int(number), int(begin), int(stop))
        for number, begin, stop in zip(classes[long], first[long], last[long], strict=True)
    ]
    return tuple(sorted(found, key=lambda event: event.start))


def _runs(held: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return class, first patch and the patch behind the last of each run, class by class."""
    change = np.diff(held.T.astype(np.int8), prepend=0, append=0, axis=1)
    classes, first = np.nonzero(change == 1)
    return classes, first, np.nonzero(change == -1)[1]


def _closed(classes, first, last, edges, gap) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Join runs of one class between which less than `gap` seconds pass."""
    if not len(classes):
        return classes, first, last
    apart = edges[first[1:]] - edges[last[:-1]] >= gap - 1e-9
    apart |= classes[1:] != classes[:-1]
    begins, stops = np.concatenate([[True], apart]), np.concatenate([apart, [True]])
    return classes[begins], first[begins], last[stops]


def _event(timeline, held, edges, number, first, last) -> HeardEvent:
    # Not in a pause that was closed: that may be silence, of which a network can be as sure.
    inside = np.where(held[first:last, number], timeline.scores[first:last, number], -1)
    peak = first + int(inside.argmax())
    return HeardEvent(
        label=timeline.labels[number],
        start=float(edges[first]),
        end=float(edges[last]),
        peak=float(timeline.middles[peak]),
        peak_score=float(timeline.scores[peak, number]),
    )


def _check(threshold, release, gap, shortest, floor) -> None:
    if not 0 < threshold <= 1:
        raise XaiAudioError(f"The threshold is {threshold}: it must be above 0 and up to 1.")
    if not 0 <= release <= threshold:
        raise XaiAudioError(
            f"The release is {release}: it must be from 0 to the threshold, {threshold}."
        )
    for name, value in (("gap", gap), ("shortest", shortest)):
        if not 0 <= value < np.inf:
            raise XaiAudioError(f"{name} is {value}: it must be a number of seconds from 0 on.")
    if not floor <= 0:
        raise XaiAudioError(f"The floor is {floor}: it must be in dB of full scale, up to 0.")
