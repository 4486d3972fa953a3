"""What a network listens to, class by class, over an archive."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from . import spectral
from .spectral import Groups

if TYPE_CHECKING:
    from .results import Results

DRAWS = 1000
SHOWN = 3


@dataclass(frozen=True, eq=False)
class Band:
    """Where the maps of a group differ most from the others of their class.

    Attributes
    ----------
    low, high : float
        In hertz.
    share, others : float
        Mean share there of what speaks for the class, in the group and in the others.
    """

    low: float
    high: float
    share: float
    others: float


@dataclass(frozen=True, eq=False)
class ClassReport:
    """What the maps of one class have in common.

    Attributes
    ----------
    label : str
        The class that the maps speak for.
    files : ndarray of str, shape (n,)
    mean, low, high : ndarray of float, shape (bands,)
        Relevance by frequency, each clip's divided by the sum of its magnitudes: mean over the
        clips, and its 95 % bootstrap interval.
    distance : ndarray of float, shape (n,)
        Of each map from the mean map of the class, 0 to 1.42; NaN where nothing speaks
        for the class.
    groups : Groups
        What spectral relevance analysis finds.
    bands : tuple of Band
        One for each group, if there is more than one.
    """

    label: str
    files: np.ndarray
    mean: np.ndarray
    low: np.ndarray
    high: np.ndarray
    distance: np.ndarray
    groups: Groups
    bands: tuple[Band, ...]

    def typical(self, count: int = SHOWN) -> list[str]:
        """Return the files whose maps are nearest to the mean map."""
        return self.files[self._order()[:count]].tolist()

    def odd(self, count: int = SHOWN) -> list[str]:
        """Return the files whose maps are farthest from the mean map, the farthest first."""
        return self.files[self._order()[::-1][:count]].tolist()

    def members(self, group: int, count: int = SHOWN) -> list[str]:
        """Return files of a group, those nearest to its mean map first."""
        points = self.groups.pooled[self.groups.labels == group]
        near = np.argsort(-points @ points.mean(axis=0), kind="stable")
        return self.files[self.groups.labels == group][near[:count]].tolist()

    def _order(self) -> np.ndarray:
        heard = np.flatnonzero(np.isfinite(self.distance))
        return heard[np.argsort(self.distance[heard], kind="stable")]


def by_class(
    results: Results,
    method: str | None = None,
    *,
    seed: int = 0,
    draws: int = 99,
    grid: tuple[int, int] | None = None,
) -> list[ClassReport]:
    """Sum up the maps of an archive, class by class.

    The maps are read unit by unit, and only their pooled versions are kept.

    Parameters
    ----------
    results : Results
        By :func:`xaiaudio.corpus.results.read`.
    method : str, optional
        By default the first.
    seed : int
        Decides the bootstrap and the analysis of groups.
    draws : int
        See :func:`.spectral.groups_of`.
    grid : tuple of int, optional
        See :func:`.spectral.pooled`; by default 1 by 32 cells, or what the maps allow.

    Returns
    -------
    list of ClassReport
        In the order of the network's labels; classes without a clip are left out.

    Raises
    ------
    XaiAudioError
        If the archive was not explained by the method, or a file is damaged.
    """
    rows = results.rows(method)
    frontend = results.frontend
    if grid is None:
        frames, widest = frontend.patch_shape
        grid = min(spectral.GRID[0], frames), min(spectral.GRID[1], widest)
    parts = [spectral.pooled(maps, grid) for maps in results.maps(method)]
    points = np.concatenate(parts) if parts else np.zeros((0, 1))
    made = []
    for label in results.settings.labels:
        chosen = rows["explained"] == label
        if chosen.any():
            profile = rows["relevance"][chosen].astype(float)
            mean, low, high = by_frequency(profile, seed=seed)
            own = points[chosen]
            groups = spectral.groups_of(own, seed=seed, draws=draws)
            bands = differing(groups, grid, frontend.band_edges())
            made.append(
                ClassReport(
                    label,
                    rows["file"][chosen],
                    *(mean, low, high),
                    from_the_mean(own),
                    groups,
                    bands,
                )
            )
    return made


def by_frequency(
    relevance: np.ndarray, *, seed: int = 0, draws: int = DRAWS
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Average relevance by frequency over clips, with a 95 % bootstrap interval for each band.

    Parameters
    ----------
    relevance : ndarray of float, shape (n, bands)
        Each clip's is divided by the sum of its magnitudes.
    seed, draws : int

    Returns
    -------
    mean, low, high : ndarray of float, shape (bands,)

    References
    ----------
    Efron 1979, Bootstrap methods: another look at the jackknife.

    Examples
    --------
    >>> import numpy as np
    >>> from xaiaudio.corpus.classes import by_frequency
    >>> [ends.tolist() for ends in by_frequency(np.array([[3.0, 1.0]] * 5))]
    [[0.75, 0.25], [0.75, 0.25], [0.75, 0.25]]
    """
    total = np.abs(relevance).sum(axis=1, keepdims=True)
    shares = np.divide(relevance, total, out=np.zeros_like(relevance), where=total > 0)
    n, rng = len(shares), np.random.default_rng(seed)
    # How often each clip is drawn; one draw at a time, as archives may have any size.
    means = np.stack(
        [np.bincount(rng.integers(n, size=n), minlength=n) @ shares / n for _ in range(draws)]
    )
    low, high = np.quantile(means, [0.025, 0.975], axis=0)
    return shares.mean(axis=0), low, high


def from_the_mean(points: np.ndarray) -> np.ndarray:
    """Return how far pooled maps are from their mean, of length 1: (n,), 0 to 1.42."""
    heard = points.any(axis=1)
    middle = points.sum(axis=0)
    length = np.linalg.norm(middle)
    middle = middle / length if length > 0 else middle
    return np.where(heard, np.linalg.norm(points - middle, axis=1), np.nan)


def differing(groups: Groups, grid: tuple[int, int], edges: np.ndarray) -> tuple[Band, ...]:
    """Return the band in which each group has most relevance above the others.

    Parameters
    ----------
    groups : Groups
    grid : tuple of int
        Of the pooled maps.
    edges : ndarray of float, shape (bands + 1,)
        Of the front end's bands, in hertz.

    Returns
    -------
    tuple of Band
        Empty if there is one group.
    """
    if groups.found < 2:
        return ()
    size = groups.pooled.reshape(-1, *grid).sum(axis=1)
    total = size.sum(axis=1, keepdims=True)
    shares = np.divide(size, total, out=np.zeros_like(size), where=total > 0)
    borders = np.asarray(edges)[np.arange(grid[1] + 1) * (len(edges) - 1) // grid[1]]
    made = []
    for group in range(groups.found):
        inside = shares[groups.labels == group].mean(axis=0)
        others = shares[(groups.labels != group) & (groups.labels >= 0)].mean(axis=0)
        band = int((inside - others).argmax())
        ends = float(borders[band]), float(borders[band + 1])
        made.append(Band(*ends, float(inside[band]), float(others[band])))
    return tuple(made)
