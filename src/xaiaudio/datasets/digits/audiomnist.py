"""A user's copy of AudioMNIST: 30,000 recordings, 60 speakers, ten digits.

S. Becker, J. Vielhaben, M. Ackermann, K.-R. Müller, S. Lapuschkin and W. Samek, "AudioMNIST:
Exploring Explainable Artificial Intelligence for audio analysis on a simple benchmark", Journal of
the Franklin Institute 361 (2024). The recordings are under the MIT licence. Nothing is downloaded.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING

from ...errors import XaiAudioError
from ...files import expanded
from .tasks import Recording, first_takes

if TYPE_CHECKING:
    from ...types import PathLike

META = "audioMNIST_meta.txt"
_NAME = re.compile(r"^(?P<digit>\d)_(?P<speaker>\d{2})_(?P<take>\d+)\.(wav|flac)$", re.IGNORECASE)
_FOLDER = re.compile(r"^\d{2}$")


def read(folder: PathLike, takes: int | None = None) -> list[Recording]:
    """List the recordings of a copy.

    Parameters
    ----------
    folder : str or path-like
        The repository, or its folder ``data``: in it a folder per speaker (``01``, ``02``, ...)
        with files such as ``0_01_0.wav`` (digit, speaker, take), and ``audioMNIST_meta.txt``.
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
    folder = expanded(folder)
    if not folder.is_dir():
        raise XaiAudioError(f"There is no folder {folder}: name a copy of AudioMNIST.")
    root = folder / "data" if (folder / "data").is_dir() else folder
    try:
        found, genders = _files(root), _genders(root / META)
    except OSError as error:
        raise XaiAudioError(
            f"Could not read {error.filename or folder}: {error.strerror or error}."
        ) from error
    if not found:
        raise XaiAudioError(
            f"{folder} is not AudioMNIST: it has no recording such as data/01/0_01_0.wav."
        )
    listed = [
        Recording(path, digit, speaker, take, genders.get(speaker), "MIT", "", "AudioMNIST")
        for path, digit, speaker, take in found
    ]
    return first_takes(listed, takes)


def _files(root: Path) -> list[tuple[Path, int, str, int]]:
    """List path, digit, speaker and take of each recording."""
    found = []
    for folder in sorted(root.iterdir()):
        if not (_FOLDER.match(folder.name) and folder.is_dir()):
            continue
        for path in folder.iterdir():
            match = _NAME.match(path.name)
            if match and match["speaker"] == folder.name:
                found.append((path, int(match["digit"]), folder.name, int(match["take"])))
    return found


def _genders(path: Path) -> dict[str, str]:
    """Return each speaker's gender as the table tells it; nothing if there is no table."""
    if not path.is_file():
        return {}
    try:
        table = json.loads(path.read_text("utf-8"))
        return {name: str(about["gender"]).lower() for name, about in table.items()}
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise XaiAudioError(
            f"{path} is not AudioMNIST's table of speakers: JSON with a gender for each is needed."
        ) from error
