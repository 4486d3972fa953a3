"""All patches of a set of clips, in one array."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from ...errors import XaiAudioError
from ...frontend import LogMel
from ...patches import Patches
from ..votes import voters

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(frozen=True)
class PatchTable:
    """All patches of a set of clips, in one array.

    Attributes
    ----------
    patches : ndarray of float32, shape (n, frames, bands)
        Clip by clip, in the order of the set.
    clip : ndarray of int, shape (n,)
        Which clip of the set each patch is from.
    names : tuple of str
        The clips' names.
    truth : tuple of str
        The clips' labels.
    labels : tuple of str
        All labels of the set.
    left_out : tuple of (Clip, str)
        Clips that cannot be used, and why.
    levels : ndarray of float, shape (n,), or None
        Level of each patch in dB, see `Patches`; without it all patches vote.
    clips : tuple of Clip
        The clips themselves, for who needs their waveforms; empty if these were changed before they
        were cut.
    """

    patches: np.ndarray
    clip: np.ndarray
    names: tuple[str, ...]
    truth: tuple[str, ...]
    labels: tuple[str, ...]
    left_out: tuple = ()
    levels: np.ndarray | None = None
    clips: tuple = ()

    def __post_init__(self):
        if any(np.ndim(label) for label in self.truth):
            raise XaiAudioError(
                "The truth of a table is the name of each clip's class, such as 'Rain': of one-hot "
                "rows, [labels[k] for k in rows.argmax(axis=1)]."
            )

    def part(self, chosen) -> PatchTable:
        """Return the patches of some clips; `chosen` is bool (clips,)."""
        chosen = np.asarray(chosen, bool)
        kept = chosen[self.clip]
        return PatchTable(
            patches=self.patches[kept],
            clip=(np.cumsum(chosen) - 1)[self.clip[kept]],
            names=tuple(np.array(self.names, object)[chosen]),
            truth=tuple(np.array(self.truth, object)[chosen]),
            labels=self.labels,
            levels=None if self.levels is None else self.levels[kept],
            clips=tuple(clip for clip, take in zip(self.clips, chosen, strict=False) if take),
        )

    @property
    def voters(self) -> np.ndarray:
        """Which patches vote for their clip's class, bool (n,); all of a silent clip do."""
        if self.levels is None:
            return np.ones(len(self.patches), bool)
        first = np.flatnonzero(np.diff(self.clip, prepend=-1))
        parts = [voters(part) for part in np.split(self.levels, first[1:])]
        return np.concatenate([part if part.any() else ~part for part in parts])

    def targets(self, labels) -> np.ndarray:
        """Return each patch's class as an index into `labels`, int (n,)."""
        numbers = {label: number for number, label in enumerate(labels)}
        for name, label in zip(self.names, self.truth, strict=True):
            if label not in numbers:
                raise XaiAudioError(
                    f"The clip {name} is labelled {label!r}, which the network does not know: "
                    f"its classes are {', '.join(labels)}."
                )
        return np.array([numbers[label] for label in self.truth], int)[self.clip]


def patch_table(
    clips,
    frontend: LogMel,
    *,
    change: Callable[[int, np.ndarray], np.ndarray] | None = None,
    leave_out: bool = False,
) -> PatchTable:
    """Cut every clip of a set into patches.

    Files are read in parallel. A clip shorter than one patch is lengthened with silence.

    Parameters
    ----------
    clips : ClipSet
    frontend : LogMel
        Its overlap is the overlap of the patches.
    change : callable, optional
        ``(number, wave) -> wave``: what is done to the sound of the clip with that number in the
        set, before it is cut. Called in several threads.
    leave_out : bool
        True leaves out clips that cannot be used and lists them in `PatchTable.left_out`.

    Raises
    ------
    XaiAudioError
        If the set is empty, a clip has no label, or a clip (with `leave_out`: every clip) cannot
        be used; the message names it.
    """
    if not len(clips):
        raise XaiAudioError(f"The set {clips.name} has no clips.")
    for clip in clips:
        if clip.label is None:
            raise XaiAudioError(
                f"The clip {clip.path} has no label: it cannot be learnt or tested."
            )
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        found = list(
            pool.map(
                lambda k: _patches(clips[k], frontend, change and partial(change, k), leave_out),
                range(len(clips)),
            )
        )
    left_out = tuple(
        (clip, part) for clip, part in zip(clips, found, strict=True) if isinstance(part, str)
    )
    if len(left_out) == len(clips):
        raise XaiAudioError(f"No sound of {clips.name} can be used. {left_out[0][1]}")
    good = [
        (clip, part) for clip, part in zip(clips, found, strict=True) if not isinstance(part, str)
    ]
    kept, parts = zip(*good, strict=True)
    return PatchTable(
        patches=np.concatenate(parts),
        clip=np.repeat(np.arange(len(parts)), [len(part) for part in parts]),
        names=tuple(clip.name for clip in kept),
        truth=tuple(clip.label for clip in kept),
        labels=tuple(clips.labels),
        left_out=left_out,
        levels=np.concatenate([part.levels for part in parts]),
        clips=kept if change is None else (),
    )


def _patches(clip, frontend, change, leave_out: bool) -> Patches | str:
    """Return a clip's patches, or with `leave_out` why there are none."""
    try:
        wave = clip.load(frontend.sample_rate)
        return frontend(change(wave) if change else wave, pad=True)
    except XaiAudioError as error:
        reason = str(error)
        if str(clip.path) not in reason:
            reason = f"The clip {clip.path} cannot be used. {reason}"
        if leave_out:
            return reason
        raise XaiAudioError(reason) from error
