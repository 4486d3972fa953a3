"""A sparse autoencoder: a layer's vectors as sums of a few out of many directions."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from scipy.sparse import csr_array

from ..errors import XaiAudioError
from ..files import check_ordinary, whole

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from ..types import PathLike

# Vectors that are encoded at a time.
_ROWS = 4096


@dataclass(frozen=True, eq=False)
class Codes:
    """Which features fire for each vector, and how strongly.

    Attributes
    ----------
    numbers : ndarray of int, shape (n, k)
        Of the features.
    strengths : ndarray of float32, shape (n, k)
        From 0 up; 0 where less than k fire.
    size : int
        Features that there are.
    """

    numbers: np.ndarray
    strengths: np.ndarray
    size: int

    def __len__(self) -> int:
        return len(self.numbers)

    def __getitem__(self, rows: slice | np.ndarray) -> Codes:
        """Return some of the rows: a slice, a mask or indices."""
        return Codes(self.numbers[rows], self.strengths[rows], self.size)

    @property
    def matrix(self) -> csr_array:
        """The strengths of all features as a sparse matrix (n, size)."""
        return matrix_of(self.strengths, self.numbers, self.size)

    def without(self, features: ArrayLike) -> Codes:
        """Return the same without some features, by their numbers: their strengths are 0."""
        gone = np.zeros(self.size, bool)
        gone[np.asarray(features, int)] = True
        return Codes(self.numbers, np.where(gone[self.numbers], 0, self.strengths), self.size)

    def most(self, groups: ArrayLike) -> np.ndarray:
        """Return how strongly each feature fires at most in each group of rows.

        Parameters
        ----------
        groups : array_like of int, shape (n,)
            From 0 on, such as the clip that each vector is from.

        Returns
        -------
        ndarray of float32, shape (groups, size)
        """
        groups = np.asarray(groups, int)
        found = np.zeros((int(groups.max(initial=-1)) + 1, self.size), np.float32)
        rows = np.repeat(groups, self.numbers.shape[1])
        np.maximum.at(found, (rows, self.numbers.ravel()), self.strengths.ravel())
        return found


def matrix_of(values: np.ndarray, numbers: np.ndarray, size: int) -> csr_array:
    """Return values (n, k) at columns `numbers` (n, k) as a sparse matrix (n, size)."""
    n, k = values.shape
    return csr_array((values.ravel(), numbers.ravel(), np.arange(n + 1) * k), shape=(n, size))


@dataclass(frozen=True, eq=False)
class SparseAutoencoder:
    """Directions of a layer, of which each vector is a sum of k at most.

    With x a vector, b the bias, E and D the encoder and the decoder, the strengths z are the k
    largest of E (x - b), of these what is above 0; and the reconstruction is D' z + b.

    Attributes
    ----------
    encoder : ndarray of float32, shape (size, channels)
    decoder : ndarray of float32, shape (size, channels)
        Each row is a direction of length 1.
    bias : ndarray of float32, shape (channels,)
        Subtracted before and added behind.
    k : int
        Features that fire for a vector, at most.
    fired : ndarray of float, shape (size,)
        Share of the vectors learnt from for which each feature fires, at the end of the training.
        0 is a dead feature.
    loss : ndarray of float, shape (steps,)
        Of each step of the training: squared error over squared distance from the mean.

    References
    ----------
    Gao et al. 2025, Scaling and evaluating sparse autoencoders.
    """

    encoder: np.ndarray
    decoder: np.ndarray
    bias: np.ndarray
    k: int
    fired: np.ndarray
    loss: np.ndarray

    def __len__(self) -> int:
        return len(self.decoder)

    @property
    def dead(self) -> np.ndarray:
        """Which features fire for none of the vectors learnt from, bool (size,)."""
        return self.fired == 0

    def encode(self, values: ArrayLike) -> Codes:
        """Return the features that fire for vectors.

        Parameters
        ----------
        values : array_like of float, shape (n, channels)

        Returns
        -------
        Codes

        Raises
        ------
        XaiAudioError
            If the vectors have another length, or are not finite.
        """
        values = self._checked(values)
        parts = [
            strongest((values[start : start + _ROWS] - self.bias) @ self.encoder.T, self.k)
            for start in range(0, max(1, len(values)), _ROWS)
        ]
        numbers, strengths = (np.concatenate(column) for column in zip(*parts, strict=True))
        return Codes(numbers, strengths, len(self))

    def decode(self, codes: Codes) -> np.ndarray:
        """Return the vectors that codes stand for, float32 (n, channels)."""
        return codes.matrix @ self.decoder + self.bias

    def explained(self, values: ArrayLike) -> float:
        """Return the share of the variance of vectors that their reconstructions explain.

        1 is perfect; 0 is no better than their mean, and below it is worse.
        """
        values = self._checked(values)
        left = np.square(values - self.decode(self.encode(values)), dtype=np.float64).sum()
        return 1 - float(left / np.square(values - values.mean(axis=0), dtype=np.float64).sum())

    def save(self, path: PathLike) -> Path:
        """Write it to one ``.npz`` file, whole or not at all; return its path."""
        path = Path(path)
        arrays = {name: getattr(self, name) for name in _ARRAYS}
        with whole(path) as partial, open(partial, "wb") as file:
            np.savez_compressed(file, k=np.array(self.k), **arrays)
        return path

    def _checked(self, values) -> np.ndarray:
        values = np.asarray(values, np.float32)
        if values.ndim != 2 or values.shape[1] != len(self.bias):
            raise XaiAudioError(
                f"The vectors have the shape {values.shape}, but (n, {len(self.bias)}) is needed: "
                "take them from the layer that this autoencoder learnt from."
            )
        if not np.isfinite(values).all():
            raise XaiAudioError("The vectors hold NaN or infinity: check the layer.")
        return values


_ARRAYS = ("encoder", "decoder", "bias", "fired", "loss")


def load(path: PathLike) -> SparseAutoencoder:
    """Read what :meth:`SparseAutoencoder.save` wrote.

    Parameters
    ----------
    path : path-like

    Raises
    ------
    XaiAudioError
        If the file is missing, damaged or something else.
    """
    check_ordinary(path)
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = {name: file[name] for name in _ARRAYS}
            found = SparseAutoencoder(k=int(file["k"]), **arrays)
    except Exception as error:  # zip, zlib and NumPy each have errors of their own
        raise XaiAudioError(
            f"{path} cannot be read as a sparse autoencoder, it is missing or damaged: train anew."
        ) from error
    size, channels = found.decoder.shape if found.decoder.ndim == 2 else (0, 0)
    fits = found.encoder.shape == (size, channels) and found.bias.shape == (channels,)
    if not fits or not 0 < found.k <= size or found.fired.shape != (size,):
        raise XaiAudioError(f"{path} holds arrays that do not fit together: train it anew.")
    return found


def strongest(before: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the numbers and the values of the k largest of each row, the values from 0 up.

    Parameters
    ----------
    before : ndarray of float, shape (n, size)
    k : int

    Returns
    -------
    numbers : ndarray of int, shape (n, k)
        Rising.
    strengths : ndarray, shape (n, k)

    Examples
    --------
    >>> import numpy as np
    >>> from xaiaudio.probes.sparse import strongest
    >>> [one.tolist() for one in strongest(np.array([[3.0, -1.0, 5.0, 4.0]]), 2)]
    [[[2, 3]], [[5.0, 4.0]]]
    """
    size = before.shape[1]
    numbers = np.sort(np.argpartition(before, size - k, axis=1)[:, size - k :], axis=1)
    return numbers, np.maximum(np.take_along_axis(before, numbers, axis=1), 0)


def matches(one: ArrayLike, other: ArrayLike) -> np.ndarray:
    """Match directions one to one, so that the sum of cosines is as large as it can be.

    Parameters
    ----------
    one, other : array_like of float, shape (size, channels)
        Rows of length 1, as many on each side.

    Returns
    -------
    ndarray of float, shape (size,)
        The cosine of each of the first with its match.

    Raises
    ------
    XaiAudioError
        If the two are not of one shape, or not finite.

    Examples
    --------
    >>> import numpy as np
    >>> from xaiaudio.probes.sparse import matches
    >>> matches(np.eye(3), np.eye(3)[[2, 0, 1]]).tolist()
    [1.0, 1.0, 1.0]
    """
    from scipy.optimize import linear_sum_assignment

    one, other = np.asarray(one, np.float64), np.asarray(other, np.float64)
    if one.ndim != 2 or one.shape != other.shape or not np.isfinite([one, other]).all():
        raise XaiAudioError(
            f"The directions have the shapes {one.shape} and {other.shape}: finite rows (size, "
            "channels) are needed, as many on each side."
        )
    cosines = one @ other.T
    rows, columns = linear_sum_assignment(-cosines)
    return cosines[rows, columns]


def random_directions(values: ArrayLike, size: int, *, seed: int = 0) -> np.ndarray:
    """Draw directions that vary as vectors do: what an autoencoder without features would have.

    Parameters
    ----------
    values : array_like of float, shape (n, channels)
        Vectors of the layer. The directions are normal with their covariance, brought to length 1.
    size : int
    seed : int

    Returns
    -------
    ndarray of float, shape (size, channels)
    """
    values = np.asarray(values, np.float64)
    centred = values - values.mean(axis=0)
    drawn = np.random.default_rng(seed).normal(size=(size, len(values))) @ centred
    return drawn / np.linalg.norm(drawn, axis=1, keepdims=True)


def separation(values: ArrayLike, labels: ArrayLike, classes: int) -> np.ndarray:
    """Return how well units tell each class from the others: the area under the ROC curve.

    Parameters
    ----------
    values : array_like of float, shape (n, units)
        Of n sounds.
    labels : array_like of int, shape (n,)
        Their classes, from 0 up; each must have a sound, and none all.
    classes : int

    Returns
    -------
    ndarray of float, shape (units, classes)
        The chance that a unit is larger for a sound of the class than for another one, ties counted
        half: 1 for a perfect unit, 0.5 for one that knows nothing.

    Examples
    --------
    >>> from xaiaudio.probes.sparse import separation
    >>> separation([[1.0], [2.0], [3.0]], [0, 1, 1], 2).tolist()
    [[0.0, 1.0]]
    """
    from scipy.stats import rankdata

    values, labels = np.asarray(values), np.asarray(labels)
    mine = labels == np.arange(classes)[:, None]
    counts = mine.sum(axis=1)
    if not ((counts > 0) & (counts < len(labels))).all():
        raise XaiAudioError("Each class needs a sound, and another sound that is not of it.")
    sums = mine @ rankdata(values, axis=0)
    wins = sums - (counts * (counts + 1) / 2)[:, None]
    return (wins / (counts * (len(labels) - counts))[:, None]).T
