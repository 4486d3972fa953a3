"""Teach a network to cheat, on purpose, and see which maps give it away.

Clever Hans was a horse that seemed to do sums. It watched its master's face. A network can do the
same: if all recordings of one class share a hum, it need not know the class at all. Here the hum is
a faint tone, put there by us, so that the cheat is known.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ...errors import XaiAudioError
from ...models.training.tables import patch_table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike

    from ...datasets.base import ClipSet
    from ...frontend import LogMel
    from ...models.training.tables import PatchTable

HERTZ = 6500.0
LEVEL_DB = -30.0


def tone(
    wave: ArrayLike,
    rate: int,
    *,
    hertz: float = HERTZ,
    level_db: float = LEVEL_DB,
    rms: float | None = None,
) -> np.ndarray:
    """Add a steady tone to a sound.

    Parameters
    ----------
    wave : array_like of float, shape (samples,)
        In [-1, 1].
    rate : int
        Samples per second.
    hertz : float
        Above 0 and below half of `rate`.
    level_db : float
        Energy of the tone relative to the sound's, in decibels.
    rms : float, optional
        Root mean square that the level refers to instead of the sound's own: the same for all
        sounds makes the same tone in all, like the whine of one recorder.

    Returns
    -------
    ndarray of float32, shape (samples,)
        Cut off at -1 and 1.

    Raises
    ------
    XaiAudioError
        If the sound is silent or not mono, or there is no such tone at that rate.

    Examples
    --------
    >>> import numpy as np
    >>> from xaiaudio.evaluate.experiments.clever_hans import tone
    >>> noise = 0.1 * np.random.default_rng(0).standard_normal(16_000).astype("float32")
    >>> added = tone(noise, 16_000, level_db=-20) - noise
    >>> round(float((added**2).sum() / (noise**2).sum()), 4)
    0.01
    """
    wave = np.asarray(wave, np.float64)
    if wave.ndim != 1 or not np.isfinite(wave).all():
        raise XaiAudioError(
            f"The sound has the shape {wave.shape}: a mono waveform (samples,) of finite numbers "
            "is needed."
        )
    if not wave.any():
        raise XaiAudioError("The sound is silent: a tone has nothing there to be fainter than.")
    if not 0 < hertz < rate / 2:
        raise XaiAudioError(f"hertz is {hertz!r}: it must be between 0 and {rate / 2:g}.")
    if not np.isfinite(level_db):
        raise XaiAudioError(f"level_db is {level_db!r}: it must be a number, such as -30.")
    if rms is not None and not 0 < rms < np.inf:
        raise XaiAudioError(f"rms is {rms!r}: it must be above 0, such as 0.1.")
    pure = np.sin(2 * np.pi * hertz / rate * np.arange(len(wave)))
    rms = np.sqrt(np.mean(wave**2)) if rms is None else float(rms)
    strength = rms / np.sqrt(np.mean(pure**2)) * 10 ** (level_db / 20)
    return np.clip(wave + strength * pure, -1, 1).astype(np.float32)


def marked_table(
    clips: ClipSet,
    frontend: LogMel,
    carriers: Sequence[str] | np.ndarray = (),
    *,
    hertz: float = HERTZ,
    level_db: float = LEVEL_DB,
    rms: float | None = None,
) -> PatchTable:
    """Cut clips into patches, some of them with a tone added first.

    Parameters
    ----------
    clips : ClipSet
    frontend : LogMel
        Its overlap is the overlap of the patches.
    carriers : sequence of str, or ndarray of bool, shape (clips,)
        The classes whose clips all carry the tone; or, clip by clip, who does.
    hertz, level_db, rms : float
        As for :func:`tone`.

    Returns
    -------
    PatchTable
        For :func:`xaiaudio.models.transfer` and :func:`xaiaudio.models.test`.

    Raises
    ------
    XaiAudioError
        If there is no such class, the set is empty, or a clip cannot be used; the message names it.

    Examples
    --------
    >>> import xaiaudio as xa
    >>> from xaiaudio.evaluate.experiments.clever_hans import marked_table
    >>> train, test = xa.datasets.load("synthetic").split(5)  # doctest: +SKIP
    >>> table = marked_table(train, xa.LogMel.vggish(), ["Helicopter"])  # doctest: +SKIP
    """
    chosen = _carriers(clips, carriers)

    def change(number, wave):
        if not chosen[number]:
            return wave
        return tone(wave, frontend.sample_rate, hertz=hertz, level_db=level_db, rms=rms)

    return patch_table(clips, frontend, change=change)


def _carriers(clips, carriers) -> np.ndarray:
    if isinstance(carriers, np.ndarray) and carriers.dtype == bool:
        if carriers.shape != (len(clips),):
            raise XaiAudioError(
                f"There are {carriers.size} carriers for {len(clips)} clips: give one a clip."
            )
        return carriers
    names = [carriers] if isinstance(carriers, str) else list(carriers)
    for name in names:
        if name not in clips.labels:
            raise XaiAudioError(
                f"No clip of {clips.name} is called {name!r}: the labels are "
                f"{', '.join(clips.labels)}."
            )
    return np.array([clip.label in names for clip in clips])


def band_around(frontend: LogMel, hertz: float = HERTZ) -> tuple[float, float]:
    """Return the frequencies between which a tone moves the cells of a patch.

    A tone is not one frequency to the front end: its window smears it over two Fourier bins of its
    own length to either side, and each mel band that hears one of these is moved.

    Parameters
    ----------
    frontend : LogMel
    hertz : float

    Returns
    -------
    low, high : float
        In hertz: borders between bands.

    Raises
    ------
    XaiAudioError
        If no band hears the tone.

    Examples
    --------
    >>> import xaiaudio as xa
    >>> from xaiaudio.evaluate.experiments.clever_hans import band_around
    >>> [round(edge) for edge in band_around(xa.LogMel.vggish(), 6500)]
    [6295, 6807]
    """
    lobe = 2 * frontend.sample_rate / (frontend.hann or frontend.window)
    bins = np.arange(frontend.fft // 2 + 1) * frontend.sample_rate / frontend.fft
    near = np.abs(bins - hertz) < lobe
    heard = np.flatnonzero(frontend.mel_matrix()[near].any(axis=0))
    if not len(heard):
        raise XaiAudioError(
            f"No band hears a tone of {hertz!r} Hz: they go from {frontend.fmin:g} to "
            f"{frontend.fmax:g} Hz."
        )
    edges = frontend.band_edges()
    return float(edges[heard[0]]), float(edges[heard[-1] + 1])


def rows_of(frontend: LogMel, low_hz: float, high_hz: float) -> np.ndarray:
    """Tell which bands of a patch have their centre between two frequencies, bool (bands,)."""
    centres = frontend.band_centres()
    inside = (centres >= low_hz) & (centres <= high_hz)
    if not inside.any():
        raise XaiAudioError(
            f"No band has its centre between {low_hz!r} and {high_hz!r} Hz: they go from "
            f"{centres[0]:.0f} to {centres[-1]:.0f} Hz."
        )
    return inside


def share_in_band(maps: ArrayLike, frontend: LogMel, low_hz: float, high_hz: float) -> np.ndarray:
    """Return the share of each map's absolute relevance that lies in a band of frequencies.

    Parameters
    ----------
    maps : array_like of float, shape (n, frames, bands)
    frontend : LogMel
    low_hz, high_hz : float
        The bands whose centres lie between them count.

    Returns
    -------
    ndarray of float, shape (n,)
        0 to 1. A map of zeros says nothing and has the share of an even one, which is
        :func:`chance_in_band`.

    Raises
    ------
    XaiAudioError
        If the maps do not have the front end's bands, or no band lies there.

    References
    ----------
    Lapuschkin et al. 2019, Unmasking Clever Hans predictors: relevance on a photographer's mark
    instead of the horse.

    Examples
    --------
    >>> import numpy as np, xaiaudio as xa
    >>> from xaiaudio.evaluate.experiments.clever_hans import share_in_band
    >>> share_in_band(np.ones((1, 96, 64)), xa.LogMel.vggish(), 6295, 6807)
    array([0.03125])
    """
    maps = np.abs(np.asarray(maps, np.float64))
    if maps.ndim != 3 or maps.shape[2] != frontend.bands:
        raise XaiAudioError(
            f"The maps have the shape {maps.shape}, but (n, frames, {frontend.bands}) is needed."
        )
    inside = rows_of(frontend, low_hz, high_hz)
    whole = maps.sum(axis=(1, 2))
    part = maps[:, :, inside].sum(axis=(1, 2))
    return np.where(whole > 0, part / np.where(whole > 0, whole, 1), inside.mean())


def chance_in_band(frontend: LogMel, low_hz: float, high_hz: float) -> float:
    """Return what a map that knows nothing has there: the share of the patch's bands.

    Examples
    --------
    >>> import xaiaudio as xa
    >>> from xaiaudio.evaluate.experiments.clever_hans import chance_in_band
    >>> chance_in_band(xa.LogMel.vggish(), 6295, 6807)
    0.03125
    """
    return float(rows_of(frontend, low_hz, high_hz).mean())
