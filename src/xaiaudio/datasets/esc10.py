"""ESC-10, the real recordings: fetch, check, read.

K. J. Piczak, "ESC: Dataset for Environmental Sound Classification", ACM Multimedia 2015,
doi:10.1145/2733373.2806390. 400 recordings of 5 s, CC BY 3.0.
"""

from __future__ import annotations

import hashlib
import importlib.resources
import os
import shutil
import zipfile
from dataclasses import dataclass
from pathlib import Path

from .. import cache
from ..errors import XaiAudioError
from ..progress import bar
from . import folders
from .base import ClipSet
from .download import download
from .registry import SETS
from .stored import changed

#: The newest commit of the authors' repository that still holds the recordings.
COMMIT = "553c8f1743b9dba6b282e1323c3ca8fa76923448"
URL = f"https://github.com/karolpiczak/ESC-10/archive/{COMMIT}.zip"

VARIABLE = SETS["esc10"].variable
_OWN_COPY = f"Or fetch it yourself and name its folder in {VARIABLE}."


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
    text = (importlib.resources.files(__package__) / "esc10_manifest.txt").read_text("utf-8")
    return {name: digest for digest, name in (line.split("  ", 1) for line in text.splitlines())}


@dataclass(frozen=True)
class Check:
    """What :func:`check` found.

    Attributes
    ----------
    folder : Path
    good : int
        Files that are there and are the authors'.
    missing, changed : tuple of str
        Names of files that are not there, and of those that differ.
    """

    folder: Path
    good: int
    missing: tuple[str, ...]
    changed: tuple[str, ...]

    @property
    def ok(self) -> bool:
        """Whether every file is there and unchanged."""
        return not self.missing and not self.changed


def check(folder, *, progress: bool = False, expected: dict[str, str] | None = None) -> Check:
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
    Check

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
    folder = Path(folder).expanduser()
    if not folder.is_dir():
        raise XaiAudioError(f"There is no folder {folder}.")
    expected = manifest() if expected is None else expected
    missing, changed = [], []
    with bar(len(expected), progress, "Checking") as step:
        for name, digest in expected.items():
            step()
            if not (folder / name).is_file():
                missing.append(name)
            elif sha256(folder / name) != digest:
                changed.append(name)
    good = len(expected) - len(missing) - len(changed)
    return Check(folder, good, tuple(missing), tuple(changed))


def fetch(
    *, progress: bool = True, url: str | None = None, expected: dict[str, str] | None = None
) -> Path:
    """Return the cached copy of ESC-10; download what is missing (41 MB).

    Every file is checked before the copy appears under its own name, and again when its size or
    time is no longer what it was. Whatever is good is kept, so that an interrupted or damaged copy
    is completed by calling again.

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
        Folder in the authors' layout.

    Raises
    ------
    XaiAudioError
        If there is no network or no space, or a file is not what the authors published.
    """
    expected = manifest() if expected is None else expected
    target = cache.home() / "esc10"
    if not changed(target, expected, expected):
        return target
    # The book's chapters run side by side: one of them fetches, the others wait.
    with cache.lock(target.with_suffix(".lock")):
        if changed(target, expected, expected):
            _keep(target, expected, url or URL, progress)
    return target


def _keep(target: Path, expected: dict[str, str], url: str, progress: bool) -> None:
    try:
        _fill(target, expected, url, progress)
        changed(target, expected, expected)
    except OSError as error:
        raise XaiAudioError(
            f"Could not keep ESC-10 in {target}: {error.strerror or error}. "
            "Make room, or name another cache folder in XAIAUDIO_HOME."
        ) from error


def _fill(target: Path, expected: dict[str, str], url: str, progress: bool) -> None:
    partial = target.with_suffix(".partial")
    if target.exists():  # a copy that lost files, or whose files changed: keep the good ones
        cache.say(f"The copy of ESC-10 in {target} is not complete or was changed: it is mended.")
        shutil.rmtree(partial, ignore_errors=True)
        os.replace(target, partial)
    archive = target.with_suffix(".zip")
    if not archive.is_file():
        # Each file is checked on its own: GitHub does not promise the archive's bytes.
        download(url, archive, title="Fetching ESC-10", advice=_OWN_COPY, progress=progress)
    try:
        _unpack(archive, partial, expected, progress)
    except (zipfile.BadZipFile, EOFError) as error:
        archive.unlink(missing_ok=True)
        raise XaiAudioError(
            f"The download from {url} is damaged ({error}): try again. {_OWN_COPY}"
        ) from error
    os.replace(partial, target)
    archive.unlink(missing_ok=True)


def _unpack(archive: Path, folder: Path, expected: dict[str, str], progress: bool) -> None:
    """Write the files of the manifest, and no others, whatever the archive holds."""
    with zipfile.ZipFile(archive) as file, bar(len(expected), progress, "Unpacking") as step:
        # The archive has one folder at its top, named after the commit.
        members = {name.partition("/")[2]: name for name in file.namelist()}
        for name, digest in expected.items():
            step()
            path = folder / name
            if path.is_file() and sha256(path) == digest:
                continue
            data = file.read(members[name]) if name in members else b""
            if hashlib.sha256(data).hexdigest() != digest:
                archive.unlink()
                raise XaiAudioError(
                    f"{name} in the download is not the file that the authors published "
                    f"(its SHA-256 sum differs): try again. {_OWN_COPY}"
                )
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)


def sha256(path: Path) -> str:
    """Return a file's SHA-256 sum."""
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError as error:
        raise XaiAudioError(f"Could not read {path}: {error.strerror or error}.") from error
