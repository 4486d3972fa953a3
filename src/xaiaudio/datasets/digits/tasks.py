"""One set of recordings, three questions: which digit, who, woman or man."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from ...errors import XaiAudioError
from ...synthesis.speech_phones import WORDS
from ..base import FOLDS, Clip, ClipSet, held_out

TASKS = ("digit", "speaker", "gender")
DIGITS = tuple(WORDS)


@dataclass(frozen=True)
class Recording:
    """A file in which somebody says a digit.

    Attributes
    ----------
    path : Path
    digit : int
    speaker : str
        As AudioMNIST numbers them, ``"01"`` to ``"60"``; in FSDD a first name.
    take : int
    gender : str or None
    licence, author, source : str
        As in :class:`xaiaudio.datasets.Clip`.
    """

    path: Path
    digit: int
    speaker: str
    take: int
    gender: str | None
    licence: str
    author: str
    source: str


def clip_set(recordings, task: str, name: str) -> ClipSet:
    """Label recordings for a task and divide them as the task demands.

    Whoever asks for the digit wants it from strangers too: all recordings of a speaker are of one
    fold. Whoever asks who speaks needs to have heard everybody: each speaker's takes of each digit
    are dealt out to the folds. Dividing the other way round would answer another question, or
    none: a network cannot name a speaker that it has no output for.

    Parameters
    ----------
    recordings : sequence of Recording
    task : {"digit", "speaker", "gender"}
    name : str
        Of the set.

    Returns
    -------
    ClipSet
        Speaker by speaker, digit by digit, take by take.

    Raises
    ------
    XaiAudioError
        If there is no such task, or the gender of somebody is not known.
    """
    check_task(task)
    ordered = sorted(recordings, key=lambda one: (one.speaker, one.digit, one.take))
    labels = [_label(recording, task) for recording in ordered]
    folds = _folds_of_takes(ordered) if task == "speaker" else _folds_of_speakers(ordered)
    clips = tuple(
        Clip(
            path=recording.path,
            label=label,
            fold=fold,
            licence=recording.licence,
            author=recording.author,
            source=recording.source,
        )
        for recording, label, fold in zip(ordered, labels, folds, strict=True)
    )
    known = [digit for digit in DIGITS if digit in labels] if task == "digit" else sorted({*labels})
    return ClipSet(name, clips, tuple(known))


def check_task(task, tasks=TASKS) -> None:
    """Raise an error if there is no such task."""
    if task not in tasks:
        raise XaiAudioError(f"The task is {task!r}: it must be one of {', '.join(tasks)}.")


def check_takes(takes) -> None:
    """Raise an error unless `takes` is a number of takes, or None for all of them."""
    if takes is None:
        return
    if isinstance(takes, bool) or not isinstance(takes, int) or takes < 1:
        raise XaiAudioError(f"takes is {takes!r}: a whole number from 1 on is needed.")


def first_takes(recordings, takes: int | None) -> list[Recording]:
    """Keep the first takes of each digit by each speaker, in the order of their numbers."""
    seen: Counter = Counter()
    kept = []
    for one in sorted(recordings, key=lambda one: (one.speaker, one.digit, one.take)):
        seen[one.speaker, one.digit] += 1
        if takes is None or seen[one.speaker, one.digit] <= takes:
            kept.append(one)
    return kept


def _label(recording: Recording, task: str) -> str:
    if task == "digit":
        return DIGITS[recording.digit]
    if task == "speaker":
        return f"speaker {recording.speaker}"
    if recording.gender is None:
        raise XaiAudioError(
            f"It is not known whether speaker {recording.speaker} is a woman or a man: put "
            "audioMNIST_meta.txt beside the speakers' folders."
        )
    return recording.gender


def _folds_of_speakers(recordings) -> list[int]:
    """Give each speaker a fold; women and men are dealt out separately."""
    gender = {recording.speaker: recording.gender for recording in recordings}
    folds: dict[str, int] = {}
    for group in dict.fromkeys(gender.values()):
        names = [name for name, its in gender.items() if its == group]
        folds.update(zip(names, _dealt(len(names)), strict=True))
    return [folds[recording.speaker] for recording in recordings]


def _folds_of_takes(recordings) -> list[int]:
    """Give each take of a speaker and digit a fold."""
    groups: dict[tuple, list[int]] = {}
    for place, recording in enumerate(recordings):
        groups.setdefault((recording.speaker, recording.digit), []).append(place)
    folds = [0] * len(recordings)
    for places in groups.values():
        for place, fold in zip(places, _dealt(len(places)), strict=True):
            folds[place] = fold
    return folds


def _dealt(count: int) -> list[int]:
    """Deal out so many to the folds: the last fifth, at least one of two, is of the last fold."""
    test = held_out(count, 0.8)
    train = count - test
    return [1 + index * (FOLDS - 1) // train for index in range(train)] + [FOLDS] * test
