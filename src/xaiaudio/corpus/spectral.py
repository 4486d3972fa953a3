"""Groups of maps: spectral relevance analysis.

Lapuschkin and others find the strategies of a network by clustering its relevance maps. Of each
map, what speaks for the class is pooled to a small grid and normalised, so that neither loudness
nor confidence counts. Maps that are near each other are joined in a graph. Where the graph falls
into parts, the network has more than one reason for its answer, and one of them may be a mark.

How many groups there are is asked of the eigenvalues of the graph's Laplacian, and how large a gap
between two of them must be is asked of chance: of clouds with the same mean and the same spread in
all directions, but in one piece.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import scipy.linalg

from ..errors import XaiAudioError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

# When in a patch a sound comes is chance, and its pitch is not.
GRID = (1, 32)
MOST = 8
# Fewer maps than this are not divided.
FEWEST = 10
# Of more maps than this, so many are drawn; the others belong where the nearest of these does.
LARGEST = 1000


@dataclass(frozen=True, eq=False)
class Groups:
    """Groups of maps, and how sure it is that they are more than one.

    Attributes
    ----------
    labels : ndarray of int, shape (n,)
        The group of each map, the largest first; all 0 where nothing speaks for more than one, and
        -1 for maps where
        nothing speaks for the class.
    found : int
        Groups: 1 where nothing speaks for more.
    eigenvalues : ndarray of float, shape (k,)
        The smallest of the Laplacian, in rising order.
    gap : float
        The largest step between two of them, from the second on.
    chance : ndarray of float, shape (draws,)
        The same of clouds in one piece.
    places : ndarray of float, shape (n, 2)
        Each map as a point, along the two directions in which maps differ most; NaN for maps of
        zeros.
    pooled : ndarray of float, shape (n, cells)
        The maps as they were compared.
    grid : tuple of int
        Frames and bands of the pooled maps.
    """

    labels: np.ndarray
    found: int
    eigenvalues: np.ndarray
    gap: float
    chance: np.ndarray
    places: np.ndarray
    pooled: np.ndarray
    grid: tuple[int, int]

    @property
    def p_value(self) -> float:
        """Share of the clouds in one piece with as large a gap, the maps themselves counted."""
        return float((1 + (self.chance >= self.gap).sum()) / (1 + len(self.chance)))


def pooled(maps: ArrayLike, grid: tuple[int, int] = GRID) -> np.ndarray:
    """Average maps over a small grid, keep what speaks for the class, and divide by its length.

    Parameters
    ----------
    maps : array_like of float, shape (n, frames, bands)
    grid : tuple of int
        Cells in time and in frequency, at most as many as the maps have.

    Returns
    -------
    ndarray of float64, shape (n, cells)
        From 0 to 1, each map of length 1; where nothing speaks for the class, zeros.

    Raises
    ------
    XaiAudioError
        If the maps are of another shape or not finite, or the grid is finer than they are.

    Examples
    --------
    >>> import numpy as np
    >>> from xaiaudio.corpus.spectral import pooled
    >>> pooled(np.ones((1, 96, 64)), (1, 4)).tolist()
    [[0.5, 0.5, 0.5, 0.5]]
    """
    maps = np.asarray(maps)
    if maps.ndim != 3 or not np.isfinite(maps).all():
        raise XaiAudioError(
            f"The maps have the shape {maps.shape}: finite numbers (n, frames, bands) are needed."
        )
    edges = []
    for size, cells in zip(maps.shape[1:], grid, strict=True):
        if not 1 <= cells <= size:
            raise XaiAudioError(f"The grid is {grid}: maps of {maps.shape[1:]} are not so fine.")
        edges.append(np.arange(cells) * size // cells)
    sums = np.add.reduceat(np.add.reduceat(maps, edges[0], axis=1, dtype=float), edges[1], axis=2)
    counts = [np.diff([*edge, size]) for edge, size in zip(edges, maps.shape[1:], strict=True)]
    flat = np.maximum(sums / np.outer(*counts), 0).reshape(len(maps), grid[0] * grid[1])
    length = np.linalg.norm(flat, axis=1, keepdims=True)
    return np.divide(flat, length, out=np.zeros_like(flat), where=length > 0)


def affinity(points: np.ndarray, neighbours: int) -> np.ndarray:
    """Join each point with its nearest ones.

    Parameters
    ----------
    points : ndarray of float, shape (n, cells)
    neighbours : int
        Nearest others of each.

    Returns
    -------
    ndarray of float, shape (n, n)
        1 where each of two is among the other's nearest, 1/2 where one is.
    """
    n = len(points)
    squares = np.square(points).sum(axis=1)
    apart = squares[:, None] + squares - 2 * points @ points.T
    np.fill_diagonal(apart, np.inf)
    near = np.argsort(apart, axis=1, kind="stable")[:, : min(neighbours, n - 1)]
    joined = np.zeros((n, n))
    np.put_along_axis(joined, near, 1.0, axis=1)
    return (joined + joined.T) / 2


def laplacian(weights: np.ndarray) -> np.ndarray:
    """Return the symmetric normalised Laplacian, I - D^(-1/2) W D^(-1/2), of a graph (n, n)."""
    scale = 1 / np.sqrt(weights.sum(axis=1))
    return np.eye(len(weights)) - scale[:, None] * weights * scale


def spectrum(points: np.ndarray, neighbours: int, most: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the smallest eigenvalues of the graph of points, and their vectors.

    Parameters
    ----------
    points : ndarray of float, shape (n, cells)
    neighbours : int
        See :func:`affinity`.
    most : int

    Returns
    -------
    eigenvalues : ndarray of float, shape (k,)
        In rising order, `most` + 1 of them, or as many as there are points.
    vectors : ndarray of float, shape (n, k)
    """
    matrix = laplacian(affinity(points, neighbours))
    last = min(most, len(points) - 1)
    values, vectors = scipy.linalg.eigh(matrix, subset_by_index=(0, last))
    return np.maximum(values, 0), vectors


def largest_gap(eigenvalues: np.ndarray) -> tuple[float, int]:
    """Return the largest step between neighbouring eigenvalues, and how many lie below it.

    The step above the first does not count: it speaks for one group.
    """
    if len(eigenvalues) < 3:
        return 0.0, 1
    steps = np.diff(eigenvalues)[1:]
    return float(steps.max()), int(steps.argmax()) + 2


def groups_of(
    maps: ArrayLike,
    *,
    grid: tuple[int, int] = GRID,
    neighbours: int | None = None,
    most: int = MOST,
    draws: int = 99,
    level: float = 0.05,
    seed: int = 0,
) -> Groups:
    """Find groups of maps that are alike.

    More than one group is reported if the largest gap between eigenvalues is larger than in all but
    a share `level` of clouds in one piece. The order of the maps does not matter.

    Parameters
    ----------
    maps : array_like of float, shape (n, frames, bands), or (n, cells)
        Maps of one class by one method; or what :func:`pooled` made of them.
    grid : tuple of int
        See :func:`pooled`.
    neighbours : int, optional
        Of each map in the graph; by default twice the square root of how many there are.
        A group that has fewer maps than that is hardly found.
    most : int
        Groups at most.
    draws : int
        Clouds in one piece.
    level : float
        Share of archives in one piece that would be divided.
    seed : int
        Decides the clouds and the starts of the clustering.

    Returns
    -------
    Groups

    Raises
    ------
    XaiAudioError
        As :func:`pooled`.

    References
    ----------
    Lapuschkin et al. 2019, Unmasking Clever Hans predictors and assessing what machines really
    learn. Ng, Jordan and Weiss 2001, On spectral clustering.

    Examples
    --------
    >>> import numpy as np
    >>> from xaiaudio.corpus.spectral import groups_of
    >>> maps = np.abs(np.random.default_rng(0).normal(size=(40, 8, 16)))
    >>> maps[:20, :, 12] += 9
    >>> found = groups_of(maps, grid=(2, 16))
    >>> found.found, sorted(set(found.labels[:20]) & set(found.labels[20:]))
    (2, [])
    """
    maps = np.asarray(maps, float)
    if maps.ndim == 2:
        points, grid = maps, (1, maps.shape[1])
    else:
        points = pooled(maps, grid)
    labels = np.full(len(points), -1)
    heard = np.flatnonzero(points.any(axis=1))
    # In an order of their own: then the order in which they came cannot matter.
    heard = heard[np.lexsort(points[heard].T)]
    kept = points[heard]
    labels[heard] = 0
    places = np.full((len(points), 2), np.nan)
    places[heard] = _places(kept)
    made = Groups(labels, 1, np.zeros(0), 0.0, np.zeros(0), places, points, grid)
    if len(kept) < FEWEST or len(np.unique(kept.round(9), axis=0)) < FEWEST:
        return made
    rng = np.random.default_rng(seed)
    drawn = np.sort(rng.permutation(len(kept))[:LARGEST])
    some = kept[drawn]
    neighbours = neighbours or round(2 * np.sqrt(len(some)))
    values, vectors = spectrum(some, neighbours, most)
    gap, count = largest_gap(values)
    clouds = (one_piece(some, rng) for _ in range(draws))
    chance = [largest_gap(spectrum(cloud, neighbours, most)[0])[0] for cloud in clouds]
    made = replace(made, eigenvalues=values, gap=gap, chance=np.array(chance))
    if made.p_value > level:
        return made
    nearest = (kept @ some.T).argmax(axis=1)
    nearest[drawn] = np.arange(len(drawn))
    labels[heard] = _by_size(_clusters(vectors[:, :count], seed)[nearest])
    return replace(made, found=int(labels.max()) + 1)


def one_piece(points: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Draw a cloud with the mean and the covariance of points, in one piece, of length 1 each.

    Parameters
    ----------
    points : ndarray of float, shape (n, cells)
    rng : numpy.random.Generator

    Returns
    -------
    ndarray of float, shape (n, cells)
    """
    middle = points.mean(axis=0)
    _, sizes, directions = np.linalg.svd(points - middle, full_matrices=False)
    along = rng.standard_normal((len(points), len(sizes))) * sizes / np.sqrt(len(points))
    drawn = middle + along @ directions
    return drawn / np.maximum(np.linalg.norm(drawn, axis=1, keepdims=True), 1e-12)


def _places(points) -> np.ndarray:
    """Return points in a plane: along the two directions in which they differ most."""
    if len(points) < 2:
        return np.zeros((len(points), 2))
    centred = points - points.mean(axis=0)
    _, _, directions = np.linalg.svd(centred, full_matrices=False)
    directions = directions[:2]
    # Which way a direction points is anybody's choice: its largest part upwards.
    largest = np.abs(directions).argmax(axis=1)
    directions = directions * np.sign(directions[np.arange(len(directions)), largest])[:, None]
    flat = centred @ directions.T
    return np.pad(flat, ((0, 0), (0, 2 - flat.shape[1])))


def _clusters(vectors, seed) -> np.ndarray:
    """Cluster the rows of eigenvectors, each brought to length 1."""
    from sklearn.cluster import KMeans

    rows = vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)
    return KMeans(vectors.shape[1], n_init=20, random_state=seed).fit_predict(rows)


def _by_size(labels) -> np.ndarray:
    """Renumber groups by their size, the largest 0; the first member decides between two."""
    names, first, sizes = np.unique(labels, return_index=True, return_counts=True)
    order = np.lexsort([first, -sizes])
    return np.argsort(order)[np.searchsorted(names, labels)]
