"""The Free Spoken Digit Dataset (FSDD): six people say the ten digits, 50 times each.

3,000 recordings at 8 kHz, cut close around the word, by Z. Jackson and others, CC BY-SA 4.0:
https://github.com/Jakobovski/free-spoken-digit-dataset.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

from ...errors import XaiAudioError
from ...files import expanded
from .. import archives
from ..base import ClipSet
from ..digits.tasks import Recording, check_takes, check_task, clip_set, first_takes
from ..registry import SETS

if TYPE_CHECKING:
    from ...types import PathLike

#: The commit of the authors' repository that is used.
COMMIT = "26eb9aa"
PAGE = "https://github.com/Jakobovski/free-spoken-digit-dataset"
URL = f"{PAGE}/archive/{COMMIT}.zip"
LICENCE = "CC BY-SA 4.0"
AUTHOR = "Z. Jackson and others"
TASKS = ("digit", "speaker")

VARIABLE = SETS["fsdd"].variable
_NAME = re.compile(r"^(?P<digit>\d)_(?P<speaker>[a-z]+)_(?P<take>\d+)\.wav$")


def load(
    task: str = "digit",
    folder: PathLike | None = None,
    *,
    takes: int | None = None,
    progress: bool = True,
) -> ClipSet:
    """Return spoken digits, labelled and divided for a task.

    Parameters
    ----------
    task : {"digit", "speaker"}
        For digits all recordings of a speaker are in one fold, so that the held-out voice is a
        stranger's. For speakers each one's takes are dealt out to all folds. (The authors
        themselves test on takes 0 to 4 of all speakers.)
    folder : str or path-like, optional
        A copy: the repository, or its folder ``recordings``. Default is the one that the
        environment variable ``XAIAUDIO_FSDD`` names; without it the recordings are fetched once.
    takes : int or None
        Of each digit by each speaker, the first ones; None takes all, which is 50.
    progress : bool
        Show a bar while they are fetched.

    Returns
    -------
    ClipSet
        Named ``"fsdd"``. Clips are called ``7_jackson_32``: digit, speaker, take. They last
        0.1 to 2.3 s, and hold nothing above 4 kHz.

    Raises
    ------
    XaiAudioError
        If there is no such task, the folder is not a copy, or none can be fetched.

    Examples
    --------
    >>> from xaiaudio.datasets import fsdd
    >>> train, test = fsdd.load("speaker", takes=10).split()  # doctest: +SKIP
    """
    check_task(task, TASKS)
    check_takes(takes)
    own = folder or os.environ.get(VARIABLE)
    if not own:
        return clip_set(read(fetch(progress=progress), takes), task, "fsdd")
    try:
        return clip_set(read(own, takes), task, "fsdd")
    except XaiAudioError as error:
        if folder:
            raise
        raise XaiAudioError(f"{VARIABLE} does not name a copy of FSDD: {error}") from error


def read(folder: PathLike, takes: int | None = None) -> list[Recording]:
    """List the recordings of a copy.

    Parameters
    ----------
    folder : str or path-like
        The repository, or its folder ``recordings``, with files such as ``7_jackson_32.wav``.
    takes : int, optional
        Keep only so many takes of each digit by each speaker, the first ones; default all.

    Returns
    -------
    list of Recording

    Raises
    ------
    XaiAudioError
        If the folder is missing, cannot be read, or is not laid out so.
    """
    folder = root = expanded(folder)
    try:
        if not folder.is_dir():
            raise XaiAudioError(f"There is no folder {folder}: name a copy of FSDD.")
        # A folder that may be listed but not entered has an error for this question, too.
        root = folder / "recordings" if (folder / "recordings").is_dir() else folder
        named = [(path, _NAME.match(path.name)) for path in root.iterdir()]
    except OSError as error:
        raise XaiAudioError(f"Could not read {root}: {error.strerror or error}.") from error
    found = [
        Recording(
            path=path,
            digit=int(match["digit"]),
            speaker=match["speaker"],
            take=int(match["take"]),
            gender=None,
            licence=LICENCE,
            author=AUTHOR,
            source=PAGE,
        )
        for path, match in named
        if match
    ]
    if not found:
        raise XaiAudioError(
            f"{folder} is not FSDD: it has no recording such as recordings/7_jackson_32.wav."
        )
    return first_takes(found, takes)


def manifest() -> dict[str, str]:
    """Return every recording (``"recordings/7_jackson_32.wav"``) and its SHA-256 sum."""
    return archives.manifest(__package__, "manifest.txt")


def fetch(
    *, progress: bool = True, url: str | None = None, expected: dict[str, str] | None = None
) -> Path:
    """Return the cached copy; download what is missing, and check every file.

    Parameters
    ----------
    progress : bool
        Show a bar.
    url : str, optional
        A mirror of the authors' archive; default theirs, :data:`URL`.
    expected : dict, optional
        Names and SHA-256 sums; default :func:`manifest`.

    Returns
    -------
    Path
        Folder in the authors' layout; see :func:`.archives.fetch`.

    Raises
    ------
    XaiAudioError
        If there is no network or no space, or a file is not what the authors published.
    """
    archive = archives.Archive("FSDD", "fsdd", url or URL, VARIABLE)
    expected = manifest() if expected is None else expected
    return archives.fetch(archive, expected, progress=progress)
