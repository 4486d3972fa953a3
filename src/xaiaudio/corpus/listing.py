"""The sounds of an archive, listed: what lies below a folder, and nothing of a sound is read."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ..audio import EXTENSIONS
from ..errors import XaiAudioError

if TYPE_CHECKING:
    from collections.abc import Iterator


def sounds_below(folder: Path, out: Path) -> tuple[dict[str, np.ndarray], tuple[str, ...]]:
    """List the sounds below a folder by name: not what lies in the folder of the results."""
    if not folder.is_dir():
        what = "is a file" if folder.exists() else "is not there"
        raise XaiAudioError(f"{folder} {what}: name a folder of sounds.")
    names: list[str] = []
    about: list[tuple[int, int]] = []
    passed_over = []
    try:
        for name, entry in _walk(folder, out):
            if not _is_text(name):
                passed_over.append(name.encode("utf-8", "backslashreplace").decode())
                continue
            known = entry.stat()
            names.append(name)
            about.append((known.st_size, known.st_mtime_ns))
    except OSError as error:
        where = error.filename or folder
        raise XaiAudioError(f"Could not read {where}: {error.strerror or error}.") from error
    if not names:
        raise XaiAudioError(f"{folder} holds no sounds (.wav, .flac, .ogg, .mp3, .m4a, ...).")
    order = sorted(range(len(names)), key=names.__getitem__)
    numbers = np.array(about, np.int64)[order]
    files = np.array([names[place] for place in order], object)
    return {"file": files, "size": numbers[:, 0], "time": numbers[:, 1]}, tuple(passed_over)


def _walk(folder: Path, out: Path) -> Iterator[tuple[str, os.DirEntry]]:
    waiting = [""]
    while waiting:
        inside = waiting.pop()
        with os.scandir(folder / inside) as entries:
            for entry in entries:
                if entry.name[0] == "." or entry.name[:2] == "__":
                    continue  # what systems leave behind
                name = f"{inside}{entry.name}"
                if entry.is_dir(follow_symlinks=False):
                    if folder / name != out:
                        waiting.append(name + "/")
                elif os.path.splitext(name)[1].lower() in EXTENSIONS and _is_file(entry):
                    yield name, entry


def _is_file(entry) -> bool:
    """Tell whether it is a file: a link to one is, one that leads nowhere or to itself is not."""
    try:
        return entry.is_file()
    except OSError as error:
        if error.errno == errno.ELOOP:
            return False
        raise


def _is_text(name) -> bool:
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True
