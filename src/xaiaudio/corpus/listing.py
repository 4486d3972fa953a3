"""The sounds of an archive, listed: what lies below a folder, and nothing of a sound is read."""

from __future__ import annotations

import errno
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ..audio import EXTENSIONS
from ..errors import XaiAudioError

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass(frozen=True, eq=False)
class Listing:
    """What lies below a folder.

    Attributes
    ----------
    files : dict of str to ndarray
        ``file`` (names within the folder), ``size`` and ``time`` of each sound, by name.
    passed_over : tuple of str
        Sounds whose names are not UTF-8.
    unreadable : dict of str to str
        Why what lies below could not be read: folders, whose names end in ``/``, and sounds.
    """

    files: dict[str, np.ndarray]
    passed_over: tuple[str, ...]
    unreadable: dict[str, str]


def sounds_below(folder: Path, out: Path) -> Listing:
    """List the sounds below a folder by name: not what lies in the folder of the results."""
    if not folder.is_dir():
        what = "is a file" if folder.exists() else "is not there"
        raise XaiAudioError(f"{folder} {what}: name a folder of sounds.")
    names: list[str] = []
    about: list[tuple[int, int]] = []
    passed_over: list[str] = []
    unreadable: dict[str, str] = {}
    for name, entry in _walk(folder, out, unreadable):
        try:
            if not entry.is_file():
                continue
            known = entry.stat()
        except OSError as error:
            if error.errno != errno.ELOOP:  # a link to itself is no sound
                unreadable[_written(name)] = error.strerror or str(error)
            continue
        if not _is_text(name):
            passed_over.append(_written(name))
            continue
        names.append(name)
        about.append((known.st_size, known.st_mtime_ns))
    if not names and unreadable:
        first, reason = next(iter(unreadable.items()))
        raise XaiAudioError(
            f"{folder} holds no sounds that can be read. First of what cannot: {first} ({reason})."
        )
    if not names:
        raise XaiAudioError(f"{folder} holds no sounds (.wav, .flac, .ogg, .mp3, .m4a, ...).")
    order = sorted(range(len(names)), key=names.__getitem__)
    numbers = np.array(about, np.int64)[order]
    files = np.array([names[place] for place in order], object)
    columns = {"file": files, "size": numbers[:, 0], "time": numbers[:, 1]}
    return Listing(columns, tuple(passed_over), unreadable)


def _walk(folder: Path, out: Path, unreadable: dict[str, str]) -> Iterator[tuple[str, os.DirEntry]]:
    """Go through what is a sound by its name; note the folders that cannot be read."""
    waiting = [""]
    while waiting:
        inside = waiting.pop()
        try:
            with os.scandir(folder / inside) as entries:
                for entry in entries:
                    if entry.name[0] == "." or entry.name[:2] == "__":
                        continue  # what systems leave behind
                    name = f"{inside}{entry.name}"
                    if entry.is_dir(follow_symlinks=False):
                        if folder / name != out:
                            waiting.append(name + "/")
                    elif os.path.splitext(name)[1].lower() in EXTENSIONS:
                        yield name, entry
        except OSError as error:
            reason = error.strerror or str(error)
            if not inside:
                raise XaiAudioError(f"Could not read {folder}: {reason}.") from error
            unreadable[_written(inside)] = reason


def _written(name) -> str:
    return name.encode("utf-8", "backslashreplace").decode()


def _is_text(name) -> bool:
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True
