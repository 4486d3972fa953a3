"""Masks over the bins of the Fourier transform as sounds: what a decoder keeps and leaves."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..errors import XaiAudioError
from ..explainers.answers import overlap_of
from ..explainers.masking import mono
from ..stft import analyse, rows_of, synthesise
from .masks import Listening

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from ..explainers.explanation import Explanation
    from ..frontend import LogMel
    from ..models.classifier import AudioClassifier


def clip_mask(masks: ArrayLike, starts: ArrayLike, length: int) -> np.ndarray:
    """Lay the masks of a clip's patches over the whole clip.

    Parameters
    ----------
    masks : array_like of float, shape (n, frames, bins)
    starts : array_like of int, shape (n,)
        The first frame of each patch.
    length : int
        Frames of the clip.

    Returns
    -------
    ndarray of float32, shape (length, bins)
        The mean where patches overlap, 0 where there is none.

    Examples
    --------
    >>> import numpy as np
    >>> from xaiaudio.sonify.bins import clip_mask
    >>> clip_mask([[[1.0], [1.0]], [[0.0], [0.0]]], [0, 1], 4).ravel().tolist()
    [1.0, 0.5, 0.0, 0.0]
    """
    masks = np.asarray(masks, np.float32)
    rows = np.asarray(starts)[:, None] + np.arange(masks.shape[1])
    total = np.zeros((length, masks.shape[2]))
    np.add.at(total, rows, masks)
    covering = np.bincount(rows.ravel(), minlength=length)
    return (total / np.maximum(covering, 1)[:, None]).astype(np.float32)


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
    spectrum = analyse(wave, frontend) * mask[rows_of(len(wave), len(mask), frontend)]
    kept = synthesise(spectrum, len(wave), frontend).astype(np.float32)
    return kept, (wave - kept).astype(np.float32)


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
        If it is unknown where the patches lie.
    """
    if result.starts is None or result.length is None:
        raise XaiAudioError(
            "This explanation does not know where its patches lie in the sound: explain what "
            "model.frontend(wave) returned."
        )
    mask = clip_mask(masks, result.starts, result.length)
    wave = mono(wave).astype(np.float32)
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
