"""The leaderboard as a value: rows and columns, and what the clips can decide about them."""

from __future__ import annotations

import csv
import functools
import io
from dataclasses import dataclass, replace
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ...errors import XaiAudioError
from ...files import whole
from ..metrics.registry import Measure
from .bootstrap import interval
from .pair import Pair
from .rows import Row

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike

    from ...types import PathLike
    from .bootstrap import Interval

# Recordings from which on a difference can be told from chance.
ENOUGH = 5

# The columns of the table as CSV.
HEAD = (
    *("method", "kind", "measure", "unit", "better", "mean", "low", "high", "clips"),
    *("network", "dataset", "note"),
)


@dataclass(frozen=True)
class Leaderboard:
    """Methods by measures, for one network and one set of clips.

    Attributes
    ----------
    network, dataset : str
    cases : int
        Clips measured on.
    left_out : int
        Clips left out, because the network misclassifies them.
    measures : tuple of Measure
        The columns.
    rows : tuple of Row
        Methods in the order of the registry, then the references.
    groups : tuple of str
        The recording that each clip is of; the intervals are over these. Empty if each is its own.
    unusable : tuple of str
        Why other clips were left out: unreadable, too short, silent.
    seed : int
        What decided all that is left to chance.
    precision : {"float32", "bfloat16"}
        Numbers in which the network was asked about many changed patches.
    """

    network: str
    dataset: str
    cases: int
    left_out: int
    measures: tuple[Measure, ...]
    rows: tuple[Row, ...]
    groups: tuple[str, ...] = ()
    unusable: tuple[str, ...] = ()
    seed: int = 0
    precision: str = "float32"

    @property
    def methods(self) -> tuple[Row, ...]:
        """The rows of methods that could treat the network."""
        return tuple(row for row in self.rows if not row.reference and not row.error)

    def row(self, name: str) -> Row:
        """Return the row of a method or reference."""
        for row in self.rows:
            if row.name == name:
                return row
        raise XaiAudioError(f"No row is called {name!r}: {', '.join(r.name for r in self.rows)}.")

    def measure(self, name: str) -> Measure:
        """Return the column called so."""
        for measure in self.measures:
            if measure.name == name:
                return measure
        names = ", ".join(measure.name for measure in self.measures)
        raise XaiAudioError(f"The leaderboard has no measure {name!r}: it has {names}.")

    def interval(self, row: str, measure: str) -> Interval:
        """Return mean and bootstrap interval over clips: an `Interval` (mean, low, high, n)."""
        if (row, measure) not in self._intervals:
            values = self._values(row, measure)
            self._intervals[row, measure] = interval(values, self.groups or None)
        return self._intervals[row, measure]

    def part(self, chosen: slice | ArrayLike) -> Leaderboard:
        """Return what is measured on some of the cases: a mask, or a list of their numbers."""
        chosen = np.arange(self.cases)[chosen]
        rows = (
            replace(row, values={name: values[chosen] for name, values in row.values.items()})
            for row in self.rows
        )
        groups = tuple(self.groups[index] for index in chosen) if self.groups else ()
        return replace(self, cases=len(chosen), rows=tuple(rows), groups=groups)

    def difference(self, row: str, other: str, measure: str) -> Interval:
        """Return by how much one row exceeds another, clip by clip.

        The clips are the same for both, so what is hard about a clip drops out: the interval may
        leave out 0 although those of the two rows overlap.

        Returns
        -------
        Interval
            Of the difference in the measure's own unit, over the clips that both answer. Without 0
            between `low` and `high`, chance alone hardly made it (95 %, one comparison). Fewer than
            five recordings decide nothing: `low` and `high` are infinite.
        """
        values = self._values(row, measure) - self._values(other, measure)
        gap = interval(values, self.groups or None)
        return gap if gap.n >= ENOUGH else replace(gap, low=-np.inf, high=np.inf)

    def level(self, measure: str) -> list[str]:
        """Return the methods that these clips cannot tell from the best, and the best."""
        best = self.best(measure)
        found = {row.name: self.difference(best, row.name, measure) for row in self.methods}
        return [name for name, gap in found.items() if gap.low <= 0 <= gap.high]

    def beats(self, row: str, other: str, measure: str) -> bool:
        """Tell whether a row is better, with the whole interval of the :meth:`difference`."""
        about, gap = self.measure(measure), self.difference(row, other, measure)
        return {"higher": gap.low > 0, "lower": gap.high < 0}.get(about.better, False)

    def better_than(self, other: str, measure: str, *, on_average: bool = False) -> list[str]:
        """Return the methods that are better than a row.

        Parameters
        ----------
        other : str
            A method or reference.
        measure : str
        on_average : bool
            True compares the means alone. Else only those are returned that :meth:`beats` the row.

        Returns
        -------
        list of str
            In the order of the rows; empty for a measure that has no better and worse.
        """
        about = self.measure(measure)
        if about.better == "neither":
            return []
        if not on_average:
            return [row.name for row in self.methods if self.beats(row.name, other, measure)]
        level = self._oriented(other, about)
        return [row.name for row in self.methods if self._oriented(row.name, about) > level]

    def pairs(self, measure: str, names: Sequence[str] | None = None) -> list[Pair]:
        """Compare all pairs of methods by a measure.

        Whoever makes many comparisons at 95 % has to expect some that are decided by luck: one in
        twenty, if there is no difference at all.

        Parameters
        ----------
        measure : str
        names : sequence of str, optional
            The rows to compare; all methods by default.

        Returns
        -------
        list of Pair
            Each pair once, in the order of the names.

        Examples
        --------
        >>> pairs = board.pairs("mass")  # doctest: +SKIP
        >>> [pair.better for pair in pairs if pair.decided]  # doctest: +SKIP
        ['lrp', 'lrp', 'gradcam']
        """
        chosen = [row.name for row in self.methods] if names is None else names
        return [self._pair(*two, measure) for two in combinations(chosen, 2)]

    def _pair(self, first: str, second: str, measure: str) -> Pair:
        one, two = (self.interval(name, measure) for name in (first, second))
        ahead = [
            name
            for name, other in ((first, second), (second, first))
            if self.beats(name, other, measure)
        ]
        return Pair(
            first,
            second,
            difference=self.difference(first, second, measure),
            apart=one.high < two.low or two.high < one.low,
            better=ahead[0] if ahead else "",
        )

    def add(self, other: Leaderboard) -> Leaderboard:
        """Return this leaderboard with the rows of another one, measured on the same clips.

        Enters a method of your own, or another reference, without measuring all others again.

        Parameters
        ----------
        other : Leaderboard
            Of the same network and clips. It may have fewer measures: the new rows have no answer
            to those that it lacks.

        Returns
        -------
        Leaderboard
            Methods, then the new methods, then the references.

        Raises
        ------
        XaiAudioError
            If network or clips differ, a row is there already, or a measure is not here.

        Examples
        --------
        >>> mine = xa.evaluate.leaderboard(  # doctest: +SKIP
        ...     model, cases, ["mine"], references=()
        ... )
        >>> board.add(mine).order("deletion")  # doctest: +SKIP
        ['mine', 'occlusion']
        """
        for about in ("network", "dataset", "cases", "groups"):
            if getattr(self, about) != getattr(other, about):
                raise XaiAudioError(
                    f"The two leaderboards differ in their {about}: measure both on the same "
                    "network and the same cases."
                )
        for measure in other.measures:
            self.measure(measure.name)
        known = {row.name for row in self.rows}
        twice = [row.name for row in other.rows if row.name in known]
        if twice:
            raise XaiAudioError(f"There is a row called {twice[0]!r} already: add others only.")
        rows = sorted((*self.rows, *other.rows), key=lambda row: row.reference)
        return replace(self, rows=tuple(rows))

    def mean(self, row: str, measure: str) -> float:
        """Return the mean over the clips that have an answer; NaN if none has one."""
        return self.interval(row, measure).mean

    def position(self, row: str, measure: str) -> float:
        """Return where a row stands between the floor, 0, and the best method, 1.

        The floor is the random map's mean, or the worst method's where a random map would win
        without merit. Durations are compared by their logarithm. Below the floor is 0; NaN where
        there is no better or worse, or no answer.
        """
        about = self.measure(measure)
        if about.better == "neither":
            return float("nan")
        value = self._oriented(row, about)
        means = [self._oriented(one.name, about) for one in self.methods]
        means = [mean for mean in means if np.isfinite(mean)]
        if not means or not np.isfinite(value):
            return float("nan")
        best, floor = max(means), min(means)
        if about.floor == "chance" and any(one.name == "chance" for one in self.rows):
            floor = self._oriented("chance", about)
        if not best > floor:
            return 0.0
        return float(np.clip((value - floor) / (best - floor), 0, 1))

    def order(self, measure: str) -> list[str]:
        """Return the methods that have an answer, from the best mean to the worst.

        Those level with one another stay in the order of the rows.

        Raises
        ------
        XaiAudioError
            If the measure says nothing of better and worse.
        """
        about = self.measure(measure)
        if about.better == "neither":
            raise XaiAudioError(f"No method is best by {measure}: it says nothing of better.")
        means = {row.name: self._oriented(row.name, about) for row in self.methods}
        means = {name: mean for name, mean in means.items() if np.isfinite(mean)}
        return sorted(means, key=means.__getitem__, reverse=True)

    def best(self, measure: str) -> str:
        """Return the method that stands first; the earlier one in a tie."""
        found = self.order(measure)
        if not found:
            raise XaiAudioError(f"No method is best by {measure}: none has an answer.")
        return found[0]

    def agreement(self, measures: Sequence[str] | None = None) -> np.ndarray:
        """Return how far the measures agree on the order of the methods.

        Parameters
        ----------
        measures : sequence of str, optional
            By default all that have a better and a worse.

        Returns
        -------
        ndarray of float, shape (measures, measures)
            Rank correlation over the methods that both know, after turning all measures so that
            higher is better; NaN for fewer than three methods, or where all are alike.
        """
        from scipy.stats import spearmanr

        names = self.ordered() if measures is None else measures
        about = [self.measure(name) for name in names]
        table = np.array([[self._oriented(row.name, one) for row in self.methods] for one in about])
        found = np.full((len(names), len(names)), np.nan)
        for i, j in np.ndindex(found.shape):
            both = np.isfinite(table[i]) & np.isfinite(table[j])
            varied = both.sum() > 2 and np.ptp(table[i][both]) > 0 and np.ptp(table[j][both]) > 0
            if varied:
                found[i, j] = spearmanr(table[i][both], table[j][both])[0]
        return found

    def ordered(self) -> list[str]:
        """Return the measures that have a better and a worse, and an answer for some method."""
        return [
            one.name
            for one in self.measures
            if one.better != "neither"
            and any(np.isfinite(self.mean(row.name, one.name)) for row in self.methods)
        ]

    def table(self, measures: Sequence[str] | None = None) -> list[list[str]]:
        """Return texts to print: a head, then a row for each method and reference.

        Parameters
        ----------
        measures : sequence of str, optional
        """
        chosen = [self.measure(name) for name in measures] if measures else self.measures
        head = ["method", *(one.title for one in chosen)]
        return [
            head,
            *(
                [row.name, *(one.write(self.mean(row.name, one.name)) for one in chosen)]
                for row in self.rows
            ),
        ]

    def csv(self) -> str:
        """Return the table as the text of a CSV file.

        A row for each method and measure: ``method, kind, measure, unit, better, mean, low, high,
        clips, network, dataset, note``. `low` and `high` bound the bootstrap interval (95 %) over
        `clips`, the recordings that have an answer; `note` says why there is none.
        """
        file = io.StringIO(newline="")
        out = csv.writer(file, lineterminator="\n")
        out.writerow(HEAD)
        for row in self.rows:
            kind = "reference" if row.reference else "method"
            for one in self.measures:
                numbers = ["", "", "", 0]
                if np.isfinite(self.mean(row.name, one.name)):
                    found = self.interval(row.name, one.name)
                    numbers = [f"{x:.6g}" for x in (found.mean, found.low, found.high)]
                    numbers.append(found.n)
                about = [row.name, kind, one.name, one.unit, one.better]
                note = row.error or row.notes.get(one.name, "")
                out.writerow([*about, *numbers, self.network, self.dataset, note])
        return file.getvalue()

    def to_csv(self, path: PathLike) -> Path:
        """Write :meth:`csv` to a file, whole or not at all."""
        path = Path(path)
        with whole(path) as partial:
            path.parent.mkdir(parents=True, exist_ok=True)
            partial.write_text(self.csv(), encoding="utf-8")
        return path

    @functools.cached_property
    def _intervals(self) -> dict:
        return {}

    def _values(self, row: str, measure: str) -> np.ndarray:
        found = self.row(row).values.get(self.measure(measure).name)
        return np.full(self.cases, np.nan) if found is None else found

    def _oriented(self, row: str, measure: Measure) -> float:
        """Return a mean, turned so that higher is better."""
        value = self.mean(row, measure.name)
        if measure.unit == "ms":
            value = np.log(max(value, 1e-9))
        return -value if measure.better == "lower" else value
