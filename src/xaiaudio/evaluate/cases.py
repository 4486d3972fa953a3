"""What methods are tried on: one patch of each clip, its class, and where its event is."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..audio import load_audio
from ..errors import XaiAudioError
from ..frontend import LogMel


@dataclass(frozen=True)
class Cases:
    """Patches that methods are measured on, one a clip.

    Attributes
    ----------
    patches : ndarray of float32, shape (n, frames, bands)
    targets : ndarray of int, shape (n,)
        The class to explain in each, an index into the network's labels.
    truth : ndarray of bool, shape (n, frames, bands), or None
        Which cells hold the event; None if nobody knows.
    names : tuple of str
        Each clip's name.
    dataset : str
    left_out : int
        Clips that were looked at and left out, because the network names them wrongly.
    """

    patches: np.ndarray
    targets: np.ndarray
    truth: np.ndarray | None
    names: tuple[str, ...]
    dataset: str
    left_out: int = 0

    def __len__(self) -> int:
        return len(self.patches)

    def part(self, chosen) -> Cases:
        """Return some of the cases, by a slice or a list of indices."""
        chosen = np.arange(len(self))[chosen]
        truth = None if self.truth is None else self.truth[chosen]
        names = tuple(self.names[index] for index in chosen)
        return Cases(
            self.patches[chosen], self.targets[chosen], truth, names, self.dataset, self.left_out
        )


def cases_of(model, clips, limit: int = 80) -> Cases:
    """Choose one patch of each clip to measure methods on.

    It is the patch that holds most of the event where the clip has an event mask, and else the
    loudest one. Clips whose patch the network names wrongly are left out: there, the event and what
    the network heard are two questions. Classes take turns, so that all are there. Clips without a
    label are explained for the class that the network predicts.

    Parameters
    ----------
    model : AudioClassifier
    clips : ClipSet
    limit : int
        Most clips to take.

    Returns
    -------
    Cases

    Raises
    ------
    XaiAudioError
        If a class of the clips is unknown to the network, a sound cannot be read or is too short,
        or the network names no clip rightly.

    Examples
    --------
    >>> import xaiaudio as xa
    >>> book = xa.profile("mini")  # doctest: +SKIP
    >>> cases = xa.evaluate.cases_of(book.classifier(), book.split()[1], 40)  # doctest: +SKIP
    """
    if limit < 1:
        raise XaiAudioError(f"There are {limit} clips to measure on: take 1 at least.")
    _check_labels(model, clips)
    found, wrong = [], 0
    for chunk in _chunks(_in_turns(clips), limit):
        picked = [_pick(model.frontend, clip) for clip in chunk]
        scores = model.scores(np.stack([patch for patch, _ in picked]))
        for clip, (patch, truth), best in zip(chunk, picked, scores.argmax(axis=1), strict=True):
            if clip.label is not None and model.labels[best] != clip.label:
                wrong += 1
            elif len(found) < limit:
                found.append((patch, int(best), truth, clip.name))
        if len(found) == limit:
            break
    if not found:
        raise XaiAudioError(
            f"{model.name} names none of the {wrong} clips rightly, so that there is nothing to "
            "measure: train a network for these sounds first (xaiaudio train)."
        )
    patches, targets, truths, names = zip(*found, strict=True)
    known = all(truth is not None and truth.any() for truth in truths)
    return Cases(
        np.stack(patches),
        np.array(targets, int),
        np.stack(truths) if known else None,
        names,
        clips.name,
        wrong,
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
    """Return a clip's patch with most of its event, or else the loudest, and the event in it."""
    wave = load_audio(clip.path, sample_rate=frontend.sample_rate)
    if len(wave) < frontend.min_samples:
        raise XaiAudioError(
            f"{clip.path} lasts {len(wave) / frontend.sample_rate:.2f} s, but one patch takes "
            f"{frontend.min_samples / frontend.sample_rate:.2f} s: move it away, or lengthen it."
        )
    frontend = frontend.with_overlap(0.75)
    patches = frontend(wave)
    # Event masks lie on VGGish's grid of cells; on another grid they say nothing.
    if clip.events is None or frontend.with_overlap(0) not in (LogMel.vggish(), LogMel.yamnet(0)):
        return patches[patches.mean(axis=(1, 2)).argmax()], None
    events = frontend.cut(clip.load_events())[: len(patches)]
    best = events.sum(axis=(1, 2)).argmax()
    return patches[best], events[best]
