"""Sounds that have a class, a beginning and an end."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from ..errors import XaiAudioError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike


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
    >>> from xaiaudio.datasets.timed import events_of
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
