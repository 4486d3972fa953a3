"""Who sounds when: events that were found against those that there were.

The definition is the event-based one of sound event detection, as the package ``sed_eval`` has it.
An event is found if one of its class begins within 0.2 s of it, and ends within 0.2 s or a fifth of
its length, whichever is more. Each event counts once: as many pairs are made as can be.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import maximum_bipartite_matching

from ...errors import XaiAudioError

COLLAR = 0.2
SHARE = 0.2


class Event(NamedTuple):
    """A sound of a class from one second to another.

    Attributes
    ----------
    label : str
    start, end : float
        In seconds.
    """

    label: str
    start: float
    end: float


@dataclass(frozen=True)
class EventScores:
    """How many events were found.

    Attributes
    ----------
    hits : int
        Events that were found.
    missed : int
        Events that were not.
    extra : int
        Events that were said to be there and were not.
    """

    hits: int
    missed: int
    extra: int

    @property
    def precision(self) -> float:
        """Share of what was found that was there; NaN if nothing was found."""
        return self.hits / found if (found := self.hits + self.extra) else float("nan")

    @property
    def recall(self) -> float:
        """Share of what was there that was found; NaN if nothing was there."""
        return self.hits / there if (there := self.hits + self.missed) else float("nan")

    @property
    def f_measure(self) -> float:
        """Twice the hits over all events, true and found; NaN if there are none."""
        total = 2 * self.hits + self.missed + self.extra
        return 2 * self.hits / total if total else float("nan")


def event_scores(
    truth: Sequence[Sequence[Event]],
    found: Sequence[Sequence[Event]],
    *,
    collar: float = COLLAR,
    share: float = SHARE,
) -> EventScores:
    """Count hits over some recordings, all classes together.

    Parameters
    ----------
    truth, found : sequence of sequence of Event
        Those of each recording. One without events has an empty sequence.
    collar : float
        By how many seconds a beginning, or an end, may be off.
    share : float
        An end may be off by this share of the true event's length if that is more.

    Returns
    -------
    EventScores

    Raises
    ------
    XaiAudioError
        If the two are not of as many recordings, or an event ends before it begins.

    Examples
    --------
    >>> from xaiaudio.evaluate.metrics.events import Event, event_scores
    >>> truth = [[Event("dog", 1.0, 2.0), Event("rain", 0.0, 5.0)]]
    >>> found = [[Event("dog", 1.1, 2.1), Event("rain", 0.5, 5.0)]]
    >>> event_scores(truth, found)
    EventScores(hits=1, missed=1, extra=1)
    """
    if len(truth) != len(found):
        raise XaiAudioError(
            f"There is the truth of {len(truth)} recordings, but what was found in {len(found)}."
        )
    for event in (event for events in (*truth, *found) for event in events):
        if not event.start <= event.end:
            raise XaiAudioError(f"{event.label} begins at {event.start} s and ends at {event.end}.")
    hits = sum(_pairs(there, said, collar, share) for there, said in zip(truth, found, strict=True))
    return EventScores(hits, sum(map(len, truth)) - hits, sum(map(len, found)) - hits)


def _pairs(truth, found, collar, share) -> int:
    """Return how many pairs can be made of the events of one recording."""
    if not truth or not found:
        return 0
    labels, starts, ends = (np.array(values) for values in zip(*truth, strict=True))
    names, begins, stops = (np.array(values) for values in zip(*found, strict=True))
    allowed = np.maximum(collar, share * (ends - starts))[:, None]
    fits = labels[:, None] == names
    # A collar of 0.2 s allows 0.2 s, however that is rounded.
    fits &= np.abs(starts[:, None] - begins) <= collar + 1e-9
    fits &= np.abs(ends[:, None] - stops) <= allowed + 1e-9
    return int((maximum_bipartite_matching(csr_matrix(fits)) >= 0).sum())


def events_of(
    active: ArrayLike,
    edges: ArrayLike,
    labels: Sequence[str],
    *,
    shortest: float = 0.2,
    gap: float = 0.2,
) -> list[Event]:
    """Return the events of a table that says in which steps each class sounds.

    Parameters
    ----------
    active : array_like of bool, shape (steps, classes)
    edges : array_like of float, shape (steps + 1,)
        Where steps begin and end, in seconds.
    labels : sequence of str
    shortest : float
        Events that do not last so many seconds are left out,
    gap : float
        after pauses shorter than so many seconds were closed.

    Returns
    -------
    list of Event
        In the order of the classes, then of time.

    Examples
    --------
    >>> from xaiaudio.evaluate.metrics.events import events_of
    >>> events_of([[1], [1], [0], [1], [0], [0]], [0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6], ["dog"])
    [Event(label='dog', start=0.0, end=0.4)]
    """
    active, edges = np.asarray(active, bool), np.asarray(edges, float)
    if active.ndim != 2 or active.shape != (len(edges) - 1, len(labels)):
        raise XaiAudioError(
            f"The table has the shape {active.shape}: {len(edges) - 1} steps by {len(labels)} "
            "classes are needed."
        )
    made = []
    for label, column in zip(labels, active.T, strict=True):
        change = np.diff(column.astype(int), prepend=0, append=0)
        starts, ends = edges[np.flatnonzero(change == 1)], edges[np.flatnonzero(change == -1)]
        apart = starts[1:] - ends[:-1] >= gap - 1e-9
        starts = starts[np.concatenate([[True], apart])] if len(starts) else starts
        ends = ends[np.concatenate([apart, [True]])] if len(ends) else ends
        long = ends - starts >= shortest - 1e-9
        made += [
            Event(label, float(start), float(end))
            for start, end in zip(starts[long], ends[long], strict=True)
        ]
    return made
