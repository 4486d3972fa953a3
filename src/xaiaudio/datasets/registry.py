"""The sets of sounds that have a name: adding one is adding a module and a line here."""

from __future__ import annotations

import importlib
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import ModuleType

    from ..types import PathLike
    from .base import ClipSet


@dataclass(frozen=True)
class Entry:
    """A set of sounds with a name.

    Attributes
    ----------
    module : str
        Module of this package with ``load(progress=...)``. Sets that are downloaded also have
        ``fetch(progress=..., url=...)``, and where the authors' sums are known
        ``check(folder, progress=...)``.
    summary : str
        What it is, in one line.
    variable : str
        Environment variable that names a local copy; empty where there is none.
    """

    module: str
    summary: str
    variable: str = ""


SETS = {
    "synthetic": Entry("events", "ten classes, 40 clips of 5 s each, made from a seed"),
    "esc10": Entry("esc10", "the real recordings: 400 clips of 5 s, 41 MB", "XAIAUDIO_ESC10"),
    "digits": Entry(
        "digits", "spoken digits by 20 speakers, made from a seed", "XAIAUDIO_AUDIOMNIST"
    ),
    "fsdd": Entry("fsdd", "3,000 recordings of digits by six people, 27 MB", "XAIAUDIO_FSDD"),
}

#: Environment variable of a folder of songs, which are no set of clips: see :mod:`.stems`.
STEMS = "XAIAUDIO_STEMS"


def place(name) -> str:
    """Return the local copy that a set's environment variable names; empty without one."""
    return os.environ.get(SETS[name].variable, "")


def load(name: PathLike, *, progress: bool = True) -> ClipSet:
    """Return a set of clips.

    Parameters
    ----------
    name : str or path-like
        ``"synthetic"``, made on the spot from a seed; ``"esc10"``, the real recordings (see
        :func:`xaiaudio.datasets.esc10.load`); ``"digits"``, spoken ones (see
        :func:`xaiaudio.datasets.digits.load`); ``"fsdd"``, recorded ones (see
        :func:`xaiaudio.datasets.fsdd.load`); or a folder (see
        :func:`xaiaudio.datasets.folders.read`).
    progress : bool
        Show a bar while sounds are made or fetched.

    Returns
    -------
    ClipSet

    Raises
    ------
    XaiAudioError
        If there is no such set or folder, or it cannot be read or fetched.

    Examples
    --------
    >>> import xaiaudio as xa
    >>> xa.datasets.load("synthetic").counts()["Rain"]  # doctest: +SKIP
    40
    """
    if str(name) not in SETS:
        from . import folders

        return folders.read(name)
    return module_of(str(name)).load(progress=progress)


def module_of(name: str) -> ModuleType:
    """Return the module of a set that has a name."""
    return importlib.import_module(f"{__package__}.{SETS[name].module}")
