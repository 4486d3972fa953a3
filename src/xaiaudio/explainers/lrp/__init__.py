"""Layer-wise relevance propagation for Keras networks of any input.

Rules share the relevance of one layer (`rules`), a composite chooses a rule for each layer
(`composites`), a plan walks the network (`plan`), and :func:`relevance` runs it.
"""

# Importing the handlers registers them.
from . import (  # noqa: F401
    affine,
    attending,
    moving,
    normalising,
    pooling,
    products,
    recurrent,
    weighted,
)
from .composites import COMPOSITES, FIRST, Composite, composite
from .conservation import Conservation, conservation, without_biases
from .plan import handles, layers_of
from .propagation import relevance
from .report import LayerShare, Relevance
from .rules import RULES, AlphaBeta, Box, Epsilon, Flat, Gamma, Passed, Rule, WSquare, Zero, ZPlus

__all__ = [
    "COMPOSITES",
    "FIRST",
    "RULES",
    "AlphaBeta",
    "Box",
    "Composite",
    "Conservation",
    "Epsilon",
    "Flat",
    "Gamma",
    "LayerShare",
    "Passed",
    "Relevance",
    "Rule",
    "WSquare",
    "ZPlus",
    "Zero",
    "composite",
    "conservation",
    "handles",
    "layers_of",
    "relevance",
    "without_biases",
]
