"""Outputs of frozen networks, each patch computed once a process while there is room.

Folds share most of their clips, and several designs stand on the same embeddings.
"""

from __future__ import annotations

import hashlib
import math
from typing import TYPE_CHECKING

import numpy as np

from ... import cache
from ..training.steps import in_batches

if TYPE_CHECKING:
    import keras

#: Numbers of an output that are worth keeping: an embedding, or a small feature map. Of a few
#: thousand patches that is 200 MB at most.
MOST = 12288

#: Numbers that are kept in all, 400 MB. The networks that were asked last are kept the longest.
ROOM = 100_000_000

# By the network, the one asked last at the end: the row of each patch, by the patch's own bytes.
_KNOWN: dict[str, dict[bytes, np.ndarray]] = {}


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
    >>> from xaiaudio.models.designs.remembered import outputs
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
