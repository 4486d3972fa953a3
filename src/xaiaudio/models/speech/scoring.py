"""How well lines fit the truth: digits that are wrong, and times that are off."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from .corpus import Strings
from .vocabulary import digits_of, meaning, times_of


@dataclass(frozen=True, eq=False)
class Scores:
    """What is wrong in the lines about some strings.

    Attributes
    ----------
    wrong : ndarray of int, shape (n,)
        Digits to change, add or take away, at least, until a line is right.
    counts : ndarray of int, shape (n,)
        Digits of each string.
    late : ndarray of float, shape (n, 4)
        Written minus true onset of each word as it sounds, in milliseconds; NaN where there is
        none, and in lines with another number of times than of words.
    """

    wrong: np.ndarray
    counts: np.ndarray
    late: np.ndarray

    @property
    def shares(self) -> np.ndarray:
        """The error rate of each string: wrong digits by digits that there are, float (n,)."""
        return self.wrong / self.counts

    @property
    def error_rate(self) -> float:
        """Wrong digits by digits that there are, over all strings."""
        return float(self.wrong.sum() / self.counts.sum())

    @property
    def right(self) -> np.ndarray:
        """Which strings are right in every digit, bool (n,)."""
        return self.wrong == 0


def score(
    lines: np.ndarray, strings: Strings, language: str = "plain", task: str = "transcribe"
) -> Scores:
    """Compare lines with the truth.

    Parameters
    ----------
    lines : ndarray of int, shape (n, 13)
        Of :func:`.generation.write`.
    strings : Strings
    language, task : str
        What was asked for.

    Returns
    -------
    Scores
    """
    late = np.full(strings.onsets.shape, np.nan)
    wrong = np.zeros(len(strings), int)
    for row, said in enumerate(strings.digits):
        true, times = meaning(said, language), times_of(lines[row])
        if task == "reverse":
            true, times = true[::-1], times[::-1]
        wrong[row] = edits(digits_of(lines[row]), true)
        if len(times) == len(said):
            late[row, : len(said)] = 1000 * (np.array(times) - strings.onsets[row, : len(said)])
    return Scores(wrong, strings.counts, late)


def edits(one: Sequence[int], other: Sequence[int]) -> int:
    """Count the changes, additions and omissions that turn one list into another, at least.

    V. Levenshtein, 1966.

    Examples
    --------
    >>> from xaiaudio.models.speech import scoring
    >>> scoring.edits([7, 3, 1], [7, 1, 1, 4])
    2
    """
    row = list(range(len(other) + 1))
    for number, mine in enumerate(one, 1):
        before, row = row, [number]
        for place, yours in enumerate(other, 1):
            row.append(min(before[place] + 1, row[-1] + 1, before[place - 1] + (mine != yours)))
    return row[-1]


def even_onsets(strings: Strings) -> np.ndarray:
    """Guess onsets without hearing anything but where the string begins and ends: evenly.

    Returns
    -------
    ndarray of float, shape (n, 4)
        In seconds. The first is right by construction.
    """
    first, last = strings.onsets[:, :1], np.nanmax(strings.ends, axis=1, keepdims=True)
    places = np.arange(strings.onsets.shape[1]) / strings.counts[:, None]
    return np.where(np.isnan(strings.onsets), np.nan, first + places * (last - first))
