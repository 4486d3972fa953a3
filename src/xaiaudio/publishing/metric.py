"""How far two recorded values are apart, and how far they may be.

Each rule is there for a mistake that it catches:

``pattern``
    One minus the correlation of the (block-averaged) arrays. A transposed, mirrored, shifted or
    wrongly upsampled map keeps its values, but not their places.
``low``, ``high``
    How far the minimum and the maximum moved, of all values before averaging. A missing ReLU or a
    flipped sign shows in the minimum, a clipped map in the maximum.
``mean``, ``values``
    How far the mean moved, and the root mean square of the differences: a wrong scale or offset.
    All four are relative to the range of the array in the baseline.
``negative``
    An array that was nowhere negative in any run must not become so.
``shape``, texts, and whole numbers that were the same in all runs must be the same.
"""

from __future__ import annotations

import numpy as np

#: The tolerance is this many times the largest distance between two of the measured runs, whether
#: their seeds or their rounding made them differ...
FACTOR = 2.0

#: ...at least this: library versions differ a little...
FLOORS = {"pattern": 0.01, "low": 0.02, "high": 0.02, "mean": 0.02, "values": 0.02}

#: ...and at most this, else what changes much with the seed would never be compared.
CAPS = {"pattern": 0.5, "low": 1.0, "high": 1.0, "mean": 0.5, "values": 0.5}

#: Least tolerance of a single number, relative to its size, and absolute.
NUMBER_FLOOR = (0.002, 1e-6)

#: How far below zero counts as negative, relative to the range.
NEGATIVE = 0.005


def is_array(value) -> bool:
    """Tell whether a recorded value is a numeric array."""
    return isinstance(value, dict) and value.get("kind") in ("float", "int", "bool")


def is_number(value) -> bool:
    """Tell whether a recorded value is a single number."""
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def values_of(value) -> np.ndarray:
    """Return the recorded (perhaps block-averaged) values of an array."""
    return np.asarray(value["values"], dtype=np.float64)


def distances(old, new) -> dict:
    """Measure how far two recorded arrays of the same shape are apart.

    Parameters
    ----------
    old, new : dict
        From :func:`xaiaudio.publishing.record.summarise`.

    Returns
    -------
    dict of str to float
        ``pattern``, ``low``, ``high``, ``mean``, ``values``; see the module's head.
    """
    a, b = values_of(old), values_of(new)
    if a.size == 0:
        return dict.fromkeys(FLOORS, 0.0)
    scale = _scale(old)
    apart = {
        "pattern": _pattern(a, b),
        "low": abs(old.get("min", 0.0) - new.get("min", 0.0)) / scale,
        "high": abs(old.get("max", 0.0) - new.get("max", 0.0)) / scale,
        "mean": abs(old.get("mean", 0.0) - new.get("mean", 0.0)) / scale,
        "values": float(np.sqrt(np.mean((a - b) ** 2))) / scale,
    }
    return {rule: float(f"{value:.4g}") for rule, value in apart.items()}


def _scale(value) -> float:
    low, high = value.get("min", 0.0), value.get("max", 0.0)
    return (high - low) or abs(high) or 1.0


def _pattern(a, b) -> float:
    a, b = a.ravel() - a.mean(), b.ravel() - b.mean()
    sizes = np.linalg.norm(a), np.linalg.norm(b)
    flat = [size <= 1e-9 * max(1.0, *sizes) for size in sizes]
    if any(flat):
        return 0.0 if all(flat) else 1.0
    return float(max(0.0, 1.0 - a @ b / (sizes[0] * sizes[1])))


def is_negative(value) -> bool:
    """Tell whether an array goes below zero by more than rounding."""
    return value.get("min", 0.0) < -NEGATIVE * _scale(value)


def number_spread(values) -> float:
    """Return the largest difference between two of some numbers."""
    return float(max(values) - min(values))


def number_least(value, declared=0.0, *, whole=False) -> float:
    """Return how far a number may move in any case.

    Parameters
    ----------
    value : int or float
        Of the baseline.
    declared : float
        What the chapter lets through.
    whole : bool
        A count, that must be met exactly unless the chapter says otherwise.
    """
    floor = 0.0 if whole else NUMBER_FLOOR[0] * abs(value) + NUMBER_FLOOR[1]
    return max(floor, float(declared))


def number_tolerance(spread, least) -> float:
    """Return how far a number may move that differed by `spread` between runs."""
    return float(f"{max(FACTOR * spread, least):.4g}") if spread else float(f"{least:.4g}")


def array_spread(arrays) -> dict:
    """Return the largest distance between two of some recorded arrays of one shape, by rule."""
    pairs = [distances(a, b) for i, a in enumerate(arrays) for b in arrays[i + 1 :]]
    return {rule: max((pair[rule] for pair in pairs), default=0.0) for rule in FLOORS}


def array_tolerance(spread, array) -> dict:
    """Return how far an array may move that differed by `spread` between runs, by rule.

    Whole numbers that did not vary get no tolerance at all.
    """
    exact = array["kind"] in ("int", "bool") and "blocks" not in array
    if exact and not any(spread.values()):
        return dict.fromkeys(FLOORS, 0.0)
    return {
        rule: float(f"{min(max(FACTOR * spread[rule], FLOORS[rule]), CAPS[rule]):.4g}")
        for rule in FLOORS
    }
