"""Masks over the bins of the Fourier transform: what a network makes of them, beside equal ones.

Here a mask multiplies magnitudes, as the decoders of `explainers.trained` have it; the measures of
`faithfulness` move log-mel cells towards silence. Numbers of the one and of the other are not to be
compared.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ...errors import XaiAudioError
from ...explainers.trained.decoding import patches_of
from .complexity import complexity, sparseness
from .faithfulness import columns

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from ...models.classifier import AudioClassifier

# What is kept is silence if its energy is below this share of the whole's: 60 dB.
_SILENT = 1e-6
# Patches that are masked at a time.
_BATCH = 64


def mask_measures(
    model: AudioClassifier,
    magnitudes: ArrayLike,
    masks: ArrayLike,
    targets: ArrayLike | None = None,
) -> dict[str, np.ndarray]:
    """Measure masks over bins, by what the network makes of what they keep and leave.

    Parameters
    ----------
    model : AudioClassifier
        Of patches.
    magnitudes, masks : array_like of float, shape (n, frames, bins)
        The masks in [0, 1].
    targets : array_like of int, shape (n,), optional
        The classes explained; by default the network's own answers.

    Returns
    -------
    dict of str to ndarray of float, shape (n,)
        The columns of :func:`.faithfulness.faithfulness`; SPS and COMP, the masks'
        :func:`.complexity.sparseness` and :func:`.complexity.complexity`; mask-mean; and silent, 1
        where nothing is kept that is above -60 dB of the whole. Such patches count in all columns.

    Raises
    ------
    XaiAudioError
        If there is not a mask for each patch.

    Examples
    --------
    >>> import numpy as np, xaiaudio as xa
    >>> from xaiaudio.evaluate.metrics.bin_masks import mask_measures
    >>> model, heights = xa.load_model("lite"), np.ones((1, 96, 257), "float32")
    >>> found = mask_measures(model, heights, np.ones_like(heights))
    >>> [float(found[name][0]) for name in ("AD", "AI", "AG", "Fid-In", "mask-mean", "silent")]
    [0.0, 0.0, 0.0, 1.0, 1.0, 0.0]
    """
    heights, masks = np.asarray(magnitudes, np.float32), np.asarray(masks, np.float32)
    if heights.ndim != 3 or heights.shape != masks.shape:
        raise XaiAudioError(
            f"The magnitudes have the shape {heights.shape} and the masks {masks.shape}: both must "
            "be (n, frames, bins)."
        )
    whole, kept, removed = (
        _scores(model, heights, part) for part in (np.ones_like(masks), masks, 1 - masks)
    )
    targets = whole.argmax(axis=1) if targets is None else np.asarray(targets)
    energy, total = (
        np.square(heights * part, dtype=np.float64).sum(axis=(1, 2)) for part in (masks, 1)
    )
    return {
        **columns(whole, kept, removed, targets),
        "SPS": sparseness(masks),
        "COMP": complexity(masks),
        "mask-mean": masks.mean(axis=(1, 2)),
        "silent": (energy <= _SILENT * total).astype(float),
    }


def _scores(model, heights, masks):
    starts = range(0, len(heights), _BATCH)
    return np.concatenate(
        [
            model.scores(
                patches_of(heights[i : i + _BATCH] * masks[i : i + _BATCH], model.frontend).numpy()
            )
            for i in starts
        ]
    )


def rearranged(masks: ArrayLike, order: ArrayLike) -> np.ndarray:
    """Return masks of the very same values in other places: the largest where an order is highest.

    Their mean, sparseness and complexity are the same, so that only what they keep can differ. With
    the magnitudes as the order they are energy masks of the same area, with random numbers random
    ones.

    Parameters
    ----------
    masks, order : array_like of float, shape (n, ...)

    Returns
    -------
    ndarray of float32, shape (n, ...)

    Examples
    --------
    >>> from xaiaudio.evaluate.metrics.bin_masks import rearranged
    >>> rearranged([[0.9, 0.1, 0.5]], [[1.0, 2.0, 3.0]]).tolist()
    [[0.10000000149011612, 0.5, 0.8999999761581421]]
    """
    masks, order = np.asarray(masks, np.float32), np.asarray(order)
    flat = masks.reshape(len(masks), -1)
    places = np.argsort(order.reshape(len(order), -1), axis=1, kind="stable")
    found = np.empty_like(flat)
    np.put_along_axis(found, places, np.sort(flat, axis=1), axis=1)
    return found.reshape(masks.shape)
