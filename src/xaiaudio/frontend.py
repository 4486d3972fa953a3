"""From waveform to log-mel patches, and from patch cells to seconds and hertz."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from . import filterbank, frontend_settings
from .errors import XaiAudioError
from .frontend_settings import check_wave
from .patches import Patches, levels, sounding

if TYPE_CHECKING:
    from typing import Any

    from numpy.typing import ArrayLike


@dataclass(frozen=True)
class LogMel:
    """The log-mel front end of VGGish, YAMNet and networks like them, and of other networks.

    A waveform is cut into windows (periodic Hann, no centring), each becomes the magnitude of its
    Fourier transform, mel bands (triangles linear in HTK mel) sum it up, and the logarithm of that
    plus an offset is one row. Rows are cut into patches, the network's inputs.

    That is the definition of the networks' authors (Hershey et al., "CNN architectures for
    large-scale audio classification", ICASSP 2017), equal to their TensorFlow Hub modules to 1e-4.
    Those compute in single precision, and so does this: beside a loud tone, the rounding itself
    moves a silent band by up to 0.01.

    The options from `power` on are those of other people's front ends; :meth:`librosa` has
    librosa's, equal to its `melspectrogram` and `power_to_db` to 1e-4.

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
        Added before the logarithm. Not used with `decibels`.
    frames : int
        Rows in a patch.
    overlap : float
        Share of a patch that the next one repeats, in [0, 1).
    power : {1, 2}
        Bands sum up magnitudes or their squares.
    decibels : bool
        Rows are decibels (20 log10 of magnitudes, 10 log10 of powers) relative to `ref`.
    ref : float or "max"
        What 0 dB is: a magnitude or a power, as `power` says, or the loudest cell of the sound.
    amin : float
        Anything below it counts as this much, in the unit of `ref`.
    top_db : float, optional
        Cells more than so many decibels below the loudest of the sound are lifted to there.
    mel_scale : {"htk", "slaney"}
        The formula for mel.
    norm : {None, "slaney"}
        None gives all triangles the height 1, "slaney" the area 1 (in hertz).
    triangles : {"mel", "hertz"}
        Their sides are straight over mel, as TensorFlow's, or over hertz, as librosa's.
    centred : bool
        The middle of the first window is at the start of the sound, not its first sample, and the
        sound is lengthened by half a window at both ends, as with librosa's `center=True`.
    pad_mode : {"constant", "reflect"}
        What the lengthening consists of with `centred`: silence, or the sound mirrored.
    scale : float
        Factor of the rows, behind all else. 2 makes decibels of powers that were squared again.
    hann : int, optional
        Length of the Hann window, in the middle of `window`, whose other samples do not count. By
        default all of it.

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
    power: int = 1
    decibels: bool = False
    ref: float | str = 1.0
    amin: float = 1e-10
    top_db: float | None = 80.0
    mel_scale: str = "htk"
    norm: str | None = None
    triangles: str = "mel"
    centred: bool = False
    pad_mode: str = "constant"
    scale: float = 1.0
    hann: int | None = None

    def __post_init__(self):
        frontend_settings.check(self)

    @classmethod
    def vggish(cls, overlap: float = 0.0) -> LogMel:
        """Return VGGish's front end."""
        return cls(overlap=overlap)

    @classmethod
    def yamnet(cls, overlap: float = 0.5) -> LogMel:
        """Return YAMNet's front end: VGGish's with a smaller offset."""
        return cls(offset=0.001, overlap=overlap)

    @classmethod
    def librosa(cls, **settings: Any) -> LogMel:
        """Return the front end of librosa's `melspectrogram` and `power_to_db`.

        Parameters
        ----------
        **settings
            What differs from librosa's defaults, by the names of this class. `window` follows
            `fft`, and `fmax` is half of `sample_rate`, unless they are given. With `centred=False`
            librosa puts a shorter window into the middle of `fft` samples: it is `hann` then.

        Returns
        -------
        LogMel

        Examples
        --------
        >>> import numpy as np, xaiaudio as xa
        >>> frontend = xa.LogMel.librosa(sample_rate=16_000, fft=1024, bands=64, frames=128)
        >>> frontend(np.zeros(80_000, "float32")).shape, frontend.silence
        ((1, 128, 64), -100.0)
        """
        settings = {**frontend_settings.LIBROSA, **settings}
        settings.setdefault("window", settings["fft"])
        frontend_settings.check_count("sample_rate", settings["sample_rate"])
        settings.setdefault("fmax", settings["sample_rate"] / 2)
        made = cls(**settings)
        if made.centred or made.window == made.fft:
            return made
        return dataclasses.replace(made, window=made.fft, hann=made.hann or made.window)

    def with_overlap(self, overlap: float) -> LogMel:
        """Return the same front end with another overlap of the patches."""
        return dataclasses.replace(self, overlap=overlap)

    def to_config(self) -> dict:
        """Return the settings as plain values, for JSON.

        Options of other people's front ends are left out where they are as in VGGish's.
        """
        config = dataclasses.asdict(self)
        optional = [
            field for field in dataclasses.fields(self) if field.name in frontend_settings.OPTIONAL
        ]
        for field in optional:
            if config[field.name] == field.default:
                del config[field.name]
        return config

    @classmethod
    def from_config(cls, config: dict) -> LogMel:
        """Build a front end from what :meth:`to_config` returned.

        Raises
        ------
        XaiAudioError
            For unknown settings, for ones that make no sense, and for ones far beyond all use.
        """
        frontend_settings.check_file(config, {field.name for field in dataclasses.fields(cls)})
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
        steps = (self.frames - 1) * self.hop
        return max(1, steps) if self.centred else self.window + steps

    @property
    def samples_before(self) -> int:
        """Samples of the first window that lie before the sound: half of it with `centred`."""
        return self.fft // 2 - (self.fft - self.window) // 2 if self.centred else 0

    @property
    def silence(self) -> float:
        """Value of a cell in which nothing sounds, the lowest that a row can hold.

        In decibels relative to a number, `top_db` lifts such cells beside louder ones; relative to
        the loudest cell, `amin` lifts them in faint sounds.
        """
        if not self.decibels:
            return self.scale * float(np.log(self.offset))
        if self.ref == "max":
            assert self.top_db is not None  # checked when it was made
            return -self.scale * float(self.top_db)
        lowest = self._decibels(self.amin) - self._decibels(max(self.amin, self.ref))
        return self.scale * float(lowest)

    @property
    def precision(self) -> str:
        """Type of number that rows are computed with, before they are stored as float32."""
        return "float64" if self.decibels else "float32"

    def mel_matrix(self) -> np.ndarray:
        """Return the weights from Fourier bins to bands: float64 (fft // 2 + 1, bands)."""
        return filterbank.mel_matrix(self).astype(np.float64)

    def spectrogram(self, wave: ArrayLike) -> np.ndarray:
        """Return the log-mel spectrogram of a whole waveform.

        Parameters
        ----------
        wave : array_like of float, shape (samples,)
            Mono, at `sample_rate`, in [-1, 1].

        Returns
        -------
        ndarray of float32, shape (T, bands)
            T is 1 + (samples - window) // hop; with `centred` 1 + samples // hop.

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
        wave = check_wave(wave)
        if not self.centred and len(wave) < self.window:
            raise XaiAudioError(
                f"The sound has {len(wave)} samples, but one window takes {self.window}."
            )
        with np.errstate(over="ignore", invalid="ignore"):
            rows = self.compress(filterbank.sums(wave, self)).astype(np.float32, copy=False)
        if not np.isfinite(rows).all():
            raise XaiAudioError("The sound's samples are too large: scale it to [-1, 1].")
        return rows

    def compress(self, sums: ArrayLike) -> np.ndarray:
        """Return the rows that magnitudes or powers of the bands become, by the logarithm.

        Parameters
        ----------
        sums : array_like of float, shape (..., bands)
            Of a whole sound, where `ref` or `top_db` ask for its loudest cell.

        Returns
        -------
        ndarray of float, the same shape

        Examples
        --------
        >>> import numpy as np, xaiaudio as xa
        >>> xa.LogMel.librosa().compress(np.array([0.0, 0.01, 1.0])).tolist()
        [-80.0, -20.0, 0.0]
        """
        sums = np.asarray(sums)
        if not self.decibels:
            return self._scaled(np.log(sums + np.float32(self.offset)))
        ref = sums.max(initial=0) if self.ref == "max" else self.ref
        rows = self._decibels(np.maximum(sums, self.amin)) - self._decibels(max(self.amin, ref))
        if self.top_db is not None:
            rows = np.maximum(rows, rows.max(initial=-np.inf) - self.top_db)
        return self._scaled(rows)

    def expand(self, rows: ArrayLike) -> np.ndarray:
        """Return the magnitudes or powers that rows stand for: :meth:`compress` undone.

        Parameters
        ----------
        rows : array_like of float, shape (..., bands)

        Returns
        -------
        ndarray of float, the same shape
            With ``ref="max"`` as shares of the loudest cell.

        Examples
        --------
        >>> import numpy as np, xaiaudio as xa
        >>> xa.LogMel.librosa().expand(np.array([-20.0, 0.0])).tolist()
        [0.01, 1.0]
        """
        rows = np.asarray(rows) if self.scale == 1 else np.asarray(rows) / self.scale
        if not self.decibels:
            return np.exp(rows) - self.offset
        ref = 1.0 if self.ref == "max" else max(self.amin, self.ref)
        return ref * 10.0 ** (rows * (self.power / 20))

    def _scaled(self, rows):
        return rows if self.scale == 1 else rows * rows.dtype.type(self.scale)

    def _decibels(self, values):
        return (20 / self.power) * np.log10(values)

    def cut(self, rows: ArrayLike) -> np.ndarray:
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

    def __call__(
        self,
        wave: ArrayLike,
        *,
        overlap: float | None = None,
        pad: bool = False,
        sounds: bool = False,
    ) -> Patches:
        """Return the log-mel patches of a waveform.

        Parameters
        ----------
        wave : array_like of float, shape (samples,)
            Mono, at `sample_rate`, in [-1, 1].
        overlap : float, optional
            Share of a patch that the next one repeats; the front end's own by default.
        pad : bool
            Lengthen a sound shorter than a patch with silence. The patches know which frames are
            nothing else, see `Patches.padding`.
        sounds : bool
            The patches also know their samples, all that their windows see: `Patches.waves`, a
            view of one copy of the sound.

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
            return self.with_overlap(overlap)(wave, pad=pad, sounds=sounds)
        wave = check_wave(wave)
        samples = len(wave)
        missing = self.min_samples - samples
        if missing > 0 and not pad:
            raise XaiAudioError(
                f"The sound lasts {len(wave) / self.sample_rate:.3f} s, but one patch takes "
                f"{self.min_samples / self.sample_rate:.3f} s: take a longer sound, or pad=True "
                "to add silence."
            )
        if missing > 0:
            wave = np.pad(wave, (0, missing))
        rows = self.spectrogram(wave)
        starts = self._starts(len(rows))
        made = Patches(self.cut(rows), self, starts, len(rows), levels(wave, starts, self))
        if sounds:
            made = dataclasses.replace(made, waves=self._waves(wave, len(starts)))
        sound = np.clip(sounding(samples, self) - starts, 0, self.frames)
        padded = missing > 0 and (sound < self.frames).any()
        return dataclasses.replace(made, sound=sound) if padded else made

    def _waves(self, wave, count: int) -> np.ndarray:
        """Return all samples that the windows of patches see, as a view (count, samples)."""
        size = self.window + (self.frames - 1) * self.hop
        whole = filterbank.lengthened(wave, self)
        every = np.lib.stride_tricks.sliding_window_view(whole, size)
        return every[:: self.patch_hop * self.hop][:count]

    def pictures(self, waves: ArrayLike) -> np.ndarray:
        """Return the patches of samples as `Patches.waves` holds them.

        Parameters
        ----------
        waves : array_like of float, shape (n, samples)
            All that the windows of a patch see: ``window + (frames - 1) * hop`` samples each.

        Returns
        -------
        ndarray of float32, shape (n, frames, bands)
            Where decibels depend on the loudest cell of the sound (`ref`, `top_db`), it is the
            loudest of the patch.

        Raises
        ------
        XaiAudioError
            If the samples are of another number, or not finite.

        Examples
        --------
        >>> import numpy as np, xaiaudio as xa
        >>> vggish, wave = xa.LogMel.vggish(), np.random.default_rng(0).normal(0, 0.1, 20_000)
        >>> patches = vggish(wave, sounds=True)
        >>> bool(np.abs(vggish.pictures(patches.waves) - patches).max() < 1e-5)
        True
        """
        waves = np.asarray(waves, np.float32)
        size = self.window + (self.frames - 1) * self.hop
        if waves.ndim != 2 or waves.shape[1] != size:
            raise XaiAudioError(
                f"The sounds have the shape {waves.shape}: (n, {size}) is needed, the samples that "
                "a patch is made of."
            )
        if not np.isfinite(waves).all():
            raise XaiAudioError("The sounds hold samples that are NaN, infinite or far too large.")
        rows = [self.compress(filterbank.sums_of_windows(wave, self)) for wave in waves]
        return np.asarray(rows, np.float32).reshape(-1, *self.patch_shape)

    def times(self, patch: int = 0) -> np.ndarray:
        """Return where the cells of a patch begin and end in the sound, in seconds.

        A cell is `hop` long and lies around the middle of its window, so that with `centred` the
        first cell begins before the sound.

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
        beginning = (self.window - self.hop) / 2 - self.samples_before
        return (frame * self.hop + beginning) / self.sample_rate

    def band_centres(self) -> np.ndarray:
        """Return the peak of each band's triangle in hertz, shape (bands,)."""
        return filterbank.hertz(filterbank.mel_points(self)[1:-1], self.mel_scale)

    def band_edges(self) -> np.ndarray:
        """Return the borders between bands in hertz, shape (bands + 1,).

        Triangles overlap: a border lies half-way, in mel, between two neighbouring peaks.
        """
        points = filterbank.mel_points(self)
        return filterbank.hertz((points[1:] + points[:-1]) / 2, self.mel_scale)
