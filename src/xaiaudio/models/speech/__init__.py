"""A speech model with open books: strings of digits, and all that it was made from.

It is an encoder-decoder transformer in the manner of OWSM (Y. Peng and others, "Reproducing
Whisper-style training using an open-source toolkit and publicly available data", ASRU 2023), small
enough to be trained in a minute or two. It is told a language and a task, and writes digits with
the times at which they begin. Since its data and its recipe are known, what it does can be traced
to what it learnt from.
"""

from .corpus import Pools, Strings, Word, draw, features, pools, say
from .generation import write
from .scoring import score
from .training import Model, TrainingRecipe, learned, recipe, train, untrained

__all__ = [
    "Model",
    "Pools",
    "TrainingRecipe",
    "Strings",
    "Word",
    "draw",
    "features",
    "learned",
    "pools",
    "recipe",
    "say",
    "score",
    "train",
    "untrained",
    "write",
]
