"""Parts of a patch or of a sound that can be switched on and off."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ...errors import XaiAudioError
from ...frontend_settings import check_wave
from ...stft import analyse, rows_of, synthesise, to_stft
from . import segments as cut
from .masks import Mixtures
from .separation import factorised, harmonic_and_percussive, separated, stacked, stretches

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import ArrayLike

    from ...frontend import LogMel


@dataclass(frozen=True, eq=False)
class Components:
    """An input, the parts that it can be taken apart into, and what lies in none of them.

    A subset is the sum of its parts and of the residual, which always stays. It is computed as the
    input without the other parts: with all parts on it is the input, bit for bit.

    Attributes
    ----------
    whole : ndarray of float32, shape (samples,) or (frames, bands)
        The input.
    parts : ndarray of float32, shape (k, ...)
    names : tuple of str
        What each part is.

    Raises
    ------
    XaiAudioError
        If the shapes do not fit, a value is not finite, or there is no part.

    Examples
    --------
    >>> import numpy as np
    >>> from xaiaudio.explainers.engines.components import Components
    >>> halves = Components.in_time(np.ones(4), 2)
    >>> halves.mix([[1, 1], [0, 1], [0.5, 0]]).tolist()
    [[1.0, 1.0, 1.0, 1.0], [0.0, 0.0, 1.0, 1.0], [0.5, 0.5, 0.0, 0.0]]
    """

    whole: np.ndarray
    parts: np.ndarray
    names: tuple[str, ...]

    def __post_init__(self):
        whole, parts = np.asarray(self.whole, np.float32), np.asarray(self.parts, np.float32)
        if parts.ndim != whole.ndim + 1 or parts.shape[1:] != whole.shape or not len(parts):
            raise XaiAudioError(
                f"The parts have the shape {parts.shape}, but k parts of an input of the shape "
                f"{whole.shape} are needed: (k, {', '.join(map(str, whole.shape))})."
            )
        if len(self.names) != len(parts):
            raise XaiAudioError(f"There are {len(self.names)} names for {len(parts)} parts.")
        if not (np.isfinite(whole).all() and np.isfinite(parts).all()):
            raise XaiAudioError("The input or one of its parts holds NaN or infinite values.")
        object.__setattr__(self, "whole", whole)
        object.__setattr__(self, "parts", parts)
        object.__setattr__(self, "names", tuple(map(str, self.names)))

    def __len__(self) -> int:
        return len(self.parts)

    @property
    def residual(self) -> np.ndarray:
        """What lies in no part, and always stays: float32, of the input's shape."""
        return self.mix(np.zeros(len(self)))

    def mix(self, weights: ArrayLike) -> np.ndarray:
        """Return mixtures of the parts, the residual always with them.

        Parameters
        ----------
        weights : array_like of float, shape (m, k) or (k,)
            How much of each part stays: 1 all of it, 0 nothing.

        Returns
        -------
        ndarray of float32, shape (m, ...) or (...)
            For weights of 1 the input itself, bit for bit.
        """
        weights = np.asarray(weights, np.float32)
        if weights.ndim not in (1, 2) or weights.shape[-1] != len(self):
            raise XaiAudioError(
                f"The weights have the shape {weights.shape}, but there are {len(self)} parts: "
                f"(m, {len(self)}) is needed."
            )
        if not np.isfinite(weights).all():
            raise XaiAudioError("A weight is NaN or infinite: 0 to 1 is how much of a part stays.")
        return self.whole - np.tensordot(1 - weights, self.parts, 1)

    @classmethod
    def of_patch(cls, patch: ArrayLike, segments: ArrayLike, fill: ArrayLike) -> Components:
        """Take a patch apart into segments.

        Parameters
        ----------
        patch : array_like of float, shape (frames, bands)
        segments : array_like of int, shape (frames, bands)
            The segment of each cell, from 0 without gaps.
        fill : float or array_like of float, shape (frames, bands)
            What stands where a segment is switched off, such as silence: the residual.

        Returns
        -------
        Components
        """
        patch, segments = np.asarray(patch, np.float32), _numbers(segments)
        if segments.shape != patch.shape:
            raise XaiAudioError(
                f"The segments have the shape {segments.shape} and the patch {patch.shape}: each "
                "cell needs its segment's number."
            )
        inside = segments == np.arange(segments.max() + 1)[:, None, None]
        return cls(patch, inside * (patch - np.float32(fill)), _numbered("segment", len(inside)))

    @classmethod
    def in_time(cls, wave: ArrayLike, count: int, *, fade: int = 0) -> Components:
        """Take a sound apart into stretches of nearly the same length.

        Parameters
        ----------
        wave : array_like of float, shape (samples,)
        count : int
        fade : int
            Samples that neighbours share, one fading out as the other fades in. With 0 each sample
            lies in one part, and a part that is switched off begins and ends with a click.

        Returns
        -------
        Components
        """
        wave = check_wave(wave)
        return cls(wave, wave * stretches(len(wave), count, fade), _numbered("time", count))

    def times(self, count: int, *, fade: int = 0) -> Components:
        """Cut each part of a sound into stretches of time: sources x time segments.

        Parameters
        ----------
        count, fade : int
            Stretches, and the samples that neighbours share, as :meth:`in_time` has them.

        Returns
        -------
        Components
            The parts of the first stretch, then those of the second, and so on: "drums, time 1",
            "bass, time 1", "drums, time 2", ... The residual is the one that it was.

        References
        ----------
        V. Haunschmid, E. Manilow and G. Widmer, "audioLIME: Listenable explanations using source
        separation", MML 2020.

        Examples
        --------
        >>> import numpy as np
        >>> from xaiaudio.explainers.engines.components import Components
        >>> halves = Components.of_sources(np.ones(4), {"a": np.ones(4), "b": np.zeros(4)}).times(2)
        >>> halves.names
        ('a, time 1', 'b, time 1', 'a, time 2', 'b, time 2')
        >>> halves.parts[2].tolist()
        [0.0, 0.0, 1.0, 1.0]
        """
        if self.whole.ndim != 1:
            raise XaiAudioError("These are parts of a patch: only those of a sound can be cut so.")
        windows = stretches(len(self.whole), count, fade)
        parts = windows[:, None].astype(np.float32) * self.parts
        names = [f"{name}, time {time}" for time in range(1, count + 1) for name in self.names]
        return type(self)(self.whole, parts.reshape(-1, len(self.whole)), tuple(names))

    @classmethod
    def in_bands(cls, wave: ArrayLike, frontend: LogMel, count: int) -> Components:
        """Take a sound apart into bands of nearly as many mel bands each; see :meth:`grid`.

        They are named "band 1", the lowest, "band 2" and so on.
        """
        made = cls.grid(wave, frontend, 1, count)
        return cls(made.whole, made.parts, _numbered("band", count))

    @classmethod
    def grid(cls, wave: ArrayLike, frontend: LogMel, rows: int, columns: int) -> Components:
        """Take a sound apart into rectangles of time and frequency, by one Fourier transform.

        Parameters
        ----------
        wave : array_like of float, shape (samples,)
            At the front end's rate.
        frontend : LogMel
            Its windows and mel bands.
        rows, columns : int
            Parts in time and in frequency.

        Returns
        -------
        Components
            Along the frequencies first, as :func:`.segments.grid` numbers them. Borders are soft:
            as wide as a window, and as a mel band.
        """
        wave = check_wave(wave)
        if len(wave) < frontend.window:
            raise XaiAudioError(
                f"The sound has {len(wave)} samples, but one window takes {frontend.window}."
            )
        frames = 1 + (len(wave) - frontend.window) // frontend.hop
        return cls.of_cells(wave, frontend, cut.grid((frames, frontend.bands), rows, columns))

    @classmethod
    def of_cells(cls, wave: ArrayLike, frontend: LogMel, segments: ArrayLike) -> Components:
        """Take a sound apart into segments of its log-mel spectrogram, by one Fourier transform.

        Parameters
        ----------
        wave : array_like of float, shape (samples,)
            At the front end's rate.
        frontend : LogMel
            Its windows and mel bands.
        segments : array_like of int, shape (T, bands)
            The segment of each cell, from 0 without gaps; from the sound's first frame on. What
            lies after the last one goes with it.

        Returns
        -------
        Components
        """
        wave, segments = check_wave(wave), _numbers(segments)
        spectrum = analyse(wave, frontend)
        rows = rows_of(len(wave), len(segments), frontend)
        numbers = range(int(segments.max()) + 1)
        parts = [
            synthesise(spectrum * to_stft(segments == number, frontend)[rows], len(wave), frontend)
            for number in numbers
        ]
        return cls(wave, np.stack(parts), _numbered("cells", len(parts)))

    @classmethod
    def of_sources(
        cls,
        wave: ArrayLike,
        sources: ArrayLike | Mapping[str, ArrayLike] | Callable,
        names: Sequence[str] | None = None,
        *,
        sample_rate: int | None = None,
        expects: int | None = None,
    ) -> Components:
        """Take a sound apart into its sources.

        Parameters
        ----------
        wave : array_like of float, shape (samples,)
        sources : array_like of float, shape (k, samples), mapping of str to such, or callable
            The stems, or a separator: a function that takes the sound and returns them. What they
            miss of the sound is the residual.
        names : sequence of str, optional
            By default those of the mapping, or else "source 1" and so on.
        sample_rate : int, optional
            Of the sound, in hertz.
        expects : int, optional
            The rate that the separator was made for. Where it is another one than the sound's, the
            separator is given the resampled sound, and its sources are brought back; frequencies
            that the lower rate cannot hold are residual.

        Returns
        -------
        Components

        Examples
        --------
        >>> import numpy as np
        >>> from xaiaudio.explainers.engines.components import Components
        >>> halves = lambda sound: {"left": 0.5 * sound, "right": 0.25 * sound}
        >>> found = Components.of_sources(np.ones(800), halves, sample_rate=8_000, expects=16_000)
        >>> found.names, found.parts.shape
        (('left', 'right'), (2, 800))
        """
        wave = check_wave(wave)
        if callable(sources):
            sources = separated(wave, sources, sample_rate, expects)
        elif expects is not None:
            raise XaiAudioError("These are stems, and no separator that could expect a rate.")
        found, stems = stacked(sources)
        if stems.ndim != 2 or stems.shape[1] != len(wave):
            raise XaiAudioError(
                f"The sources have the shape {stems.shape}, but (k, {len(wave)}) is needed: as "
                "long as the sound, at its rate."
            )
        names = found or _numbered("source", len(stems)) if names is None else tuple(names)
        return cls(wave, stems, names)

    @classmethod
    def nmf(cls, wave: ArrayLike, frontend: LogMel, count: int, *, seed: int = 0) -> Components:
        """Take a sound apart into spectra that come and go, by non-negative matrix factorisation.

        Parameters
        ----------
        wave : array_like of float, shape (samples,)
            At the front end's rate.
        frontend : LogMel
            Its windows count.
        count : int
            How many spectra.
        seed : int
            Decides what the factorisation leaves to chance.

        Returns
        -------
        Components
            Named "spectrum 1" and so on, the one with the lowest peak first.

        References
        ----------
        D. D. Lee and H. S. Seung, "Learning the parts of objects by non-negative matrix
        factorization", Nature 401, 1999; P. Smaragdis and J. C. Brown, "Non-negative matrix
        factorization for polyphonic music transcription", WASPAA 2003.

        Examples
        --------
        >>> import numpy as np, xaiaudio as xa
        >>> from xaiaudio.explainers.engines.components import Components
        >>> wave = np.sin(np.arange(8_000) / 5) + np.sin(np.arange(8_000) * 2)
        >>> Components.nmf(wave, xa.LogMel.vggish(), 2).names
        ('spectrum 1', 'spectrum 2')
        """
        wave = check_wave(wave)
        return cls(wave, factorised(wave, frontend, count, seed), _numbered("spectrum", count))

    @classmethod
    def harmonic_percussive(cls, wave: ArrayLike, *, margin: float = 1.0) -> Components:
        """Take a sound apart into what lasts and what strikes, as librosa does.

        Parameters
        ----------
        wave : array_like of float, shape (samples,)
        margin : float
            How much stronger a part has to be than the other to own a cell of the spectrogram. From
            1 on; above it, what neither owns is the residual.

        Returns
        -------
        Components
            Named "harmonic" and "percussive".

        References
        ----------
        D. Fitzgerald, "Harmonic/percussive separation using median filtering", DAFx 2010;
        J. Driedger, M. Müller and S. Disch, ISMIR 2014, for the margin.
        """
        wave = check_wave(wave)
        return cls(wave, harmonic_and_percussive(wave, margin), ("harmonic", "percussive"))


def mixtures(components: Sequence[Components], weights: ArrayLike) -> Mixtures:
    """Return masks for the engine: mixtures of several inputs with equally many parts.

    Parameters
    ----------
    components : sequence of Components
    weights : array_like of float, shape (n, m, k) or (m, k)
        Each input's own, or the same for all.

    Returns
    -------
    Mixtures
    """
    weights = np.asarray(weights, np.float32)
    return Mixtures(
        np.stack([one.parts for one in components]), weights if weights.ndim == 3 else weights[None]
    )


def _numbers(segments) -> np.ndarray:
    """Return the numbers of segments as an array, or say that they are none."""
    found = np.asarray(segments)
    if found.ndim != 2 or not found.size or found.dtype.kind not in "iu" or found.min() < 0:
        raise XaiAudioError(
            "The segments must be whole numbers from 0 on, one for each cell (frames, bands)."
        )
    return found


def _numbered(name: str, count: int) -> tuple[str, ...]:
    return tuple(f"{name} {number}" for number in range(1, count + 1))
