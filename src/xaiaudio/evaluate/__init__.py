"""How far to trust a map: measures of explanations.

:mod:`.metrics` holds the measures, one file a question, :mod:`.benchmark` what takes all of them of
all methods (:func:`leaderboard`), :mod:`.experiments` the tests by a known cause: answers made
wrong on purpose, and a planted cheat.
"""

import lazy_loader as _lazy

__getattr__, __dir__, __all__ = _lazy.attach(
    __name__,
    submodules=["benchmark", "experiments", "metrics"],
    submod_attrs={
        "benchmark.board": ["Leaderboard"],
        "benchmark.card": ["Card", "card"],
        "benchmark.leaderboard": ["leaderboard"],
        "benchmark.samples": ["Cases", "cases_of", "with_truth"],
        "metrics.registry": ["measures"],
    },
)
