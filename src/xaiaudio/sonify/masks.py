"""Explanations as sound: what a network listened to, and what it left.

A map over patches becomes one map over the clip, the map a mask in [0, 1], and the mask goes
through the mel bands to the bins of a short-time Fourier transform. What passes is *kept*, the rest
is *removed*; together they are the clip.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ..errors import XaiAudioError
from ..patches import sounding
from ..stft import analyse, rows_of, synthesise, to_stft
from .player import player

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from ..explainers.explanation import Explanation
    from ..frontend import LogMel

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
    >>> from xaiaudio.sonify.masks import clip_map
    >>> model = xa.load_model("lite")
    >>> wave = np.sin(np.arange(80_000) / 5)
    >>> result = xa.explain(model, model.frontend(wave, overlap=0.75), "Rain")
    >>> clip_map(result, wave).shape
    (498, 64)
    """
    if how not in ("mean", "max"):
        raise XaiAudioError(f"how is {how!r}: it must be 'mean' or 'max'.")
    frames = result.maps.shape[1]
    starts, length = _places(result, wave)
    rows = starts[:, None] + np.arange(frames)
    total = np.zeros((length, result.maps.shape[2]), np.float64)
    if how == "mean":
        np.add.at(total, rows, result.maps)
        covering = np.bincount(rows.ravel(), minlength=length)
        return (total / np.maximum(covering, 1)[:, None]).astype(np.float32)
    highest, lowest = total, total.copy()
    np.maximum.at(highest, rows, result.maps)
    np.minimum.at(lowest, rows, result.maps)
    return np.where(highest >= -lowest, highest, lowest).astype(np.float32)


def _places(result, wave) -> tuple[np.ndarray, int]:
    """Return the first frame of each patch in the clip, and the number of the clip's frames."""
    if result.starts is None:
        raise XaiAudioError(
            "This explanation does not know where its patches lie in the sound: explain what "
            "model.frontend(wave) returned, or a slice of it."
        )
    if wave is not None:
        _check_same_sound(result, _mono(wave))
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


def mask_from_map(relevance: ArrayLike, *, keep: float | None = None) -> np.ndarray:
    """Turn relevance into a mask.

    Parameters
    ----------
    relevance : array_like of float, shape (T, bands)
        Positive speaks for the class; what is zero or negative is never kept.
    keep : float, optional
        None makes a soft mask: the positive part divided by its maximum. A share in (0, 1] makes a
        hard one: 1 for that share of all cells, the most relevant ones (fewer if fewer are
        positive), 0 elsewhere.

    Returns
    -------
    ndarray of float32, shape (T, bands)
        In [0, 1]; all zeros if nothing speaks for the class.

    Examples
    --------
    >>> from xaiaudio.sonify.masks import mask_from_map
    >>> mask_from_map([[-1.0, 0.0, 1.0, 2.0]]).tolist()
    [[0.0, 0.0, 0.5, 1.0]]
    >>> mask_from_map([[-1.0, 0.0, 1.0, 2.0]], keep=0.25).tolist()
    [[0.0, 0.0, 0.0, 1.0]]
    """
    positive = np.maximum(np.asarray(relevance, np.float32), 0)
    if not np.isfinite(positive).all():
        raise XaiAudioError("The map holds NaN or infinite values: no mask can be made of it.")
    if keep is None:
        largest = positive.max(initial=0)
        return positive / largest if largest > 0 else positive
    if not 0 < keep <= 1:
        raise XaiAudioError(f"keep is {keep}: it must be a share above 0 and up to 1.")
    count = max(1, round(keep * positive.size))
    # A stable sort, so that ties go to the earlier cells on every machine.
    best = np.argsort(-positive, axis=None, kind="stable")[:count]
    mask = np.zeros(positive.size, np.float32)
    mask[best] = positive.flat[best] > 0
    return mask.reshape(positive.shape)


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
    >>> from xaiaudio.sonify.masks import kept_and_removed
    >>> wave = np.sin(np.arange(16_000) / 5).astype("float32")
    >>> kept, removed = kept_and_removed(wave, np.ones((98, 64)), xa.LogMel.vggish())
    >>> bool(np.abs(removed).max() < 1e-5)
    True
    """
    wave = _mono(wave)
    bins = to_stft(mask, frontend)
    rows = rows_of(len(wave), len(bins), frontend)
    spectrum = analyse(wave, frontend) * bins[rows]
    kept = synthesise(spectrum, len(wave), frontend).astype(np.float32)
    return kept, (wave - kept).astype(np.float32)


def _mono(wave) -> np.ndarray:
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
class Listening:
    """A clip, split into what an explanation keeps and what it leaves.

    A notebook shows it as three players.

    Attributes
    ----------
    original, kept, removed : ndarray of float32, shape (samples,)
        ``kept + removed`` is ``original``. All play at the same gain.
    mask : ndarray of float32, shape (T, bands)
        What the mel cells were multiplied by.
    sample_rate : int
        In hertz.
    method, target : str
        `target` is the class explained, or a list of them if it changes from patch to patch.
    """

    original: np.ndarray
    kept: np.ndarray
    removed: np.ndarray
    mask: np.ndarray
    sample_rate: int
    method: str
    target: str

    @property
    def energy_kept(self) -> float:
        """Energy of the kept sound as a share of the original's; 0 for silence."""
        whole = float(np.sum(np.square(self.original, dtype=np.float64)))
        return float(np.sum(np.square(self.kept, dtype=np.float64))) / whole if whole > 0 else 0.0

    def captions(self) -> dict[str, str]:
        """Return what is heard in each of the three sounds."""
        what = f"{self.target} by {self.method}"
        return {
            "original": "Original: the whole clip.",
            "kept": f"Kept: what speaks for {what}, {self.energy_kept:.0%} of the energy.",
            "removed": f"Removed: the clip without what speaks for {what}.",
        }

    def sounds(self) -> dict[str, np.ndarray]:
        """Return the three sounds by name."""
        return {"original": self.original, "kept": self.kept, "removed": self.removed}

    def _repr_html_(self) -> str:
        captions = self.captions()
        listed = "".join(
            player(wave, self.sample_rate, captions[name]) for name, wave in self.sounds().items()
        )
        return f'<div class="xa-players">{listed}</div>'


def listen(
    result: Explanation, wave: ArrayLike, *, keep: float | None = None, how: str = "mean"
) -> Listening:
    """Make an explanation audible: the original, what it keeps and what it removes.

    Parameters
    ----------
    result : Explanation
        Of patches of `wave`. Sound that lies in none of them is never kept.
    wave : array_like of float, shape (samples,)
        The sound that the patches were made from, mono.
    keep : float, optional
        Share of the cells to keep; None weighs each by its relevance. See :func:`mask_from_map`.
        Cells of padding do not count.
    how : {"mean", "max"}
        How overlapping patches are joined, see :func:`clip_map`.

    Returns
    -------
    Listening

    Raises
    ------
    XaiAudioError
        If the patches are not in this sound, or it is not mono and finite.

    Examples
    --------
    >>> import numpy as np, xaiaudio as xa
    >>> model = xa.load_model("lite")
    >>> wave = np.sin(np.arange(48_000) / 5).astype("float32")
    >>> heard = xa.listen(xa.explain(model, model.frontend(wave), "Rain"), wave)
    >>> bool(np.allclose(heard.kept + heard.removed, wave, atol=1e-6))
    True
    """
    wave = _mono(wave).astype(np.float32)
    relevance = clip_map(result, wave, how=how)
    frames = len(relevance) if result.sound is None else sounding(len(wave), result.frontend)
    mask = np.zeros_like(relevance)
    mask[:frames] = mask_from_map(relevance[:frames], keep=keep)
    kept, removed = kept_and_removed(wave, mask, result.frontend)
    targets = list(dict.fromkeys(result.target_labels))
    return Listening(
        original=wave,
        kept=kept,
        removed=removed,
        mask=mask,
        sample_rate=result.frontend.sample_rate,
        method=result.method,
        target=" or ".join(targets),
    )
