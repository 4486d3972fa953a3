"""Testing a classifier on whole clips: majority votes, accuracy, confusion."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ..votes import majority
from .tables import PatchTable, patch_table

if TYPE_CHECKING:
    from ...datasets.base import ClipSet
    from ..classifier import AudioClassifier


@dataclass(frozen=True)
class TestResult:
    """How a network did on clips that it was tested on.

    Attributes
    ----------
    labels : tuple of str
        The network's classes.
    names : tuple of str
        The clips.
    true, predicted : ndarray of int, shape (clips,)
        Indices into `labels`; predicted by the majority of a clip's patches that are no silence.
    patch_scores : tuple of ndarray of float32, each (patches of the clip, classes)
        Probabilities, clip by clip.
    voted : tuple of ndarray of bool, shape (n,)
        Which patches of each clip voted: not those that are silence beside the loudest.
    """

    labels: tuple[str, ...]
    names: tuple[str, ...]
    true: np.ndarray
    predicted: np.ndarray
    patch_scores: tuple[np.ndarray, ...]
    voted: tuple[np.ndarray, ...]

    @property
    def clip_accuracy(self) -> float:
        """Share of clips named rightly, in [0, 1]."""
        return float(np.mean(self.true == self.predicted))

    @property
    def patch_accuracy(self) -> float:
        """Share of patches named rightly, in [0, 1]."""
        hits = [
            scores.argmax(axis=1) == true
            for scores, true in zip(self.patch_scores, self.true, strict=True)
        ]
        return float(np.mean(np.concatenate(hits)))

    @property
    def confusion(self) -> np.ndarray:
        """Number of clips, int (classes, classes): row is what they are, column what was said."""
        table = np.zeros((len(self.labels),) * 2, int)
        np.add.at(table, (self.true, self.predicted), 1)
        return table

    @property
    def recall(self) -> np.ndarray:
        """Row summary, float (classes,): share of a class's clips found; NaN without any."""
        return _ratio(self.confusion.diagonal(), self.confusion.sum(axis=1))

    @property
    def precision(self) -> np.ndarray:
        """Column summary, float (classes,): share of the answers that are right; NaN if none."""
        return _ratio(self.confusion.diagonal(), self.confusion.sum(axis=0))

    @property
    def predicted_labels(self) -> list[str]:
        """What was said of each clip, by name."""
        return [self.labels[number] for number in self.predicted]

    @property
    def true_labels(self) -> list[str]:
        """What each clip is, by name."""
        return [self.labels[number] for number in self.true]


def _ratio(hits, all_) -> np.ndarray:
    return np.divide(hits, all_, out=np.full(len(all_), np.nan), where=all_ > 0)


def test(
    model: AudioClassifier, clips: ClipSet | PatchTable, overlap: float | None = None
) -> TestResult:
    """Test a network on clips.

    Parameters
    ----------
    model : AudioClassifier
    clips : ClipSet or PatchTable
        Their labels must be among the network's.
    overlap : float, optional
        Overlap of the patches; the front end's own by default. A table's patches are taken as
        they are.

    Returns
    -------
    TestResult

    Examples
    --------
    >>> import xaiaudio as xa
    >>> clips = xa.datasets.load("esc10")  # doctest: +SKIP
    >>> result = xa.models.test(xa.load_model("lite"), clips.split(5)[1])  # doctest: +SKIP
    >>> result.clip_accuracy > 0.9  # doctest: +SKIP
    True
    """
    if isinstance(clips, PatchTable):
        table = clips
    else:
        frontend = model.frontend if overlap is None else model.frontend.with_overlap(overlap)
        table = patch_table(clips, frontend)
    table.targets(model.labels)  # before the work, not after it
    return judged(table, model.scores(table.patches), model.labels)


def judged(table: PatchTable, scores, labels) -> TestResult:
    """Turn the scores of a table's patches, float (n, classes), into an :class:`TestResult`."""
    first = np.flatnonzero(np.diff(table.clip, prepend=-1))
    parts = tuple(np.split(np.asarray(scores, np.float32), first[1:]))
    votes = np.split(table.voters, first[1:])
    return TestResult(
        labels=tuple(labels),
        names=table.names,
        true=table.targets(labels)[first],
        predicted=np.array(
            [majority(part[vote]) for part, vote in zip(parts, votes, strict=True)], int
        ),
        patch_scores=parts,
        voted=tuple(votes),
    )
