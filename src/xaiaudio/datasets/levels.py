"""How loud the sounds of a set are, band by band."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import numpy as np

from ..errors import XaiAudioError

if TYPE_CHECKING:
    from ..frontend import LogMel
    from .base import ClipSet


def band_levels(clips: ClipSet, frontend: LogMel) -> np.ndarray:
    """Return the mean and the standard deviation of each band over all frames of all clips.

    What networks are given that standardise their input: there, 0 is the data set's mean. As an
    option `fill`, the first row puts that mean where something is taken away, and both rows
    together noise that is spread like the data set.

    Parameters
    ----------
    clips : ClipSet
        The training clips: the held-out ones are to stay unknown.
    frontend : LogMel

    Returns
    -------
    ndarray of float64, shape (2, bands)
        Means, standard deviations.

    Raises
    ------
    XaiAudioError
        If the set is empty, or a sound cannot be read or is shorter than a window.

    Examples
    --------
    >>> import xaiaudio as xa
    >>> from xaiaudio.datasets.levels import band_levels
    >>> train, test = xa.datasets.load("synthetic").split(5)  # doctest: +SKIP
    >>> band_levels(train, xa.LogMel.vggish()).shape  # doctest: +SKIP
    (2, 64)
    """
    if not len(clips):
        raise XaiAudioError(f"The set {clips.name} has no clips.")

    def sums(clip):
        rows = frontend.spectrogram(clip.load(frontend.sample_rate)).astype(np.float64)
        return np.stack(
            [np.full(frontend.bands, len(rows)), rows.sum(axis=0), (rows**2).sum(axis=0)]
        )

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        count, total, squares = sum(pool.map(sums, clips))
    means = total / count
    return np.stack([means, np.sqrt(np.maximum(squares / count - means**2, 0))])
