"""Folders of sounds, in the layouts that people have them in.

- A folder per class (the authors' ESC-10, MathWorks' zip, a user's own sounds).
- ESC-50's ``audio/`` with ``meta/esc50.csv``, of which the clips of ESC-10 are taken.
- Sounds without classes, to be explained but not to be learnt from.
"""

from __future__ import annotations

import csv
import re
from pathlib import Path
from typing import TYPE_CHECKING

from ..audio import EXTENSIONS
from ..errors import XaiAudioError
from ..files import expanded
from . import attribution
from .attribution import Attribution
from .base import FOLDS, Clip, ClipSet, held_out
from .registry import SETS

if TYPE_CHECKING:
    from typing import Any

    from ..types import PathLike

CLASSES = (
    "Dog bark",
    "Rain",
    "Sea waves",
    "Baby cry",
    "Clock tick",
    "Person sneeze",
    "Helicopter",
    "Chainsaw",
    "Rooster",
    "Fire crackling",
)

# ESC-50's names, as in its table and in MathWorks' copy of ESC-10.
_ESC50_NAMES = {
    "dog": "Dog bark",
    "crying_baby": "Baby cry",
    "sneezing": "Person sneeze",
    "crackling_fire": "Fire crackling",
    **{label.lower().replace(" ", "_"): label for label in CLASSES},
}
# fold-source-take, and in ESC-50 -target. The target is no part of the name in attributions.
_ESC_CLIP = re.compile(r"^(?P<clip>(?P<fold>[1-5])-\d+-[A-Z])(-\d+)?$")
_NUMBERED = re.compile(r"^\d+ - (?P<label>.+)$")
# What the authors give for the whole, if a copy came without their list of clips.
_ESC10_LICENCE = Attribution("CC BY")


def read(folder: PathLike, name: str | None = None, *, esc10: bool | None = None) -> ClipSet:
    """Read a folder of sounds.

    Labels are the names of the class folders (a leading ``001 - `` is dropped if all have one).
    If the files are ESC-10's, fold, licence and author are ESC-10's. Otherwise each label's files,
    in the order of their names, are dealt out to five folds: the last fifth is fold 5, which makes
    ``split(5)`` the same as ``split_share(0.8)``. Hidden files are passed over without a word.
    Files that are no sounds by their names, pipes, links that lead nowhere and sounds deeper in a
    class folder are listed in `ClipSet.passed_over`.

    Parameters
    ----------
    folder : str or path-like
    name : str, optional
        Name of the set; default the folder's.
    esc10 : bool, optional
        True where the folder is known to hold ESC-10, also with other names of folders or in
        another format, if its files are named as ESC-10's. By default, each file has to be the
        authors', byte by byte: names alone say nothing of a sound's licence.

    Returns
    -------
    ClipSet

    Raises
    ------
    XaiAudioError
        If the folder is missing, cannot be read, or holds no sounds where they are looked for.

    Examples
    --------
    >>> from xaiaudio.datasets import folders
    >>> folders.read("my_sounds").counts()  # doctest: +SKIP
    {'knock': 12, 'whistle': 9}
    """
    folder = expanded(folder)
    _check_folder(folder)
    try:
        if (folder / "meta" / "esc50.csv").is_file():
            clips, labels = _read_esc50(folder)
            others = []
        else:
            clips, labels = _read_class_folders(folder, esc10)
            others = _passed_over({clip.path.parent for clip in clips})
    except OSError as error:
        raise XaiAudioError(
            f"Could not read {error.filename or folder}: {error.strerror or error}."
        ) from error
    return ClipSet(name or folder.resolve().name, tuple(clips), labels, tuple(others))


def _check_folder(folder: Path) -> None:
    if folder.suffix.lower() == ".zip":
        raise XaiAudioError(f"{folder} is a zip file: unpack it and name the folder.")
    if not folder.exists():
        raise XaiAudioError(
            f"There is no folder {folder}: name a folder of sounds, or {', '.join(SETS)}."
        )
    if not folder.is_dir():
        raise XaiAudioError(f"{folder} is a file: name a folder with one subfolder per class.")


def _sounds(folder: Path) -> list[Path]:
    return [path for path in _visible(folder) if _is_sound(path) and path.is_file()]


def _is_sound(path: Path) -> bool:
    return path.suffix.lower() in EXTENSIONS


def _passed_over(folders) -> list[Path]:
    """List what in folders is no sound by its name, or no file, and sounds that lie deeper."""
    found = []
    for path in (path for folder in sorted(folders) for path in _visible(folder)):
        if path.is_dir():
            found += _sounds(path)
        elif not (path.is_file() and _is_sound(path)):
            found.append(path)
    return found


def _visible(folder: Path) -> list[Path]:
    """Everything in a folder by name, without what systems leave behind (``._x.wav``, ...)."""
    return sorted(
        path for path in folder.iterdir() if path.name[0] != "." and path.name[:2] != "__"
    )


def _read_class_folders(folder: Path, esc10: bool | None) -> tuple[list[Clip], tuple[str, ...]]:
    found = _sounds_by_label(folder)
    esc_names: dict[Path, Any] = {
        path: _ESC_CLIP.match(path.stem) for files in found.values() for path in files
    }
    esc_labels: dict[str, Any] = {label: _esc10_label(label) for label in found}
    named = all(esc_names.values()) and all(esc_labels.values())
    if named and (esc10 or (esc10 is None and _authors(esc_names))):
        known = attribution.read(folder / "ATTRIBUTION.txt")
        clips = [
            _esc_clip(path, esc_labels[label], int(esc_names[path]["fold"]), known)
            for label, files in found.items()
            for path in files
        ]
        return _in_order(clips)
    clips = [
        Clip(path, label or None, fold, licence="")
        for label, files in found.items()
        for path, fold in zip(files, _folds(len(files)), strict=True)
    ]
    return clips, tuple(label for label in found if label)


def _authors(files) -> bool:
    """Tell whether all files are those that ESC-10's authors published."""
    from . import archives, esc10

    sums = {Path(name).name: digest for name, digest in esc10.manifest().items()}
    return all(sums.get(path.name) == archives.sha256(path) for path in files)


def _sounds_by_label(folder: Path) -> dict[str, list[Path]]:
    """Class folder names, without numbers, to their sounds; "" for sounds without class."""
    loose = _sounds(folder)
    inside = {path: _sounds(path) for path in _visible(folder) if path.is_dir()}
    deeper = [path for path, files in inside.items() if not files and _has_sounds_deeper(path)]
    if deeper:
        raise XaiAudioError(
            f"{folder} must hold one folder per class with the sounds directly in it, but those in "
            f"{deeper[0].name} lie deeper: if {deeper[0]} is the data set, name that."
        )
    inside = {path: files for path, files in inside.items() if files}
    if loose and inside:
        raise XaiAudioError(
            f"{folder} holds sounds beside its class folders, first {loose[0].name}: "
            "move them into a class folder or away."
        )
    if not loose and not inside:
        raise XaiAudioError(
            f"{folder} holds no sounds (.wav, .flac, .ogg, .mp3, .m4a, ...): put them into one "
            "folder per class."
        )
    return {"": loose} if loose else _without_numbers(inside)


def _has_sounds_deeper(folder: Path) -> bool:
    return any(_sounds(path) for path in _visible(folder) if path.is_dir())


def _without_numbers(inside: dict[Path, list[Path]]) -> dict[str, list[Path]]:
    numbered: list[Any] = [_NUMBERED.match(path.name) for path in inside]
    by_label: dict[str, list[Path]] = {}
    for path, match in zip(inside, numbered, strict=True):
        label = match["label"] if all(numbered) else path.name
        by_label.setdefault(label, []).extend(inside[path])
    return by_label


def _esc10_label(name: str) -> str | None:
    return _ESC50_NAMES.get(name.lower().replace(" ", "_"))


def _esc_clip(path: Path, label: str, fold: int, known: dict[str, Attribution]) -> Clip:
    name = _ESC_CLIP.match(path.stem)
    about = known.get(name["clip"] if name else path.stem, _ESC10_LICENCE)
    return Clip(path, label, fold, about.licence, about.author, about.source)


def _in_order(clips: list[Clip]) -> tuple[list[Clip], tuple[str, ...]]:
    """Sort ESC-10's clips by class, in the authors' order, and file name."""
    clips = sorted(clips, key=lambda clip: (CLASSES.index(clip.label), clip.path.name))
    present = {clip.label for clip in clips}
    return clips, tuple(label for label in CLASSES if label in present)


def _folds(count: int) -> list[int]:
    """Deal out `count` files: fold 5 is what ``split_share(0.8)`` holds out."""
    test = held_out(count, 0.8)
    train = count - test
    return [1 + i * (FOLDS - 1) // train for i in range(train)] + [FOLDS] * test


def _read_esc50(folder: Path) -> tuple[list[Clip], tuple[str, ...]]:
    table = folder / "meta" / "esc50.csv"
    known = attribution.read(folder / "LICENSE")
    try:
        with open(table, newline="", encoding="utf-8") as file:
            rows = [row for row in csv.DictReader(file) if row["esc10"].lower() == "true"]
        clips = [
            _esc_clip(
                folder / "audio" / row["filename"],
                _ESC50_NAMES[row["category"]],
                int(row["fold"]),
                known,
            )
            for row in rows
        ]
    except (KeyError, ValueError, AttributeError, TypeError, csv.Error) as error:
        raise XaiAudioError(f"{table} is not ESC-50's table: {error!r}.") from error
    missing = [clip.path for clip in clips if not clip.path.is_file()]
    if missing or not clips:
        what = f"{len(missing)} of them are missing, first {missing[0]}" if missing else "none"
        raise XaiAudioError(f"{table} lists {len(clips)} clips of ESC-10: {what}.")
    return _in_order(clips)
