"""Files that are there whole or not at all."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

from .errors import XaiAudioError


@contextlib.contextmanager
def whole(path):
    """Yield the path to write to; once all is written, it takes the place of `path`.

    Whatever goes wrong, nothing half-written stays, and a file that was there before is untouched.

    Parameters
    ----------
    path : path-like
        The file to write.

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
    partial = path.with_name(path.name + ".partial")
    try:
        yield partial
        os.replace(partial, path)
    except OSError as error:
        raise XaiAudioError(f"Could not write {path}: {error.strerror or error}.") from error
    finally:
        with contextlib.suppress(OSError):
            partial.unlink()
