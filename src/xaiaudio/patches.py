"""Patches of a sound that know their front end and where each of them lies."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from .errors import XaiAudioError

if TYPE_CHECKING:
    from typing import Any

    from numpy.typing import ArrayLike

    from .frontend import LogMel


@dataclass(frozen=True, eq=False)
class Patches(np.lib.mixins.NDArrayOperatorsMixin):
    """Log-mel patches of one sound.

    A front end returns them. NumPy takes them as the array of their values, and arithmetic gives
    arrays; slices, masks and lists of indices keep where each patch lies.

    Attributes
    ----------
    values : ndarray of float32, shape (n, frames, bands)
    frontend : LogMel
        What made them, with the overlap that they were cut with.
    starts : ndarray of int, shape (n,)
        The first frame of each patch in the sound.
    length : int
        Frames of the whole sound.
    levels : ndarray of float, shape (n,), or None
        Mean square of the samples that each patch was made from, in dB relative to full scale;
        -inf for digital silence.
    waves : ndarray of float32, shape (n, samples), or None
        The samples that each patch is a picture of, where they are known: for networks that take
        sounds, and for methods that change the sound itself (`LogMel.pictures` makes the patch
        of such samples).
    sound : ndarray of int, shape (n,), or None
        Frames of each patch, from its first on, that hold any sound; the rest is padding. None if
        nothing is.

    Examples
    --------
    >>> import numpy as np, xaiaudio as xa
    >>> patches = xa.LogMel.vggish()(np.zeros(80_000, "float32"), overlap=0.75)
    >>> patches
    Patches(17 of 96 x 64, from 0.01 s to 4.81 s)
    >>> np.asarray(patches).shape, len(patches[2:5])
    ((17, 96, 64), 3)
    >>> patches[2:5].starts.tolist()
    [48, 72, 96]
    """

    values: np.ndarray
    frontend: LogMel
    starts: np.ndarray
    length: int
    levels: np.ndarray | None = None
    waves: np.ndarray | None = None
    sound: np.ndarray | None = None

    def __post_init__(self):
        starts = np.asarray(self.starts, int)
        object.__setattr__(self, "values", np.asarray(self.values, np.float32))
        object.__setattr__(self, "starts", starts)
        if self.sound is not None:
            object.__setattr__(self, "sound", np.asarray(self.sound, int))
        if starts.shape != self.values.shape[:1]:
            raise XaiAudioError(f"There are {len(starts)} places for {len(self.values)} patches.")

    def __len__(self) -> int:
        return len(self.values)

    def __array__(self, dtype=None, copy=None) -> np.ndarray:
        return np.array(self.values, dtype=dtype, copy=copy)

    def __array_ufunc__(self, ufunc, method, *inputs, **options):
        arrays = [one.values if isinstance(one, Patches) else one for one in inputs]
        return getattr(ufunc, method)(*arrays, **options)

    def __repr__(self) -> str:
        frames, bands = self.shape[1:]
        text = f"{len(self)} of {frames} x {bands}"
        if len(self):
            edges = self.times(int(self.starts.argmin()))[0], self.times(int(self.starts.argmax()))
            text += f", from {edges[0]:.2f} s to {edges[1][-1]:.2f} s"
        if padded := int(self.padding.sum()):
            text += f", {padded} frame{'s' * (padded > 1)} of padding"
        return f"Patches({text})"

    def __getitem__(self, index: Any) -> Patches | np.ndarray:
        """Return some of the patches (slice, mask or list of indices); a number gives that one.

        An index of cells, such as ``patches[:, 10]``, gives an array.
        """
        if isinstance(index, tuple):
            return self.values[index]
        if isinstance(index, (int, np.integer)):
            index = range(len(self))[index]
            index = slice(index, index + 1)
        keep: dict[str, Any] = {
            name: None if array is None else array[index]
            for name, array in (
                ("levels", self.levels),
                ("waves", self.waves),
                ("sound", self.sound),
            )
        }
        return replace(self, values=self.values[index], starts=self.starts[index], **keep)

    @property
    def shape(self) -> tuple[int, ...]:
        """Patches, frames and bands."""
        return self.values.shape

    @property
    def ndim(self) -> int:
        """Number of axes, always 3."""
        return self.values.ndim

    @property
    def dtype(self) -> np.dtype:
        """Type of the values, always float32."""
        return self.values.dtype

    @property
    def padding(self) -> np.ndarray:
        """Which frames are padding, no part of whose window lies in the sound: bool (n, frames)."""
        return padding(self.sound, self.shape)

    @property
    def loudness(self) -> np.ndarray:
        """Mean of each patch's cells, shape (n,)."""
        return self.values.mean(axis=(1, 2))

    def loudest(self) -> Patches:
        """Return the patch whose cells have the highest mean."""
        return self[int(self.loudness.argmax())]

    def times(self, number: int = 0) -> np.ndarray:
        """Return where the cells of a patch begin and end in the sound, in seconds.

        Parameters
        ----------
        number : int
            Which of the patches.

        Returns
        -------
        ndarray of float64, shape (frames + 1,)
        """
        return self.frontend.frame_times(self.starts[number])


def levels(wave: ArrayLike, starts: ArrayLike, frontend: LogMel) -> np.ndarray:
    """Return how loud the samples of patches are.

    Parameters
    ----------
    wave : array_like of float, shape (samples,)
    starts : array_like of int, shape (n,)
        The first frame of each patch in the sound.
    frontend : LogMel

    Returns
    -------
    ndarray of float64, shape (n,)
        Mean squares in dB relative to full scale; -inf for digital silence.

    Examples
    --------
    >>> import numpy as np, xaiaudio as xa
    >>> from xaiaudio.patches import levels
    >>> levels(np.full(20_000, 0.1), [0], xa.LogMel.vggish()).round(3).tolist()
    [-20.0]
    """
    wave = np.asarray(wave)
    sums = np.concatenate([[0.0], np.cumsum(np.square(wave, dtype=np.float64))])
    first = np.minimum(np.asarray(starts) * frontend.hop, len(wave))
    last = np.minimum(first + frontend.min_samples, len(wave))
    with np.errstate(divide="ignore"):
        return 10 * np.log10(np.maximum(sums[last] - sums[first], 0) / frontend.min_samples)


def sounding(samples: int, frontend: LogMel) -> int:
    """Return how many frames hold any of a sound: those whose window begins before its end.

    Examples
    --------
    >>> import xaiaudio as xa
    >>> from xaiaudio.patches import sounding
    >>> sounding(8_000, xa.LogMel.vggish())
    50
    """
    return -(-(samples + frontend.samples_before) // frontend.hop)


def padding(sound: np.ndarray | None, shape: tuple[int, ...]) -> np.ndarray:
    """Return which frames of patches of a shape (n, frames, bands) are padding: bool (n, frames).

    `sound` is the number of frames of each that are not, or None if nothing is padding.
    """
    n, frames = shape[:2]
    return np.zeros((n, frames), bool) if sound is None else np.arange(frames) >= sound[:, None]


def without_padding(maps: np.ndarray, sound: np.ndarray | None) -> np.ndarray:
    """Return maps (n, frames, bands) whose cells of padding are 0.

    Examples
    --------
    >>> import numpy as np
    >>> from xaiaudio.patches import without_padding
    >>> without_padding(np.ones((1, 3, 2)), np.array([1])).tolist()
    [[[1.0, 1.0], [0.0, 0.0], [0.0, 0.0]]]
    """
    if sound is None:
        return maps
    return np.where(padding(sound, maps.shape)[:, :, None], maps.dtype.type(0), maps)


def rows_of_sound(sound: ArrayLike, frames: int, rows: int) -> np.ndarray:
    """Return how many of the rows of a coarse map hold any of the frames with sound, int (...)."""
    return -(-np.asarray(sound, int) * rows // frames)


def joined(parts: Sequence[Patches]) -> Patches | np.ndarray:
    """Put the patches of several sounds together, for a network to be asked about all of them.

    Parameters
    ----------
    parts : sequence of Patches
        Of one front end.

    Returns
    -------
    ndarray of float32, shape (n, frames, bands), or Patches
        Their values; with their sounds where these are known, and with what is padding where
        something is. Each start is in a sound of its own.

    Examples
    --------
    >>> import numpy as np, xaiaudio as xa
    >>> from xaiaudio.patches import joined
    >>> joined([xa.LogMel.vggish()(np.zeros(80_000, "float32"))] * 3).shape
    (15, 96, 64)
    """
    values = np.concatenate(parts)
    heard = all(part.waves is not None for part in parts)
    padded = any(part.sound is not None for part in parts)
    if not heard and not padded:
        return values
    counts = [
        np.full(len(part), part.shape[1]) if part.sound is None else part.sound for part in parts
    ]
    return replace(
        parts[0],
        values=values,
        starts=np.concatenate([part.starts for part in parts]),
        length=max(part.length for part in parts),
        levels=None if parts[0].levels is None else np.concatenate([one.levels for one in parts]),
        waves=np.concatenate([part.waves for part in parts]) if heard else None,
        sound=np.concatenate(counts) if padded else None,
    )
