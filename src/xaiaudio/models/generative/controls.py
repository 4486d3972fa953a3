"""Two generators that need no training: one that only remembers, and one that cannot."""

from __future__ import annotations

import numpy as np

from ...errors import XaiAudioError


def faithful(latents: np.ndarray, noisy: np.ndarray, time: float) -> np.ndarray:
    """Return what the perfect denoiser of a training set says, float64 (n, dims).

    The error that a generator is trained to make small has a smallest value, and the function that
    reaches it is known: the mean of the training seconds, each with the probability that the noisy
    point began as it. From noise to the end of the way, it leads to a training second, always.

    Parameters
    ----------
    latents : ndarray of float, shape (seconds, dims)
        Of the training set.
    noisy : ndarray of float, shape (n, dims)
        Points on the way, ``(1 - time) * noise + time * latent``.
    time : float
        From 0, all noise, to less than 1.

    Returns
    -------
    ndarray of float64, shape (n, dims)

    References
    ----------
    T. Karras et al., "Elucidating the design space of diffusion-based generative models", NeurIPS
    2022.

    Examples
    --------
    >>> import numpy as np
    >>> from xaiaudio.models.generative import faithful
    >>> two = np.array([[0.0, 0.0], [2.0, 2.0]])
    >>> faithful(two, np.array([[0.3, 0.5]]), time=0.0).tolist()
    [[1.0, 1.0]]
    >>> faithful(two, np.array([[1.9, 1.8]]), time=0.95).round(6).tolist()
    [[2.0, 2.0]]
    """
    latents, noisy = np.asarray(latents, float), np.asarray(noisy, float)
    squares = (
        np.square(noisy).sum(axis=1)[:, None]
        - 2 * time * noisy @ latents.T
        + time**2 * np.square(latents).sum(axis=1)
    )
    powers = -squares / (2 * (1 - time) ** 2)
    shares = np.exp(powers - powers.max(axis=1, keepdims=True))
    return (shares / shares.sum(axis=1, keepdims=True)) @ latents


def without_memory(
    latents: np.ndarray, targets: np.ndarray, wanted: np.ndarray, *, seed: int = 0
) -> np.ndarray:
    """Draw from the normal distribution around each class: no second can come back.

    Parameters
    ----------
    latents : ndarray of float, shape (seconds, dims)
        Of the training set.
    targets : ndarray of int, shape (seconds,)
        Their classes.
    wanted : ndarray of int, shape (n,)
        The class to draw from, for each output. All are among the targets.
    seed : int

    Returns
    -------
    ndarray of float32, shape (n, dims)
        Around the mean of its class, with the covariance that the classes have on average.

    Raises
    ------
    XaiAudioError
        If a class is not among the targets.

    Examples
    --------
    >>> import numpy as np
    >>> from xaiaudio.models.generative import without_memory
    >>> latents = np.array([[0.0], [0.0], [9.0], [9.0]])
    >>> without_memory(latents, np.array([0, 0, 1, 1]), np.array([1, 0])).tolist()
    [[9.0], [0.0]]
    """
    latents = np.asarray(latents, float)
    classes, of_row = np.unique(targets, return_inverse=True)
    if not np.isin(wanted, classes).all():
        raise XaiAudioError(
            f"A class to draw from is not among the targets, which are {classes.tolist()}."
        )
    counts = np.bincount(of_row)[:, None]
    means = np.eye(len(classes))[of_row].T @ latents / counts
    inside = latents - means[of_row]
    # Drawing weights of the rows gives the covariance without ever forming it.
    weights = np.random.default_rng(seed).normal(size=(len(wanted), len(latents)))
    drawn = means[np.searchsorted(classes, wanted)] + weights @ inside / np.sqrt(len(latents))
    return drawn.astype(np.float32)
