"""Outputs of frozen networks and trainings on them, each computed once while there is room.

Folds share most of their clips, several designs stand on the same embeddings, and two of them
begin with the same training.
"""

from __future__ import annotations

import hashlib
import math
from typing import TYPE_CHECKING

import numpy as np

from ... import cache
from .steps import in_batches

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

    import keras

#: Numbers of an output that are worth keeping: an embedding, or a small feature map. Of a few
#: thousand patches that is 200 MB at most.
MOST = 12288

#: Numbers that are kept in all, 400 MB. The networks that were asked last are kept the longest.
ROOM = 100_000_000

#: Trainings that are kept.
TRAININGS = 32
#: The seconds of a training that was not done again, in the course of it.
BEFORE = "seconds before"

# By the network, the one asked last at the end: the row of each patch, by the patch's own bytes.
_KNOWN: dict[str, dict[bytes, np.ndarray]] = {}
# What variables were trained to, and the course of it.
_TRAINED: dict[str, tuple[list[np.ndarray], dict[str, Any]]] = {}


def outputs(network: keras.Model, patches: np.ndarray) -> np.ndarray:
    """Return what a network gives for patches, without computing any of them twice.

    Parameters
    ----------
    network : keras.Model
        From patches (n, frames, bands, 1) to one output.
    patches : ndarray of float, shape (n, frames, bands)

    Returns
    -------
    ndarray of float32, shape (n, ...)

    Examples
    --------
    >>> import numpy as np, xaiaudio as xa
    >>> from xaiaudio.models.training.remembered import outputs
    >>> outputs(xa.models.backbone("lite").network, np.zeros((3, 96, 64))).shape
    (3, 128)
    """
    patches = np.ascontiguousarray(patches, np.float32)
    if math.prod(network.output_shape[1:]) > MOST or not len(patches):
        return in_batches(network)(patches[..., None])
    # Two layers of one network may have the same weights below them, such as a map and its mean;
    # and what a layer does is not in its weights alone, such as a factor or a step.
    layers = [[type(layer).__name__, layer.name, _arguments(layer)] for layer in network.layers]
    key = cache.key(layers, cache.sum_of_arrays(network.get_weights()))
    known = _KNOWN[key] = _KNOWN.pop(key, {})
    names = [hashlib.blake2b(patch, digest_size=16).digest() for patch in patches]
    new = {name: number for number, name in enumerate(names) if name not in known}
    if new:
        rows = in_batches(network)(patches[list(new.values())][..., None])
        known.update(zip(new, rows, strict=True))
    found = np.stack([known[name] for name in names])
    _forget()
    return found


def trained(
    train: Callable[[], dict[str, Any]],
    variables: Sequence[keras.Variable],
    about: Sequence[Any],
    arrays: Sequence[np.ndarray],
) -> dict[str, Any]:
    """Train variables, or give them the values that the very same training has led to before.

    Parameters
    ----------
    train : callable
        Trains the variables and returns the course of it, with its ``"seconds"``.
    variables : sequence of keras.Variable
        What they are before the training counts: first weights, prototypes that were drawn.
    about : sequence
        Whatever else decides how it ends, as JSON can hold it.
    arrays : sequence of ndarray
        Likewise: what is learnt from and validated on, and weights that stay.

    Returns
    -------
    dict
        The course. Where nothing was trained, ``"seconds before"`` says what it took before.
    """
    start = [variable.numpy() for variable in variables]
    key = cache.key(list(about), cache.sum_of_arrays([*arrays, *start]))
    if key in _TRAINED:
        values, course = _TRAINED[key]
        for variable, value in zip(variables, values, strict=True):
            variable.assign(value)
        return {**course, BEFORE: course["seconds"]}
    course = train()
    _TRAINED[key] = [variable.numpy() for variable in variables], course
    while len(_TRAINED) > TRAININGS:
        del _TRAINED[next(iter(_TRAINED))]
    return course


def _forget() -> None:
    """Forget the networks that were asked longest ago, until the others fit; never the last."""
    sizes = [len(known) * next(iter(known.values())).size for known in _KNOWN.values()]
    for key, after in zip(list(_KNOWN)[:-1], np.cumsum(sizes[::-1])[::-1], strict=False):
        if after > ROOM:
            del _KNOWN[key]


def _arguments(layer) -> str:
    try:
        return repr(layer.get_config())
    except NotImplementedError:  # a layer of one's own that cannot be saved
        return ""
