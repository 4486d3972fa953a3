"""What is to be done with an archive: its sounds, in units, and what is asked of each.

A plan is two files in the folder of the results: ``plan.json`` with the settings, and
``files.parquet`` with the sounds. Nothing of a sound is read to plan it but its name, size and
time.
"""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from .. import cache
from ..audio import check_counted
from ..errors import XaiAudioError
from ..files import whole
from . import tables
from .listing import sounds_below

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from ..types import PathLike

FORMAT = 1
#: Most clips of a unit, and the bytes after which it gets no more.
CLIPS, BYTES = 64, 256 << 20


@dataclass(frozen=True)
class ArchiveSettings:
    """What is asked of every sound of an archive. Plain values, for JSON.

    Attributes
    ----------
    folder : str
        Where the sounds are.
    model : str
        What :func:`xaiaudio.load_model` takes.
    about : dict
        What else it is told of the network, by its names.
    fingerprint : str
        SHA-256 sum of the network's file.
    code : str
        Changes with the code that explains.
    methods : dict of str to dict
        The methods and the options given.
    target : str or None
        The class explained; None for the one that the network predicts.
    overlap : float
        Of the patches.
    pad : bool
        Whether sounds shorter than a patch are lengthened with silence.
    clips : int
        Most clips of a unit.
    labels : list of str
        The network's classes.
    frontend : dict
        The front end's settings.
    channel : int or None
        The channel explained; None for the mean of all.
    """

    folder: str
    model: str
    about: dict
    fingerprint: str
    code: str
    methods: dict
    target: str | None
    overlap: float
    pad: bool
    clips: int
    labels: list
    frontend: dict
    channel: int | None = None


# What a run must have in common with the one that began, and what that is called.
_FIXED = {
    "folder": "the folder",
    "model": "the network",
    "about": "what was said of the network",
    "fingerprint": "the network's file",
    "code": "the code of xaiaudio",
    "methods": "the methods and their options",
    "target": "the class explained",
    "overlap": "the overlap",
    "channel": "the channel",
    "pad": "pad",
    "clips": "the clips of a unit",
}
# Nobody can read these.
_SUMS = ("fingerprint", "code")


@dataclass(frozen=True, eq=False)
class ArchivePlan:
    """The sounds of an archive in units, and what is asked of them.

    Attributes
    ----------
    out : Path
        The folder of the results.
    settings : ArchiveSettings
    files : dict of str to ndarray
        ``file`` (names within the folder), ``size`` (bytes), ``time`` (of the last change, in
        nanoseconds) and ``unit`` of each sound.
    added : int
        Sounds that were not yet there when the folder was planned before.
    passed_over : tuple of str
        Sounds whose names are not UTF-8.
    unreadable : dict of str to str
        Folders and sounds that could not be read as this was planned, and why. They are among the
        bad files of the results.

    Examples
    --------
    >>> import xaiaudio as xa
    >>> plan = xa.corpus.plan("recordings", "explained")  # doctest: +SKIP
    >>> plan  # doctest: +SKIP
    ArchivePlan(100000 clips in 1563 units, 0 done)
    """

    out: Path
    settings: ArchiveSettings
    files: dict[str, np.ndarray]
    added: int = 0
    passed_over: tuple[str, ...] = ()
    unreadable: dict[str, str] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.files["file"])

    def __repr__(self) -> str:
        done = self.units - len(self.waiting())
        return f"ArchivePlan({len(self)} clips in {self.units} units, {done} done)"

    @property
    def units(self) -> int:
        """How many units there are."""
        return int(self.files["unit"].max(initial=-1)) + 1

    def waiting(self) -> list[int]:
        """Return the units that are not done."""
        done = tables.done(self.out)
        return [unit for unit in range(self.units) if unit not in done]

    def clips_of(self, unit: int) -> list[tuple[str, int, int]]:
        """Return name, size and time of the sounds of a unit."""
        first, last = np.searchsorted(self.files["unit"], [unit, unit + 1])
        columns = (self.files[name][first:last].tolist() for name in ("file", "size", "time"))
        return list(zip(*columns, strict=True))


def plan(
    folder: PathLike,
    out: PathLike,
    *,
    model: PathLike = "lite",
    methods: Sequence[str] | Mapping[str, Mapping[str, Any]] = ("gradcam",),
    target: str | None = None,
    overlap: float = 0.5,
    channel: int | None = None,
    pad: bool = False,
    clips: int = CLIPS,
    about: Mapping[str, Any] | None = None,
) -> ArchivePlan:
    """Plan how to explain the sounds of a folder, and of the folders in it.

    A plan that is there already goes on: sounds that came since make new units. Where anything else
    differs, nothing is planned. A folder within that cannot be read is a bad file of the results;
    what was planned of it before stays planned.

    Parameters
    ----------
    folder : path-like
        Holds the sounds. What is no sound by its name is passed over.
    out : path-like
        Folder for the results, made if need be.
    model : str or path-like
        As for :func:`xaiaudio.load_model`: all processes load it from there.
    methods : sequence of str, or mapping of str to mapping
        Explanation methods, with their options if it is a mapping. They are not trained ones.
    target : str, optional
        The class to explain; by default the one that the network predicts for the clip.
    overlap : float
        Of the patches that name a clip, in [0, 1).
    channel : int, optional
        The channel to explain, from 0; by default the mean of all. Sounds without it are bad.
    pad : bool
        Lengthen sounds shorter than a patch with silence.
    clips : int
        Most clips of a unit. A unit is also full at 256 MB of files.
    about : mapping, optional
        What else :func:`xaiaudio.load_model` is told: labels, outputs, ...

    Returns
    -------
    ArchivePlan

    Raises
    ------
    XaiAudioError
        If there are no sounds, for an unknown method, option or class, or if `out` holds a plan of
        something else; the message says what has changed.
    """
    tables.check()
    folder, out = Path(folder).expanduser().resolve(), Path(out).expanduser()
    _check_numbers(overlap, channel, clips)
    asked = {
        "folder": str(folder),
        "model": _source(model),
        "about": {name: value for name, value in (about or {}).items() if value is not None},
        "fingerprint": fingerprint(_source(model)),
        "code": code(),
        "methods": {
            name: dict(methods[name]) if isinstance(methods, dict) else {} for name in methods
        },
        "target": target,
        "overlap": float(overlap),
        "channel": channel,
        "pad": bool(pad),
        "clips": int(clips),
    }
    asked = json.loads(json.dumps(asked, default=_plain))
    found = sounds_below(folder, out.resolve())
    if (out / "plan.json").exists():
        before = load(out)
        _compare(before.settings, asked, out)
        settings = before.settings
        files, added = _continued(before, found, clips)
    else:
        settings, added = _settled(asked), 0
        files = found.files | {"unit": _units(found.files["size"], clips)}
    if added or not (out / "plan.json").exists():
        _write(out, settings, files)
    tables.write_unreadable(out, found.unreadable)
    return ArchivePlan(out, settings, files, added, found.passed_over, found.unreadable)


def load(out: PathLike) -> ArchivePlan:
    """Return the plan in a folder of results.

    Raises
    ------
    XaiAudioError
        If there is none, or it is damaged.
    """
    out = Path(out).expanduser()
    if not (out / "plan.json").exists():
        raise XaiAudioError(f"{out} holds no archive: make one with xaiaudio corpus explain.")
    try:
        told = json.loads((out / "plan.json").read_text(encoding="utf-8"))
        if not isinstance(told, dict):
            raise ValueError("it holds no settings")
        if told.pop("format", None) != FORMAT:
            raise ValueError("it was written by another version of xaiaudio")
        settings = ArchiveSettings(**told)
    except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise XaiAudioError(f"{out / 'plan.json'} is damaged: {error}.") from error
    return ArchivePlan(out, settings, tables.read([out / "files.parquet"], tables.SOUNDS))


def fingerprint(model: str) -> str:
    """Return the SHA-256 sum of a network's file; its name where it is fetched."""
    # Not by what models.saving knows: importing TensorFlow takes seconds.
    shipped = resources.files("xaiaudio.models.networks") / f"{model}.keras"
    if "/" not in model and shipped.is_file():
        with resources.as_file(shipped) as path:
            return cache.sum_of(path)
    if Path(model).is_dir():
        return cache.key(files=cache.files_in(model))
    return cache.sum_of(model) if Path(model).is_file() else model


def code() -> str:
    """Return a name for the code that explains a unit: it changes when that does."""
    return cache.key(modules=("corpus.units",))


def _source(model) -> str:
    """Return a network's file or folder as a whole path; a name stays, whatever lies around."""
    path = Path(model)
    found = path.is_file() or (path / "saved_model.pb").is_file()
    return str(path.resolve()) if found else str(model)


def _plain(value):
    if hasattr(value, "to_config"):
        return value.to_config()
    return value.item() if isinstance(value, np.generic) else str(value)


def _check_numbers(overlap, channel, clips) -> None:
    if not 0 <= overlap < 1:
        raise XaiAudioError(f"overlap is {overlap!r}: it must be a share from 0 to below 1.")
    check_counted("channel", channel)
    if clips < 1:
        raise XaiAudioError(f"clips is {clips!r}: a unit has at least one.")


def _settled(asked) -> ArchiveSettings:
    """Load the network once, so that what cannot work is refused now."""
    from ..explainers.base import Explainer
    from .units import network

    classifier = network(asked["model"], json.dumps(asked["about"]))
    for name, options in asked["methods"].items():
        made = Explainer(name, **options)
        if made._method.fit is not None:
            raise XaiAudioError(f"{name} has to be trained on sounds first: take another method.")
    if not asked["methods"]:
        raise XaiAudioError("No method is named: take gradcam, or any of xaiaudio methods.")
    if asked["target"] is not None:
        asked["target"] = classifier.labels[classifier.index(asked["target"])]
    frontend = json.loads(json.dumps(classifier.frontend.to_config(), default=_plain))
    return ArchiveSettings(**asked, labels=list(classifier.labels), frontend=frontend)


def _units(sizes, clips, first=0) -> np.ndarray:
    """Return the unit of each sound: one is full at so many clips, or at `BYTES`."""
    numbers, unit, count, total = [], first, 0, 0
    for size in sizes.tolist():
        if count == clips or (count and total + size > BYTES):
            unit, count, total = unit + 1, 0, 0
        numbers.append(unit)
        count, total = count + 1, total + size
    return np.array(numbers, np.int64)


def _write(out, settings, files) -> None:
    """Write the settings last: a plan is there when they are."""
    advice = "Name another folder with --out."
    with whole(out / "files.parquet", advice=advice) as partial:
        out.mkdir(parents=True, exist_ok=True)
        tables.write(partial, tables.SOUNDS, files)
    with whole(out / "plan.json", advice=advice) as partial:
        told = {"format": FORMAT, **dataclasses.asdict(settings)}
        partial.write_text(json.dumps(told, indent=1), encoding="utf-8")


def _compare(before: ArchiveSettings, asked, out) -> None:
    """Refuse to go on with other settings than those that the archive was begun with."""
    if asked["target"] in before.labels or asked["target"] is None:
        target = asked["target"]
    else:
        folded = {label.casefold(): label for label in before.labels}
        target = folded.get(asked["target"].strip().casefold(), asked["target"])
    for name, words in _FIXED.items():
        was, now = getattr(before, name), target if name == "target" else asked[name]
        if was != now:
            how = "" if name in _SUMS else f", from {was} to {now}"
            raise XaiAudioError(
                f"{out} was begun otherwise: {words} changed{how}. Name another folder with --out, "
                "or ask as before."
            )


def _continued(before: ArchivePlan, found, clips) -> tuple[dict[str, np.ndarray], int]:
    """Return the files planned before and those that came since; refuse others."""
    files, unreadable = found.files, tuple(found.unreadable)
    places = {name: place for place, name in enumerate(files["file"].tolist())}
    changed = []
    for name, size, time in zip(
        *(before.files[column].tolist() for column in ("file", "size", "time")), strict=True
    ):
        place = places.pop(name, None)
        if place is None:
            if not name.startswith(unreadable):  # else nobody knows
                changed.append(f"{name} is gone")
        elif (files["size"][place], files["time"][place]) != (size, time):
            changed.append(f"{name} is not what it was")
    if changed:
        raise XaiAudioError(
            f"{before.settings.folder} has changed since {before.out} was planned "
            f"({len(changed)} of {len(before)} sounds; first: {changed[0]}). Name another folder "
            "with --out."
        )
    if not places:
        return before.files, 0
    new = np.array(sorted(places.values()))
    more = {name: column[new] for name, column in files.items()}
    more["unit"] = _units(more["size"], clips, before.units)
    joined = {name: np.concatenate([before.files[name], more[name]]) for name in before.files}
    return joined, len(new)
