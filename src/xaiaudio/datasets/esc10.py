"""ESC-10, the real recordings: fetch, check, read.

K. J. Piczak, "ESC: Dataset for Environmental Sound Classification", ACM Multimedia 2015,
doi:10.1145/2733373.2806390. 400 recordings of 5 s, CC BY 3.0.
"""

from __future__ import annotations

import os
from pathlib import Path

from ..errors import XaiAudioError
from . import archives, folders
from .base import ClipSet
from .registry import SETS

#: The newest commit of the authors' repository that still holds the recordings.
COMMIT = "553c8f1743b9dba6b282e1323c3ca8fa76923448"
URL = f"https://github.com/karolpiczak/ESC-10/archive/{COMMIT}.zip"

VARIABLE = SETS["esc10"].variable


def load(*, progress: bool = True) -> ClipSet:
    """Return ESC-10: the copy that ``XAIAUDIO_ESC10`` names, or the cached one, or a fresh one.

    Parameters
    ----------
    progress : bool
        Show a bar while it is fetched.

    Returns
    -------
    ClipSet
        With all ten classes.

    Raises
    ------
    XaiAudioError
        If the copy lacks a class, or none can be fetched.

    Examples
    --------
    >>> import xaiaudio as xa
    >>> len(xa.datasets.load("esc10"))  # doctest: +SKIP
    400
    """
    own = os.environ.get(VARIABLE)
    if not own:
        return _complete(folders.read(fetch(progress=progress), name="esc10", esc10=True))
    try:
        return _complete(folders.read(own, name="esc10", esc10=True))
    except XaiAudioError as error:
        raise XaiAudioError(f"{VARIABLE} does not name a copy of ESC-10: {error}") from error


def _complete(clips: ClipSet) -> ClipSet:
    lacking = [label for label in folders.CLASSES if label not in clips.labels]
    others = [label for label in clips.labels if label not in folders.CLASSES]
    if lacking or others:
        wrong = f"has no clips of {', '.join(lacking)}" if lacking else f"holds {others[0]} too"
        raise XaiAudioError(f"{clips[0].path.parent.parent} is not ESC-10: it {wrong}.")
    return clips


def manifest() -> dict[str, str]:
    """Return every file of ESC-10 (``"001 - Dog bark/1-100032-A.ogg"``) and its SHA-256 sum."""
    return archives.manifest(__package__, "esc10_manifest.txt")


def check(
    folder, *, progress: bool = False, expected: dict[str, str] | None = None
) -> archives.Check:
    """Compare a copy in the authors' layout with the manifest, file by file.

    Parameters
    ----------
    folder : str or path-like
    progress : bool
        Show a bar.
    expected : dict, optional
        Names and sums; default :func:`manifest`.

    Returns
    -------
    archives.Check

    Raises
    ------
    XaiAudioError
        If there is no such folder, or a file in it cannot be read.

    Examples
    --------
    >>> from xaiaudio.datasets import esc10
    >>> esc10.check("ESC-10").ok  # doctest: +SKIP
    True
    """
    expected = manifest() if expected is None else expected
    return archives.check(folder, expected, progress=progress)


def fetch(
    *, progress: bool = True, url: str | None = None, expected: dict[str, str] | None = None
) -> Path:
    """Return the cached copy of ESC-10; download what is missing (41 MB).

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
    archive = archives.Archive("ESC-10", "esc10", url or URL, VARIABLE)
    expected = manifest() if expected is None else expected
    return archives.fetch(archive, expected, progress=progress)
