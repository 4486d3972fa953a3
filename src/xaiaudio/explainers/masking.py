"""What an explanation keeps of a sound: from maps to masks to two sounds.

A map over patches becomes one map over the clip, the map a mask in [0, 1], and the mask goes
through the mel bands to the bins of a short-time Fourier transform. What passes is *kept*, the rest
is *removed*; together they are the clip.
"""

from __future__ import annotations

from dataclasses import dataclass
from numbers import Real
from typing import TYPE_CHECKING

import numpy as np
from scipy.ndimage import gaussian_filter

from ..errors import XaiAudioError
from ..patches import sounding
from ..stft import analyse, rows_of, synthesise, to_stft

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from ..frontend import LogMel
    from .explanation import Explanation

# How far a patch may be from the spectrogram of its place in the sound: rounding, and no more.
_SAME = 1e-3


def clip_map(
    result: Explanation, wave: ArrayLike | None = None, *, how: str = "mean"
) -> np.ndarray:
    """Lay the maps of a clip's patches over the whole clip.

    Parameters
    ----------
    result : Explanation
        Of patches that know where they lie, as front ends return them.
    wave : array_like of float, shape (samples,), optional
        The sound that the patches were cut from, to make sure that it is.
    how : {"mean", "max"}
        What becomes of cells that lie in several patches: the mean, or the value of the largest
        magnitude.

    Returns
    -------
    ndarray of float32, shape (T, bands)
        T is the number of frames of the clip.
        Zero where no patch lies: nothing was explained there.

    Raises
    ------
    XaiAudioError
        If the patches are not in this sound, or it is unknown where they lie.

    Examples
    --------
    >>> import numpy as np, xaiaudio as xa
    >>> from xaiaudio.explainers.masking import clip_map
    >>> model = xa.load_model("lite")
    >>> wave = np.sin(np.arange(80_000) / 5)
    >>> result = xa.explain(model, model.frontend(wave, overlap=0.75), "Rain")
    >>> clip_map(result, wave).shape
    (498, 64)
    """
    if how not in ("mean", "max"):
        raise XaiAudioError(f"how is {how!r}: it must be 'mean' or 'max'.")
    frames = result.maps.shape[1]
    starts, length = places_of(result, wave)
    if how == "mean":
        return laid_over(result.maps, starts, length)
    rows = starts[:, None] + np.arange(frames)
    total = np.zeros((length, result.maps.shape[2]), np.float64)
    highest, lowest = total, total.copy()
    np.maximum.at(highest, rows, result.maps)
    np.minimum.at(lowest, rows, result.maps)
    return np.where(highest >= -lowest, highest, lowest).astype(np.float32)


def laid_over(values: ArrayLike, starts: ArrayLike, length: int) -> np.ndarray:
    """Lay what is known of the frames of patches over the frames of their clip.

    Parameters
    ----------
    values : array_like of float, shape (n, frames, width)
    starts : array_like of int, shape (n,)
        The first frame of each patch.
    length : int
        Frames of the clip.

    Returns
    -------
    ndarray of float32, shape (length, width)
        The mean where patches overlap, 0 where there is none.

    Examples
    --------
    >>> from xaiaudio.explainers.masking import laid_over
    >>> laid_over([[[1.0], [1.0]], [[0.0], [0.0]]], [0, 1], 4).ravel().tolist()
    [1.0, 0.5, 0.0, 0.0]
    """
    values = np.asarray(values, np.float32)
    rows = np.asarray(starts)[:, None] + np.arange(values.shape[1])
    total = np.zeros((length, values.shape[2]))
    np.add.at(total, rows, values)
    covering = np.bincount(rows.ravel(), minlength=length)
    return (total / np.maximum(covering, 1)[:, None]).astype(np.float32)


def places_of(result: Explanation, wave: ArrayLike | None = None) -> tuple[np.ndarray, int]:
    """Return the first frame of each patch in the clip, and the number of the clip's frames.

    Raises
    ------
    XaiAudioError
        If that is unknown, or the patches are not in this sound.
    """
    if result.starts is None or result.length is None:
        raise XaiAudioError(
            "This explanation does not know where its patches lie in the sound: explain what "
            "model.frontend(wave) returned, or a slice of it."
        )
    if wave is not None:
        _check_same_sound(result, mono(wave))
    return result.starts, result.length


def _check_same_sound(result, wave) -> None:
    """Refuse a sound that the patches were not made from."""
    frontend = result.frontend
    rows = frontend.spectrogram(np.pad(wave, (0, max(0, frontend.min_samples - len(wave)))))
    if len(rows) == result.length:
        places = result.starts[:, None] + np.arange(frontend.frames)
        if np.abs(rows[places] - result.patches).max() <= _SAME:
            return
    raise XaiAudioError(
        "The patches of this explanation do not lie in this sound: give the sound that they were "
        "made from."
    )


def mask_from_map(
    relevance: ArrayLike, *, keep: float | None = None, soften: float = 0.0
) -> np.ndarray:
    """Turn relevance into a mask.

    Parameters
    ----------
    relevance : array_like of float, shape (T, bands)
        Positive speaks for the class; what is zero or negative is never kept.
    keep : float, optional
        None makes a soft mask: the positive part divided by its maximum. A share in (0, 1] makes a
        hard one: 1 for that share of all cells, the most relevant ones (fewer if fewer are
        positive), 0 elsewhere.
    soften : float
        Standard deviation, in cells, of the bell that blurs the mask in time and frequency: single
        cells then fade in and out, and ring less. 0 leaves it as it is.

    Returns
    -------
    ndarray of float32, shape (T, bands)
        In [0, 1]; all zeros if nothing speaks for the class.

    Examples
    --------
    >>> from xaiaudio.explainers.masking import mask_from_map
    >>> mask_from_map([[-1.0, 0.0, 1.0, 2.0]]).tolist()
    [[0.0, 0.0, 0.5, 1.0]]
    >>> mask_from_map([[-1.0, 0.0, 1.0, 2.0]], keep=0.25).tolist()
    [[0.0, 0.0, 0.0, 1.0]]
    """
    positive = np.maximum(np.asarray(relevance, np.float32), 0)
    if not np.isfinite(positive).all():
        raise XaiAudioError("The map holds NaN or infinite values: no mask can be made of it.")
    if not isinstance(soften, Real) or not 0 <= soften < np.inf:
        raise XaiAudioError(f"soften is {soften!r}: it must be a number of cells, 0 or more.")
    if keep is None:
        largest = positive.max(initial=0)
        return _softened(positive / largest if largest > 0 else positive, soften)
    if not isinstance(keep, Real) or not 0 < keep <= 1:
        raise XaiAudioError(f"keep is {keep!r}: it must be a share above 0 and up to 1.")
    count = max(1, round(keep * positive.size))
    # A stable sort, so that ties go to the earlier cells on every machine.
    best = np.argsort(-positive, axis=None, kind="stable")[:count]
    mask = np.zeros(positive.size, np.float32)
    mask[best] = positive.flat[best] > 0
    return _softened(mask.reshape(positive.shape), soften)


def _softened(mask, cells) -> np.ndarray:
    if not cells:
        return mask
    return np.clip(gaussian_filter(mask, cells, mode="nearest"), 0, 1).astype(np.float32)


def kept_and_removed(
    wave: ArrayLike, mask: ArrayLike, frontend: LogMel
) -> tuple[np.ndarray, np.ndarray]:
    """Split a sound in two by a mask over its mel cells.

    The sound's short-time Fourier transform, on the windows of `frontend` and the square root of
    their Hann shape, is multiplied by the mask and added up again; the sum of the overlapping
    windows is divided out, so an all-ones mask gives the sound back.

    Parameters
    ----------
    wave : array_like of float, shape (samples,)
        Mono, at `frontend.sample_rate`.
    mask : array_like of float, shape (T, bands)
        In [0, 1], from the sound's first frame on. Frames beyond it take its last row; rows beyond
        the sound are left out.
    frontend : LogMel

    Returns
    -------
    kept, removed : ndarray of float32, shape (samples,)
        Their sum is `wave`.

    Raises
    ------
    XaiAudioError
        For a sound that is not mono and finite, or a mask of the wrong shape.

    Examples
    --------
    >>> import numpy as np, xaiaudio as xa
    >>> from xaiaudio.explainers.masking import kept_and_removed
    >>> wave = np.sin(np.arange(16_000) / 5).astype("float32")
    >>> kept, removed = kept_and_removed(wave, np.ones((98, 64)), xa.LogMel.vggish())
    >>> bool(np.abs(removed).max() < 1e-5)
    True
    """
    return split_by_bins(mono(wave), to_stft(mask, frontend), frontend)


def split_by_bins(
    wave: np.ndarray, bins: np.ndarray, frontend: LogMel
) -> tuple[np.ndarray, np.ndarray]:
    """Split a sound in two by a mask over the bins of its Fourier transform, (T, fft // 2 + 1).

    Returns
    -------
    kept, removed : ndarray of float32, shape (samples,)
    """
    rows = rows_of(len(wave), len(bins), frontend)
    spectrum = analyse(wave, frontend) * bins[rows]
    kept = synthesise(spectrum, len(wave), frontend).astype(np.float32)
    return kept, (wave - kept).astype(np.float32)


def mono(wave: ArrayLike) -> np.ndarray:
    """Return a sound as it is; refuse what is no mono waveform of finite floats."""
    wave = np.asarray(wave)
    if wave.ndim != 1 or wave.size == 0 or wave.dtype.kind != "f":
        raise XaiAudioError(
            f"The sound has the shape {wave.shape} and holds {wave.dtype}: a mono waveform of "
            "floats (samples,) is needed, as load_audio returns it."
        )
    if not np.isfinite(wave).all():
        raise XaiAudioError("The sound holds NaN or infinite samples.")
    return wave


@dataclass(frozen=True)
class Split:
    """A sound in two: what an explanation keeps, and what it removes.

    Attributes
    ----------
    original, kept, removed : ndarray of float32, shape (samples,)
        ``kept + removed`` is ``original``.
    mask : ndarray of float32, shape (T, bands)
        What the mel cells were multiplied by.
    """

    original: np.ndarray
    kept: np.ndarray
    removed: np.ndarray
    mask: np.ndarray

    def sounds(self) -> dict[str, np.ndarray]:
        """Return the three sounds by name."""
        return {"original": self.original, "kept": self.kept, "removed": self.removed}


def split(
    result: Explanation,
    wave: ArrayLike,
    *,
    keep: float | None = None,
    how: str = "mean",
    soften: float = 0.0,
) -> Split:
    """Split a whole sound by the maps of its patches.

    Parameters
    ----------
    result : Explanation
        Of patches of `wave`. Sound that lies in none of them is never kept.
    wave : array_like of float, shape (samples,)
        The sound that the patches were made from, mono.
    keep, soften : float, optional
        See :func:`mask_from_map`. Cells of padding do not count.
    how : {"mean", "max"}
        How overlapping patches are joined, see :func:`clip_map`.

    Returns
    -------
    Split

    Raises
    ------
    XaiAudioError
        If the patches are not in this sound, or it is not mono and finite.

    Examples
    --------
    >>> import numpy as np, xaiaudio as xa
    >>> from xaiaudio.explainers.masking import split
    >>> model = xa.load_model("lite")
    >>> wave = np.sin(np.arange(48_000) / 5).astype("float32")
    >>> parts = split(xa.explain(model, model.frontend(wave), "Rain"), wave, keep=0.1)
    >>> bool(np.allclose(parts.kept + parts.removed, wave, atol=1e-6))
    True
    """
    wave = mono(wave).astype(np.float32)
    relevance = clip_map(result, wave, how=how)
    frames = len(relevance) if result.sound is None else sounding(len(wave), result.frontend)
    mask = np.zeros_like(relevance)
    mask[:frames] = mask_from_map(relevance[:frames], keep=keep, soften=soften)
    return Split(wave, *kept_and_removed(wave, mask, result.frontend), mask)
