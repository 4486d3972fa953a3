"""What networks that explain themselves learn from: patches that know their clip and place."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ...errors import XaiAudioError
from ..training.tables import PatchTable, patch_table
from .evidence import Place

if TYPE_CHECKING:
    from ...datasets.base import Clip, ClipSet
    from ...frontend import LogMel


@dataclass(frozen=True, eq=False)
class Lessons:
    """Patches of many clips, with their classes and places.

    Attributes
    ----------
    patches : ndarray of float32, shape (n, frames, bands)
        Those that are no silence beside the loudest of their clip.
    targets : ndarray of int, shape (n,)
        Their classes, as indices into `labels`.
    clip : ndarray of int, shape (n,)
        Which of `names` each is from.
    first : ndarray of int, shape (n,)
        Its first frame in the clip.
    validation : ndarray of bool, shape (n,)
        The patches of clips that are not learnt from: training stops by them.
    names, labels : tuple of str
        The clips, and the classes.
    frontend : LogMel
        With the overlap that the patches were cut with.
    clips : tuple of Clip
        The clips themselves, in the order of `names`, for designs that need their waveforms; empty
        where a table was given that has none.
    """

    patches: np.ndarray
    targets: np.ndarray
    clip: np.ndarray
    first: np.ndarray
    validation: np.ndarray
    names: tuple[str, ...]
    labels: tuple[str, ...]
    frontend: LogMel
    clips: tuple[Clip, ...] = ()

    def __len__(self) -> int:
        return len(self.patches)

    def split(self, *arrays: np.ndarray) -> tuple[tuple, tuple]:
        """Split arrays (n, ...) into what is learnt from and what is validated on."""
        learnt = tuple(array[~self.validation] for array in arrays)
        return learnt, tuple(array[self.validation] for array in arrays)

    def place(
        self,
        number: int,
        frames: tuple[int, int] | None = None,
        bands: tuple[int, int] | None = None,
    ) -> Place:
        """Return where a patch, or a part of it, lies in its clip.

        Parameters
        ----------
        number : int
            Of the patch.
        frames, bands : (int, int), optional
            First cell and the one behind the last; cells beyond the patch are cut off.

        Returns
        -------
        Place
        """
        times = self.frontend.frame_times(int(self.first[number]))
        start, end = _within(frames, self.frontend.frames)
        name = self.names[self.clip[number]]
        if bands is None:
            return Place(name, max(0.0, float(times[start])), float(times[end]))
        edges = self.frontend.band_edges()
        low, high = _within(bands, self.frontend.bands)
        return Place(
            name,
            max(0.0, float(times[start])),
            float(times[end]),
            float(edges[low]),
            float(edges[high]),
        )


def _within(cells, count) -> tuple[int, int]:
    first, last = (0, count) if cells is None else cells
    return max(0, int(first)), min(count, int(last))


def lessons(
    clips: ClipSet | PatchTable,
    frontend: LogMel,
    *,
    share: float = 0.15,
    shuffled: bool = False,
    seed: int = 0,
) -> Lessons:
    """Cut clips into patches, and keep some of the clips for validation.

    Parameters
    ----------
    clips : ClipSet or PatchTable
        To learn from, and nothing but: not the clips that will be tested on. A table must have
        been cut with this front end.
    frontend : LogMel
        Its overlap is that of the patches.
    share : float
        Of the clips of each class, how many are for validation: at least one of each class that
        has two clips or more.
    shuffled : bool
        True deals the labels out anew, clip by clip: a control that can learn nothing true.
    seed : int
        Decides both.

    Raises
    ------
    XaiAudioError
        If a clip cannot be used (the message names it), a class has no clip, or there are fewer
        than two classes; if there is one clip of each class only, since one is for validation; or
        if all is silent.
    """
    if not 0 < share < 1:
        raise XaiAudioError(f"The share to validate on is {share}: it must be between 0 and 1.")
    table = clips if isinstance(clips, PatchTable) else patch_table(clips, frontend)
    missing = [label for label in table.labels if label not in table.truth]
    if missing or len(table.labels) < 2:
        wrong = f"no clip of {missing[0]!r}" if missing else "one class only"
        raise XaiAudioError(f"There is {wrong} to learn from: two classes with clips are needed.")
    if len(table.truth) == len(table.labels):
        raise XaiAudioError(
            "There is one clip of each class to learn from, but one at least is kept for "
            "validation: give two of each."
        )
    if table.patches.min() == table.patches.max():
        raise XaiAudioError("All clips are silent: there is nothing to learn from.")
    rng = np.random.default_rng([seed, 77])
    truth = list(rng.permutation(table.truth)) if shuffled else list(table.truth)
    numbers = {label: number for number, label in enumerate(table.labels)}
    held_out = held_out_clips(truth, share, seed)
    begins = np.flatnonzero(np.diff(table.clip, prepend=-1))
    order = (
        np.arange(len(table.clip))
        - begins[np.searchsorted(begins, np.arange(len(table.clip)), "right") - 1]
    )
    kept = table.voters
    clip = table.clip[kept]
    return Lessons(
        patches=table.patches[kept],
        targets=np.array([numbers[label] for label in truth], int)[clip],
        clip=clip,
        first=order[kept] * frontend.patch_hop,
        validation=held_out[clip],
        names=table.names,
        labels=table.labels,
        frontend=frontend,
        clips=table.clips,
    )


def held_out_clips(labels: Sequence[str | None], share: float, seed: int) -> np.ndarray:
    """Draw clips for validation, of each label its share: bool (clips,).

    Examples
    --------
    >>> from xaiaudio.models.designs.lessons import held_out_clips
    >>> held_out_clips(["dog"] * 10 + ["cat"], 0.2, seed=0).sum()
    np.int64(2)
    """
    rng = np.random.default_rng(seed)
    held_out = np.zeros(len(labels), bool)
    for label in dict.fromkeys(labels):
        those = np.flatnonzero([one == label for one in labels])
        count = min(max(1, round(share * len(those))), len(those) - 1)
        held_out[rng.permutation(those)[:count]] = True
    if not held_out.any():  # one clip of each label
        held_out[rng.integers(len(labels))] = True
    return held_out
