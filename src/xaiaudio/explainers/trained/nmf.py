"""Sparse non-negative matrix factorisation: a dictionary of spectra that sounds are sums of."""

from __future__ import annotations

import numpy as np

from ...errors import XaiAudioError

_EPSILON = 1e-9


def dictionary(
    values: np.ndarray,
    components: int,
    *,
    sparsity: float = 0.1,
    rounds: int = 60,
    seed: int = 0,
) -> np.ndarray:
    """Learn the columns whose sparse sums come close to the columns of a matrix.

    Parameters
    ----------
    values : ndarray of float, shape (bins, n)
        Not negative; one spectrum a column.
    components : int
        Columns of the dictionary.
    sparsity : float
        What an activation costs, beside half of the squared error.
    rounds : int
        Updates of activations and dictionary.
    seed : int
        Decides which spectra the columns start from.

    Returns
    -------
    ndarray of float32, shape (bins, components)
        Not negative, each column of length 1.

    Raises
    ------
    XaiAudioError
        If a value is negative or not finite, or all are 0.

    Notes
    -----
    Multiplicative updates, with the normalisation of the columns as part of what is minimised:
    without it, the activations could shrink for free while the columns grow.

    References
    ----------
    D. D. Lee and H. S. Seung, NIPS 2000; J. Le Roux, F. Weninger and J. R. Hershey, "Sparse NMF:
    half-baked or well done?", MERL TR2015-023.

    Examples
    --------
    >>> import numpy as np
    >>> from xaiaudio.explainers.trained.nmf import dictionary
    >>> found = dictionary(np.eye(3).repeat(20, axis=1), 3)
    >>> np.linalg.norm(found, axis=0).round(3).tolist()
    [1.0, 1.0, 1.0]
    """
    return factorised(values, components, sparsity=sparsity, rounds=rounds, seed=seed)[0]


def factorised(
    values: np.ndarray,
    components: int,
    *,
    sparsity: float = 0.1,
    rounds: int = 60,
    seed: int = 0,
) -> tuple[np.ndarray, np.ndarray]:
    """Return the dictionary and the activations (components, n); see :func:`dictionary`."""
    values = np.asarray(values, np.float32)
    if not np.isfinite(values).all() or values.min(initial=0) < 0 or not values.any():
        raise XaiAudioError(
            "A dictionary needs magnitudes, which are finite, not negative and not all 0."
        )
    rng = np.random.default_rng(seed)
    columns = _start(values, components, rng)
    active = rng.uniform(0.5, 1, (components, values.shape[1])).astype(np.float32)
    active *= values.mean() / (columns @ active).mean()
    for _ in range(rounds):
        active *= (columns.T @ values) / (columns.T @ columns @ active + sparsity + _EPSILON)
        # What changes length only goes along the column, and the normalisation takes it back.
        towards, away = values @ active.T, columns @ (active @ active.T)
        up = towards + columns * (columns * away).sum(axis=0)
        down = away + columns * (columns * towards).sum(axis=0)
        columns *= up / (down + _EPSILON)
        columns /= np.linalg.norm(columns, axis=0) + _EPSILON
    return columns, active


def _start(values, components, rng) -> np.ndarray:
    """Return spectra drawn from the data as first columns, a little blurred by the mean of all."""
    heard = np.flatnonzero(values.any(axis=0))
    drawn = rng.choice(heard, components, replace=components > len(heard))
    columns = values[:, drawn] + 0.1 * values.mean(axis=1, keepdims=True)
    columns = columns + 1e-3 * values.mean() * rng.random(columns.shape, np.float32)
    return columns / np.linalg.norm(columns, axis=0)
