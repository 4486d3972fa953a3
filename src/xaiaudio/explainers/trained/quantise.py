"""Vector quantisation with a codebook of which each class owns a part."""

from __future__ import annotations

import numpy as np
import tensorflow as tf

from ...errors import XaiAudioError


def owners(codes: int, classes: int) -> np.ndarray:
    """Return which class each code belongs to: parts of nearly the same size.

    Parameters
    ----------
    codes, classes : int
        At least a code for each class.

    Returns
    -------
    ndarray of int, shape (codes,)
        Never falling.

    Raises
    ------
    XaiAudioError
        If there are less codes than classes.

    References
    ----------
    Paissan, Subakan and Ravanelli 2023, Posthoc interpretation via quantization (PIQ).

    Examples
    --------
    >>> from xaiaudio.explainers.trained.quantise import owners
    >>> owners(7, 3).tolist()
    [0, 0, 0, 1, 1, 2, 2]
    """
    if codes < classes:
        raise XaiAudioError(
            f"There are {codes} codes for {classes} classes: take at least one each."
        )
    return np.round(np.linspace(-0.5, classes - 0.51, codes)).astype(int)


def nearest(
    values: tf.Tensor, codebook: tf.Tensor, owner: np.ndarray, classes: tf.Tensor
) -> tf.Tensor:
    """Return the nearest of a class's codes.

    Parameters
    ----------
    values : tensor of float32, shape (n, ..., d)
    codebook : tensor of float32, shape (codes, d)
    owner : ndarray of int, shape (codes,)
        As :func:`owners` returns it.
    classes : tensor of int, shape (n,)
        Whose codes are looked at, for each input.

    Returns
    -------
    tensor of int32, shape (n, ...)
        Rows of the codebook.

    Examples
    --------
    >>> import tensorflow as tf
    >>> from xaiaudio.explainers.trained.quantise import nearest, owners
    >>> codebook = tf.constant([[0.0], [1.0], [2.0], [9.0]])
    >>> nearest(tf.constant([[0.2], [0.2]]), codebook, owners(4, 2), [0, 1]).numpy().tolist()
    [0, 2]
    """
    depth = codebook.shape[1]
    flat = tf.reshape(values, (tf.shape(values)[0], -1, depth))
    # The distance without the square of the values, which is the same for all codes.
    far = tf.reduce_sum(tf.square(codebook), axis=1) - 2 * tf.einsum("npd,kd->npk", flat, codebook)
    strange = tf.not_equal(owner[None], tf.cast(classes, tf.int64)[:, None])
    far = tf.where(strange[:, None], np.float32(np.inf), far)
    return tf.reshape(tf.argmin(far, axis=2, output_type=tf.int32), tf.shape(values)[:-1])


@tf.custom_gradient
def straight_through(values: tf.Tensor, codes: tf.Tensor) -> tf.Tensor:
    """Return the codes; what comes back goes to the values, as if they had been returned.

    Parameters
    ----------
    values, codes : tensor of float32, of one shape

    Returns
    -------
    tensor of float32
        The codes, bit for bit.
    """
    # What custom_gradient makes of the pair is the first alone.
    return tf.identity(codes), lambda upstream: (upstream, None)  # type: ignore[return-value]


def commitments(values: tf.Tensor, codes: tf.Tensor) -> dict[str, tf.Tensor]:
    """Return the two losses that draw codes and values towards each other.

    Parameters
    ----------
    values, codes : tensor of float32, of one shape

    Returns
    -------
    dict of str to scalar tensor
        ``codes`` moves the codes alone, ``values`` the values alone. Their numbers are the same:
        the mean squared difference.
    """
    return {
        "codes": tf.reduce_mean(tf.square(codes - tf.stop_gradient(values))),
        "values": tf.reduce_mean(tf.square(values - tf.stop_gradient(codes))),
    }
