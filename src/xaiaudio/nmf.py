"""Non-negative matrix factorisation: spectra that sounds are sums of.

A matrix has one spectrum a column. `dictionary` is for sparse sums and squared
errors. The functions
on the Kullback-Leibler divergence are for sums that keep the energy: with columns that sum to one,
the activations of a frame sum to the frame.
"""

from __future__ import annotations

import numpy as np

from .errors import XaiAudioError

_EPSILON = 1e-9
_TINY = 1e-30


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
    >>> from xaiaudio.nmf import dictionary
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
    values = _magnitudes(values)
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


def kl_factorised(
    values: np.ndarray,
    components: int,
    *,
    rounds: int = 100,
    seed: int = 0,
    floor: float = 0.0,
) -> tuple[np.ndarray, np.ndarray]:
    """Factorise a matrix by the Kullback-Leibler divergence.

    Parameters
    ----------
    values : ndarray of float, shape (bins, n)
        Not negative; one spectrum a column.
    components : int
    rounds : int
        Updates of the spectra, each followed by one of the activations.
    seed : int
        Decides which spectra the components start from.
    floor : float
        The least share of its sum that a component has in any bin. Above 0, no bin is without a
        component, so that all energy can be explained.

    Returns
    -------
    spectra : ndarray of float32, shape (bins, components)
        Not negative; each column sums to 1.
    activations : ndarray of float32, shape (components, n)
        Not negative; each column sums to that of `values`.

    Raises
    ------
    XaiAudioError
        If a value is negative or not finite, or all are 0.

    References
    ----------
    D. D. Lee and H. S. Seung, NIPS 2000; P. Smaragdis and J. C. Brown, WASPAA 2003.

    Examples
    --------
    >>> import numpy as np
    >>> from xaiaudio.nmf import kl_factorised
    >>> spectra, heights = kl_factorised(np.eye(3).repeat(20, axis=1), 3)
    >>> round(float((spectra @ heights).sum()), 3)
    60.0
    """
    # Row by row as the products are: to divide by them is twice as fast.
    values = np.ascontiguousarray(_magnitudes(values))
    spectra = _start(values, components, np.random.default_rng(seed))
    spectra = _floored(spectra, floor)
    heights = kl_activations(values, spectra, rounds=1)
    for _ in range(rounds):
        spectra = spectra * (_ratio(values, spectra @ heights) @ heights.T)
        spectra = spectra / np.maximum(heights.sum(axis=1), _TINY)
        # The product stays what it was: otherwise it would cost more.
        heights = heights * spectra.sum(axis=0)[:, None]
        spectra = _floored(spectra, floor)
        heights = heights * (spectra.T @ _ratio(values, spectra @ heights))
    return spectra.astype(np.float32), heights.astype(np.float32)


def kl_activations(values: np.ndarray, spectra: np.ndarray, *, rounds: int = 100) -> np.ndarray:
    """Return how much of each spectrum is in each column, by updates of the activations alone.

    Parameters
    ----------
    values : ndarray of float, shape (bins, n)
        Not negative.
    spectra : ndarray of float, shape (bins, components)
        Not negative; each column sums to 1.
    rounds : int
        Updates, from equal shares on: from 1 on.

    Returns
    -------
    ndarray of float, shape (components, n)
        After each update their sum over the components is that of the column of `values`: as far as
        `spectra` has something in each bin that is not 0.

    Examples
    --------
    >>> import numpy as np
    >>> from xaiaudio.nmf import kl_activations
    >>> kl_activations(np.array([[3.0], [1.0]]), np.eye(2)).ravel().tolist()
    [3.0, 1.0]
    """
    heights = np.repeat(values.sum(axis=0)[None] / spectra.shape[1], spectra.shape[1], axis=0)
    for _ in range(rounds):
        heights = heights * (spectra.T @ _ratio(values, spectra @ heights))
    return heights


def divergence(values: np.ndarray, model: np.ndarray) -> float:
    """Return the generalised Kullback-Leibler divergence of a model from a matrix of its shape.

    Examples
    --------
    >>> import numpy as np
    >>> from xaiaudio.nmf import divergence
    >>> divergence(np.array([1.0, 0.0]), np.array([1.0, 2.0]))
    2.0
    """
    values, model = np.asarray(values, float), np.asarray(model, float)
    heard = np.where(values > 0, values, 1)
    logs = np.where(values > 0, heard * np.log(heard / np.where(values > 0, model, 1)), 0)
    return float((logs - values + model).sum())


def shares(spectra: np.ndarray, activations: np.ndarray) -> np.ndarray:
    """Return each component's share of each cell, as Wiener's filter has it.

    Parameters
    ----------
    spectra : ndarray of float, shape (bins, components)
    activations : ndarray of float, shape (components, n)

    Returns
    -------
    ndarray of float, shape (components, bins, n)
        They sum to 1 in each cell; where the model is 0, each has the same share.

    Examples
    --------
    >>> import numpy as np
    >>> from xaiaudio.nmf import shares
    >>> shares(np.array([[3.0, 1.0]]), np.ones((2, 1))).ravel().tolist()
    [0.75, 0.25]
    """
    parts = spectra.T[:, :, None] * activations[:, None, :]
    whole = parts.sum(axis=0)
    return np.where(whole > _TINY, parts / np.maximum(whole, _TINY), 1 / len(parts))


def _magnitudes(values) -> np.ndarray:
    values = np.asarray(values, np.float32)
    if not np.isfinite(values).all() or values.min(initial=0) < 0 or not values.any():
        raise XaiAudioError(
            "A dictionary needs magnitudes, which are finite, not negative and not all 0."
        )
    return values


def _ratio(values, model) -> np.ndarray:
    """Divide, in the room of the model; where it is 0, nothing can be done for the values."""
    return np.divide(values, np.maximum(model, _TINY, out=model), out=model)


def _floored(spectra, floor) -> np.ndarray:
    """Let each column sum to 1, no bin of it being less than the floor."""
    spectra = spectra / np.maximum(spectra.sum(axis=0), _TINY)
    return floor + (1 - floor * len(spectra)) * spectra


def _start(values, components, rng) -> np.ndarray:
    """Return spectra drawn from the data as first columns, a little blurred by the mean of all."""
    heard = np.flatnonzero(values.any(axis=0))
    drawn = rng.choice(heard, components, replace=components > len(heard))
    columns = values[:, drawn] + 0.1 * values.mean(axis=1, keepdims=True)
    columns = columns + 1e-3 * values.mean() * rng.random(columns.shape, np.float32)
    return columns / np.linalg.norm(columns, axis=0)
