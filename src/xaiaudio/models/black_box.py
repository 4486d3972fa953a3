"""Classifiers that are asked, and not looked into: two functions in place of a network."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..errors import XaiAudioError
from .classifier import AudioClassifier

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path
    from typing import Any

    import keras

    from ..frontend import LogMel
    from ..types import PathLike


class BlackBox(AudioClassifier):
    """A classifier that is a function of patches or of sounds: what both kinds share.

    Attributes
    ----------
    labels : tuple of str
    frontend : LogMel
    name : str
    attribution : str
    batch : int
        Most patches or sounds that the function is given at once.
    lacks : str
        Why methods that look inside a network of patches cannot.
    identity : str
        Tells apart the files that networks came from which Keras did not write.
    """

    compiled = False

    def __init__(
        self,
        scores: Callable,
        logits: Callable | None,
        labels: Sequence[str],
        frontend: LogMel,
        *,
        name: str,
        batch: int,
        attribution: str = "",
        history: Mapping[str, Any] | None = None,
        outputs: str | None = None,
        lacks: str = "is a function",
        identity: str = "",
    ):
        self._answers: dict[bool, Any] = {False: scores, True: logits}
        self.labels = tuple(labels)
        self.frontend = frontend
        self.name = name
        self.batch = batch
        self.attribution = attribution
        self.history = dict(history or {})
        self.outputs = outputs
        self.changes = ()
        self.lacks = lacks
        self.identity = identity

    def __reduce__(self):
        raise XaiAudioError(f"{self.name} cannot be copied or pickled: make it once more.")

    @property
    def network(self) -> keras.Model:
        """There is none that takes patches: raises an error that says what works instead."""
        raise XaiAudioError(
            f"{self.name} {self.lacks}, and this needs a Keras graph that takes log-mel patches. "
            "Methods that only ask a network work with it: occlusion, lime, slime, shapley, rise."
        )

    logits_network = network

    def forward(self, logits: bool = False) -> Callable:
        """Return the function.

        Parameters
        ----------
        logits : bool
            True stops before the softmax.

        Returns
        -------
        callable
            From float32, what ``as_input`` returns, to float32 (n, classes).
        """
        return self._answers[logits]

    def save(self, path: PathLike) -> Path:
        """There is no file of this kind: raises an error that says so."""
        raise XaiAudioError(f"{self.name} {self.lacks}: it cannot be saved, only made again.")
