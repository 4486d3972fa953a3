"""Seconds of sound to learn from, to be told from which clip each is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ...errors import XaiAudioError
from ..training.tables import patch_table
from ..votes import SILENT_DB

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from ...datasets.base import Clip, ClipSet
    from ...frontend import LogMel


@dataclass(frozen=True, eq=False)
class Seconds:
    """Patches of clips, next to each other and none of them silence.

    Attributes
    ----------
    patches : ndarray of float32, shape (n, frames, bands)
    targets : ndarray of int, shape (n,)
        Their classes, as indices into `labels`.
    clip : ndarray of int, shape (n,)
        Which of `clips` each is from.
    first : ndarray of int, shape (n,)
        Its first frame in the clip.
    clips : tuple of Clip
    labels : tuple of str
    frontend : LogMel
    """

    patches: np.ndarray
    targets: np.ndarray
    clip: np.ndarray
    first: np.ndarray
    clips: tuple[Clip, ...]
    labels: tuple[str, ...]
    frontend: LogMel

    def __len__(self) -> int:
        return len(self.patches)

    def part(self, rows: ArrayLike) -> Seconds:
        """Return some of the seconds; `rows` are indices, which may come several times."""
        rows = np.asarray(rows)
        return Seconds(
            self.patches[rows],
            self.targets[rows],
            self.clip[rows],
            self.first[rows],
            self.clips,
            self.labels,
            self.frontend,
        )

    def of_folds(self, *folds: int) -> Seconds:
        """Return the seconds of the clips of some folds."""
        fold = np.array([-1 if clip.fold is None else clip.fold for clip in self.clips])
        return self.part(np.flatnonzero(np.isin(fold[self.clip], folds)))

    def order(self, seed: int = 0) -> np.ndarray:
        """Return the order in which seconds are drawn, int (n,).

        Class by class in turn, and of each class one second of each clip before the second one of
        any. So the first ten are in the first hundred, which are in the first thousand.
        """
        shuffled = np.random.default_rng(seed).permutation(len(self))
        of_clip = shuffled[np.argsort(_turn(self.clip[shuffled]), kind="stable")]
        return of_clip[np.argsort(_turn(self.targets[of_clip]), kind="stable")]

    def draw(self, count: int, seed: int = 0) -> Seconds:
        """Return so many of the seconds, the first of :meth:`order`.

        Raises
        ------
        XaiAudioError
            If there are not as many.
        """
        if not 1 <= count <= len(self):
            raise XaiAudioError(f"There are {len(self)} seconds of sound, not {count}.")
        return self.part(self.order(seed)[:count])

    def wave(self, number: int) -> np.ndarray:
        """Return the samples of one of the seconds, float32 (samples,)."""
        clip, rate = self.clips[self.clip[number]], self.frontend.sample_rate
        wave = clip.load(rate)
        size = self.frontend.min_samples
        start = int(self.first[number]) * self.frontend.hop
        return np.pad(wave, (0, size))[start : start + size]


def _turn(groups) -> np.ndarray:
    """Return how many of the same group come before each."""
    by_group = np.argsort(groups, kind="stable")
    ordered = groups[by_group]
    begins = np.flatnonzero(np.r_[True, ordered[1:] != ordered[:-1]])
    counts = np.diff(np.r_[begins, len(groups)])
    turn = np.empty(len(groups), int)
    turn[by_group] = np.arange(len(groups)) - np.repeat(begins, counts)
    return turn


def cut(clips: ClipSet, frontend: LogMel) -> Seconds:
    """Cut clips into patches that do not overlap, and leave out silence.

    Parameters
    ----------
    clips : ClipSet
    frontend : LogMel
        Its overlap does not count.

    Returns
    -------
    Seconds

    Raises
    ------
    XaiAudioError
        If a clip cannot be used or has no label, the message names it; or if all are silent.

    Examples
    --------
    >>> import xaiaudio as xa
    >>> from xaiaudio.models.generative import cut
    >>> clips = xa.datasets.load("synthetic")  # doctest: +SKIP
    >>> cut(clips, xa.LogMel.vggish()).draw(10).targets.tolist()  # doctest: +SKIP
    [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]
    """
    frontend = frontend.with_overlap(0.0)
    table = patch_table(clips, frontend)
    loudest = np.full(len(table.clips), -np.inf)
    np.maximum.at(loudest, table.clip, table.levels)
    kept = table.voters & (loudest >= SILENT_DB)[table.clip]  # of a silent clip all would vote
    if not kept.any():
        raise XaiAudioError(f"All clips of {clips.name} are silent: there is nothing to learn.")
    first = _turn(table.clip) * frontend.patch_hop
    return Seconds(
        table.patches[kept],
        table.targets(table.labels)[kept],
        table.clip[kept],
        first[kept],
        tuple(table.clips),
        table.labels,
        frontend,
    )
