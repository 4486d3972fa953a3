"""The synthesised set on disk: made once and kept.

A folder holds a FLAC file for each take, named as AudioMNIST's are: ``7_03_2.flac`` is the digit 7
by speaker 03, take 2.
"""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from ...audio import save_audio
from ...progress import bar
from ...synthesis.speech_utterance import DIGITS, RATE, speak
from ..stored import made

ENDING = ".flac"


def file_of(folder: Path, digit: int, speaker: str, take: int) -> Path:
    """Return the path of one take."""
    return folder / f"{digit}_{speaker}_{take}{ENDING}"


def ensure(folder: Path, voices, takes: int, seed: int, *, progress: bool) -> None:
    """Make the folder, or what is missing of it; return when it is whole.

    Of several processes that ask at the same time, one works and the others wait.

    Parameters
    ----------
    folder : Path
    voices : sequence of Speaker
    takes : int
        Of each digit by each speaker.
    seed : int
    progress : bool

    Raises
    ------
    XaiAudioError
        If the cache cannot be written to.
    """
    wanted = {
        file_of(folder, digit, who.name, take).name: (DIGITS[digit], who, take, seed)
        for who in voices
        for digit in range(len(DIGITS))
        for take in range(takes)
    }

    def make(where, names):
        _make_all(where, {name: wanted[name] for name in names}, progress)

    made(folder, {name: [name] for name in wanted}, make, what="spoken digits", room="40 MB")


def _make_all(folder: Path, todo: dict, progress: bool) -> None:
    def make(name):
        save_audio(folder / name, speak(*todo[name]).wave, RATE)

    # Threads: the work is transforms and filters of arrays, which let one another run.
    with (
        bar(len(todo), None if progress else False, "Synthesising digits") as step,
        ThreadPoolExecutor(min(4, os.cpu_count() or 1)) as pool,
    ):
        for _ in pool.map(make, todo):
            step()
