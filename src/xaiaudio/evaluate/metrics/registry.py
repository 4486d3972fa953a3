"""The list of measures: what each says of a map, in which unit, and which way is better."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ...errors import XaiAudioError, meant

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..benchmark.context import Context

# Files with measures, in the order of the leaderboard's columns.
FILES = (
    "faithfulness",
    "deletion",
    "localisation",
    "complexity",
    "stability",
    "cost",
    "randomisation",
    "sensitivity",
)

# Families, each a panel of the leaderboard.
FAITHFUL = "faithfulness"
TRUTH = "ground truth"
FORM = "form"
TRUST = "trust"
COST = "cost"

BETTER = ("higher", "lower", "neither")

_MEASURES: dict[str, Measure] = {}


@dataclass(frozen=True)
class Measure:
    """One column of the leaderboard.

    Attributes
    ----------
    name : str
    title : str
        Short, for the head of a column.
    family : str
        Measures of one family share a panel.
    unit : str
    better : {"higher", "lower", "neither"}
    low, high : float
        The range that values can have.
    summary : str
        One line.
    source : str
        The paper.
    function : callable
        Takes what `takes` names and returns (n,) values, one a patch; NaN where there is no answer.
    takes : tuple of str
        Attributes of a `Context` that the function is called with; ``"context"`` is all of it.
    floor : {"chance", "worst"}
        What the worst place is: the random map's value, or the worst method's, where a random map
        would win without merit.
    silent : str
        Why it may have no answer for a method or for clips; empty if it always has one.
    """

    name: str
    title: str
    family: str
    unit: str
    better: str
    low: float
    high: float
    summary: str
    source: str
    function: Callable
    floor: str = "chance"
    takes: tuple[str, ...] = ("context",)
    silent: str = ""

    def values(self, context: Context) -> np.ndarray:
        """Measure one row of the leaderboard, (n,); NaN where something needed is unknown."""
        given = [context if name == "context" else getattr(context, name) for name in self.takes]
        if any(value is None for value in given):
            return context.missing()
        return np.asarray(self.function(*given), float)

    def write(self, value: float) -> str:
        """Write a value with as many digits as the measure deserves."""
        if value != value:
            return "–"
        if self.unit == "%":
            return f"{value:.0f}"
        if self.unit == "ms":
            return f"{value:.0f}" if value >= 9.5 else f"{value:.1f}"
        return f"{value:.2f}"


def register(
    name: str,
    *,
    title: str,
    family: str,
    unit: str,
    better: str,
    low: float,
    high: float,
    summary: str,
    source: str,
    takes: tuple[str, ...] = ("context",),
    floor: str = "chance",
    silent: str = "",
) -> Callable[[Callable], Callable]:
    """Register a measure, as a decorator of the function that defines it; see `Measure`."""
    if better not in BETTER:
        raise XaiAudioError(f"better is {better!r}: it must be one of {BETTER}.")

    def add(function):
        about = (title, family, unit, better, low, high, summary, source, function, floor, takes)
        _MEASURES[name] = Measure(name, *about, silent)
        return function

    return add


def measures() -> dict[str, Measure]:
    """List every measure by its name; those of one family stand together.

    Examples
    --------
    >>> import xaiaudio as xa
    >>> xa.evaluate.measures()["deletion"].better
    'lower'
    """
    for file in FILES:
        importlib.import_module(f"{__package__}.{file}")
    # Whichever file was imported first, and other people's measures last.
    listed = sorted(_MEASURES.values(), key=_place)
    families = list(dict.fromkeys(one.family for one in listed))
    ordered = sorted(listed, key=lambda one: families.index(one.family))
    return {one.name: one for one in ordered}


def _place(measure: Measure) -> int:
    """Return the place of a measure's file among the columns."""
    package, _, file = measure.function.__module__.rpartition(".")
    return FILES.index(file) if package == __package__ and file in FILES else len(FILES)


def find(names: Sequence[str] | None = None) -> tuple[Measure, ...]:
    """Return the measures called so, or say which ones there are; None takes all."""
    known = measures()
    names = tuple(known) if names is None else tuple(names)
    for name in names:
        if name not in known:
            raise XaiAudioError(
                f"No measure is called {name!r}{meant(name, known)}: there are {', '.join(known)}."
            )
    return tuple(known[name] for name in names)
