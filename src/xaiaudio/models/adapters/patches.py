"""Classifiers that are functions of log-mel patches: they are asked, and nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ...errors import XaiAudioError
from ..classifier import AudioClassifier

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import keras

    from ...types import PathLike


class PatchFunctionClassifier(AudioClassifier):
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

    compiled = False

    def __init__(
        self,
        scores,
        logits,
        labels,
        frontend,
        *,
        name,
        batch,
        attribution="",
        outputs=None,
        lacks="is a function",
        identity="",
    ):
        self._answers = {False: scores, True: logits}
        self.labels = tuple(labels)
        self.frontend = frontend
        self.name = name
        self.batch = batch
        self.attribution = attribution
        self.history = {}
        self.outputs = outputs
        self.changes = ()
        self.lacks = lacks
        self.identity = identity

    def __reduce__(self):
        raise XaiAudioError(f"{self.name} cannot be copied or pickled: make it once more.")

    @property
    def network(self) -> keras.Model:
        """There is none to look into: raises an error that says what works instead."""
        raise XaiAudioError(
            f"{self.name} {self.lacks}, and this needs a Keras graph. Methods that only ask a "
            "network work with it: occlusion, lime, slime, shapley, rise."
        )

    logits_network = network

    def as_input(self, patches: np.ndarray) -> np.ndarray:
        """Return the patches as they are."""
        return patches

    def forward(self, logits: bool = False) -> Callable:
        """Return the function.

        Parameters
        ----------
        logits : bool
            True stops before the softmax.

        Returns
        -------
        callable
            From float32 (n, frames, bands) to float32 (n, classes), outside of any graph.
        """
        return self._answers[logits]

    def save(self, path: PathLike) -> Path:
        """There is no file of this kind: raises an error that says so."""
        raise XaiAudioError(f"{self.name} {self.lacks}: it cannot be saved, only made again.")
