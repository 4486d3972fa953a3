"""Sounds with labels: the synthetic set, ESC-10, and folders of one's own."""

from __future__ import annotations

from .base import Clip, ClipSet

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

__all__ = ["CLASSES", "Clip", "ClipSet", "load"]


def load(name, *, progress: bool = True) -> ClipSet:
    """Return a set of clips.

    Parameters
    ----------
    name : str or path-like
        ``"synthetic"``, made on the spot from a seed; ``"esc10"``, the real recordings; or a
        folder.
    progress : bool
        Show a bar while files are generated or downloaded.

    Returns
    -------
    ClipSet
    """
    if name == "synthetic":
        from . import synthetic

        return synthetic.load(progress=progress)
    raise NotImplementedError
