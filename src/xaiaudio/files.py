"""Files that are there whole or not at all."""

from __future__ import annotations

import contextlib
import errno
import os
from pathlib import Path

from .errors import XaiAudioError


@contextlib.contextmanager
def whole(path, partial: str | None = None, *, advice: str = ""):
    """Yield the path to write to; once all is written, it takes the place of `path`.

    Whatever goes wrong, nothing half-written stays, and a file that was there before is untouched.
    The bytes are on the disk before the name is: a power cut leaves the old file or the new one.

    Parameters
    ----------
    path : path-like
        The file to write.
    partial : str, optional
        Name of the file until then, in the same folder; default is the name with ``.partial``.
    advice : str
        What to do if it cannot be written, for the message.

    Yields
    ------
    Path
        A name beside it.

    Raises
    ------
    XaiAudioError
        If it cannot be written.

    Examples
    --------
    >>> with whole("numbers.txt") as partial:  # doctest: +SKIP
    ...     partial.write_text("1 2 3")
    """
    path = Path(path)
    beside = path.with_name(partial or path.name + ".partial")
    try:
        yield beside
        put(beside, path)
    except OSError as error:
        reason = f"Could not write {path}: {error.strerror or error}."
        raise XaiAudioError(f"{reason} {advice}".strip()) from error
    finally:
        with contextlib.suppress(OSError):
            beside.unlink()


def check_ordinary(path) -> None:
    """Raise XaiAudioError for a folder, a pipe or a device: reading from these may never end."""
    path = Path(path)
    if path.exists() and not path.is_file():
        what = "is a folder" if path.is_dir() else "is a pipe or a device"
        raise XaiAudioError(f"{path} {what}: name a file.")


def expanded(path) -> Path:
    """Return a path whose ~ is somebody's home folder; as in a shell, that of nobody stays ~.

    Parameters
    ----------
    path : path-like

    Returns
    -------
    Path

    Raises
    ------
    XaiAudioError
        If no file can have such a name.

    Examples
    --------
    >>> from xaiaudio.files import expanded
    >>> expanded("~nobody-of-this-name/sounds").as_posix()
    '~nobody-of-this-name/sounds'
    """
    path = Path(path)
    with contextlib.suppress(RuntimeError):
        path = path.expanduser()
    check_name(path)
    return path


def check_name(path) -> None:
    """Raise an XaiAudioError if no file can have such a name, whether it is there or not."""
    try:
        os.lstat(path)
    except OSError as error:
        if error.errno == errno.ENAMETOOLONG:
            raise XaiAudioError(
                f"{os.fsdecode(path)[:40]}... has {len(os.fsdecode(path))} characters: the name "
                "of a file or folder is too long, take a shorter one."
            ) from error
    except ValueError as error:  # a byte of 0
        raise XaiAudioError(f"{os.fsdecode(path)!r} is no name of a file.") from error


def put(partial, path) -> None:
    """Give a finished file its name, once its bytes are on the disk.

    Parameters
    ----------
    partial, path : path-like
        On the same file system. What was called `path` before is replaced.
    """
    handle = os.open(partial, os.O_RDWR)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
    os.replace(partial, path)
