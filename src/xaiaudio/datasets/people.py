"""How well people recognise ESC-10.

Counts of the authors' own listening test: 4,687 answers that passed their quality control.
K. J. Piczak, "ESC: Dataset for Environmental Sound Classification", ACM Multimedia 2015,
doi:10.1145/2733373.2806390, CC BY 3.0.
"""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np

from ..errors import XaiAudioError
from .folders import CLASSES

# A row for each true class, a column for each answer, both in the order of CLASSES.
_ANSWERS = (
    (474, 0, 0, 0, 0, 1, 0, 0, 0, 0),
    (0, 442, 12, 0, 0, 0, 3, 3, 0, 33),
    (2, 28, 408, 0, 0, 0, 2, 8, 0, 0),
    (0, 0, 0, 508, 0, 0, 0, 0, 0, 0),
    (0, 1, 0, 0, 372, 0, 0, 0, 0, 0),
    (0, 0, 0, 2, 0, 527, 0, 0, 0, 0),
    (1, 4, 9, 0, 0, 0, 445, 23, 0, 2),
    (0, 0, 0, 0, 0, 0, 7, 459, 1, 0),
    (1, 0, 0, 0, 0, 0, 0, 0, 457, 0),
    (1, 50, 1, 0, 3, 0, 1, 1, 0, 395),
)


def confusion() -> tuple[tuple[str, ...], np.ndarray]:
    """Return the labels, and what people answered: int (10, 10), true class by answer.

    Examples
    --------
    >>> from xaiaudio.datasets import people
    >>> labels, answers = people.confusion()
    >>> int(answers.sum())
    4687
    """
    return CLASSES, np.array(_ANSWERS)


def accuracy() -> float:
    """Return the share of answers that were right.

    Examples
    --------
    >>> from xaiaudio.datasets import people
    >>> round(people.accuracy(), 3)
    0.957
    """
    _, answers = confusion()
    return float(np.trace(answers) / answers.sum())


def by_clip(folder) -> dict[str, tuple[int, int]]:
    """Return how often each clip was recognised, where a copy of ESC-10 comes with the counts.

    Parameters
    ----------
    folder : str or path-like
        Folder that may hold ``human_by_clip.csv`` with the columns clip, correct and answers.

    Returns
    -------
    dict
        Clip name to (right answers, answers); empty if the file is not there.

    Raises
    ------
    XaiAudioError
        If the file cannot be understood.

    Examples
    --------
    >>> from xaiaudio.datasets import people
    >>> people.by_clip("ESC-10").get("1-100032-A")  # doctest: +SKIP
    (20, 21)
    """
    path = Path(folder) / "human_by_clip.csv"
    if not path.is_file():
        return {}
    try:
        with open(path, newline="", encoding="utf-8") as file:
            return {
                row["clip"]: (int(row["correct"]), int(row["answers"]))
                for row in csv.DictReader(file)
            }
    except (OSError, KeyError, ValueError, TypeError, csv.Error) as error:
        raise XaiAudioError(
            f"{path} does not list clip, correct and answers: {error!r}."
        ) from error
