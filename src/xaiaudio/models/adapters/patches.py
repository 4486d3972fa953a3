"""Classifiers that are functions of log-mel patches: they are asked, and nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..black_box import BlackBox

if TYPE_CHECKING:
    import numpy as np


class PatchFunctionClassifier(BlackBox):
    """A classifier that is a function of log-mel patches.

    Make one with :meth:`.AudioClassifier.from_function` and a `LogMel`, or with
    :func:`xaiaudio.load_model` of a file that Keras did not write. Methods that only ask a network
    explain it; there is no graph for others to look into.

    Attributes
    ----------
    labels : tuple of str
    frontend : LogMel
    name : str
    batch : int
        Most patches that the function is given at once.
    lacks : str
        Why methods that look inside cannot.
    identity : str
        Tells apart the files that networks came from; empty for a function.
    """

    def as_input(self, patches: np.ndarray) -> np.ndarray:
        """Return the patches as they are."""
        return patches
