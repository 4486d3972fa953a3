"""What would have to change: the changes of a sound that change a network's answer, as data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from typing import Any

    from ..synthesis.controls import Control, Recipe
    from .answers import Answer, Several


@dataclass(frozen=True, eq=False)
class Curve:
    """A network's answers while one control goes through its range, and nothing else moves.

    Attributes
    ----------
    control : Control
    values : ndarray of float64, shape (m,)
        Rising, the sound as it is among them.
    answers : ndarray of int, shape (m,)
        Number of the class that is heard; -1 for silence.
    probabilities : ndarray of float32, shape (m, classes)
        The mean over the patches that are no silence; 0 for silence.
    """

    control: Control
    values: np.ndarray
    answers: np.ndarray
    probabilities: np.ndarray


@dataclass(frozen=True, eq=False)
class Change:
    """A change after which the network was found to hear another class.

    Attributes
    ----------
    controls : tuple of Control
        What is changed: one control, or two together.
    values : tuple of float
        What they become.
    steps : float
        How far that is, in steps (summed over controls).
    within : float
        The smallest change lies at most so many steps nearer: there, the class was not heard.
        Between the two the answer changes at least once.
    setting : ndarray of float64, shape (all controls,)
    sound : ndarray of float32, shape (samples,)
    answer : Answer or Several
        What the network says of this very sound, asked again.
    """

    controls: tuple[Control, ...]
    values: tuple[float, ...]
    steps: float
    within: float
    setting: np.ndarray
    sound: np.ndarray
    answer: Answer | Several

    def __str__(self) -> str:
        return ", ".join(
            f"{control.name} from {control.value:.4g} to {value:.4g} {control.unit}"
            for control, value in zip(self.controls, self.values, strict=True)
        )


@dataclass(frozen=True, eq=False)
class Counterfactuals:
    """What would have to change, control by control.

    Attributes
    ----------
    recipe : Recipe
    labels : tuple of str
    original : ndarray of float32, shape (samples,)
        The sound as it is.
    answer : Answer or Several
        What the network says of it.
    target : str
        The class that was asked for; empty if any other class would do.
    changes : dict of str to Change or None
        The smallest change of each control by its name, None where nothing on the grid flips.
    curves : dict of str to Curve
    spacing : dict of str to float
        Steps between two values of the grid: a flip and back within one of them is not seen.
    asked : int
        Sounds that the network was asked about.
    """

    recipe: Recipe
    labels: tuple[str, ...]
    original: np.ndarray
    answer: Answer | Several
    target: str
    changes: dict[str, Change | None]
    curves: dict[str, Curve]
    spacing: dict[str, float]
    asked: int

    @property
    def best(self) -> Change | None:
        """The change of fewest steps; None if no control changes the answer."""
        found = [change for change in self.changes.values() if change is not None]
        return min(found, key=lambda change: change.steps, default=None)

    def sounds(self) -> dict[str, np.ndarray]:
        """Return the sound as it is and each counterfactual by what was changed, for a player."""
        changed = {str(change): change.sound for change in self.changes.values() if change}
        return {"as it is": self.original, **changed}

    def table(self) -> list[dict[str, Any]]:
        """Return a row for each control, the smallest change first; None where nothing flips."""
        rows = []
        for name, change in self.changes.items():
            control = self.recipe.controls[self.recipe.index(name)]
            row = {"control": name, "unit": control.unit, "from": control.value}
            row |= {"to": None, "steps": None, "within": None, "heard": None}
            if change is not None:
                row |= {"to": change.values[0], "steps": change.steps, "within": change.within}
                row |= {"heard": change.answer.label}
            rows.append(row)
        return sorted(rows, key=lambda row: np.inf if row["steps"] is None else row["steps"])


@dataclass(frozen=True, eq=False)
class Together:
    """What two controls do together.

    Attributes
    ----------
    controls : (Control, Control)
    values : (ndarray of float64 (g,), ndarray of float64 (h,))
        Of the grid, the sound as it is among them.
    answers : ndarray of int, shape (g, h)
    probabilities : ndarray of float32, shape (g, h, classes)
    labels : tuple of str
    change : Change or None
        The smallest change of both that was found; None if none flips.
    """

    controls: tuple[Control, Control]
    values: tuple[np.ndarray, np.ndarray]
    answers: np.ndarray
    probabilities: np.ndarray
    labels: tuple[str, ...]
    change: Change | None
