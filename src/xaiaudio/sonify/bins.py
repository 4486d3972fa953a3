"""Masks over the bins of the Fourier transform as sounds: what a decoder keeps and leaves."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..errors import XaiAudioError
from ..explainers.answers import overlap_of
from ..explainers.masking import laid_over, mono, places_of, split_by_bins
from .masks import Listening

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from ..explainers.explanation import Explanation
    from ..frontend import LogMel
    from ..models.classifier import AudioClassifier


def kept_and_removed_bins(
    wave: ArrayLike, mask: ArrayLike, frontend: LogMel
) -> tuple[np.ndarray, np.ndarray]:
    """Split a sound in two by a mask over the bins of its Fourier transform.

    As :func:`.explainers.masking.kept_and_removed`, without the way through mel bands.

    Parameters
    ----------
    wave : array_like of float, shape (samples,)
    mask : array_like of float, shape (T, fft // 2 + 1)
        In [0, 1], from the sound's first frame on. Frames beyond it take its last row.
    frontend : LogMel

    Returns
    -------
    kept, removed : ndarray of float32, shape (samples,)
        Their sum is `wave`.

    Examples
    --------
    >>> import numpy as np, xaiaudio as xa
    >>> from xaiaudio.sonify.bins import kept_and_removed_bins
    >>> wave = np.sin(np.arange(16_000) / 5).astype("float32")
    >>> kept, removed = kept_and_removed_bins(wave, np.ones((98, 257)), xa.LogMel.vggish())
    >>> bool(np.abs(removed).max() < 1e-5)
    True
    """
    wave, mask = mono(wave).astype(np.float32), np.asarray(mask, np.float32)
    bins = frontend.fft // 2 + 1
    if mask.ndim != 2 or mask.shape[1] != bins or not len(mask):
        raise XaiAudioError(f"The mask has the shape {mask.shape}, but (T, {bins}) is needed.")
    return split_by_bins(wave, mask, frontend)


def listen_to_masks(
    result: Explanation,
    masks: ArrayLike,
    wave: ArrayLike,
    model: AudioClassifier | None = None,
) -> Listening:
    """Make the masks of a decoder audible: the original, what they keep and what they remove.

    Parameters
    ----------
    result : Explanation
        Of the patches that the masks are of; of `wave`. What lies in none of them is never kept.
    masks : array_like of float, shape (n, frames, bins)
        In [0, 1].
    wave : array_like of float, shape (samples,)
    model : AudioClassifier, optional
        Who says what it hears in each sound.

    Returns
    -------
    Listening

    Raises
    ------
    XaiAudioError
        If it is unknown where the patches lie, or that is not in this sound; or if there is not a
        mask for each patch.
    """
    wave, masks = mono(wave).astype(np.float32), np.asarray(masks, np.float32)
    starts, length = places_of(result, wave)
    if masks.ndim != 3 or masks.shape[:2] != result.maps.shape[:2]:
        raise XaiAudioError(
            f"The masks have the shape {masks.shape}, but one for each patch is needed: "
            f"({', '.join(map(str, result.maps.shape[:2]))}, bins)."
        )
    mask = laid_over(masks, starts, length)
    kept, removed = kept_and_removed_bins(wave, mask, result.frontend)
    targets = tuple(dict.fromkeys(result.target_labels))
    return Listening(
        original=wave,
        kept=kept,
        removed=removed,
        mask=None,
        sample_rate=result.frontend.sample_rate,
        method=result.method,
        target=" or ".join(targets),
        targets=targets,
        model=model,
        overlap=overlap_of(result),
    )
