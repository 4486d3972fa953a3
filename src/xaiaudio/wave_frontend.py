"""From waveform to segments, for classifiers that take samples, and to pictures of them."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from .errors import XaiAudioError
from .frontend import LogMel

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from .patches import Patches

# A segment of an hour and a half at 48 kHz: longer ones are a slip of the keyboard.
_MOST_SAMPLES = 1 << 28


@dataclass(frozen=True)
class WaveFrontend(LogMel):
    """The front end of a classifier that takes samples: it cuts a sound into segments.

    Each segment also has a log-mel picture, for maps to lie on. It is what `LogMel` makes of it.

    Attributes
    ----------
    samples : int
        Length of a segment.
    frames : int
        Of the picture; what fits into the segment, whatever is given.

    Examples
    --------
    >>> import numpy as np
    >>> from xaiaudio.wave_frontend import WaveFrontend
    >>> segments = WaveFrontend.of(16_000, seconds=1)(np.zeros(48_000, "float32"))
    >>> segments.shape, segments.waves.shape
    ((3, 61, 64), (3, 16000))
    """

    samples: int = 80_000

    def __post_init__(self):
        whole = isinstance(self.samples, (int, np.integer)) and not isinstance(self.samples, bool)
        if not (whole and self.samples >= self.window):
            raise XaiAudioError(
                f"A segment has {self.samples!r} samples: it must be a whole number of at least "
                f"{self.window}, one window of its picture."
            )
        if self.power != 1 or self.decibels or self.centred or self.scale != 1:
            raise XaiAudioError(
                "A segment's picture is the logarithm of magnitudes, not centred: leave power, "
                "decibels, centred and scale as they are."
            )
        object.__setattr__(self, "frames", 1 + (self.samples - self.window) // self.hop)
        super().__post_init__()

    @classmethod
    def of(
        cls,
        sample_rate: int,
        seconds: float = 5.0,
        *,
        samples: int | None = None,
        overlap: float = 0.0,
    ) -> WaveFrontend:
        """Return a front end whose picture suits the rate.

        Parameters
        ----------
        sample_rate : int
            In hertz.
        seconds : float
            Length of a segment.
        samples : int, optional
            The same in samples, instead of `seconds`.
        overlap : float
            Share of a segment that the next one repeats, in [0, 1).

        Returns
        -------
        WaveFrontend
            With windows of about 32 ms, half a window apart, and up to 64 bands from 60 Hz to half
            the rate.

        Raises
        ------
        XaiAudioError
            For settings that make no sense.
        """
        for name, value in (("sample_rate", sample_rate), ("seconds", seconds)):
            number = isinstance(value, (int, float, np.number)) and not isinstance(value, bool)
            if not (number and 0 < value < np.inf):
                raise XaiAudioError(f"{name} is {value!r}: it must be a number above 0.")
        if (seconds * sample_rate if samples is None else samples) > _MOST_SAMPLES:
            raise XaiAudioError(
                f"A segment of {seconds:g} s at {sample_rate} Hz has more than {_MOST_SAMPLES} "
                "samples: take shorter ones."
            )
        window = 2 ** max(4, round(np.log2(0.032 * sample_rate)))
        made = cls(
            sample_rate=sample_rate,
            samples=round(seconds * sample_rate) if samples is None else samples,
            window=window,
            hop=window // 2,
            fft=window,
            offset=0.001,
            fmin=min(60.0, sample_rate / 8),
            fmax=sample_rate / 2,
            overlap=overlap,
        )
        # A band that no bin feeds would be a cell that cannot be hidden.
        while (made.mel_matrix().sum(axis=0) == 0).any():
            made = dataclasses.replace(made, bands=made.bands - 1)
        return made

    @property
    def min_samples(self) -> int:
        """Samples that one segment needs."""
        return self.samples

    def __call__(
        self,
        wave: ArrayLike,
        *,
        overlap: float | None = None,
        pad: bool = False,
        sounds: bool = True,
    ) -> Patches:
        """Return the segments of a waveform, as :meth:`LogMel.__call__` does its patches.

        They always know their sounds.

        Returns
        -------
        Patches
            The pictures, and with them the segments' samples: `waves` (n, samples). The last one
            may end in silence, of less than a hop.
        """
        if overlap is not None:
            return self.with_overlap(overlap)(wave, pad=pad)
        patches = super().__call__(wave, pad=pad)
        wave = np.pad(np.asarray(wave, np.float32), (0, self.samples))
        every = np.lib.stride_tricks.sliding_window_view(wave, self.samples)
        waves = every[:: self.patch_hop * self.hop][: len(patches)]
        return dataclasses.replace(patches, waves=waves)

    def pictures(self, waves: ArrayLike) -> np.ndarray:
        """Return the pictures of segments (n, samples), as :meth:`LogMel.pictures` does."""
        seen = self.window + (self.frames - 1) * self.hop
        return super().pictures(np.asarray(waves)[..., :seen])


def from_config(config: dict) -> LogMel:
    """Build the front end of either kind that `to_config` described.

    Examples
    --------
    >>> from xaiaudio import wave_frontend
    >>> wave_frontend.from_config(wave_frontend.WaveFrontend.of(8_000, 1).to_config()).samples
    8000
    """
    return (WaveFrontend if "samples" in config else LogMel).from_config(config)
