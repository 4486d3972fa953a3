"""The synthesised set on disk: made once and kept.

A folder holds a FLAC file for each take, named as AudioMNIST's are: ``7_03_2.flac`` is the digit 7
by speaker 03, take 2. While it is being made its name ends in ``.partial``.
"""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from filelock import FileLock
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from ...audio import save_audio
from ...errors import XaiAudioError
from ...synthesis.speech_utterance import DIGITS, RATE, speak

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
    partial = folder.with_name(folder.name + ".partial")
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(folder.with_name(folder.name + ".lock")):
            if folder.exists():
                if not _missing(folder, wanted):
                    return
                os.rename(folder, partial)
            partial.mkdir(exist_ok=True)
            _make_all(partial, {name: wanted[name] for name in _missing(partial, wanted)}, progress)
            os.rename(partial, folder)
    except OSError as error:
        raise XaiAudioError(
            f"Could not write the spoken digits to {folder.parent}: {error.strerror or error}. "
            "Set XAIAUDIO_HOME to a folder with 40 MB to spare."
        ) from error


def _missing(folder: Path, wanted) -> list[str]:
    there = {entry.name for entry in os.scandir(folder)}
    return [name for name in wanted if name not in there]


def _make_all(folder: Path, todo: dict, progress: bool) -> None:
    def make(name):
        save_audio(folder / name, speak(*todo[name]).wave, RATE)

    columns = TextColumn("Synthesising digits"), BarColumn(), MofNCompleteColumn()
    console = Console(stderr=True, force_jupyter=False)
    hidden = not (progress and console.is_terminal)
    # Threads: the work is transforms and filters of arrays, which let one another run.
    with (
        Progress(*columns, console=console, transient=True, disable=hidden) as bar,
        ThreadPoolExecutor(min(4, os.cpu_count() or 1)) as pool,
    ):
        task = bar.add_task("", total=len(todo))
        for _ in pool.map(make, todo):
            bar.advance(task)
