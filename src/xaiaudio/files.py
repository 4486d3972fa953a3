"""Files that are there whole or not at all."""

from __future__ import annotations

import contextlib
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
