"""What an explanation keeps of a sound, at the sound's own rate and with its own channels.

A network hears a sound at its own rate, mixed to one channel. The mask that an explanation makes
goes onto the sound as it was recorded: in every channel the same. What lies above the highest
frequency that the front end takes in, the network cannot have listened to: it is removed.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import soxr
from scipy.fft import next_fast_len
from scipy.io import wavfile

from ..decoding import decode
from ..errors import XaiAudioError
from ..explainers.answers import answers
from ..stft import Windows, analyse, lead, synthesise, to_stft, windows

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from ..explainers.answers import Answers
    from ..frontend import LogMel
    from ..types import PathLike
    from .masks import Listening


@dataclass(frozen=True, eq=False)
class OwnRate:
    """A recording in two, at its own rate.

    Attributes
    ----------
    kept, removed : ndarray of float32, shape (samples, channels)
        ``kept + removed`` is the recording.
    sample_rate : int
        Of the recording, in hertz.
    highest : float
        In hertz: what lies above is removed, as the network cannot hear it.
    answers : Answers or None
        What the network says of *kept* and *removed*, brought to its rate; None if it is not known.
    """

    kept: np.ndarray
    removed: np.ndarray
    sample_rate: int
    highest: float
    answers: Answers | None = None

    def wav(self, name: str) -> bytes:
        """Return *kept* or *removed* as a WAV file of 32-bit floats: they still add up exactly."""
        return wav(getattr(self, name), self.sample_rate)


def load_channels(path: PathLike) -> tuple[np.ndarray, int]:
    """Read a sound file as it is: its own rate, all its channels, nothing clipped.

    Parameters
    ----------
    path : path-like

    Returns
    -------
    samples : ndarray of float32, shape (samples, channels)
    rate : int
        In hertz.

    Raises
    ------
    XaiAudioError
        If it is no sound, or several of different rates or channels one after the other.

    Examples
    --------
    >>> from xaiaudio.sonify.own_rate import load_channels
    >>> samples, rate = load_channels("dog.wav")  # doctest: +SKIP
    """
    path = Path(path)
    columns: list[np.ndarray] = []
    rates: set[int] = set()
    while True:
        try:
            runs = decode(path, channel=len(columns)).runs
        except XaiAudioError:
            if not columns:
                raise
            break  # that was the last channel
        except OSError as error:
            raise XaiAudioError(f"Could not read {path}: {error.strerror or error}.") from error
        rates |= {rate for _, rate in runs}
        columns.append(np.concatenate([wave for wave, _ in runs]))
    if len(rates) != 1 or len({len(column) for column in columns}) != 1:
        raise XaiAudioError(
            f"{path} is several sounds of different rates in one file: it has no rate of its own."
        )
    samples = np.stack(columns, axis=1).astype(np.float32, copy=False)
    if not np.isfinite(samples).all():
        raise XaiAudioError(f"{path} holds NaN or infinite samples in one of its channels.")
    return samples, rates.pop()


def split_at(
    samples: ArrayLike, rate: int, mask: ArrayLike, frontend: LogMel
) -> tuple[np.ndarray, np.ndarray]:
    """Split a recording in two by a mask over the mel cells of a front end of another rate.

    As :func:`.explainers.masking.kept_and_removed` does at the front end's rate, with windows as
    long in seconds. Between the middles of the mask's cells in time, and between the bins of its
    Fourier transform, what passes is interpolated. Above `frontend.fmax` nothing does.

    Parameters
    ----------
    samples : array_like of float, shape (samples, channels)
    rate : int
        Of the samples, in hertz.
    mask : array_like of float, shape (T, bands)
        In [0, 1].
    frontend : LogMel

    Returns
    -------
    kept, removed : ndarray of float32, shape (samples, channels)

    Examples
    --------
    >>> import numpy as np, xaiaudio as xa
    >>> from xaiaudio.sonify.own_rate import split_at
    >>> time = np.arange(44_100)[:, None] / 44_100
    >>> tones = np.sin(2 * np.pi * time * [1000, 12_000])  # left and right
    >>> kept, removed = split_at(tones, 44_100, np.ones((98, 64)), xa.LogMel.vggish())
    >>> np.abs(kept[1000:-1000]).max(axis=0).round(2).tolist()
    [1.0, 0.0]
    """
    samples = np.asarray(samples, np.float32)
    if samples.ndim != 2 or not samples.size or not np.isfinite(samples).all():
        raise XaiAudioError(
            f"The recording has the shape {samples.shape}: finite (samples, channels) are needed."
        )
    grid = _windows(frontend, rate)
    bins = _bins(mask, frontend, grid, rate, len(samples))
    kept = np.empty_like(samples)
    for channel in range(samples.shape[1]):
        spectrum = analyse(samples[:, channel], grid) * bins
        kept[:, channel] = synthesise(spectrum, len(samples), grid)
    return kept, samples - kept


def _windows(frontend, rate) -> Windows:
    """Return windows that are as long in seconds as a front end's, at another rate."""
    ratio = rate / frontend.sample_rate
    window = max(2, round(frontend.window * ratio))
    # Shorter than a window, or there are samples in none.
    hop = min(max(1, round(frontend.hop * ratio)), window - 1)
    fft = max(window, round(frontend.fft * ratio))
    fft = fft if rate == frontend.sample_rate else next_fast_len(fft, real=True)
    return Windows(window, hop, fft, round(frontend.samples_before * ratio))


def _bins(mask, frontend, grid, rate, samples) -> np.ndarray:
    """Carry a mask over mel cells to the windows and bins of another rate: (windows, bins)."""
    coarse = to_stft(mask, frontend)
    # The middle of each window, in frames of the mask.
    starts = (np.arange(windows(samples, grid)) - lead(grid)) * grid.hop - grid.samples_before
    middles = (starts + grid.window / 2) * frontend.sample_rate / rate
    frames = (middles + frontend.samples_before - frontend.window / 2) / frontend.hop
    hertz = np.arange(grid.fft // 2 + 1) * rate / grid.fft
    bins = _between(coarse, frames, 0)
    bins = _between(bins, hertz * frontend.fft / frontend.sample_rate, 1)
    bins[:, hertz > frontend.fmax] = 0
    return bins


def _between(values: np.ndarray, places: np.ndarray, axis: int) -> np.ndarray:
    """Interpolate along an axis; before its first and after its last place they go on."""
    places = np.clip(np.round(places, 9), 0, values.shape[axis] - 1)
    low = np.floor(places).astype(int)
    high = np.minimum(low + 1, values.shape[axis] - 1)
    share = places - low if axis else (places - low)[:, None]
    return np.take(values, low, axis) * (1 - share) + np.take(values, high, axis) * share


def at_own_rate(
    heard: Listening,
    samples: ArrayLike,
    rate: int,
    frontend: LogMel,
    *,
    channel: int | None = None,
) -> OwnRate:
    """Split a recording as an explanation of it was heard, and ask the network again.

    Parameters
    ----------
    heard : Listening
        Of maps, which have a mask.
    samples : array_like of float, shape (samples, channels)
        What the explained sound was made from, as long in seconds.
    rate : int
        Of the samples, in hertz.
    frontend : LogMel
        Of the network.
    channel : int, optional
        The channel that the network hears; by default the mean of all.

    Returns
    -------
    OwnRate

    Raises
    ------
    XaiAudioError
        If parts were explained, or the recording is not as long as the sound.
    """
    samples = np.asarray(samples, np.float32)
    if heard.mask is None:
        raise XaiAudioError("Parts of a sound have no mask: only maps are heard at another rate.")
    seconds = len(heard.original) / heard.sample_rate
    if samples.ndim != 2 or abs(len(samples) / rate - seconds) > 0.01:
        raise XaiAudioError(
            f"The recording has the shape {samples.shape} at {rate} Hz, but the sound lasts "
            f"{seconds:.2f} s: give (samples, channels) of all of it."
        )
    kept, removed = split_at(samples, rate, heard.mask, frontend)
    said = None
    if heard.model is not None:
        sounds = {
            name: as_heard(sound, rate, frontend.sample_rate, channel)
            for name, sound in (("kept", kept), ("removed", removed))
        }
        said = answers(
            heard.model,
            sounds,
            heard.targets,
            overlap=heard.overlap,
            threshold=heard.threshold,
        )
    return OwnRate(kept, removed, rate, frontend.fmax, said)


def as_heard(samples: np.ndarray, rate: int, wanted: int, channel: int | None = None) -> np.ndarray:
    """Return a recording as a network hears it: one channel at its rate, float32 (samples,)."""
    mono = samples.mean(axis=1) if channel is None else np.ascontiguousarray(samples[:, channel])
    mono = mono if rate == wanted else soxr.resample(mono, rate, wanted, quality="HQ")
    return np.clip(mono, -1.0, 1.0).astype(np.float32, copy=False)


def wav(samples: ArrayLike, rate: int) -> bytes:
    """Return samples as a WAV file of 32-bit floats, which clips nothing: the same bytes each time.

    Parameters
    ----------
    samples : array_like of float, shape (samples, channels)
    rate : int
        In hertz.

    Returns
    -------
    bytes

    Raises
    ------
    XaiAudioError
        If it would be larger than a WAV file can be, 4 GB.
    """
    buffer = io.BytesIO()
    try:
        wavfile.write(buffer, rate, np.asarray(samples, np.float32))
    except ValueError as error:
        raise XaiAudioError("The sound is too long for a WAV file (4 GB): cut it.") from error
    return buffer.getvalue()
