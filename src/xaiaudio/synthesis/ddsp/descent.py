"""Down the gradient: Adam, and values that are learned now and then with straight lines between."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import tensorflow as tf

from ... import progress as bars
from ...errors import XaiAudioError

if TYPE_CHECKING:
    from collections.abc import Callable

# Of the running means of the gradient and of its square.
_DECAYS = (0.9, 0.999)


def through(frames: int, knot: int) -> tf.Tensor:
    """Return weights that draw straight lines through knots, one every `knot` frames.

    Returns
    -------
    tensor of float32, shape (frames, knots)
        Its rows sum to 1.

    Examples
    --------
    >>> from xaiaudio.synthesis.ddsp.descent import through
    >>> through(5, 4).numpy()[2].tolist()
    [0.5, 0.5]
    """
    at = np.arange(frames)[:, None] / knot
    knots = np.arange(-(-(frames - 1) // knot) + 1)
    return tf.constant(np.maximum(1 - np.abs(at - knots), 0), tf.float32)


def check_options(steps, rate, sizes, seed=0) -> None:
    """Raise an XaiAudioError for options of a fit that make no sense."""
    if not _whole(steps, 0):
        raise XaiAudioError(f"steps is {steps!r}: a whole number from 0 on is needed.")
    number = isinstance(rate, (int, float, np.number)) and not isinstance(rate, bool)
    if not (number and 0 < rate < np.inf):
        raise XaiAudioError(f"rate is {rate!r}: a number above 0 is needed.")
    listed = isinstance(sizes, (list, tuple, np.ndarray)) and len(sizes)
    if not (listed and all(_whole(size, 4) for size in sizes)):
        raise XaiAudioError(f"sizes is {sizes!r}: a list of windows in samples, from 4 on.")
    if not _whole(seed, 0):
        raise XaiAudioError(f"seed is {seed!r}: a whole number from 0 on is needed.")


def _whole(value, least: int) -> bool:
    whole = isinstance(value, (int, np.integer)) and not isinstance(value, bool)
    return whole and least <= value < 2**31


def descend(
    loss_of: Callable[[tf.Tensor, tf.Tensor], tf.Tensor],
    value: tf.Tensor,
    steps: int,
    rate: float,
    title: str,
    progress: bool | None,
) -> tuple[tf.Tensor, np.ndarray, np.ndarray]:
    """Follow a gradient by Adam (D. Kingma and J. Ba, ICLR 2015).

    Parameters
    ----------
    loss_of : callable
        Of the value and the number of the step, a loss.
    value : tensor of float
        Where it begins.
    steps : int
    rate : float
        Of learning.
    title : str
        Of the bar.
    progress : bool, optional
        Show a bar.

    Returns
    -------
    value : tensor
        Where it ends.
    losses : ndarray of float, shape (steps + 1,)
    way : ndarray of float, shape (steps + 1,)
        The value before each step if it is one number; else NaN.
    """
    slow, fast = _DECAYS

    @tf.function(autograph=False)
    def look(value, number):
        with tf.GradientTape() as tape:
            tape.watch(value)
            loss = loss_of(value, number)
        return loss, tape.gradient(loss, value)

    first, second = tf.zeros_like(value), tf.zeros_like(value)
    losses, way = [], []
    with bars.bar(steps, progress, title, notebook=True) as step:
        for number in range(steps + 1):
            loss, gradient = look(value, tf.constant(number))
            losses.append(float(loss))
            way.append(float(value) if value.shape.rank == 0 else np.nan)
            if number == steps:
                break
            first = slow * first + (1 - slow) * gradient
            second = fast * second + (1 - fast) * gradient**2
            scale = rate * (1 - fast ** (number + 1)) ** 0.5 / (1 - slow ** (number + 1))
            value = value - scale * first / (tf.sqrt(second) + 1e-8)
            step(1, f"loss {losses[-1]:.3f}")
    return value, np.array(losses), np.array(way)
