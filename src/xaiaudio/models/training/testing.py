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
        """Share of clips classified correctly, in [0, 1]."""
        return float(np.mean(self.true == self.predicted))

    @property
    def patch_accuracy(self) -> float:
        """Share of patches classified correctly, in [0, 1]."""
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

    @property
    def mistakes(self) -> list[dict]:
        """The misclassified clips: their ``clip``, ``true`` and ``predicted`` class and votes.

        ``votes_true`` and ``votes_predicted`` count patches for the two classes, of ``votes``.
        """
        rows = []
        for k in np.flatnonzero(self.true != self.predicted):
            ballots = self.patch_scores[k][self.voted[k]].argmax(axis=1)
            votes = np.bincount(ballots, minlength=len(self.labels))
            true, said = self.true[k], self.predicted[k]
            row = {"clip": self.names[k], "true": self.labels[true]}
            row |= {"predicted": self.labels[said], "votes": len(ballots)}
            row |= {"votes_true": int(votes[true]), "votes_predicted": int(votes[said])}
            rows.append(row)
        return rows

    def surest_mistake(self, *pairs: tuple[str, str]) -> tuple[int, int, str]:
        """Return the patch whose mistake the network was surest of.

        Parameters
        ----------
        *pairs : (str, str)
            True and predicted class of mistakes to prefer, the first of them most.

        Returns
        -------
        clip, patch : int
            A patch that voted for the wrong class of a clip that the vote got wrong.
        kind : {"clip", "patch", "none"}
            ``"patch"`` if there is no such clip, and so a wrong patch of another; ``"none"`` if no
            patch is wrong, and so the one that the network was least sure of.
        """
        scores = np.concatenate(self.patch_scores)
        sizes = [len(part) for part in self.patch_scores]
        clip = np.repeat(np.arange(len(sizes)), sizes)
        patch = np.concatenate([np.arange(size) for size in sizes])
        said, sure = scores.argmax(axis=1), scores.max(axis=1)
        true, voted = self.true[clip], np.concatenate(self.voted)
        named, names = np.array(self.labels)[said], np.array(self.labels)[true]
        wanted = np.zeros(len(scores), int)
        for place, (one, other) in enumerate(reversed(pairs), start=1):
            wanted[(names == one) & (named == other)] = place
        wrong = voted & (said != true)
        led = wrong & (said == self.predicted[clip])
        for kind, chosen in (("clip", led), ("patch", wrong)):
            if chosen.any():
                best = max(np.flatnonzero(chosen), key=lambda k: (wanted[k], sure[k]))
                return int(clip[best]), int(patch[best]), kind
        best = int(np.where(voted, sure, np.inf).argmin())
        return int(clip[best]), int(patch[best]), "none"


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
