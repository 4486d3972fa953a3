"""The leaderboard: every method by every measure, computed."""

from __future__ import annotations

import csv
import functools
import io
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ...errors import XaiAudioError
from ...explainers import registry
from ...explainers.base import Explainer
from ...files import whole
from ...progress import bar
from ..metrics.registry import Measure, find
from .bootstrap import interval
from .context import FEW, REFERENCES, Context, Reference, explain_cases
from .row_cache import RowCache
from .rows import Row
from .samples import Cases, cases_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import ArrayLike

    from ...datasets.base import ClipSet
    from ...models.classifier import AudioClassifier
    from ...types import PathLike
    from .bootstrap import Interval

# Recordings from which on a difference can be sure.
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
    """

    network: str
    dataset: str
    cases: int
    left_out: int
    measures: tuple[Measure, ...]
    rows: tuple[Row, ...]
    groups: tuple[str, ...] = ()
    unusable: tuple[str, ...] = ()

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

        The clips are the same for both, so what is hard about a clip drops out: two rows may
        differ surely although their intervals overlap.

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
        """Tell whether a row is surely better than another: no 0 in the :meth:`difference`."""
        about, gap = self.measure(measure), self.difference(row, other, measure)
        return {"higher": gap.low > 0, "lower": gap.high < 0}.get(about.better, False)

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

    def best(self, measure: str) -> str:
        """Return the method that stands first; the earlier one in a tie."""
        about = self.measure(measure)
        means = {row.name: self._oriented(row.name, about) for row in self.methods}
        means = {name: mean for name, mean in means.items() if np.isfinite(mean)}
        if about.better == "neither" or not means:
            raise XaiAudioError(f"No method is best by {measure}: it says nothing of better.")
        return max(means, key=means.__getitem__)

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


def leaderboard(
    model: AudioClassifier,
    clips: ClipSet | Cases,
    methods: Sequence[str] | None = None,
    measures: Sequence[str] | None = None,
    *,
    limit: int = 80,
    options: Mapping[str, dict] | None = None,
    references: Sequence[str] = REFERENCES,
    few: int = FEW,
    seed: int = 0,
    cache: PathLike | None = None,
    progress: bool | None = None,
) -> Leaderboard:
    """Measure methods on a network and clips.

    Parameters
    ----------
    model : AudioClassifier
    clips : ClipSet or Cases
        One patch of each is explained, see `cases_of`.
    methods : sequence of str, optional
        By default all of :func:`xaiaudio.methods`. One that cannot treat the network gets a row
        that says why.
    measures : sequence of str, optional
        By default all of `xaiaudio.evaluate.measures`.
    limit : int
        Most clips to take.
    options : dict of str to dict, optional
        Method to its options.
    references : sequence of {"chance", "uniform", "centre", "energy", "oracle"}
        Rows to compare with. The oracle needs clips whose events are known, and is left out else.
    few : int
        Clips for the measures that explain again and again (sanity, stability).
    seed : int
        Decides what is left to chance.
    cache : path-like, optional
        Folder for finished rows: an interrupted run goes on from there. A row counts as finished
        only if network, clips, options, measures and the package's own code are the same.
    progress : bool, optional
        Show a progress bar on stderr; None shows one on a terminal only.

    Returns
    -------
    Leaderboard

    Raises
    ------
    XaiAudioError
        For an unknown method, option, measure or class, or clips that cannot be used.

    Examples
    --------
    >>> import xaiaudio as xa
    >>> book = xa.profile("mini")  # doctest: +SKIP
    >>> board = xa.evaluate.leaderboard(book.classifier(), book.split()[1])  # doctest: +SKIP
    >>> board.best("deletion")  # doctest: +SKIP
    'occlusion'
    """
    columns = find(measures)
    cases = clips if isinstance(clips, Cases) else cases_of(model, clips, limit)
    wanted = _rows(methods, options or {}, references, known=cases.truth is not None)
    store = RowCache(cache, model, cases, columns, few, seed) if cache else None
    rows: list[Row] = []
    shared: dict = {}
    with bar(len(wanted), progress, "Measuring") as step:
        for entry in wanted:
            step(0, entry.name)
            row = store.find(entry) if store else None
            if row is None:
                row = _measured(model, cases, entry, columns, few, seed, shared)
                if store:
                    store.keep(entry, row)
            rows.append(row)
            step()
    return Leaderboard(
        network=model.name,
        dataset=cases.dataset,
        cases=len(cases),
        left_out=cases.left_out,
        measures=columns,
        rows=tuple(rows),
        groups=cases.groups,
        unusable=cases.unusable,
    )


def _rows(methods, options, references, known) -> list[Explainer | Reference]:
    """Return the methods and the references to measure; without known events, no oracle."""
    names = tuple(registry.methods()) if methods is None else tuple(dict.fromkeys(methods))
    explainers = [Explainer(name, **options.get(name, {})) for name in names]
    wrong = [name for name in references if name not in REFERENCES]
    if wrong:
        raise XaiAudioError(f"No reference is called {wrong[0]!r}: there are {REFERENCES}.")
    kept = [name for name in references if known or name != "oracle"]
    return [*explainers, *map(Reference, kept)]


def _measured(model, cases, entry, columns, few, seed, shared) -> Row:
    """Make a row; what the method cannot do becomes its text."""
    reference = isinstance(entry, Reference)
    try:
        # The first call compiles, which is no part of what a map takes.
        explain_cases(entry, model, cases.part([0]), seed)
        result = explain_cases(entry, model, cases, seed)
    except XaiAudioError as error:
        return Row(entry.name, reference, {}, error=str(error))
    context = Context(model, cases, entry, result, seed, few, shared)
    values, notes = {}, {}
    for one in columns:
        try:
            values[one.name] = one.values(context)
        except XaiAudioError as error:
            values[one.name], notes[one.name] = context.missing(), str(error)
    seconds = result.seconds / len(cases)
    return Row(entry.name, reference, values, seconds, notes=notes)
