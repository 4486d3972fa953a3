"""Spoken digits: synthesised from a seed with the truth about them, or a copy of AudioMNIST.

Each recording can be asked two things: which digit, and who says it. The synthesised speech follows
the source-filter model: a source (:mod:`~xaiaudio.synthesis.speech_voice`) whose pitch is the
speaker's, and a tract whose resonances are the phone's (:mod:`~xaiaudio.synthesis.speech_phones`),
scaled by the speaker's size (:mod:`~xaiaudio.synthesis.speech_speakers`).
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from ... import cache
from ...errors import XaiAudioError
from ...frontend import LogMel
from ...synthesis.speech_speakers import SPEAKERS, Speaker, speakers
from ...synthesis.speech_utterance import Phone, Utterance, speak
from ..base import ClipSet
from ..registry import SETS
from . import audiomnist, store
from .tasks import DIGITS, TASKS, Recording, check_takes, check_task, clip_set
from .truth import SOURCE, groups, regions, truth

if TYPE_CHECKING:
    from ...types import PathLike

__all__ = [
    "DIGITS",
    "TASKS",
    "Phone",
    "Speaker",
    "Utterance",
    "frontend",
    "groups",
    "load",
    "regions",
    "speak",
    "speakers",
    "synthesised",
    "truth",
]

VERSION = 1  # goes up when the same seed gives other sounds
TAKES = 5
LICENCE = "CC0 1.0 (generated)"
VARIABLE = SETS["digits"].variable


def load(
    task: str = "digit",
    folder: PathLike | None = None,
    *,
    takes: int | None = TAKES,
    progress: bool = True,
) -> ClipSet:
    """Return spoken digits, labelled and divided for a task.

    Parameters
    ----------
    task : {"digit", "speaker", "gender"}
        For digits and genders all recordings of a speaker are in one fold, so that the held-out
        voices are strangers. For speakers each one's takes are dealt out to all folds.
    folder : str or path-like, optional
        A copy of AudioMNIST. Default is the one that the environment variable
        ``XAIAUDIO_AUDIOMNIST`` names; without it the digits are synthesised.
    takes : int or None
        Of each digit by each speaker; None takes all that a copy has, which is 50, or 5.
    progress : bool
        Show a bar while sounds are made, on a terminal.

    Returns
    -------
    ClipSet
        Named ``"audiomnist"`` or ``"digits"``. Clips are called ``7_03_2``: digit, speaker, take.

    Raises
    ------
    XaiAudioError
        If there is no such task, or the folder is not a copy of AudioMNIST.

    Examples
    --------
    >>> from xaiaudio.datasets import digits
    >>> train, test = digits.load("speaker").split()  # doctest: +SKIP
    """
    check_task(task)
    check_takes(takes)
    own = folder or os.environ.get(VARIABLE)
    if not own:
        return synthesised(task, takes=TAKES if takes is None else takes, progress=progress)
    try:
        return clip_set(audiomnist.read(own, takes), task, "audiomnist")
    except XaiAudioError as error:
        if folder:
            raise
        raise XaiAudioError(f"{VARIABLE} does not name a copy of AudioMNIST: {error}") from error


def synthesised(
    task: str = "digit",
    *,
    count: int = SPEAKERS,
    takes: int = TAKES,
    seed: int = 0,
    progress: bool = True,
) -> ClipSet:
    """Return digits made by this package; the first call makes and keeps them.

    Parameters
    ----------
    task : {"digit", "speaker", "gender"}
    count : int
        Number of speakers.
    takes : int
        Of each digit by each speaker.
    seed : int
        Another number, other voices and other takes.
    progress : bool

    Returns
    -------
    ClipSet
        Clips of one second at 16 kHz. :func:`truth` knows all about each.

    Raises
    ------
    XaiAudioError
        For a number out of range, or a cache folder that cannot be written to.

    Examples
    --------
    >>> from xaiaudio.datasets import digits
    >>> len(digits.synthesised("digit"))  # doctest: +SKIP
    1000
    """
    check_task(task)
    check_takes(takes)
    voices = speakers(count, seed)
    folder = cache.home() / "digits" / f"v{VERSION}-seed{seed}-{count}x{takes}"
    store.ensure(folder, voices, takes, seed, progress=progress)
    source = SOURCE.format(count=count, seed=seed, version=VERSION)
    recordings = [
        Recording(
            path=store.file_of(folder, digit, who.name, take),
            digit=digit,
            speaker=who.name,
            take=take,
            gender=who.gender,
            licence=LICENCE,
            author="the xaiaudio authors",
            source=source,
        )
        for who in voices
        for digit in range(len(DIGITS))
        for take in range(takes)
    ]
    return clip_set(recordings, task, "digits")


def frontend() -> LogMel:
    """Return a front end for single spoken words: one patch of 96 frames a second.

    Windows of 40 ms, longer than VGGish's, tell the harmonics of a voice apart, and the bands begin
    at 50 Hz, below any voice.

    Examples
    --------
    >>> from xaiaudio.datasets import digits
    >>> digits.frontend().patch_shape
    (96, 64)
    """
    return LogMel(window=640, fft=1024, fmin=50.0)
