"""Whether a generator makes sounds or gives training sounds back: the nearest second of a set.

D. Bralios et al. compare the outputs of a text-to-audio model with its training clips in this way
("Generation or replication: auscultating audio latent diffusion models", ICASSP 2024).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ..errors import XaiAudioError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

# Pairs times lags whose products are held at a time.
_ROOM = 8_000_000
_LEAST = 1e-9
# Cells of which nothing but rounding differs.
_FLAT = 1e-3


def mel_similarity(
    patches: ArrayLike, others: ArrayLike, *, shift: int = 48, batch: int | None = None
) -> np.ndarray:
    """Return how alike the log-mel pictures of sounds are, wherever one begins in the other.

    For each lag, the correlation of the cells where the two overlap; of all lags, the largest. So
    it does not matter how loud a sound is, or when it begins.

    Parameters
    ----------
    patches : array_like of float, shape (n, frames, bands)
    others : array_like of float, shape (m, frames, bands)
        Given the same object as `patches`, each pair is compared once.
    shift : int
        Most frames by which one may be late.
    batch : int, optional
        Rows of `patches` at a time; by default as many as take about 100 MB.

    Returns
    -------
    ndarray of float32, shape (n, m)
        From -1 to 1; 0 where a picture is the same everywhere.

    Raises
    ------
    XaiAudioError
        If the pictures are of different sizes or not finite, or the lag is longer than they are.

    Examples
    --------
    >>> import numpy as np
    >>> from xaiaudio.probes import mel_similarity
    >>> sound = np.random.default_rng(0).normal(size=(20, 4))
    >>> late = 0.5 * np.roll(sound, 3, axis=0) - 2
    >>> float(mel_similarity([sound], [late], shift=5)[0, 0].round(3))
    1.0
    """
    one, two = (np.asarray(cells, np.float32) for cells in (patches, others))
    if one.ndim != 3 or two.ndim != 3 or one.shape[1:] != two.shape[1:]:
        raise XaiAudioError(
            f"The patches have the shapes {one.shape} and {two.shape}: (n, frames, bands) of one "
            "size are needed."
        )
    if not (np.isfinite(one).all() and np.isfinite(two).all()):
        raise XaiAudioError("The patches hold NaN or infinity: they are like nothing.")
    frames = one.shape[1]
    if not 0 <= shift < frames:
        raise XaiAudioError(f"shift is {shift}: a lag from 0 to {frames - 1} frames is needed.")
    mirrored = others is patches
    # One mean for all takes nothing away from what follows, but most of its rounding.
    centre = np.float32(two.mean()) if two.size else np.float32(0)
    one, two = one - centre, two - centre
    size = frames + shift
    # Of the transform, lags up to 0 stand at the front, those above 0 at the end.
    halves = [(slice(0, shift + 1), -np.arange(shift + 1))]
    if shift:
        halves.append((slice(frames, size), np.arange(shift, 0, -1)))
    turned = np.fft.rfft(two, size, axis=1).transpose(1, 2, 0).astype(np.complex64)
    sums = [_overlaps(two, -lags) for _, lags in halves]
    batch = batch or max(1, _ROOM // (len(two) * size + 1))
    found = np.empty((len(one), len(two)), np.float32)
    for start in range(0, len(one), batch):
        part = one[start : start + batch]
        spectra = np.fft.rfft(part, size, axis=1).transpose(1, 0, 2).astype(np.complex64)
        begin = start if mirrored else 0
        products = np.matmul(spectra.conj(), turned[:, :, begin:])
        joint = np.fft.irfft(products, size, axis=0).astype(np.float32, copy=False)
        best = np.maximum.reduce(
            [
                _largest(joint[where], _overlaps(part, lags), [side[..., begin:] for side in sides])
                for (where, lags), sides in zip(halves, sums, strict=True)
            ]
        )
        found[start : start + batch, begin:] = best
        if mirrored:
            found[begin:, start : start + batch] = best.T
    return found


def _overlaps(cells, lags):
    """Return mean and size of the deviations where pictures overlap, float32 (lags, n), and cells.

    With a lag above 0 the overlap is what comes from that frame on; below, all but as many last.
    """
    frames, bands = cells.shape[1:]
    sums = (np.sum(power, axis=2, dtype=np.float64) for power in (cells, np.square(cells)))
    rows = np.stack(list(sums), axis=-1)
    running = np.concatenate([np.zeros_like(rows[:, :1]), np.cumsum(rows, axis=1)], axis=1)
    start, end = np.maximum(lags, 0), frames + np.minimum(lags, 0)
    total = (running[:, end] - running[:, start]).transpose(1, 0, 2)
    count = ((end - start) * bands)[:, None]
    mean = total[..., 0] / count
    size = np.sqrt(np.maximum(total[..., 1] / count - mean**2, 0))
    return mean.astype(np.float32), size.astype(np.float32), count.astype(np.float32)


def _largest(joint, one, two):
    """Return the largest correlation over lags (lags, n, m) of what overlaps."""
    mean, size, count = one
    mean_two, size_two, _ = two
    joint /= count[:, :, None]
    joint -= mean[:, :, None] * mean_two[:, None, :]
    joint /= np.maximum(size, _FLAT)[:, :, None] * np.maximum(size_two, _FLAT)[:, None, :]
    joint *= (size > _FLAT)[:, :, None] & (size_two > _FLAT)[:, None, :]
    return np.clip(joint.max(axis=0), -1, 1)


def cosine_similarity(embeddings: ArrayLike, others: ArrayLike) -> np.ndarray:
    """Return the cosine between embeddings (n, numbers) and others (m, numbers), float64 (n, m).

    Examples
    --------
    >>> from xaiaudio.probes import cosine_similarity
    >>> cosine_similarity([[1, 0]], [[2, 0], [0, 3]]).tolist()
    [[1.0, 0.0]]
    """
    one, two = (np.asarray(rows, float) for rows in (embeddings, others))
    one, two = (
        rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), _LEAST)
        for rows in (one, two)
    )
    return one @ two.T


@dataclass(frozen=True, eq=False)
class Nearest:
    """The nearest of a set, for each of some sounds.

    Attributes
    ----------
    index : ndarray of int, shape (n,)
        Its number in the set.
    similarity : ndarray of float, shape (n,)
    standing : ndarray of float, shape (n,)
        By how many standard deviations of the next ones it is nearer than they are on average. A
        sound of a kind that is common has many neighbours that are nearly as near.
    """

    index: np.ndarray
    similarity: np.ndarray
    standing: np.ndarray


def nearest(similarity: ArrayLike, *, count: int = 10) -> Nearest:
    """Find the nearest of a set, and how far it stands out from the next ones.

    Parameters
    ----------
    similarity : array_like of float, shape (n, m)
        Of each sound to each of the set. Minus infinity leaves a pair out.
    count : int
        How many of the next ones the nearest is compared with; fewer, where the set is smaller.

    Returns
    -------
    Nearest

    Raises
    ------
    XaiAudioError
        If a sound is compared with fewer than four of the set, or a similarity is NaN.

    Examples
    --------
    >>> from xaiaudio.probes import nearest
    >>> found = nearest([[0.2, 0.9, 0.1, 0.3]])
    >>> found.index.tolist(), found.standing.round(1).tolist()
    ([1], [8.6])
    """
    similarity = np.asarray(similarity, float)
    if similarity.ndim != 2 or similarity.shape[1] < 4:
        raise XaiAudioError(
            f"The similarities have the shape {similarity.shape}: (n, m) with a set of four "
            "sounds or more is needed."
        )
    left = np.isfinite(similarity).sum(axis=1)
    if np.isnan(similarity).any() or left.min(initial=4) < 4:
        raise XaiAudioError(
            "The similarities hold NaN, or leave a sound fewer than four of the set: its nearest "
            "cannot stand out from the next ones."
        )
    count = min(count, similarity.shape[1] - 1)
    index = similarity.argmax(axis=1)
    top = -np.partition(-similarity, count, axis=1)[:, : count + 1]
    top = -np.sort(-top, axis=1)
    best, rest = top[:, 0], np.where(np.isfinite(top[:, 1:]), top[:, 1:], np.nan)
    spread = np.maximum(np.nanstd(rest, axis=1), _LEAST)
    return Nearest(index, best, (best - np.nanmean(rest, axis=1)) / spread)


def roc(positives: ArrayLike, negatives: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    """Return the shares of false and of true alarms at every threshold, from none to all.

    Parameters
    ----------
    positives, negatives : array_like of float, shape (n,) and (m,)
        Scores of what should raise the alarm, and of what should not.

    Returns
    -------
    false, true : ndarray of float, shape (thresholds + 1,)

    Examples
    --------
    >>> from xaiaudio.probes import roc
    >>> [shares.tolist() for shares in roc([3, 2], [1, 2])]
    [[0.0, 0.0, 0.5, 1.0], [0.0, 0.5, 1.0, 1.0]]
    """
    positives, negatives = np.sort(positives), np.sort(negatives)
    thresholds = np.unique(np.concatenate([positives, negatives]))[::-1]
    shares = [
        1 - np.searchsorted(scores, thresholds, "left") / len(scores)
        for scores in (negatives, positives)
    ]
    false, true = (np.concatenate([[0.0], part]) for part in shares)
    return false, true


def area(positives: ArrayLike, negatives: ArrayLike) -> float:
    """Return the area under the curve of :func:`roc`.

    It is the probability that of one of each, the positive has the higher score; ties count half.

    Examples
    --------
    >>> from xaiaudio.probes import area
    >>> area([3, 2], [1, 2])
    0.875
    """
    positives, negatives = np.asarray(positives, float), np.sort(np.asarray(negatives, float))
    below = np.searchsorted(negatives, positives, "left")
    up_to = np.searchsorted(negatives, positives, "right")
    return float((below + up_to).mean() / 2 / len(negatives))


def threshold(negatives: ArrayLike, allowed: float = 0.01) -> float:
    """Return the score that no more than a share of what should not raise the alarm is above.

    Parameters
    ----------
    negatives : array_like of float, shape (n,)
    allowed : float
        That share, from 0 to less than 1.

    Raises
    ------
    XaiAudioError
        If there is no score, or the share is no share.

    Examples
    --------
    >>> from xaiaudio.probes import threshold
    >>> threshold([0.1, 0.2, 0.3, 0.4], allowed=0.25)
    0.3
    """
    negatives = np.sort(np.asarray(negatives, float))
    if not len(negatives) or not 0 <= allowed < 1:
        raise XaiAudioError("A threshold needs scores, and a share from 0 to less than 1.")
    return float(negatives[len(negatives) - 1 - int(allowed * len(negatives))])


@dataclass(frozen=True)
class Pair:
    """Two clips of a set that are more alike than strangers.

    Attributes
    ----------
    one, two : int
        Their numbers in the set, the lower one first.
    similarity : float
    """

    one: int
    two: int
    similarity: float


def pairs(similarity: ArrayLike, clip: ArrayLike, least: float) -> list[Pair]:
    """List clips of a set that hold nearly the same sound.

    Parameters
    ----------
    similarity : array_like of float, shape (n, n)
        Between the seconds of the set.
    clip : array_like of int, shape (n,)
        The clip that each is from. Seconds of one clip are not compared.
    least : float
        The similarity above which two seconds are near-duplicates, see :func:`threshold`.

    Returns
    -------
    list of Pair
        The most alike first; of each two clips their nearest seconds.

    Examples
    --------
    >>> import numpy as np
    >>> from xaiaudio.probes import pairs
    >>> alike = np.array([[1, 0.99, 0.2], [0.99, 1, 0.9], [0.2, 0.9, 1]])
    >>> pairs(alike, [0, 0, 4], 0.8)
    [Pair(one=0, two=4, similarity=0.9)]
    """
    similarity, clip = np.asarray(similarity, float), np.asarray(clip, int)
    rows, columns = np.nonzero((similarity > least) & (clip[:, None] != clip[None, :]))
    ends = np.sort(np.stack([clip[rows], clip[columns]], axis=1), axis=1)
    values = similarity[rows, columns]
    order = np.argsort(-values, kind="stable")
    _, first = np.unique(ends[order], axis=0, return_index=True)
    chosen = order[np.sort(first)]
    return [
        Pair(int(a), int(b), float(s))
        for (a, b), s in zip(ends[chosen], values[chosen], strict=True)
    ]


def crossing(found: list[Pair], folds: ArrayLike) -> list[Pair]:
    """Return the pairs whose clips are in different folds: what is tested was learnt.

    Parameters
    ----------
    found : list of Pair
    folds : array_like of int, shape (clips,)

    Examples
    --------
    >>> from xaiaudio.probes.memorisation import Pair, crossing
    >>> crossing([Pair(0, 1, 0.9), Pair(1, 2, 0.9)], [1, 1, 2])
    [Pair(one=1, two=2, similarity=0.9)]
    """
    folds = np.asarray(folds)
    return [pair for pair in found if folds[pair.one] != folds[pair.two]]
