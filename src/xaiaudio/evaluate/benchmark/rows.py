"""One row of the leaderboard."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np


@dataclass(frozen=True)
class Row:
    """What the measures say of one method.

    Attributes
    ----------
    name : str
    reference : bool
        True for maps that ask no network, see `Reference`.
    values : dict of str to ndarray of float, shape (n,)
        Measure to one value a clip; NaN where there is no answer.
    seconds : float
        Per map.
    error : str
        Why there are no values; empty if there are.
    notes : dict of str to str
        Measure to why it has no answer here, where it could not be taken.
    method : str
        What makes the maps, by its name in the registry; `name` may be another.
    settings : dict
        All its options, defaults and seed included; of a trained method the SHA-256 sum of its
        weights, too.
    """

    name: str
    reference: bool
    values: dict[str, np.ndarray]
    seconds: float = float("nan")
    error: str = ""
    notes: dict[str, str] = field(default_factory=dict)
    method: str = ""
    settings: dict = field(default_factory=dict)
