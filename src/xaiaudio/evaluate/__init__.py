"""How far to trust a map: measures of explanations.

Each module answers one question: :mod:`.faithfulness` and :mod:`.curves` whether the network agrees
with the map, :mod:`.localisation` whether the map lies where the sound is, :mod:`.sanity` and
:mod:`.verdicts` whether it depends on the network at all, :mod:`.likeness` how alike two maps are,
:mod:`.veracity` whether it points at the cause of an answer that :mod:`.adversarial` made wrong,
:mod:`.clever_hans` whether it gives away a cheat, :mod:`.stability` whether other seeds and more
samples change it, :mod:`.sensitivity` whether noise does that nobody hears, :mod:`.intervals` how
sure a mean over clips is.
:func:`leaderboard` asks about all methods.
"""

from __future__ import annotations

import importlib

__all__ = [
    "adversarial",
    "clever_hans",
    "curves",
    "faithfulness",
    "intervals",
    "likeness",
    "localisation",
    "sanity",
    "sensitivity",
    "stability",
    "veracity",
    "verdicts",
]

# Functions and classes that are the package's own, and the modules that define them.
_HOMES = {
    "Cases": "cases",
    "Leaderboard": "board",
    "cases_of": "cases",
    "leaderboard": "board",
    "measures": "measure",
    "with_truth": "cases",
}


def __getattr__(name):
    # Some of them ask networks: TensorFlow takes seconds to import.
    if name in _HOMES:
        return getattr(importlib.import_module(f".{_HOMES[name]}", __name__), name)
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return importlib.import_module(f".{name}", __name__)


def __dir__():
    return sorted({*globals(), *__all__, *_HOMES})
