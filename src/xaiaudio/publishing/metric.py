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

#: The tolerance is this many times the largest distance between two of the measured runs...
FACTOR = 2.0

#: ...at least this: processors and library versions round differently...
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


def number_tolerance(values, declared=0.0) -> tuple[float, float]:
    """Derive the tolerance of a number from its values in several runs.

    Parameters
    ----------
    values : list of int or float
        Seed 0 first.
    declared : float
        What the chapter lets through in any case.

    Returns
    -------
    spread, tolerance : float
        Largest difference between two runs, and what is let through. Whole numbers that did not
        vary must be met exactly.
    """
    spread = max(values) - min(values)
    whole = all(isinstance(value, int) for value in values)
    if whole and not spread:
        return 0.0, float(declared)
    floor = 0.0 if whole else NUMBER_FLOOR[0] * abs(values[0]) + NUMBER_FLOOR[1]
    return float(spread), float(f"{max(FACTOR * spread, floor, declared):.4g}")


def array_tolerance(arrays) -> tuple[dict, dict]:
    """Derive the tolerances of an array from several runs.

    Parameters
    ----------
    arrays : list of dict
        Of the same shape, seed 0 first.

    Returns
    -------
    spread, tolerance : dict of str to float
        By rule. Whole numbers that did not vary get no tolerance at all.
    """
    pairs = [distances(a, b) for i, a in enumerate(arrays) for b in arrays[i + 1 :]]
    spread = {rule: max((pair[rule] for pair in pairs), default=0.0) for rule in FLOORS}
    exact = arrays[0]["kind"] in ("int", "bool") and "blocks" not in arrays[0]
    if exact and not any(spread.values()):
        return spread, dict.fromkeys(FLOORS, 0.0)
    tolerance = {
        rule: float(f"{min(max(FACTOR * spread[rule], FLOORS[rule]), CAPS[rule]):.4g}")
        for rule in FLOORS
    }
    return spread, tolerance
