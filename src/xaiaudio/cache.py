"""What is kept so that it is made once: where it lies, and what it depends on.

A stored result is named after everything that it depends on (:func:`key`), so that it is never out
of date: whatever changes, the name changes, and it is made anew.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import json
import os
import shutil
import sys
from pathlib import Path

import numpy as np
import platformdirs

from .errors import DamagedError, XaiAudioError
from .files import expanded, whole
from .imports import ROOT, closure


def home() -> Path:
    """Return the cache folder: ``XAIAUDIO_HOME``, or else the platform's own place for caches.

    The folder need not exist yet.
    """
    chosen = os.environ.get("XAIAUDIO_HOME")
    return expanded(chosen) if chosen else Path(platformdirs.user_cache_dir("xaiaudio"))


def key(*parts, modules=(), code=(), files=()) -> str:
    """Return a name for what depends on these things, and on nothing else.

    Parameters
    ----------
    *parts
        Options, labels, seeds: whatever JSON can hold.
    modules : iterable of str
        Modules of the package that compute the result; all that they import counts, see
        :func:`xaiaudio.imports.closure`.
    code : iterable of str
        Code outside the package that computes it; what it imports of the package counts. The text
        itself does not: put it among the parts.
    files : iterable of path-like
        Files that it is made from, in order. Their bytes count, not their names.

    Returns
    -------
    str
        16 hexadecimal digits.

    Raises
    ------
    XaiAudioError
        If a file cannot be read.

    Examples
    --------
    >>> key({"epochs": 5}) == key({"epochs": 5}) != key({"epochs": 6})
    True
    """
    total = hashlib.sha256(json.dumps(parts, sort_keys=True).encode())
    for path in closure(*modules, code=code):
        total.update(f"\0{path.relative_to(ROOT).as_posix()}\0{sum_of(path)}".encode())
    for path in files:
        total.update(f"\0\0{sum_of(path)}".encode())
    return total.hexdigest()[:16]


def sum_of(path) -> str:
    """Return the SHA-256 sum of a file, remembered for as long as its size and time stay.

    Parameters
    ----------
    path : path-like

    Returns
    -------
    str
        In hexadecimal.

    Raises
    ------
    XaiAudioError
        If it cannot be read.
    """
    try:
        about = os.stat(path)
        return _sum_of(os.fspath(path), about.st_size, about.st_mtime_ns, about.st_ino)
    except OSError as error:
        raise XaiAudioError(f"Could not read {path}: {error.strerror or error}.") from error


@functools.lru_cache(maxsize=1 << 16)
def _sum_of(path, *_about) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def sum_of_arrays(arrays) -> str:
    """Return the SHA-256 sum of the types, shapes and values of arrays, in hexadecimal."""
    total = hashlib.sha256()
    for array in map(np.ascontiguousarray, arrays):
        total.update(f"{array.dtype.str}{array.shape}".encode())
        total.update(array.data if array.size else b"")
    return total.hexdigest()


def files_in(place) -> list[Path]:
    """Return a file itself, or the files of a folder and of the folders in it, sorted."""
    place = expanded(place)
    return sorted(path for path in place.rglob("*") if path.is_file()) or [place]


def sums_in(place) -> list[list[str]]:
    """Say what a file or folder holds, for a key: names within it and SHA-256 sums.

    What cannot be read has an empty sum.
    """
    place = expanded(place)
    found = []
    for path in files_in(place):
        try:
            digest = sum_of(path)
        except XaiAudioError:
            digest = ""
        found.append([path.relative_to(place).as_posix(), digest])
    return found


def artifact(path, build, load, *, resume: bool = False):
    """Return what is stored under a path; make it first if it is not there.

    Whoever asks first makes it, under a lock; others wait, and load it then. Nothing is locked or
    written where it is there already. What is found damaged is made anew, with a line to say so.

    Parameters
    ----------
    path : path-like
        Its name should hold a :func:`key`.
    build : callable
        Takes a path and writes the file there; with `resume` also a folder, for checkpoints. The
        folder stays if `build` is interrupted, and goes when it is done.
    load : callable
        Takes the path and returns the value; a :class:`.XaiAudioError` means that the file is
        damaged.
    resume : bool

    Returns
    -------
    object
        What `load` returns.

    Raises
    ------
    XaiAudioError
        If it cannot be made, stored, or loaded even when just made.
    """
    path = Path(path)
    damage = None
    if path.exists():
        try:
            return load(path)
        except XaiAudioError as error:
            damage = error
    with lock(path.with_suffix(".lock")):
        if path.exists():
            try:
                return load(path)  # made by somebody else while we waited
            except XaiAudioError as error:
                damage = error
        if damage:
            say(f"{path} is damaged and is made anew: {damage}")
        _make(path, build, path.with_suffix(".resume") if resume else None)
        return load(path)


def _make(path, build, checkpoints) -> None:
    with whole(path, f"{path.stem}.partial{path.suffix}") as partial:
        if checkpoints is None:
            build(partial)
            return
        try:
            build(partial, checkpoints)
        except DamagedError as error:
            say(f"{error} It is started anew.")
            shutil.rmtree(checkpoints, ignore_errors=True)
            build(partial, checkpoints)
    shutil.rmtree(checkpoints, ignore_errors=True)


@contextlib.contextmanager
def lock(path, *, busy: str = "", advice: str = "Set XAIAUDIO_HOME to a folder with room."):
    """Hold a lock file; it is let go when its process ends.

    Parameters
    ----------
    path : Path
        Its folder is made if need be.
    busy : str
        What to say if somebody else holds it. By default it is waited for.
    advice : str
        What to do if the file cannot be made, for the message.

    Raises
    ------
    XaiAudioError
        If the file cannot be made, or is held by somebody who is not waited for.
    """
    from filelock import FileLock, Timeout

    held = FileLock(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        held.acquire(timeout=0 if busy else -1)
    except Timeout:
        raise XaiAudioError(busy) from None
    except OSError as error:
        raise XaiAudioError(
            f"Could not write to {path.parent}: {error.strerror or error}. {advice}".strip()
        ) from error
    try:
        yield
    finally:
        held.release()


def say(text: str) -> None:
    """Write one line to standard error."""
    print(f"xaiaudio: {text}", file=sys.stderr, flush=True)
