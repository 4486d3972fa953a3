"""What goes on inside: states by layer, and heads that are switched off."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

import keras
import numpy as np
import tensorflow as tf

from ...errors import XaiAudioError
from ..tracing import traced
from . import network
from .corpus import frontend
from .generation import BATCH, checked

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import ArrayLike

    from .corpus import Strings
    from .training import Model


def layers(model: Model) -> list[str]:
    """Name the layers of the encoder that :func:`states` tells of, from the sound on."""
    return ["sound", "convolutions", *(f"layer {k + 1}" for k in range(model.recipe.layers))]


def states(model: Model, heard: ArrayLike) -> dict[str, np.ndarray]:
    """Return what each layer of the encoder makes of strings.

    Parameters
    ----------
    model : Model
    heard : array_like of float, shape (n, 320, 40)

    Returns
    -------
    dict of str to ndarray of float32, shape (n, 80, numbers)
        By the names of :func:`layers`; of the sound itself the four frames of each moment.
    """
    heard = checked(heard)
    names = ["conv2", *(f"encoder{k + 1}" for k in range(model.recipe.layers))]
    outputs = [model.network.get_layer(name).output for name in names]
    part = keras.Model(model.network.inputs[0], outputs)
    shape = (None, network.MOMENTS * network.STEP, frontend().bands)
    listen = traced(lambda some: part(some, training=False), [tf.TensorSpec(shape, tf.float32)])
    found = [listen(tf.constant(heard[k : k + BATCH])) for k in range(0, len(heard), BATCH)]
    joined = [np.concatenate([some[k].numpy() for some in found]) for k in range(len(names))]
    sound = heard.reshape(len(heard), network.MOMENTS, -1)
    return dict(zip(layers(model), [sound, *joined], strict=True))


def over_words(values: np.ndarray, strings: Strings) -> np.ndarray:
    """Average states over the moments of each word.

    Parameters
    ----------
    values : ndarray of float, shape (n, 80, numbers)
    strings : Strings

    Returns
    -------
    ndarray of float32, shape (words, numbers)
        String by string, word by word. A word shorter than a moment has the one closest to it.
    """
    row, word = np.nonzero(~np.isnan(strings.onsets))
    times, begin, end = network.moment_times(), strings.onsets[row, word], strings.ends[row, word]
    within = (times >= begin[:, None]) & (times < end[:, None])
    closest = np.abs(times - (begin + end)[:, None] / 2).argmin(axis=1)
    within[np.arange(len(row)), closest] = True
    weights = (within / within.sum(axis=1, keepdims=True)).astype(np.float32)
    return np.einsum("wm,wmd->wd", weights, values[row])


def heads(model: Model) -> list[tuple[str, int]]:
    """List every head: the name of its layer, and its number from 0 on.

    ``hear1`` is the encoder's first layer; ``self1`` and ``cross1`` are the decoder's, to what it
    has written and to the encoder.
    """
    recipe = model.recipe
    return [
        (f"{kind}{layer + 1}", head)
        for kind in ("hear", "self", "cross")
        for layer in range(recipe.layers)
        for head in range(recipe.heads)
    ]


@contextlib.contextmanager
def without_head(model: Model, layer: str, head: int) -> Iterator[None]:
    """Switch a head off for a while: nothing of what it gathers is passed on.

    Parameters
    ----------
    model : Model
    layer : str
        ``"hear1"``, ``"self2"``, ``"cross1"``, ...; see :func:`heads`.
    head : int
        From 0 on.

    Raises
    ------
    XaiAudioError
        If there is no such head.
    """
    if (layer, head) not in heads(model):
        raise XaiAudioError(f"There is no head {head} in {layer!r}: see heads(model).")
    kernel = model.network.get_layer(layer).output_dense.kernel
    kept = kernel.numpy()  # (heads, numbers of a head, width)
    changed = kept.copy()
    changed[head] = 0
    kernel.assign(changed)
    try:
        yield
    finally:
        kernel.assign(kept)
