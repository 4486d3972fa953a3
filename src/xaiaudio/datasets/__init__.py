"""Sounds with labels: the synthetic set, ESC-10, and folders of one's own."""

from __future__ import annotations

from . import digits, esc10, folders, mix, people
from .base import Clip, ClipSet, describe
from .folders import CLASSES

__all__ = ["CLASSES", "Clip", "ClipSet", "describe", "digits", "esc10", "load", "mix", "people"]


def load(name, *, progress: bool = True) -> ClipSet:
    """Return a set of clips.

    Parameters
    ----------
    name : str or path-like
        ``"synthetic"``, made on the spot from a seed; ``"esc10"``, the real recordings (see
        :func:`xaiaudio.datasets.esc10.load`); or a folder (see
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
    if name == "synthetic":
        from . import synthetic

        return synthetic.load(progress=progress)
    if name == "esc10":
        return esc10.load(progress=progress)
    return folders.read(name)
