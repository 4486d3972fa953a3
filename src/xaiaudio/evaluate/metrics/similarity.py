"""How alike two maps are: by rank, by the rank of their magnitudes, by structure, by their tops."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ...errors import XaiAudioError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

SIMILARITIES = ("spearman", "absolute", "ssim")


def similarity(first: ArrayLike, second: ArrayLike) -> dict[str, np.ndarray]:
    """Say how alike two sets of maps are.

    Parameters
    ----------
    first, second : array_like of float, shape (n, frames, bands)

    Returns
    -------
    dict of str to ndarray of float, shape (n,)
        ``"spearman"``: rank correlation, -1 to 1. ``"absolute"``: the same of the magnitudes, which
        does not mind a sign turned around. ``"ssim"``: structural similarity of the maps, each
        divided by its largest magnitude, in windows of 7 cells or less. A map that is the same
        everywhere has rank correlation 0 with all others.

    Raises
    ------
    XaiAudioError
        If the shapes differ or a map has less than 3 cells in a direction.

    References
    ----------
    Wang et al. 2004, Image quality assessment: from error visibility to structural similarity.

    Examples
    --------
    >>> import numpy as np
    >>> from xaiaudio.evaluate.metrics.similarity import similarity
    >>> maps = np.arange(63.0).reshape(1, 9, 7)
    >>> float(similarity(maps, -maps)["absolute"][0])
    1.0
    """
    first, second = (np.asarray(maps, np.float64) for maps in (first, second))
    if first.ndim != 3 or first.shape != second.shape or min(first.shape[1:]) < 3:
        raise XaiAudioError(
            f"The maps have the shapes {first.shape} and {second.shape}: both must be "
            "(n, frames, bands), with 3 cells or more in each direction."
        )
    return {
        "spearman": rank_correlation(first, second),
        "absolute": rank_correlation(np.abs(first), np.abs(second)),
        "ssim": _structural(first, second),
    }


def unrelated(maps: ArrayLike) -> dict[str, np.ndarray]:
    """Say how alike maps of different sounds are: all pairs of two different ones.

    Parameters
    ----------
    maps : array_like of float, shape (n, frames, bands)
        One a sound.

    Returns
    -------
    dict of str to ndarray of float, shape (n * (n - 1) / 2,)
        As :func:`similarity`.

    Examples
    --------
    >>> import numpy as np
    >>> from xaiaudio.evaluate.metrics.similarity import unrelated
    >>> unrelated(np.random.default_rng(0).normal(size=(4, 9, 7)))["ssim"].shape
    (6,)
    """
    maps = np.asarray(maps)
    first, second = np.triu_indices(len(maps), 1)
    return similarity(maps[first], maps[second])


def overlap(first: ArrayLike, second: ArrayLike, share: float = 0.1) -> np.ndarray:
    """Return how many of the highest cells two sets of maps have in common.

    Parameters
    ----------
    first, second : array_like of float, shape (n, frames, bands)
    share : float
        How many cells count as highest, as a share of all; 1 cell at least. Of equal cells the
        earlier ones are taken.

    Returns
    -------
    ndarray of float, shape (n,)
        0 to 1. Maps that have nothing to do with each other share about `share`.

    Raises
    ------
    XaiAudioError
        If the shapes differ, or the share is not above 0 and up to 1.

    Examples
    --------
    >>> import numpy as np
    >>> from xaiaudio.evaluate.metrics.similarity import overlap
    >>> maps = np.arange(60.0).reshape(1, 10, 6)
    >>> float(overlap(maps, maps)[0]), float(overlap(maps, -maps)[0])
    (1.0, 0.0)
    """
    first, second = np.asarray(first), np.asarray(second)
    if first.ndim != 3 or first.shape != second.shape:
        raise XaiAudioError(
            f"The maps have the shapes {first.shape} and {second.shape}: both must be "
            "(n, frames, bands)."
        )
    if not 0 < share <= 1:
        raise XaiAudioError(f"share is {share!r}: it must be above 0 and up to 1.")
    count = max(1, round(share * first[0].size))
    tops = np.zeros((2, len(first), first[0].size), bool)
    for top, maps in zip(tops, (first, second), strict=True):
        order = np.argsort(-maps.reshape(len(maps), -1), axis=1, kind="stable")
        np.put_along_axis(top, order[:, :count], True, axis=1)
    return (tops[0] & tops[1]).sum(axis=1) / count


def rank_correlation(first: ArrayLike, second: ArrayLike) -> np.ndarray:
    """Return the rank correlation (n,) of each two maps; 0 where one is the same everywhere."""
    from scipy.stats import rankdata

    ranks = [rankdata(maps.reshape(len(maps), -1), axis=1) for maps in (first, second)]
    first, second = (part - part.mean(axis=1, keepdims=True) for part in ranks)
    lengths = np.sqrt((first**2).sum(axis=1) * (second**2).sum(axis=1))
    products = (first * second).sum(axis=1)
    return np.divide(products, lengths, out=np.zeros_like(products), where=lengths > 0)


def correlation(first: ArrayLike, second: ArrayLike) -> np.ndarray:
    """Return the correlation of the cells of each two maps.

    Parameters
    ----------
    first, second : array_like of float, shape (n, ...)

    Returns
    -------
    ndarray of float64, shape (n,)
        Pearson's, -1 to 1; NaN where one of the two is the same everywhere.

    Raises
    ------
    XaiAudioError
        If the shapes differ.

    Examples
    --------
    >>> import numpy as np
    >>> from xaiaudio.evaluate.metrics.similarity import correlation
    >>> maps = np.arange(6.0).reshape(1, 3, 2)
    >>> correlation(np.concatenate([maps, maps, 0 * maps]), np.concatenate([maps, -maps, maps]))
    array([ 1., -1., nan])
    """
    first, second = (np.asarray(maps, np.float64) for maps in (first, second))
    if first.shape != second.shape or first.ndim < 2:
        raise XaiAudioError(
            f"The maps have the shapes {first.shape} and {second.shape}: both must be (n, ...)."
        )
    first, second = (maps.reshape(len(maps), -1) for maps in (first, second))
    told = (np.ptp(first, axis=1) > 0) & (np.ptp(second, axis=1) > 0)
    first, second = (maps - maps.mean(axis=1, keepdims=True) for maps in (first, second))
    lengths = np.sqrt((first**2).sum(axis=1) * (second**2).sum(axis=1))
    products = (first * second).sum(axis=1)
    return np.divide(products, lengths, out=np.full(len(products), np.nan), where=told)


def _structural(first, second) -> np.ndarray:
    from skimage.metrics import structural_similarity

    scaled = [
        maps / np.maximum(np.abs(maps).max(axis=(1, 2), keepdims=True), np.finfo(float).tiny)
        for maps in (first, second)
    ]
    window = min(7, *first.shape[1:])
    window -= 1 - window % 2
    # The maps lie between -1 and 1. The patches are its channels: each is compared by itself.
    _, full = structural_similarity(
        *(np.moveaxis(maps, 0, -1) for maps in scaled),
        win_size=window,
        data_range=2.0,
        channel_axis=-1,
        full=True,
    )
    edge = window // 2
    return full[edge:-edge, edge:-edge].mean(axis=(0, 1))
