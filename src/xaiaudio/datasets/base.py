"""A clip, and a set of clips."""

from __future__ import annotations

import dataclasses
import os
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile

from ..audio import duration, load_audio
from ..errors import XaiAudioError

FOLDS = 5


@dataclass(frozen=True)
class Clip:
    """One recording and what is known of it.

    Attributes
    ----------
    path : Path
    label : str or None
        What is heard; None if unknown.
    fold : int or None
        Which part of a cross-validation it belongs to, 1 to 5.
    licence : str
        ``"CC BY"``, ``"CC0"``, ...; empty if unknown.
    author, source : str
        Who made it and where it comes from.
    stems : Path or None
        Two-channel sound file: the event, and the background that it was mixed with.
    events : Path or None
        ``.npz`` whose array ``mask`` says which cells of the clip's spectrogram hold its event.
    """

    path: Path
    label: str | None
    fold: int | None
    licence: str
    author: str = ""
    source: str = ""
    stems: Path | None = None
    events: Path | None = None

    @property
    def name(self) -> str:
        """The file's name without its extension."""
        return self.path.stem

    def load(self, sample_rate: int = 16_000) -> np.ndarray:
        """Return the waveform, float32 (samples,); see :func:`xaiaudio.load_audio`."""
        return load_audio(self.path, sample_rate=sample_rate)

    def load_stems(self) -> dict[str, np.ndarray]:
        """Return the sounds it was mixed from: name to float32 waveform (samples,), 16 kHz.

        They are ``"event"`` and ``"background"``; the clip is their sum.
        """
        if self.stems is None:
            raise XaiAudioError(f"{self.name} has no stems: only synthetic clips do.")
        try:
            channels, _ = soundfile.read(self.stems, dtype="float32", always_2d=True)
            event, background = np.ascontiguousarray(channels.T)
        except (OSError, RuntimeError, ValueError) as error:
            raise XaiAudioError(f"Could not read {self.stems}: {error}.") from error
        return {"event": event, "background": background}

    def load_events(self) -> np.ndarray:
        """Return where its event is: bool (T, bands), over the cells of the whole clip."""
        if self.events is None:
            raise XaiAudioError(f"{self.name} has no event mask: only synthetic clips do.")
        try:
            with np.load(self.events, allow_pickle=False) as file:
                return file["mask"].astype(bool)
        except Exception as error:  # zip, zlib and NumPy each have errors of their own
            raise XaiAudioError(f"Could not read {self.events}: {error}.") from error


@dataclass(frozen=True)
class ClipSet(Sequence):
    """Clips in a fixed order, with the labels they may have.

    Attributes
    ----------
    name : str
    clips : tuple of Clip
    labels : tuple of str
        All labels of the set, in the order of a network's outputs. A part of a set keeps them.
    passed_over : tuple of Path
        Files beside the sounds that are none by their names.

    Examples
    --------
    >>> import xaiaudio as xa
    >>> clips = xa.datasets.load("synthetic")  # doctest: +SKIP
    >>> train, test = clips.split(fold=5)  # doctest: +SKIP
    """

    name: str
    clips: tuple[Clip, ...]
    labels: tuple[str, ...]
    passed_over: tuple[Path, ...] = ()

    def __len__(self) -> int:
        return len(self.clips)

    def __getitem__(self, index):
        """Return one clip (an int), or the set of some (a slice)."""
        return self._part(self.clips[index]) if isinstance(index, slice) else self.clips[index]

    @property
    def indices(self) -> np.ndarray:
        """Each clip's label as an index into `labels`, int (n,)."""
        for clip in self.clips:
            if clip.label is None:
                raise XaiAudioError(
                    f"{clip.path} has no label: put the sounds into one folder per class."
                )
        return np.array([self.labels.index(clip.label) for clip in self.clips], int)

    def counts(self) -> dict[str, int]:
        """Return the number of clips of each label."""
        found = [clip.label for clip in self.clips]
        return {label: found.count(label) for label in self.labels}

    def of(self, *labels: str) -> ClipSet:
        """Return the clips that have one of these labels."""
        for label in labels:
            if label not in self.labels:
                raise XaiAudioError(
                    f"No clip of {self.name} is called {label!r}: the labels are "
                    f"{', '.join(self.labels)}."
                )
        return self._part(clip for clip in self.clips if clip.label in labels)

    def split(self, fold: int = FOLDS) -> tuple[ClipSet, ClipSet]:
        """Hold out one fold.

        Parameters
        ----------
        fold : int
            The fold to test on.

        Returns
        -------
        train, test : ClipSet

        Raises
        ------
        XaiAudioError
            If no clip, or every clip, is of that fold.
        """
        test = [clip for clip in self.clips if clip.fold == fold]
        if not test or len(test) == len(self.clips):
            folds = sorted({str(clip.fold) for clip in self.clips})
            if len(folds) > 1:
                what = f"its clips are of folds {', '.join(folds)}. Name one of these."
            else:
                what = (
                    f"all its clips are of fold {folds[0]}, and none would be left to learn from "
                    "or to test on. Add sounds: a class has as many folds as sounds, up to five."
                )
            raise XaiAudioError(f"{self.name} cannot be split at fold {fold}: {what}")
        return self._part(clip for clip in self.clips if clip.fold != fold), self._part(test)

    def split_share(self, share: float = 0.8) -> tuple[ClipSet, ClipSet]:
        """Keep the first share of each label's clips, in file order, for training.

        A label with two clips or more has at least one on either side; a single clip is for
        training.

        Parameters
        ----------
        share : float
            In (0, 1).

        Returns
        -------
        train, test : ClipSet
        """
        if not 0 < share < 1:
            raise XaiAudioError(f"The share to train on is {share}: it must be between 0 and 1.")
        total: dict = self.counts()
        seen: dict = dict.fromkeys(self.labels, 0)
        train: list[Clip] = []
        test: list[Clip] = []
        for clip in self.clips:
            kept = total[clip.label] - held_out(total[clip.label], share)
            (train if seen[clip.label] < kept else test).append(clip)
            seen[clip.label] += 1
        return self._part(train), self._part(test)

    def _part(self, clips) -> ClipSet:
        return dataclasses.replace(self, clips=tuple(clips))


def readable(clips: ClipSet) -> tuple[ClipSet, list[str]]:
    """Leave out the clips whose files cannot be opened as sounds; say why, one text a clip.

    Headers are read, so that damage further on is not noticed.

    Examples
    --------
    >>> from xaiaudio import datasets
    >>> clips, reasons = datasets.readable(datasets.load("my_sounds"))  # doctest: +SKIP
    >>> reasons  # doctest: +SKIP
    ['my_sounds/knock/notes.wav cannot be read as sound: it is text. Name a sound.']
    """

    def trouble(clip) -> str:
        try:
            duration(clip.path)
        except XaiAudioError as error:
            return str(error)
        return ""

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        found = list(pool.map(trouble, clips))
    good = tuple(clip for clip, text in zip(clips, found, strict=True) if not text)
    return dataclasses.replace(clips, clips=good), [text for text in found if text]


def describe(clips: ClipSet) -> dict:
    """Sum a set up in plain numbers; only the files' headers are read.

    Parameters
    ----------
    clips : ClipSet

    Returns
    -------
    dict
        ``name``; ``clips``, their number; ``labels``, ``folds`` and ``licences``, each a dict of
        counts; ``seconds``, the total duration.

    Raises
    ------
    XaiAudioError
        If a file is missing or not a sound.

    Examples
    --------
    >>> import xaiaudio as xa
    >>> xa.datasets.describe(xa.datasets.load("esc10"))["folds"]  # doctest: +SKIP
    {1: 80, 2: 80, 3: 80, 4: 80, 5: 80}
    """
    return {
        "name": clips.name,
        "clips": len(clips),
        "labels": clips.counts(),
        "folds": dict(sorted(Counter(clip.fold for clip in clips).items())),
        "licences": dict(Counter(clip.licence or "unknown" for clip in clips).most_common()),
        "seconds": sum(duration(clip.path) for clip in clips),
    }


def held_out(count: int, share: float) -> int:
    """Return how many of a label's clips to hold out when `share` of them are for training."""
    if count < 2:
        return 0
    return min(max(count - round(share * count), 1), count - 1)
