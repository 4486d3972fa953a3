"""What sparse features fire on, and what becomes of the answers when they are taken out."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..errors import XaiAudioError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike

    from ..models.designs.evidence import Place
    from ..models.designs.lessons import Lessons
    from ..patches import Patches
    from .edits import Layer
    from .sparse import Codes, SparseAutoencoder


def strongest_rows(codes: Codes, feature: int, clips: ArrayLike, count: int = 3) -> np.ndarray:
    """Return the vectors for which a feature fires most, one of each clip at most.

    Parameters
    ----------
    codes : Codes
    feature : int
    clips : array_like of int, shape (n,)
        Of each vector.
    count : int
        How many; fewer where it fires in fewer clips.

    Returns
    -------
    ndarray of int
        Rows, the strongest first.
    """
    clips = np.asarray(clips)
    strengths = np.where(codes.numbers == feature, codes.strengths, 0).max(axis=1)
    order = np.argsort(-strengths, kind="stable")
    order = order[: int((strengths > 0).sum())]
    _, first = np.unique(clips[order], return_index=True)
    return order[np.sort(first)][:count]


def where(layer: Layer, told: Lessons, row: int) -> Place:
    """Return the place in a clip that a vector of a layer can see.

    Parameters
    ----------
    layer : Layer
    told : Lessons
        The patches that the vectors are of.
    row : int
        Of the vectors: patch by patch, and in each patch place by place.

    Returns
    -------
    Place
        Its seconds and hertz; ``place.wave(clips)`` plays it.
    """
    patch, place = divmod(int(row), layer.places)
    return told.place(patch, *layer.seen(place))


def erased(
    layer: Layer,
    autoencoder: SparseAutoencoder,
    patches: Patches | ArrayLike,
    features: Sequence[int] | np.ndarray,
    counts: Sequence[int],
) -> np.ndarray:
    """Return the logits of patches whose layer is rebuilt without some features.

    Parameters
    ----------
    layer : Layer
    autoencoder : SparseAutoencoder
        Of that layer.
    patches : array_like of float, shape (n, frames, bands)
    features : sequence of int
        In the order in which they are taken out.
    counts : sequence of int
        How many of them; 0 is the reconstruction itself.

    Returns
    -------
    ndarray of float32, shape (len(counts), n, classes)

    Raises
    ------
    XaiAudioError
        If more are to be taken out than are named.
    """
    if max(counts) > len(features):
        raise XaiAudioError(
            f"{max(counts)} features are to be taken out, but {len(features)} are named."
        )
    values = layer.read(patches)
    codes = autoencoder.encode(values.reshape(-1, values.shape[-1]))
    features = np.asarray(features, int)
    return np.stack(
        [
            layer.write(patches, autoencoder.decode(codes.without(features[:count])))
            for count in counts
        ]
    )
