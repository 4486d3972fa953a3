"""How many minutes a build of due chapters may take, and which chapters then come first.

``tests/baselines/PROFILE.seconds.json`` says how long the processors worked on each chapter when it
was last found right. That does not depend on what else the machine does, so it is known
before a chapter runs. How much longer its user waits is learned from the chapters that are done.
"""

from __future__ import annotations

import statistics
import time
from typing import TYPE_CHECKING

from ..errors import XaiAudioError
from .project import read_json, write_json

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from .project import Project

#: What a chapter is taken to need where nothing is known, in seconds.
UNKNOWN = 60.0


class Budget:
    """The time that is left, and what chapters are expected to take of it.

    Parameters
    ----------
    minutes : float
        How long the chapters may take together, from now on.
    expected : dict of str to float
        Seconds of each chapter that was measured; another is taken to need their median.
    order : sequence of str
        Chapters, the most urgent first.
    clock : callable, optional
        Returns seconds.

    Attributes
    ----------
    left : list of str
        The chapters that were not begun for want of time.

    Raises
    ------
    XaiAudioError
        If there are no minutes.

    Examples
    --------
    >>> seconds = iter([0.0, 0.0, 200.0])
    >>> budget = Budget(5, {"a": 60.0, "b": 80.0}, ["a", "b"], clock=lambda: next(seconds))
    >>> budget.fits("b")
    True
    >>> budget.took("a", 120.0)  # twice as long as expected, and so will the next be
    >>> budget.fits("b")
    False
    """

    def __init__(
        self,
        minutes: float,
        expected: dict[str, float],
        order: Sequence[str],
        clock: Callable[[], float] = time.monotonic,
    ):
        if not minutes > 0:
            raise XaiAudioError(f"A build takes some minutes, not {minutes:g}: give more than 0.")
        self.minutes, self.expected, self.order, self.clock = minutes, expected, list(order), clock
        self.end = clock() + 60 * minutes
        self.median = statistics.median(expected.values()) if expected else UNKNOWN
        self.waited = self.worked = 0.0
        self.left: list[str] = []

    def rank(self, name: str) -> int:
        """Return how many chapters are more urgent."""
        return self.order.index(name) if name in self.order else len(self.order)

    def fits(self, name: str) -> bool:
        """Whether a chapter that is begun now would end in time."""
        slower = max(1.0, self.waited / self.worked) if self.worked else 1.0
        return self.clock() + slower * self._seconds(name) <= self.end

    def took(self, name: str, seconds: float) -> None:
        """Learn from a chapter that is done how slow this machine is."""
        self.waited += seconds
        self.worked += self._seconds(name)

    def _seconds(self, name):
        return self.expected.get(name, self.median)


def expected(project: Project) -> dict[str, float]:
    """Return the seconds of the chapters that were measured: whatever is no number is left out."""
    known = read_json(path_of(project), {})
    return {
        name: seconds
        for name, seconds in known.items()
        if isinstance(seconds, int | float) and 0 < seconds < float("inf")
    }


def note(project: Project, seconds: dict[str, float]) -> Path:
    """Write down the seconds of some chapters, beside those of the others."""
    names = {page.name for page in project.pages()}
    found = {**expected(project), **{name: round(took) for name, took in seconds.items() if took}}
    kept = {name: max(1, took) for name, took in sorted(found.items()) if name in names}
    return write_json(path_of(project), kept)


def path_of(project: Project) -> Path:
    """Return the file that says how long chapters keep a processor busy."""
    return project.baselines.with_name(f"{project.profile}.seconds.json")
