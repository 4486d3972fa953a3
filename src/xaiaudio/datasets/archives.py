"""Sets that others publish as a ZIP archive: fetched once, and each file checked."""

from __future__ import annotations

import hashlib
import importlib.resources
import os
import shutil
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path

from .. import cache
from ..errors import XaiAudioError
from ..files import expanded
from ..progress import bar
from .download import download
from .stored import changed


@dataclass(frozen=True)
class Archive:
    """Where a set is published.

    Attributes
    ----------
    title : str
        Its name, for people.
    folder : str
        Its name in the cache.
    url : str
        The archive. It has one folder at its top.
    variable : str
        Environment variable that names a copy of one's own.
    """

    title: str
    folder: str
    url: str
    variable: str

    @property
    def advice(self) -> str:
        """What else can be done where a download fails."""
        return f"Or fetch it yourself and name its folder in {self.variable}."


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


def manifest(package: str, file: str) -> dict[str, str]:
    """Read a list of files with their SHA-256 sums that lies in the package."""
    text = (importlib.resources.files(package) / file).read_text("utf-8")
    return {name: digest for digest, name in (line.split("  ", 1) for line in text.splitlines())}


def check(folder, expected: dict[str, str], *, progress: bool = False) -> Check:
    """Compare a copy in the authors' layout with what they published, file by file.

    Parameters
    ----------
    folder : str or path-like
    expected : dict
        Names and SHA-256 sums.
    progress : bool
        Show a bar.

    Returns
    -------
    Check

    Raises
    ------
    XaiAudioError
        If there is no such folder, or a file in it cannot be read.
    """
    folder = expanded(folder)
    if not folder.is_dir():
        raise XaiAudioError(f"There is no folder {folder}.")
    missing, different = [], []
    with bar(len(expected), progress, "Checking") as step:
        for name, digest in expected.items():
            step()
            if not (folder / name).is_file():
                missing.append(name)
            elif sha256(folder / name) != digest:
                different.append(name)
    good = len(expected) - len(missing) - len(different)
    return Check(folder, good, tuple(missing), tuple(different))


def fetch(archive: Archive, expected: dict[str, str], *, progress: bool = True) -> Path:
    """Return the cached copy of a set; download what is missing.

    Every file is checked before the copy appears under its own name, and again when its size or
    time is no longer what it was. Whatever is good is kept, so that an interrupted or damaged copy
    is completed by calling again.

    Parameters
    ----------
    archive : Archive
    expected : dict
        Names and SHA-256 sums of the files to keep; whatever else the archive holds is left out.
    progress : bool
        Show a bar.

    Returns
    -------
    Path
        Folder in the authors' layout.

    Raises
    ------
    XaiAudioError
        If there is no network or no space, or a file is not what the authors published.
    """
    target = cache.home() / archive.folder
    if not changed(target, expected, expected):
        return target
    # The book's chapters run side by side: one of them fetches, the others wait.
    with cache.lock(target.with_suffix(".lock")):
        if changed(target, expected, expected):
            _keep(archive, target, expected, progress)
    return target


def _keep(archive, target: Path, expected: dict[str, str], progress: bool) -> None:
    try:
        _fill(archive, target, expected, progress)
        changed(target, expected, expected)
    except OSError as error:
        raise XaiAudioError(
            f"Could not keep {archive.title} in {target}: {error.strerror or error}. "
            "Make room, or name another cache folder in XAIAUDIO_HOME."
        ) from error


def _fill(archive, target: Path, expected: dict[str, str], progress: bool) -> None:
    title, url = archive.title, archive.url
    partial = target.with_suffix(".partial")
    if target.exists():  # a copy that lost files, or whose files changed: keep the good ones
        cache.say(f"The copy of {title} in {target} is not complete or was changed: it is mended.")
        shutil.rmtree(partial, ignore_errors=True)
        os.replace(target, partial)
    zipped = target.with_suffix(".zip")
    if not zipped.is_file():
        # Each file is checked on its own: GitHub does not promise the archive's bytes.
        download(url, zipped, title=f"Fetching {title}", advice=archive.advice, progress=progress)
    try:
        _unpack(archive, zipped, partial, expected, progress)
    # zlib has an error of its own; a flipped bit can also name a method that there is not.
    except (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError) as error:
        zipped.unlink(missing_ok=True)
        raise XaiAudioError(
            f"The download from {url} is damaged ({error}): try again. {archive.advice}"
        ) from error
    os.replace(partial, target)
    zipped.unlink(missing_ok=True)


def _unpack(archive, zipped: Path, folder: Path, expected, progress: bool) -> None:
    """Write the files of the manifest, and no others, whatever the archive holds."""
    with zipfile.ZipFile(zipped) as file, bar(len(expected), progress, "Unpacking") as step:
        # The archive has one folder at its top, named after the commit.
        members = {name.partition("/")[2]: name for name in file.namelist()}
        for name, digest in expected.items():
            step()
            path = folder / name
            if path.is_file() and sha256(path) == digest:
                continue
            data = file.read(members[name]) if name in members else b""
            if hashlib.sha256(data).hexdigest() != digest:
                zipped.unlink()
                raise XaiAudioError(
                    f"{name} in the download is not the file that the authors published "
                    f"(its SHA-256 sum differs): try again. {archive.advice}"
                )
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)


def sha256(path: Path) -> str:
    """Return a file's SHA-256 sum."""
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError as error:
        raise XaiAudioError(f"Could not read {path}: {error.strerror or error}.") from error
