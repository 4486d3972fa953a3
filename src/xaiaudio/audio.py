"""Sound files in and out: decode, resample, check."""

from __future__ import annotations

import io
import warnings
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import soundfile
import soxr

from .clock import clock
from .decoding import RATES, decode, stated_seconds
from .errors import XaiAudioError, XaiAudioWarning
from .files import check_name, whole

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from .decoding import Sound, Stream
    from .types import PathLike

SAMPLE_RATE = 16_000

#: File extension to what libsndfile calls the format and the kind of samples.
FORMATS = {
    ".wav": ("WAV", "PCM_16"),
    ".flac": ("FLAC", "PCM_16"),
    ".ogg": ("OGG", "VORBIS"),
    ".mp3": ("MP3", "MPEG_LAYER_III"),
}

#: Extensions of files that hold sounds to read.
EXTENSIONS = (
    *FORMATS,
    *(".m4a", ".aac", ".opus", ".oga", ".webm", ".mka", ".mp4", ".wma", ".amr", ".ac3", ".3gp"),
    *(".aif", ".aiff", ".aifc", ".au", ".caf", ".w64", ".rf64", ".ape", ".wv", ".tta"),
)

# Lossy codecs overshoot full scale a little; integers kept in a float file by far.
_MAX_PEAK = 16.0


def load_audio(
    path: PathLike,
    *,
    sample_rate: int = SAMPLE_RATE,
    strict: bool = False,
    channel: int | None = None,
    stream: int | None = None,
) -> np.ndarray:
    """Read a sound file as a mono waveform.

    Whole numbers become floats in [-1, 1], channels are averaged, the rate is changed with soxr's
    high-quality resampler. Samples beyond full scale (lossy codecs and resampling overshoot a
    little) are clipped. Silence is a sound like any other. Sounds that were joined in one file
    (chained Ogg, MP3 files put together) are read one after the other.

    Parameters
    ----------
    path : str or path-like
        WAV, FLAC, OGG, MP3, M4A (AAC, ALAC), WebM, and what else ffmpeg's libraries decode. The
        bytes decide, not the name.
    sample_rate : int
        Wanted rate in hertz, 100 to 1,000,000.
    strict : bool
        True refuses a file that is cut off or damaged. By default, what is there is read, with an
        `XaiAudioWarning`.
    channel : int, optional
        The channel to take, counted from 0; by default the mean of all. A warning says if the
        channels cancel in the mean, as those of a stereo file do whose one channel is inverted.
    stream : int, optional
        Of a file that holds several sounds side by side, as a film in two languages or a song with
        its stems, the one to take, counted from 0; by default the main one.

    Returns
    -------
    ndarray of float32, shape (samples,)
        In [-1, 1], always finite, at least one sample.

    Raises
    ------
    XaiAudioError
        If the file is missing, a folder, empty, not a sound, holds no samples, NaN or infinite
        values, samples far beyond full scale, or more than six hours; if its rate is none that
        sounds have (100 Hz to 1 MHz); if it has no such channel or stream; if it is incomplete and
        `strict`.

    Examples
    --------
    >>> import xaiaudio as xa
    >>> xa.load_audio("dog.wav").dtype  # doctest: +SKIP
    dtype('float32')
    """
    path = Path(path)
    check_rate(sample_rate)
    check_counted("channel", channel)
    check_counted("stream", stream)
    check_file(path)
    sound = decode(path, channel, stream)
    if not sum(len(wave) for wave, _ in sound.runs):
        cut = f" ({sound.missing})" if sound.missing else ""
        raise XaiAudioError(f"{path} holds no samples{cut}.")
    if strict and sound.missing:
        raise XaiAudioError(
            f"{path} is incomplete: {sound.missing}. Copy or export it again, or read what is "
            "there with strict=False."
        )
    wave = np.concatenate([_resampled(path, *run, sample_rate) for run in sound.runs])
    if wave.size == 0:
        raise XaiAudioError(f"{path} is too short to be a sound at {sample_rate} Hz.")
    warn(path, sound)
    return np.clip(wave, -1.0, 1.0).astype(np.float32, copy=False)


def duration(path) -> float:
    """Return how long a sound file lasts, in seconds.

    It is what the header states, if the file can hold so much; else, as for files without a
    length, cut off or joined ones, the sound is decoded to know.

    Raises
    ------
    XaiAudioError
        If the file is missing, a folder, empty or not a sound.
    """
    path = Path(path)
    check_file(path)
    stated = stated_seconds(path)
    return decode(path).seconds if stated is None else stated


def save_audio(path: PathLike, wave: ArrayLike, sample_rate: int = SAMPLE_RATE) -> Path:
    """Write a mono waveform; the extension (.wav, .flac, .ogg, .mp3) says the format.

    Samples beyond [-1, 1] are clipped. WAV and FLAC hold 16 bits. The file appears whole or not
    at all.

    Parameters
    ----------
    path : str or path-like
    wave : array_like of float, shape (samples,)
    sample_rate : int
        In hertz.

    Returns
    -------
    Path

    Raises
    ------
    XaiAudioError
        For another extension, a wave that is not a finite mono waveform, a rate that the format
        does not know, or a place that cannot be written to.

    Examples
    --------
    >>> import numpy as np
    >>> from xaiaudio.audio import load_audio, save_audio
    >>> len(load_audio(save_audio("tone.flac", np.zeros(16_000))))  # doctest: +SKIP
    16000
    """
    path = Path(path)
    data = encode_audio(wave, sample_rate, path.suffix)
    with whole(path) as partial:
        partial.write_bytes(data)
    return path


def encode_audio(wave, sample_rate: int = SAMPLE_RATE, format: str = ".mp3") -> bytes:
    """Return a mono waveform as the bytes of a sound file.

    Parameters
    ----------
    wave : array_like of float, shape (samples,)
        Samples beyond [-1, 1] are clipped.
    sample_rate : int
        In hertz.
    format : {".wav", ".flac", ".ogg", ".mp3"}

    Returns
    -------
    bytes

    Raises
    ------
    XaiAudioError
        As :func:`save_audio`.

    Examples
    --------
    >>> import numpy as np
    >>> encode_audio(np.zeros(16_000), 16_000, ".wav")[:4]
    b'RIFF'
    """
    if format.lower() not in FORMATS:
        raise XaiAudioError(
            f"Sounds cannot be written as {format or 'a file without extension'!r}: "
            f"choose one of {', '.join(FORMATS)}."
        )
    check_rate(sample_rate)
    wave = np.asarray(wave, np.float32)
    if wave.ndim != 1 or wave.size == 0 or not np.isfinite(wave).all():
        raise XaiAudioError("The sound to write must be a finite waveform of shape (samples,).")
    container, subtype = FORMATS[format.lower()]
    buffer = io.BytesIO()
    try:
        with soundfile.SoundFile(buffer, "w", sample_rate, 1, subtype, format=container) as file:
            # In blocks: libsndfile's Vorbis encoder overflows its stack on long arrays.
            for start in range(0, len(wave), 1 << 14):
                file.write(np.clip(wave[start : start + (1 << 14)], -1.0, 1.0))
    except (RuntimeError, ValueError) as error:
        raise XaiAudioError(
            f"A {container} file cannot hold this sound at {sample_rate} Hz: {error}"
        ) from error
    return buffer.getvalue()


def check_rate(rate: int) -> None:
    """Raise XaiAudioError unless a sample rate is a whole number of hertz that makes sense."""
    if (
        isinstance(rate, bool)
        or not isinstance(rate, (int, np.integer))
        or not RATES[0] <= rate <= RATES[1]
    ):
        raise XaiAudioError(
            f"The sample rate is {rate!r}: it must be a whole number of hertz, {RATES[0]} to "
            f"{RATES[1]}."
        )


def check_counted(what: str, number: int | None) -> None:
    """Raise XaiAudioError unless this is None or a number that counts from 0."""
    if number is None:
        return
    if isinstance(number, bool) or not isinstance(number, (int, np.integer)) or number < 0:
        raise XaiAudioError(f"The {what} is {number!r}: they are counted from 0.")


def check_file(path: Path) -> None:
    """Raise XaiAudioError unless this is an ordinary file that can be read and is not empty."""
    check_name(path)
    if path.is_dir():
        raise XaiAudioError(f"{path} is a folder: name a sound file in it.")
    if not path.exists():
        raise XaiAudioError(f"There is no file {path}.")
    if not path.is_file():
        raise XaiAudioError(f"{path} is not an ordinary file.")
    try:
        with open(path, "rb") as file:
            empty = not file.read(1)
    except OSError as error:
        raise XaiAudioError(f"Could not read {path}: {error.strerror or error}.") from error
    if empty:
        raise XaiAudioError(f"{path} is empty (0 bytes): it was perhaps never fully copied.")


def _resampled(path: Path, wave: np.ndarray, rate: int, wanted: int) -> np.ndarray:
    check_samples(path, wave, rate)
    return wave if rate == wanted else soxr.resample(wave, rate, wanted, quality="HQ")


def check_samples(path: Path, wave: np.ndarray, rate: int, start: float = 0.0) -> None:
    """Raise XaiAudioError for samples that are not finite, or far beyond full scale.

    `start` is where in the file the wave begins, in seconds.
    """
    bad = ~np.isfinite(wave)
    if bad.any():
        raise XaiAudioError(
            f"{path} holds NaN or infinite samples, the first at "
            f"{clock(start + bad.argmax() / rate, 3)}: export it again."
        )
    peak = np.abs(wave).max(initial=0)
    if peak > _MAX_PEAK:
        raise XaiAudioError(
            f"{path} has samples of {peak:g}, far beyond full scale (1): scale it to [-1, 1]."
        )


def warn(path: Path, sound: Sound | Stream) -> None:
    """Warn of what of a file could not be read, and of channels that cancel."""
    if sound.missing:
        warnings.warn(
            f"{path} is incomplete: {sound.missing}. The rest was read.",
            XaiAudioWarning,
            stacklevel=3,
        )
    if sound.cancelled:
        warnings.warn(
            f"The {sound.cancelled} channels of {path} cancel when they are averaged, so that "
            "little or nothing is left: take one, with channel=0.",
            XaiAudioWarning,
            stacklevel=3,
        )
