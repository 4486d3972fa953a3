"""Folders of sounds in the cache: made once, and checked without being read each time."""

from __future__ import annotations

import contextlib
import json
import os
from pathlib import Path

from .. import cache
from ..errors import XaiAudioError
from ..files import whole


def made(folder: Path, wanted: dict, make, *, what: str, room: str) -> None:
    """Make a folder of files, or what is missing of it or damaged; return when it is whole.

    Of several processes that ask at the same time, one works and the others wait. While it is being
    made the folder's name ends in ``.partial``; what is already in there is not made again.

    Parameters
    ----------
    folder : Path
    wanted : dict
        Job to the names of its files.
    make : callable
        Takes a folder and a list of jobs, and writes their files there.
    what, room : str
        For messages: ``"synthetic clips"``, ``"150 MB"``.

    Raises
    ------
    XaiAudioError
        If the cache cannot be written to.
    """
    names = [name for files in wanted.values() for name in files]
    if folder.is_dir() and not changed(folder, names):
        return
    advice = f"Set XAIAUDIO_HOME to a folder with {room} to spare."
    partial = folder.with_name(folder.name + ".partial")
    with cache.lock(folder.with_name(folder.name + ".lock")):
        try:
            if folder.is_dir():
                bad = changed(folder, names)
                if not bad:
                    return
                _take_out(folder, bad, what)
                os.rename(folder, partial)
            partial.mkdir(exist_ok=True)
            there = {entry.name for entry in os.scandir(partial)}
            make(partial, [job for job, files in wanted.items() if not there.issuperset(files)])
            os.rename(partial, folder)
        except OSError as error:
            raise XaiAudioError(
                f"Could not write the {what} to {folder.parent}: {error.strerror or error}. "
                f"{advice}"
            ) from error
        changed(folder, names)


def _take_out(folder, bad, what) -> None:
    damaged = [folder / name for name in bad if (folder / name).is_file()]
    if damaged:
        cache.say(f"{len(damaged)} files of the {what} in {folder} are damaged: made anew.")
    for path in damaged:
        path.unlink()
    _write(folder, {name: entry for name, entry in _read(folder).items() if name not in bad})


def changed(folder: Path, names, sums: dict[str, str] | None = None) -> list[str]:
    """Name the files that are not there, or are not what they were.

    What was seen is noted beside the folder, so that a file whose size and time are still the same
    is not read again.

    Parameters
    ----------
    folder : Path
    names : sequence of str
    sums : dict of str to str, optional
        The SHA-256 sum that each must have; by default the one that it had when it was first seen.

    Returns
    -------
    list of str
        In the order of `names`.
    """
    known, seen, bad = _read(folder), {}, []
    for name in names:
        path = folder / name
        try:
            about = path.stat()
        except OSError:
            bad.append(name)
            continue
        size, time, digest = known.get(name, (None, None, None))
        wanted = sums[name] if sums else digest
        if (size, time) != (about.st_size, about.st_mtime_ns) or digest != wanted:
            digest = cache.sum_of(path)
            if wanted not in (None, digest):
                bad.append(name)
                continue
        seen[name] = [about.st_size, about.st_mtime_ns, digest]
    if not set(known).issuperset(seen) or any(known[name] != seen[name] for name in seen):
        _write(folder, known | seen)
    return bad


def _notes(folder: Path) -> Path:
    return folder.with_name(folder.name + ".checked")


def _read(folder: Path) -> dict[str, list]:
    try:
        notes = json.loads(_notes(folder).read_text(encoding="utf-8"))
        return {name: [int(size), int(time), str(digest)] for name, (size, time, digest) in notes}
    except (OSError, ValueError, TypeError, RecursionError):
        return {}


def _write(folder: Path, notes: dict) -> None:
    # Where nothing can be written, all is read again each time.
    path = _notes(folder)
    with (
        contextlib.suppress(XaiAudioError, OSError),
        whole(path, f"{path.name}.{os.getpid()}.partial") as partial,
    ):
        partial.write_text(json.dumps(list(notes.items())), encoding="utf-8")
