"""Folds for probes: what comes from one recording is on one side."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np

from ..errors import XaiAudioError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import ArrayLike

    from ..datasets.base import Clip

# As ESC-10 names its clips: fold, recording, and a letter for each clip of it.
_CUT = re.compile(r"^[1-5]-(\d+)-[A-Z](-\d+)?$")


def recordings(clips: Iterable[Clip]) -> np.ndarray:
    """Name the recording that each clip was cut from.

    Parameters
    ----------
    clips : iterable of Clip

    Returns
    -------
    ndarray of str, shape (n,)
        For clips of ESC-10 the recording's number, which several may share; else the clip's name.

    Examples
    --------
    >>> from pathlib import Path
    >>> from xaiaudio.datasets import Clip
    >>> from xaiaudio.probes import recordings
    >>> names = "1-100-A.ogg", "1-100-B.ogg", "dog.wav"
    >>> recordings(Clip(Path(name), None, None, "") for name in names).tolist()
    ['100', '100', 'dog']
    """
    found = [(_CUT.match(clip.name), clip.name) for clip in clips]
    return np.array([cut.group(1) if cut else name for cut, name in found])


def folds_of(
    groups: ArrayLike, count: int = 5, *, labels: ArrayLike | None = None, seed: int = 0
) -> np.ndarray:
    """Deal groups out to folds.

    Two clips of one recording share its room, its background and its microphone. With one of them
    on either side, a probe would know the answer by the recording.

    Parameters
    ----------
    groups : array_like, shape (n,)
        The recording (or speaker, or place) of each row.
    count : int
        Number of folds.
    labels : array_like, optional
        Of the rows. With them each class is dealt out evenly, a group by the class of its first
        row.
    seed : int
        Decides which groups go together.

    Returns
    -------
    ndarray of int, shape (n,)
        0 to count - 1; the rows of one group are in one fold.

    Raises
    ------
    XaiAudioError
        If there are fewer groups than folds.

    Examples
    --------
    >>> from xaiaudio.probes.splitting import folds_of
    >>> folds_of(["a", "a", "b", "c"], 3).shape
    (4,)
    """
    names, first, of_row = np.unique(groups, return_index=True, return_inverse=True)
    if count < 2 or len(names) < count:
        raise XaiAudioError(
            f"{len(names)} recordings cannot be dealt out to {count} folds: two folds at least, "
            "and a recording for each, are needed."
        )
    order = np.random.default_rng(seed).permutation(len(names))
    if labels is not None:
        classes = np.unique(np.asarray(labels)[first], return_inverse=True)[1]
        order = order[np.argsort(classes[order], kind="stable")]
    fold = np.empty(len(names), int)
    fold[order] = np.arange(len(names)) % count
    return fold[of_row]


def dealt_anew(values: ArrayLike, groups: ArrayLike, *, seed: int = 0) -> np.ndarray:
    """Shuffle labels or numbers: a control that no probe should read.

    Parameters
    ----------
    values : array_like, shape (n,)
    groups : array_like, shape (n,)
        Where all rows of each group have one value, the groups exchange theirs; else the rows do.
    seed : int

    Returns
    -------
    ndarray, shape (n,)

    Examples
    --------
    >>> from xaiaudio.probes.splitting import dealt_anew
    >>> sorted(dealt_anew([1, 2, 2], ["a", "b", "b"], seed=0).tolist())[1]
    2
    """
    values = np.asarray(values)
    names, first, of_row = np.unique(groups, return_index=True, return_inverse=True)
    rng = np.random.default_rng(seed)
    if (values == values[first][of_row]).all():
        return values[first][rng.permutation(len(names))][of_row]
    return rng.permutation(values)
