"""What a map costs."""

from __future__ import annotations

import numpy as np

from .registry import COST, register


@register(
    "time",
    title="ms a map",
    family=COST,
    unit="ms",
    better="lower",
    low=0,
    high=np.inf,
    summary="milliseconds that a map takes on this machine, without compiling",
    source="",
    floor="worst",
    silent="it asks no network",
)
def milliseconds(context) -> np.ndarray:
    """Return the milliseconds of a map, for each case the same, (n,); NaN for a reference."""
    if context.is_reference:
        return context.missing()
    return np.full(len(context.cases), 1000 * context.result.seconds / len(context.cases))
