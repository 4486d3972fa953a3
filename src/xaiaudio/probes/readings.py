"""What probes have read: from one layer, and from all layers of a network."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from typing import Any

    from ..evaluate.benchmark.bootstrap import Interval


@dataclass(frozen=True, eq=False)
class Reading:
    """How well a probe reads one property from one layer.

    Attributes
    ----------
    measure : {"accuracy", "R2"}
    score : Interval
        On the recordings that were held out, each recording counting once; 95 % bootstrap interval
        over recordings. R2 is 1 where every number is read rightly, and 0 where naming the mean of
        the training rows would do as well; it can be negative.
    chance : float
        Score of guessing: 1 / classes, or 0.
    majority : float
        Score of naming the most frequent class of the training rows, or their mean.
    by_fold : ndarray of float, shape (folds,)
        The score in each fold; NaN for the R2 of numbers that are all the mean of the others.
    predicted : ndarray, shape (n,)
        What is read in each row by a probe that was not trained on its recording.
    """

    measure: str
    score: Interval
    chance: float
    majority: float
    by_fold: np.ndarray
    predicted: np.ndarray

    @property
    def above_chance(self) -> bool:
        """Whether the whole interval lies above guessing and above naming the most frequent."""
        return bool(self.score.low > max(self.chance, self.majority))

    def table(self) -> list[dict[str, Any]]:
        """Return one row of plain numbers, for a data frame."""
        low, mean, high = self.score.ends
        return [
            {"measure": self.measure, "score": mean, "low": low, "high": high}
            | {"chance": self.chance, "majority": self.majority, "recordings": self.score.n}
            | {"above_chance": self.above_chance}
        ]


@dataclass(frozen=True, eq=False)
class Knowledge:
    """What is read from each layer of a network.

    Attributes
    ----------
    layers : tuple of str
        From the input on.
    readings : dict of str to tuple of Reading
        By property: one for each layer.
    """

    layers: tuple[str, ...]
    readings: dict[str, tuple[Reading, ...]]

    def curve(self, name: str) -> np.ndarray:
        """Return lower end, score and upper end of a property by layer, float (layers, 3)."""
        return np.array([reading.score.ends for reading in self.readings[name]])

    def best(self, name: str) -> int:
        """Return the number of the layer from which a property is read best."""
        return int(np.nanargmax(self.curve(name)[:, 1]))

    def table(self) -> list[dict[str, Any]]:
        """Return a row of plain numbers for each property and layer, for a data frame."""
        return [
            {"property": name, "layer": layer} | reading.table()[0]
            for name, readings in self.readings.items()
            for layer, reading in zip(self.layers, readings, strict=True)
        ]
