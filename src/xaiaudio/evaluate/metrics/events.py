"""Who sounds when: events that were found against those that there were.

The definition is the event-based one of sound event detection, as the package ``sed_eval`` has it.
An event is found if one of its class begins within 0.2 s of it, and ends within 0.2 s or a fifth of
its length, whichever is more. Each event counts once: as many pairs are made as can be.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import maximum_bipartite_matching

from ...datasets.timed import Event
from ...errors import XaiAudioError

COLLAR = 0.2
SHARE = 0.2


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
    >>> from xaiaudio.datasets.timed import Event
    >>> from xaiaudio.evaluate.metrics.events import event_scores
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
