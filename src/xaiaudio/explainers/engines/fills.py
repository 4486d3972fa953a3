"""What stands where a part of a patch is taken away.

In a log-mel patch 0 is a loud sound, and not silence: silence is the front end's lowest value.
"""

from __future__ import annotations

import reprlib
from numbers import Real
from typing import TYPE_CHECKING

import numpy as np

from ...errors import XaiAudioError
from .segments import means

if TYPE_CHECKING:
    from typing import Any

    from numpy.typing import ArrayLike

    from ...models.classifier import AudioClassifier

#: What a fill can be called, in the order in which errors list them.
NAMES = ("mean", "band-mean", "minimum", "silence", "segment", "noise")


def filling(
    patches: np.ndarray,
    fill: str | float | ArrayLike,
    silence: float | None = None,
    name: str = "fill",
    *,
    segments: np.ndarray | None = None,
    seed: int | None = None,
) -> np.ndarray:
    """Return what stands in hidden cells.

    Parameters
    ----------
    patches : ndarray of float, shape (n, h, w, ...)
    fill : str, float or array_like of float
        ``"mean"`` is the patch's own mean, ``"band-mean"`` that of each of its bands,
        ``"minimum"`` its lowest cell, ``"silence"`` what the front end makes of silence,
        ``"segment"`` the mean of each segment, ``"noise"`` Gaussian noise with the mean and
        the standard deviation of each of the patch's bands. A number is that level. Numbers of the
        shape (w,) are a level for each band, and of the shape (2, w) the means and standard
        deviations of noise in each band: those of a data set are what
        :func:`xaiaudio.datasets.levels.band_levels` returns.
    silence : float, optional
        Needed for ``"silence"``, see :func:`silence_of`. Noise below it is lifted to it, for no
        sound has such cells.
    name : str
        What the caller's user knows `fill` by, for the error.
    segments : ndarray of int, shape (n, h, w), optional
        Needed for ``"segment"``.
    seed : int, optional
        Needed for noise. All patches get the same draw, each at its own level, so that a patch's
        noise does not depend on which others are explained with it.

    Returns
    -------
    ndarray of float32, shape (n, h, w, ...)
        Read-only where it repeats values.

    Raises
    ------
    XaiAudioError
        For anything else.

    References
    ----------
    S. Mishra, E. Benetos, B. L. Sturm and S. Dixon, "Reliable Local Explanations for Machine
    Listening", IJCNN 2020, compare the data set's mean, two minima, the input's mean and noise.

    Examples
    --------
    >>> import numpy as np
    >>> patch = np.array([[[1.0, 4.0], [3.0, 0.0]]])
    >>> filling(patch, "band-mean")[0].tolist()
    [[2.0, 2.0], [2.0, 2.0]]
    >>> filling(patch, (-1, -2))[0].tolist()
    [[-1.0, -2.0], [-1.0, -2.0]]
    """
    patches = np.asarray(patches)
    possible = _possible(silence, segments, seed)
    values: Any
    if isinstance(fill, str) and fill in possible:
        if fill == "segment":
            return means(patches, segments)
        values = _named(patches, fill, silence, seed)
    elif isinstance(fill, Real) and np.isfinite(fill):
        values = fill
    elif (levels := _levels(fill, patches.shape)) is not None and levels.ndim == 1:
        values = levels
    elif levels is not None and seed is not None and (levels[1] >= 0).all():
        values = _noise(levels[0], levels[1], patches.shape, silence, seed)
    else:
        named = ", ".join(map(repr, possible))
        bands = f"{patches.shape[2]} numbers" if patches.ndim == 3 else "numbers"
        noise = ", or means and standard deviations of noise (2, bands)" if seed is not None else ""
        raise XaiAudioError(
            f"{name} is {_shown(fill)}: it must be {named}, a number, or {bands}, one a band"
            f"{noise}."
        )
    return np.broadcast_to(np.asarray(values, np.float32), patches.shape)


def silence_of(classifier: AudioClassifier) -> float:
    """Return the value of a patch cell in which nothing sounds."""
    return classifier.frontend.silence


def plain(fill: Any) -> Any:
    """Return an option `fill` as a plain value: an array as tuples, to be compared and saved.

    Examples
    --------
    >>> import numpy as np
    >>> plain(np.array([1.0, 2.0])), plain("mean")
    ((1.0, 2.0), 'mean')
    """
    if isinstance(fill, np.ndarray):
        fill = fill.tolist()
    return tuple(map(plain, fill)) if isinstance(fill, (list, tuple)) else fill


def _possible(silence, segments, seed) -> list[str]:
    """Return the names that can be served with what is known."""
    needs = {"silence": silence, "segment": segments, "noise": seed}
    return [one for one in NAMES if one not in needs or needs[one] is not None]


def _named(patches, fill, silence, seed):
    if fill == "silence":
        return silence
    if fill == "minimum":
        return patches.min(axis=(1, 2), keepdims=True)
    if fill == "mean":
        return patches.mean(axis=(1, 2), keepdims=True, dtype=np.float64)
    level = patches.mean(axis=1, keepdims=True, dtype=np.float64)
    if fill == "band-mean":
        return level
    spread = patches.std(axis=1, keepdims=True, dtype=np.float64)
    return _noise(level, spread, patches.shape, silence, seed)


def _noise(level, spread, shape, silence, seed) -> np.ndarray:
    """Draw Gaussian noise, the same for all patches but for its level and spread."""
    drawn = np.random.default_rng(seed).standard_normal(shape[1:])
    noise = level + spread * drawn
    return noise if silence is None else np.maximum(noise, silence)


def _shown(fill) -> str:
    """Return what an error says of a fill: of many numbers the first and how many they are."""
    try:
        shape = np.shape(fill)
    except ValueError:  # lists of several lengths
        shape = ()
    return reprlib.repr(fill) + (f", of the shape {shape}" if shape else "")


def _levels(fill, shape) -> np.ndarray | None:
    """Return numbers that are given for each band, (w,) or (2, w); None if they are not that."""
    if len(shape) != 3 or not isinstance(fill, (list, tuple, np.ndarray)):
        return None
    try:
        levels = np.asarray(fill, np.float64)
    except (TypeError, ValueError):
        return None
    fits = levels.shape in ((shape[2],), (2, shape[2])) and np.isfinite(levels).all()
    return levels if fits else None
