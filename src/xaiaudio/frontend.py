"""From waveform to log-mel patches, and from patch cells to seconds and hertz."""

from __future__ import annotations

import dataclasses
import functools
from dataclasses import dataclass

import numpy as np
from scipy import fft as scipy_fft

from .errors import XaiAudioError
from .patches import Patches

# Frames transformed at a time: bounds the memory for hour-long sounds.
_CHUNK = 4096


@dataclass(frozen=True)
class LogMel:
    """The log-mel front end of VGGish, YAMNet and networks like them.

    A waveform is cut into windows (periodic Hann, no centring), each becomes the magnitude of its
    Fourier transform, mel bands (triangles linear in HTK mel) sum it up, and the logarithm of that
    plus an offset is one row. Rows are cut into patches, the network's inputs.

    The definition is that of the networks' authors (Hershey et al., "CNN architectures for
    large-scale audio classification", ICASSP 2017), equal to their TensorFlow Hub modules to 1e-4.
    Those compute in single precision, and so does this: beside a loud tone, the rounding itself
    moves a silent band by up to 0.01.

    Attributes
    ----------
    sample_rate : int
        In hertz.
    window, hop : int
        Length of a window and the step between windows, in samples.
    fft : int
        Length of the Fourier transform, even, at least `window`.
    bands : int
        Number of mel bands.
    fmin, fmax : float
        Lower edge of the first band and upper edge of the last, in hertz.
    offset : float
        Added before the logarithm.
    frames : int
        Rows in a patch.
    overlap : float
        Share of a patch that the next one repeats, in [0, 1).

    Raises
    ------
    XaiAudioError
        For settings that make no sense, naming the first.

    Examples
    --------
    >>> import numpy as np, xaiaudio as xa
    >>> xa.LogMel.vggish()(np.zeros(80_000, "float32"), overlap=0.75).shape
    (17, 96, 64)
    """

    sample_rate: int = 16_000
    window: int = 400
    hop: int = 160
    fft: int = 512
    bands: int = 64
    fmin: float = 125.0
    fmax: float = 7500.0
    offset: float = 0.01
    frames: int = 96
    overlap: float = 0.0

    def __post_init__(self):
        for name in ("sample_rate", "window", "hop", "fft", "bands", "frames"):
            _check_count(name, getattr(self, name))
        for name in ("fmin", "fmax", "offset", "overlap"):
            _check_number(name, getattr(self, name))
        if self.fft < self.window or self.fft % 2:
            raise XaiAudioError(
                f"fft is {self.fft}: it must be even and at least window ({self.window})."
            )
        if not 0 <= self.fmin < self.fmax <= self.sample_rate / 2:
            raise XaiAudioError(
                f"The bands go from {self.fmin} to {self.fmax} Hz: 0 <= fmin < fmax <= "
                f"{self.sample_rate / 2} (half the sample rate) must hold."
            )
        if not (np.diff(self._mel_points()) > 0).all():
            raise XaiAudioError(
                f"{self.bands} bands do not fit between {self.fmin} and {self.fmax} Hz."
            )
        # Beyond these, the logarithm of 32-bit numbers is no longer finite.
        if not 1e-30 <= self.offset <= 1e30:
            raise XaiAudioError(f"offset is {self.offset}: it must be above 0, from 1e-30 to 1e30.")
        if not 0 <= self.overlap < 1:
            raise XaiAudioError(f"overlap is {self.overlap}: it must be at least 0 and below 1.")

    @classmethod
    def vggish(cls, overlap: float = 0.0) -> LogMel:
        """Return VGGish's front end."""
        return cls(overlap=overlap)

    @classmethod
    def yamnet(cls, overlap: float = 0.5) -> LogMel:
        """Return YAMNet's front end: VGGish's with a smaller offset."""
        return cls(offset=0.001, overlap=overlap)

    def with_overlap(self, overlap: float) -> LogMel:
        """Return the same front end with another overlap of the patches."""
        return dataclasses.replace(self, overlap=overlap)

    def to_config(self) -> dict:
        """Return the settings as plain numbers, for JSON."""
        return dataclasses.asdict(self)

    @classmethod
    def from_config(cls, config: dict) -> LogMel:
        """Build a front end from what :meth:`to_config` returned."""
        known = {field.name for field in dataclasses.fields(cls)}
        unknown = sorted(set(config) - known)
        if unknown:
            raise XaiAudioError(f"A front end has no setting {unknown[0]!r}.")
        return cls(**config)

    @property
    def patch_shape(self) -> tuple[int, int]:
        """Frames and bands of a patch."""
        return self.frames, self.bands

    @property
    def patch_hop(self) -> int:
        """Frames from one patch to the next."""
        return max(1, round(self.frames * (1 - self.overlap)))

    @property
    def patch_seconds(self) -> float:
        """Duration that a patch's cells stand for, in seconds."""
        return self.frames * self.hop / self.sample_rate

    @property
    def hop_seconds(self) -> float:
        """Time from one patch to the next, in seconds."""
        return self.patch_hop * self.hop / self.sample_rate

    @property
    def min_samples(self) -> int:
        """Samples that one patch needs."""
        return self.window + (self.frames - 1) * self.hop

    def mel_matrix(self) -> np.ndarray:
        """Return the weights from Fourier bins to bands: float64 (fft // 2 + 1, bands)."""
        return _mel_matrix(self).astype(np.float64)

    def spectrogram(self, wave) -> np.ndarray:
        """Return the log-mel spectrogram of a whole waveform.

        Parameters
        ----------
        wave : array_like of float, shape (samples,)
            Mono, at `sample_rate`, in [-1, 1].

        Returns
        -------
        ndarray of float32, shape (1 + (samples - window) // hop, bands)

        Raises
        ------
        XaiAudioError
            If the wave is not one-dimensional, not of floats, not finite, or shorter than one
            window.

        Examples
        --------
        >>> import numpy as np, xaiaudio as xa
        >>> xa.LogMel.vggish().spectrogram(np.zeros(80_000, "float32")).shape
        (498, 64)
        """
        wave = _check_wave(wave)
        if len(wave) < self.window:
            raise XaiAudioError(
                f"The sound has {len(wave)} samples, but one window takes {self.window}."
            )
        windows = np.lib.stride_tricks.sliding_window_view(wave, self.window)[:: self.hop]
        hann, weights = _hann(self.window), _mel_matrix(self)
        rows = np.empty((len(windows), self.bands), np.float32)
        with np.errstate(over="ignore", invalid="ignore"):
            for start in range(0, len(windows), _CHUNK):
                part = slice(start, start + _CHUNK)
                magnitude = np.abs(scipy_fft.rfft(windows[part] * hann, self.fft))
                rows[part] = np.log(magnitude @ weights + np.float32(self.offset))
        if not np.isfinite(rows).all():
            raise XaiAudioError("The sound's samples are too large: scale it to [-1, 1].")
        return rows

    def cut(self, rows) -> np.ndarray:
        """Cut patches out of anything that has one row per frame.

        Parameters
        ----------
        rows : array_like, shape (T, ...)
            A spectrogram, a mask of events, ...

        Returns
        -------
        ndarray, shape (n, frames, ...)
            n is 0 if there are fewer rows than a patch has; rows after the last whole patch are
            left out.

        Examples
        --------
        >>> import numpy as np, xaiaudio as xa
        >>> xa.LogMel.vggish(overlap=0.75).cut(np.zeros((498, 64), bool)).shape
        (17, 96, 64)
        """
        rows = np.asarray(rows)
        return rows[self._starts(len(rows))[:, None] + np.arange(self.frames)]

    def _starts(self, rows: int) -> np.ndarray:
        """First frame of each patch in so many frames."""
        return np.arange(0, rows - self.frames + 1, self.patch_hop)

    def __call__(self, wave, *, overlap: float | None = None, pad: bool = False) -> Patches:
        """Return the log-mel patches of a waveform.

        Parameters
        ----------
        wave : array_like of float, shape (samples,)
            Mono, at `sample_rate`, in [-1, 1].
        overlap : float, optional
            Share of a patch that the next one repeats; the front end's own by default.
        pad : bool
            Lengthen a sound shorter than a patch with silence.

        Returns
        -------
        Patches
            At least one: the values (n, frames, bands), and where each lies in the sound.

        Raises
        ------
        XaiAudioError
            As :meth:`spectrogram`, and for a sound shorter than one patch unless `pad`.
        """
        if overlap is not None:
            return self.with_overlap(overlap)(wave, pad=pad)
        wave = _check_wave(wave)
        missing = self.min_samples - len(wave)
        if missing > 0 and not pad:
            raise XaiAudioError(
                f"The sound lasts {len(wave) / self.sample_rate:.3f} s, but one patch takes "
                f"{self.min_samples / self.sample_rate:.3f} s: take a longer sound, or pad=True "
                "to add silence."
            )
        if missing > 0:
            wave = np.pad(wave, (0, missing))
        rows = self.spectrogram(wave)
        return Patches(self.cut(rows), self, self._starts(len(rows)), len(rows))

    def times(self, patch: int = 0) -> np.ndarray:
        """Return where the cells of a patch begin and end in the sound, in seconds.

        A cell is `hop` long and lies around the middle of its window.

        Parameters
        ----------
        patch : int
            Number of the patch.

        Returns
        -------
        ndarray of float64, shape (frames + 1,)
        """
        return self.frame_times(patch * self.patch_hop)

    def frame_times(self, first: int = 0) -> np.ndarray:
        """Return where the cells of a patch begin and end, given its first frame in the sound.

        Parameters
        ----------
        first : int

        Returns
        -------
        ndarray of float64, shape (frames + 1,)
            In seconds.
        """
        frame = first + np.arange(self.frames + 1)
        return (frame * self.hop + (self.window - self.hop) / 2) / self.sample_rate

    def band_centres(self) -> np.ndarray:
        """Return the peak of each band's triangle in hertz, shape (bands,)."""
        return _hertz(self._mel_points()[1:-1])

    def band_edges(self) -> np.ndarray:
        """Return the borders between bands in hertz, shape (bands + 1,).

        Triangles overlap: a border lies half-way, in mel, between two neighbouring peaks.
        """
        points = self._mel_points()
        return _hertz((points[1:] + points[:-1]) / 2)

    def _mel_points(self) -> np.ndarray:
        """Feet and peaks of the triangles in mel: band b has b, b + 1 (its peak) and b + 2."""
        return np.linspace(_mel(self.fmin), _mel(self.fmax), self.bands + 2, dtype=np.float32)


def _mel(hertz) -> np.ndarray:
    """Convert hertz to mel by HTK's formula, rounded after each step as TensorFlow does."""
    ratio = np.float32(1) + np.asarray(hertz, np.float32) / np.float32(700)
    return np.float32(1127) * _single(np.log, ratio)


def _hertz(mel) -> np.ndarray:
    return 700.0 * np.expm1(np.asarray(mel, np.float64) / 1127.0)


def _single(function, values: np.ndarray) -> np.ndarray:
    """Apply a function to single-precision values: the correctly rounded result, anywhere."""
    return function(values.astype(np.float64)).astype(np.float32)


# TensorFlow's cosine is one unit in the last place off here and there. In the 400 samples of the
# Hub modules' window, these samples come out one unit of the cosine higher or lower. As little as
# that is heard in a silent band beside a loud tone.
_HIGHER = (
    *(29, 34, 37, 40, 44, 45, 50, 53, 59, 62, 135, 137, 142, 227, 250),
    *(321, 325, 326, 327, 329, 335, 348, 366, 371),
)
_LOWER = (26, 27, 38, 46, 75, 121, 126, 130, 131, 148, 150, 160, 221, 350, 353, 362)


@functools.lru_cache(maxsize=8)
def _hann(length: int) -> np.ndarray:
    """Periodic Hann window in single precision."""
    phase = np.float32(2 * np.pi) * np.arange(length, dtype=np.float32) / np.float32(length)
    cosine = _single(np.cos, phase)
    if length == 400:
        cosine[list(_HIGHER)] = np.nextafter(cosine[list(_HIGHER)], np.float32(-2))
        cosine[list(_LOWER)] = np.nextafter(cosine[list(_LOWER)], np.float32(2))
    return np.float32(0.5) - np.float32(0.5) * cosine


@functools.lru_cache(maxsize=8)
def _mel_matrix(frontend: LogMel) -> np.ndarray:
    points = frontend._mel_points()
    low, peak, high = points[:-2], points[1:-1], points[2:]
    step = np.float32(frontend.sample_rate / frontend.fft)
    bins = _mel(np.arange(frontend.fft // 2 + 1, dtype=np.float32) * step)[:, None]
    weights = np.maximum(0, np.minimum((bins - low) / (peak - low), (high - bins) / (high - peak)))
    weights[0] = 0  # the networks' authors leave out the zero-frequency bin
    return weights


def _check_count(name, value) -> None:
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < 1:
        raise XaiAudioError(f"{name} is {value!r}: it must be a whole number of at least 1.")


def _check_number(name, value) -> None:
    number = isinstance(value, (int, float, np.integer, np.floating))
    if not number or isinstance(value, bool) or not np.isfinite(value):
        raise XaiAudioError(f"{name} is {value!r}: it must be a number.")


def _check_wave(wave) -> np.ndarray:
    wave = np.asarray(wave)
    if wave.ndim != 1 or wave.size == 0:
        raise XaiAudioError(
            f"The sound has the shape {wave.shape}: a mono waveform (samples,) is needed."
        )
    if wave.dtype.kind != "f":
        raise XaiAudioError(
            f"The sound's samples are {wave.dtype}: floats in [-1, 1] are needed, as load_audio "
            "returns them."
        )
    with np.errstate(over="ignore"):
        wave = wave.astype(np.float32)
    if not np.isfinite(wave).all():
        raise XaiAudioError("The sound holds samples that are NaN, infinite or far too large.")
    return wave
