"""What methods are tried on: one patch of each clip, its class, and where its event is."""

from __future__ import annotations

import zlib
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from ...datasets.mixtures import mixtures
from ...errors import XaiAudioError
from ...explainers.engines.perturbation import takes_waves
from ...frontend import LogMel
from ...patches import Patches, joined

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike

    from ...datasets.base import ClipSet
    from ...models.classifier import AudioClassifier

# Of the patches that hold nearly as much of the event as the best one, any will do.
_NEARLY = 0.9

# Cells that differ by less than this in log magnitude hold no sound.
_FLAT = 1e-6


@dataclass(frozen=True)
class Cases:
    """Patches that methods are measured on, one a clip.

    Attributes
    ----------
    patches : ndarray of float32, shape (n, frames, bands)
    targets : ndarray of int, shape (n,)
        The class to explain in each, an index into the network's labels.
    truth : ndarray of bool, shape (n, frames, bands), or None
        Which cells hold the event; None if unknown. All False where only this clip's is
        unknown, or drowned.
    names : tuple of str
        Each clip's name.
    dataset : str
    left_out : int
        Clips that were looked at and left out, because the network misclassifies them.
    groups : tuple of str
        The recording that each is of, for mixtures of one are no independent draws. Empty if each
        is of its own.
    unusable : tuple of str
        Why other clips were left out, one text a clip: unreadable, too short, silent.
    recognised : ndarray of bool, shape (n,), or None
        Whether the network names the patch as the target; None means that it names all so.
    clips : tuple of Clip or Mixture
        What the patches were cut from; may be empty.
    starts : tuple of int
        The first frame of each patch in its clip; empty where the clips are unknown.
    sounds : ndarray of float32, shape (n, samples), or None
        The samples that each patch is a picture of, for methods that change the sound.
    """

    patches: np.ndarray
    targets: np.ndarray
    truth: np.ndarray | None
    names: tuple[str, ...]
    dataset: str
    left_out: int = 0
    groups: tuple[str, ...] = ()
    unusable: tuple[str, ...] = ()
    recognised: np.ndarray | None = None
    clips: tuple = ()
    starts: tuple[int, ...] = ()
    sounds: np.ndarray | None = None

    def __len__(self) -> int:
        return len(self.patches)

    def part(self, chosen: slice | ArrayLike) -> Cases:
        """Return some of the cases, by a slice, a mask or a list of indices."""
        chosen = np.arange(len(self))[chosen]

        def some(values):
            return tuple(values[index] for index in chosen) if values else ()

        return replace(
            self,
            patches=self.patches[chosen],
            targets=self.targets[chosen],
            truth=None if self.truth is None else self.truth[chosen],
            recognised=None if self.recognised is None else self.recognised[chosen],
            names=some(self.names),
            groups=some(self.groups),
            clips=some(self.clips),
            starts=some(self.starts),
            sounds=None if self.sounds is None else self.sounds[chosen],
        )

    def known(self, frontend: LogMel) -> Patches | np.ndarray:
        """Return the patches with their sounds, where these are known."""
        if self.sounds is None or getattr(self.patches, "waves", None) is not None:
            return self.patches
        starts = np.asarray(self.starts or np.zeros(len(self)), int)
        length = int(starts.max()) + frontend.frames
        padded = getattr(self.patches, "sound", None)
        values = np.asarray(self.patches)
        return Patches(values, frontend, starts, length, waves=self.sounds, sound=padded)


def cases_of(
    model: AudioClassifier, clips: ClipSet, limit: int = 80, *, keep_wrong: bool = False
) -> Cases:
    """Choose one patch of each clip to measure methods on.

    It is a patch that holds most of the event where the clip has an event mask (of several that
    hold nearly as much, one drawn at random: an event may lie anywhere in its patch), and else the
    loudest one. Clips whose patch the network misclassifies are left out: there, the event and what
    the network heard are two questions. So are sounds that cannot be read, are too short or silent.
    Classes take turns, so that all are there. Clips without a label are explained for the class
    that the network predicts.

    Parameters
    ----------
    model : AudioClassifier
    clips : ClipSet
        Recordings, or mixtures of recordings whose event is known
        (`xaiaudio.datasets.mixtures.mixtures`).
    limit : int
        Most clips to take.
    keep_wrong : bool
        True keeps clips whose patch the network misclassifies, and says in `Cases.recognised` which
        they are; the target is the true class all the same.

    Returns
    -------
    Cases

    Raises
    ------
    XaiAudioError
        If a class of the clips is unknown to the network, no sound can be used, or the network
        names none of them rightly.

    Examples
    --------
    >>> import xaiaudio as xa
    >>> book = xa.profile("mini")  # doctest: +SKIP
    >>> cases = xa.evaluate.cases_of(book.classifier(), book.split()[1], 40)  # doctest: +SKIP
    """
    if limit < 1:
        raise XaiAudioError(f"There are {limit} clips to measure on: take 1 at least.")
    _check_labels(model, clips)
    found: list = []
    unusable: list[str] = []
    wrong = 0
    for chunk in _chunks(_in_turns(clips), limit):
        picked = []
        for clip in chunk:
            try:
                picked.append((clip, *_pick(model.frontend, clip)))
            except XaiAudioError as error:
                unusable.append(str(error))
        if not picked:
            continue
        scores = model.scores(joined([patch for _, patch, _ in picked]))
        for (clip, patch, truth), best in zip(picked, scores.argmax(axis=1), strict=True):
            target = int(best) if clip.label is None else model.index(clip.label)
            if best != target and not keep_wrong:
                wrong += 1
            elif len(found) < limit:
                found.append((patch, target, truth, clip, best == target))
        if len(found) == limit:
            break
    if not found:
        raise XaiAudioError(_nothing(model, clips, wrong, unusable))
    patches, targets, truths, used, right = zip(*found, strict=True)
    return Cases(
        joined(patches if takes_waves(model) else [_bare(patch) for patch in patches]),
        np.array(targets, int),
        _stacked(truths, model.frontend.patch_shape),
        tuple(clip.name for clip in used),
        clips.name,
        wrong,
        tuple(getattr(clip, "group", str(clip.path)) for clip in used),
        tuple(unusable),
        np.array(right, bool),
        used,
        tuple(int(patch.starts[0]) for patch in patches),
        np.concatenate([patch.waves for patch in patches]),
    )


def with_truth(
    clips: ClipSet,
    frontend: LogMel,
    *,
    snrs: Sequence[float] = (20, 10),
    per_class: int = 4,
    seed: int = 0,
) -> ClipSet:
    """Return clips whose events are known: these, or else mixtures made of them.

    Parameters
    ----------
    clips : ClipSet
    frontend : LogMel
        That of the network to be tested.
    snrs, per_class, seed
        As for :func:`xaiaudio.datasets.mixtures.mixtures`.

    Returns
    -------
    ClipSet
        The same one if all its clips have event masks, as the synthetic set's do; mixtures if they
        are recordings; where their events are is not known.

    Raises
    ------
    XaiAudioError
        If no mixtures can be made of them.

    Examples
    --------
    >>> import xaiaudio as xa
    >>> book = xa.profile("esc10-yamnet")  # doctest: +SKIP
    >>> model, test = book.classifier(), book.split()[1]  # doctest: +SKIP
    >>> known = xa.evaluate.with_truth(test, model.frontend)  # doctest: +SKIP
    >>> board = xa.evaluate.leaderboard(model, known, limit=20)  # doctest: +SKIP
    """
    if len(clips) and all(clip.events is not None for clip in clips):
        return clips
    return mixtures(clips, snrs=snrs, per_class=per_class, frontend=frontend, seed=seed)


def _stacked(truths, shape):
    """Stack the truths; None if nothing is known of any."""
    truths = [np.zeros(shape, bool) if truth is None else truth for truth in truths]
    return np.stack(truths) if np.any(truths) else None


def _nothing(model, clips, wrong, unusable) -> str:
    if not len(clips):
        return f"There is no clip in {clips.name}."
    if not wrong:
        return f"No sound of {clips.name} can be used. {unusable[0]}"
    return (
        f"{model.name} names none of the {wrong} clips rightly, so that there is nothing to "
        "measure: train a network for these sounds first (xaiaudio train)."
    )


def _check_labels(model, clips) -> None:
    unknown = [
        label for label in clips.labels if clips.counts()[label] and label not in model.labels
    ]
    if unknown:
        raise XaiAudioError(
            f"{clips.name} has the class {unknown[0]!r}, which {model.name} does not know: its "
            f"classes are {', '.join(model.labels)}. Name the folders so, or give another --model."
        )


def _in_turns(clips) -> list:
    """Order clips so that the classes take turns."""
    piles: dict = {}
    for clip in clips:
        piles.setdefault(clip.label, []).append(clip)
    longest = max((len(pile) for pile in piles.values()), default=0)
    return [pile[turn] for turn in range(longest) for pile in piles.values() if turn < len(pile)]


def _chunks(clips, size):
    for start in range(0, len(clips), size):
        yield clips[start : start + size]


def _pick(frontend, clip):
    """Return a clip's patch with most of its event, or else the loudest, and the event in it.

    The patch is one of `Patches`, the event an array (frames, bands) or None.
    """
    wave = clip.load(frontend.sample_rate)
    if len(wave) < frontend.min_samples:
        raise XaiAudioError(
            f"{clip.path} lasts {len(wave) / frontend.sample_rate:.2f} s, but one patch takes "
            f"{frontend.min_samples / frontend.sample_rate:.2f} s: move it away, or lengthen it."
        )
    frontend = frontend.with_overlap(0.75)
    patches = frontend(wave, sounds=True)
    best, events = int(patches.loudness.argmax()), None
    if clip.events is not None and _same_cells(frontend, clip):
        events = frontend.cut(clip.load_events())[: len(patches)]
        if events.any():
            best = _holding(events, clip)
    if np.ptp(patches[best].values) < _FLAT:
        raise XaiAudioError(f"{clip.path} is silent: there is nothing to explain.")
    return patches[best], None if events is None else events[best]


def _bare(patch: Patches) -> Patches:
    """Return a patch without its sound."""
    return replace(patch, waves=None)


def _holding(events, clip) -> int:
    """Draw one of the patches that hold nearly most of the event.

    Always the first one would have all events at the end of their patches.
    """
    cells = events.sum(axis=(1, 2))
    seed = zlib.crc32(getattr(clip, "group", clip.name).encode())
    return int(np.random.default_rng(seed).choice(np.flatnonzero(cells >= _NEARLY * cells.max())))


def _same_cells(frontend, clip) -> bool:
    """Tell whether a clip's mask lies on the cells of this front end.

    A mixture says what it was mixed for; masks in files lie on VGGish's cells. What becomes of the
    level in a cell, in which YAMNet differs from VGGish, moves no cell.
    """
    grid = getattr(clip, "frontend", LogMel.vggish())
    levels = ("offset", "power", "decibels", "ref", "amin", "top_db", "norm", "overlap", "scale")
    return replace(grid, **{name: getattr(frontend, name) for name in levels}) == frontend
