"""Ways to cut a patch into segments: a grid, or superpixels that follow its shapes."""

from __future__ import annotations

import numpy as np

from ...errors import XaiAudioError


def grid(shape: tuple[int, int], rows: int, columns: int) -> np.ndarray:
    """Cut a patch into rectangles of nearly the same size.

    Parameters
    ----------
    shape : tuple of int
        (frames, bands).
    rows, columns : int
        Parts in time and in frequency.

    Returns
    -------
    ndarray of int, shape (frames, bands)
        Segment numbers from 0, along the bands first.

    Examples
    --------
    >>> grid((2, 4), 1, 2).tolist()
    [[0, 0, 1, 1], [0, 0, 1, 1]]
    """
    if not (1 <= rows <= shape[0] and 1 <= columns <= shape[1]):
        raise XaiAudioError(
            f"A patch of {shape[0]} x {shape[1]} cells cannot be cut into a grid of "
            f"{rows} x {columns} segments: choose fewer, at least 1 x 1."
        )
    row = np.arange(shape[0]) * rows // shape[0]
    column = np.arange(shape[1]) * columns // shape[1]
    return row[:, None] * columns + column


def superpixels(patch: np.ndarray, count: int, compactness: float = 0.1) -> np.ndarray:
    """Cut a patch along its own shapes.

    Parameters
    ----------
    patch : ndarray of float, shape (frames, bands)
    count : int
        How many segments to aim at; there can be fewer or more.
    compactness : float
        Large values give squares, small ones follow the sound.

    Returns
    -------
    ndarray of int, shape (frames, bands)
        Segment numbers 0 to k - 1. The same patch always gives the same segments.

    References
    ----------
    R. Achanta et al., "SLIC Superpixels Compared to State-of-the-Art Superpixel Methods", IEEE
    TPAMI 34(11), 2012.

    Examples
    --------
    >>> import numpy as np
    >>> int(superpixels(np.zeros((8, 8)), 4).max())
    3
    """
    from skimage.segmentation import slic

    patch = np.asarray(patch, np.float64)
    low, high = patch.min(), patch.max()
    # SLIC weighs loudness against distance, so loudness gets the range 0 to 1.
    loudness = (patch - low) / (high - low) if high > low else np.zeros_like(patch)
    found = slic(loudness, n_segments=count, compactness=compactness, channel_axis=None)
    return np.unique(found, return_inverse=True)[1].reshape(patch.shape)


def means(patches: np.ndarray, segments: np.ndarray) -> np.ndarray:
    """Paint each segment of each patch with its mean.

    Parameters
    ----------
    patches : ndarray of float, shape (n, h, w)
    segments : ndarray of int, shape (n, h, w)

    Returns
    -------
    ndarray of float32, shape (n, h, w)
    """
    patches = np.asarray(patches)
    n, k = len(patches), segments.max() + 1
    # Number the segments of all patches through, to average them in one go.
    numbers = (segments + k * np.arange(n)[:, None, None]).ravel()
    sums = np.bincount(numbers, patches.ravel().astype(np.float64), n * k)
    sizes = np.maximum(np.bincount(numbers, minlength=n * k), 1)
    return (sums / sizes)[numbers].reshape(patches.shape).astype(np.float32)


def paint(values: np.ndarray, segments: np.ndarray) -> np.ndarray:
    """Paint each segment with its value.

    Parameters
    ----------
    values : ndarray of float, shape (n, ..., k)
    segments : ndarray of int, shape (n, h, w)

    Returns
    -------
    ndarray of float, shape (n, ..., h, w)
    """
    n, h, w = segments.shape
    cells = segments.reshape(n, *[1] * (values.ndim - 2), h * w)
    return np.take_along_axis(values, cells, axis=-1).reshape(*values.shape[:-1], h, w)
