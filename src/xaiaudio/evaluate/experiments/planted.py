"""Plant segments on purpose, and see whether an explanation finds those that changed the answer.

Some time segments of a patch are replaced by the same places of a patch of another class. Where the
network's answer becomes that class, the segments that made it so are known.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import comb
from typing import TYPE_CHECKING

import numpy as np

from ...errors import XaiAudioError
from ...explainers.engines import segments

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from ...explainers.base import Explainer
    from ...models.classifier import AudioClassifier
    from ..benchmark.samples import Cases

COUNT = 10
PLANTED = 3


@dataclass(frozen=True, eq=False)
class Planted:
    """Patches with planted segments whose answer became the planted class.

    Attributes
    ----------
    patches : ndarray of float32, shape (n, frames, bands)
    targets : ndarray of int, shape (n,)
        The planted class.
    truth : ndarray of bool, shape (n, count)
        Which time segments are planted.
    hosts, donors : tuple of str
        The clips that the rest of each patch and its planted segments are from.
    groups : tuple of str
        The recording that each host is of.
    tried : int
        Patches that were made, of which these are the ones whose answer crossed.
    """

    patches: np.ndarray
    targets: np.ndarray
    truth: np.ndarray
    hosts: tuple[str, ...]
    donors: tuple[str, ...]
    groups: tuple[str, ...]
    tried: int

    def __len__(self) -> int:
        return len(self.patches)


def plant(hosts: ArrayLike, donors: ArrayLike, truth: ArrayLike) -> np.ndarray:
    """Replace time segments of patches by the same places of others.

    Parameters
    ----------
    hosts, donors : array_like of float, shape (n, frames, bands)
    truth : array_like of bool, shape (n, count)
        Which of `count` segments of nearly the same length, as :func:`.segments.grid` cuts them,
        come from the donor.

    Returns
    -------
    ndarray of float32, shape (n, frames, bands)

    Examples
    --------
    >>> import numpy as np
    >>> from xaiaudio.evaluate.experiments.planted import plant
    >>> plant(np.zeros((1, 4, 1)), np.ones((1, 4, 1)), [[False, True]]).ravel().tolist()
    [0.0, 0.0, 1.0, 1.0]
    """
    hosts, donors = np.asarray(hosts, np.float32), np.asarray(donors, np.float32)
    truth = np.asarray(truth, bool)
    rows = segments.grid((hosts.shape[1], 1), truth.shape[1], 1)[:, 0]
    return np.where(truth[:, rows, None], donors, hosts)


def planted(
    model: AudioClassifier,
    cases: Cases,
    *,
    count: int = COUNT,
    places: int = PLANTED,
    tries: int = 1000,
    limit: int = 100,
    seed: int = 0,
) -> Planted:
    """Plant segments in patches, and keep those whose answer becomes the planted class.

    Parameters
    ----------
    model : AudioClassifier
        Of patches.
    cases : Cases
        Patches of several classes that the network recognises, see
        ``evaluate.cases_of``. Each try draws a host, a donor of another class and
        `places` of the segments.
    count : int
        Time segments of a patch.
    places : int
        How many of them are planted.
    tries : int
        Most patches to make.
    limit : int
        Most patches to keep, the first ones drawn.
    seed : int

    Returns
    -------
    Planted

    Raises
    ------
    XaiAudioError
        If there are not two classes, or none of the answers crosses.

    References
    ----------
    S. Mishra, E. Benetos, B. L. Sturm and S. Dixon, "Reliable Local Explanations for Machine
    Listening", IJCNN 2020.

    Examples
    --------
    >>> import xaiaudio as xa
    >>> from xaiaudio.evaluate.experiments.planted import planted
    >>> book = xa.profile("mini")  # doctest: +SKIP
    >>> model, test = book.classifier(), book.split()[1]  # doctest: +SKIP
    >>> made = planted(model, xa.evaluate.cases_of(model, test, 40))  # doctest: +SKIP
    >>> len(made), made.tried  # doctest: +SKIP
    """
    if not 0 < places < count:
        raise XaiAudioError(f"{places} of {count} segments cannot be planted: take fewer, but one.")
    values, targets = np.asarray(cases.patches), np.asarray(cases.targets)
    if len(np.unique(targets)) < 2:
        raise XaiAudioError("Segments of another class are planted: give cases of two classes.")
    host, donor, truth = _draw(targets, count, places, tries, np.random.default_rng(seed))
    made = plant(values[host], values[donor], truth)
    found = model.scores(made).argmax(axis=1)
    before = model.scores(values).argmax(axis=1)[host]
    crossed = np.flatnonzero((found == targets[donor]) & (before != targets[donor]))
    if not len(crossed):
        raise XaiAudioError(
            f"In none of {tries} patches did {model.name} follow the planted segments: take more "
            "tries, or plant more places."
        )
    tried = tries if len(crossed) <= limit else int(crossed[limit - 1]) + 1
    kept = crossed[:limit]
    names = np.array(cases.names, object)
    groups = np.array(cases.groups or cases.names, object)
    return Planted(
        patches=made[kept],
        targets=targets[donor[kept]],
        truth=truth[kept],
        hosts=tuple(names[host[kept]]),
        donors=tuple(names[donor[kept]]),
        groups=tuple(groups[host[kept]]),
        tried=tried,
    )


def _draw(targets, count, places, tries, rng):
    """Draw hosts, donors of other classes and segments: (tries,), (tries,), (tries, count)."""
    host = rng.integers(len(targets), size=tries)
    # The highest of random numbers among the other classes: each of them alike.
    others = targets[host][:, None] != targets
    donor = np.where(others, rng.random(others.shape), -1).argmax(axis=1)
    truth = rng.random((tries, count)).argsort(axis=1) < places
    return host, donor, truth


def segment_weights(maps: ArrayLike, count: int = COUNT) -> np.ndarray:
    """Return what maps give each time segment: the mean over its cells, float (n, count).

    Parameters
    ----------
    maps : array_like of float, shape (n, frames, bands)
    count : int

    Examples
    --------
    >>> from xaiaudio.evaluate.experiments.planted import segment_weights
    >>> segment_weights([[[1.0], [3.0], [5.0]]], 3).tolist()
    [[1.0, 3.0, 5.0]]
    """
    maps = np.asarray(maps, np.float64)
    rows = segments.grid((maps.shape[1], 1), count, 1)[:, 0]
    first = np.searchsorted(rows, np.arange(count))
    sizes = np.bincount(rows, minlength=count)
    return np.add.reduceat(maps.mean(axis=2), first, axis=1) / sizes


def hits(weights: ArrayLike, truth: ArrayLike) -> np.ndarray:
    """Count how many of the planted segments are among as many that weigh most.

    Parameters
    ----------
    weights : array_like of float, shape (n, count)
        Of the time segments. Of equal ones, the earlier goes first.
    truth : array_like of bool, shape (n, count)

    Returns
    -------
    ndarray of int, shape (n,)
        From 0 to the number of planted segments.

    Examples
    --------
    >>> from xaiaudio.evaluate.experiments.planted import hits
    >>> hits([[0.3, 0.1, 0.2, 0.0]], [[True, True, False, False]]).tolist()
    [1]
    """
    weights, truth = np.asarray(weights), np.asarray(truth, bool)
    if weights.shape != truth.shape:
        raise XaiAudioError(
            f"There are weights {weights.shape} for segments {truth.shape}: one for each is needed."
        )
    ranks = (-weights).argsort(axis=1, kind="stable").argsort(axis=1)
    return (truth & (ranks < truth.sum(axis=1, keepdims=True))).sum(axis=1)


def chance(count: int = COUNT, places: int = PLANTED) -> np.ndarray:
    """Return how likely 0, 1, ... hits are by luck, float (places + 1,).

    Examples
    --------
    >>> from xaiaudio.evaluate.experiments.planted import chance
    >>> (120 * chance()).round().astype(int).tolist()
    [35, 63, 21, 1]
    """
    ways = [comb(places, k) * comb(count - places, places - k) for k in range(places + 1)]
    return np.array(ways) / comb(count, places)


def found_by(model: AudioClassifier, made: Planted, explainer: Explainer) -> np.ndarray:
    """Explain patches for the planted class, and count the hits of each, int (n,).

    Parameters
    ----------
    model : AudioClassifier
    made : Planted
    explainer : Explainer
        Any: a segment's weight is the mean of its cells.
    """
    maps = explainer(model, made.patches, made.targets).maps
    return hits(segment_weights(maps, made.truth.shape[1]), made.truth)
