"""Decoders from hidden feature maps to masks over the bins of the linear Fourier transform.

A mask in [0, 1] multiplies magnitudes. What it keeps and what it leaves add up to the input, in
magnitudes and, on the complex transform, as sound.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import keras
import numpy as np
import tensorflow as tf

from ... import stft
from ...errors import XaiAudioError
from ...models.differentiable import log_mel

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from ...frontend import LogMel

# A cell is loud above this share of the loudest in its patch: PIQ's threshold, and L-MAC's guide.
LOUD = 0.35


def decoder(
    shapes: Sequence[tuple],
    frontend: LogMel,
    *,
    width: int = 8,
    seed: int = 0,
    name: str = "decoder",
) -> keras.Model:
    """Return a network from feature maps to the logits of a mask.

    It begins with the last map and grows: to the size of each map before it, which is added, and
    on to the cells of a patch. The mel bands then become bins, as a bin takes from the bands that
    it feeds; training may move that.

    Parameters
    ----------
    shapes : sequence of (h, w, channels)
        Of the maps, in the order of the network.
    frontend : LogMel
    width : int
        Channels at the size of the patch; twice as many for each halving, up to eight times.
    seed : int
        Of the first weights.
    name : str

    Returns
    -------
    keras.Model
        From a list of maps (n, h, w, channels) to logits (n, frames, fft // 2 + 1).

    Examples
    --------
    >>> import xaiaudio as xa
    >>> from xaiaudio.explainers.trained.decoding import decoder
    >>> network = decoder([(24, 16, 64), (12, 8, 128)], xa.LogMel.vggish())
    >>> network.output_shape
    (None, 96, 257)
    """
    seeds = iter(range(seed, seed + 100))
    inputs = [keras.Input(shape, name=f"map{number}") for number, shape in enumerate(shapes, 1)]
    sizes = _sizes([shape[:2] for shape in shapes], frontend.patch_shape)
    tensor, maps = None, list(inputs)
    for number, size in enumerate(sizes):
        wide = width * min(8, 2 ** (len(sizes) - 1 - number))
        if tensor is not None:
            tensor = _convolution(tensor, wide, 1, f"thin{number}", next(seeds))
            tensor = keras.layers.Resizing(*size, "bilinear", name=f"grow{number}")(tensor)
        if maps and tuple(maps[-1].shape[1:3]) == size:
            brought = _convolution(maps.pop(), wide, 1, f"bring{number}", next(seeds))
            tensor = brought if tensor is None else tensor + brought
        tensor = keras.layers.ReLU(name=f"relu{number}")(tensor)
        tensor = _convolution(tensor, wide, 3, f"mix{number}", next(seeds), "relu")
    tensor = _convolution(tensor, 1, 3, "cells", next(seeds))
    tensor = keras.layers.Reshape(frontend.patch_shape, name="bands")(tensor)
    bins = keras.layers.Dense(frontend.fft // 2 + 1, name="bins")
    network = keras.Model(inputs, bins(tensor), name=name)
    kernel = stft.band_shares(frontend).T.astype(np.float32)
    bins.set_weights([kernel, np.zeros(kernel.shape[1], np.float32)])
    return network


def _sizes(maps, patch) -> list[tuple[int, int]]:
    """Return the sizes that a decoder goes through: the maps', then doubled to the patch's."""
    sizes = list(reversed(maps))
    while sizes[-1] != tuple(patch):
        height, width = sizes[-1]
        sizes.append((min(2 * height, patch[0]), min(2 * width, patch[1])))
    return [tuple(size) for size in sizes]


def _convolution(tensor, width, size, name, seed, activation=None):
    return keras.layers.Conv2D(
        width,
        size,
        padding="same",
        activation=activation,
        kernel_initializer=keras.initializers.HeNormal(seed=seed),
        name=name,
    )(tensor)


def energy_mask(magnitudes: ArrayLike, share: float = LOUD) -> tf.Tensor:
    """Return which cells are loud: those above a share of the loudest of each patch.

    Parameters
    ----------
    magnitudes : array_like of float, shape (n, frames, bins)
    share : float
        Of log(1 + magnitude), as the authors of PIQ and of L-MAC have it.

    Returns
    -------
    tensor of float32, shape (n, frames, bins)
        0 and 1. Of silence 0 everywhere.

    Examples
    --------
    >>> from xaiaudio.explainers.trained.decoding import energy_mask
    >>> energy_mask([[[10.0, 1.0, 2.0]]]).numpy().tolist()
    [[[1.0, 0.0, 1.0]]]
    """
    heights = tf.math.log1p(tf.convert_to_tensor(magnitudes, tf.float32))
    loudest = tf.reduce_max(heights, axis=(1, 2), keepdims=True)
    return tf.cast(heights > share * loudest, tf.float32)


def patches_of(heights: tf.Tensor, frontend: LogMel) -> tf.Tensor:
    """Return the patches that magnitudes make, with gradients: mel bands and their logarithm.

    Parameters
    ----------
    heights : tensor of float32, shape (n, frames, bins)
        Magnitudes, masked or not.
    frontend : LogMel

    Returns
    -------
    tensor of float32, shape (n, frames, bands)
        Of unmasked magnitudes the front end's own patches, to rounding.

    Raises
    ------
    XaiAudioError
        If the front end measures a cell against the loudest of the whole sound.

    Examples
    --------
    >>> import numpy as np, xaiaudio as xa
    >>> from xaiaudio.explainers.trained.decoding import patches_of
    >>> tuple(patches_of(np.zeros((2, 96, 257), "float32"), xa.LogMel.vggish()).shape)
    (2, 96, 64)
    """
    if frontend.decibels and (frontend.ref == "max" or frontend.top_db is not None):
        raise XaiAudioError(
            "This front end measures each cell against the loudest of the sound, so that a patch "
            "cannot be made of magnitudes alone: set ref to a number and top_db to None."
        )
    return log_mel(heights, frontend)


def to_bands(masks: ArrayLike, frontend: LogMel) -> np.ndarray:
    """Carry masks over bins to the mel bands: what a band takes of each bin, the mean of the mask.

    Parameters
    ----------
    masks : array_like of float, shape (..., bins)
    frontend : LogMel

    Returns
    -------
    ndarray of float32, shape (..., bands)
        All ones give ones. A band narrower than the step between bins takes the nearest bin.

    Examples
    --------
    >>> import numpy as np, xaiaudio as xa
    >>> from xaiaudio.explainers.trained.decoding import to_bands
    >>> to_bands(np.ones((96, 257)), xa.LogMel.vggish()).min()
    np.float32(1.0)
    """
    weights = frontend.mel_matrix()
    hertz = np.arange(len(weights)) * frontend.sample_rate / frontend.fft
    empty = np.flatnonzero(weights.sum(axis=0) == 0)
    weights[np.abs(hertz[:, None] - frontend.band_centres()[empty]).argmin(axis=0), empty] = 1
    return (np.asarray(masks) @ (weights / weights.sum(axis=0))).astype(np.float32)


def per_patch(losses: tf.Tensor) -> tf.Tensor:
    """Return the mean over the cells of each patch: (n, frames, bins) to (n,)."""
    return tf.reduce_mean(losses, axis=(1, 2))


def cross_entropy(logits: tf.Tensor, wanted: tf.Tensor) -> tf.Tensor:
    """Return the mean binary cross-entropy of each patch between a mask's logits and a 0/1 mask."""
    return per_patch(tf.nn.sigmoid_cross_entropy_with_logits(wanted, logits))
