"""Sound files in and out: decode, resample, check."""

from __future__ import annotations

import contextlib
import io
import os
from pathlib import Path

import numpy as np
import soundfile
import soxr

from .errors import XaiAudioError
from .files import whole

SAMPLE_RATE = 16_000

#: File extension to what libsndfile calls the format and the kind of samples.
FORMATS = {
    ".wav": ("WAV", "PCM_16"),
    ".flac": ("FLAC", "PCM_16"),
    ".ogg": ("OGG", "VORBIS"),
    ".mp3": ("MP3", "MPEG_LAYER_III"),
}

# A header may promise anything: we read block by block and believe only what arrives.
_BLOCK = 1 << 18
_MAX_SECONDS = 6 * 3600
# Lossy codecs overshoot full scale a little; integers kept in a float file by far.
_MAX_PEAK = 16.0


def load_audio(path, *, sample_rate: int = SAMPLE_RATE) -> np.ndarray:
    """Read a sound file as a mono waveform.

    Whole numbers become floats in [-1, 1], channels are averaged, the rate is changed with soxr's
    high-quality resampler. Samples beyond full scale (lossy codecs and resampling overshoot a
    little) are clipped. Silence is a sound like any other.

    Parameters
    ----------
    path : str or path-like
        WAV, FLAC, OGG or MP3 (or whatever else libsndfile can read).
    sample_rate : int
        Wanted rate in hertz.

    Returns
    -------
    ndarray of float32, shape (samples,)
        In [-1, 1], always finite, at least one sample.

    Raises
    ------
    XaiAudioError
        If the file is missing, a folder, empty, not a sound, holds no samples, NaN or infinite
        values, samples far beyond full scale, or more than six hours.

    Examples
    --------
    >>> import xaiaudio as xa
    >>> xa.load_audio("dog.wav").dtype  # doctest: +SKIP
    dtype('float32')
    """
    path = Path(path)
    _check_rate(sample_rate)
    _check_file(path)
    wave, rate = _decode(path)
    _check_samples(path, wave, rate)
    if rate != sample_rate:
        wave = soxr.resample(wave, rate, sample_rate, quality="HQ")
    if wave.size == 0:
        raise XaiAudioError(f"{path} is too short to be a sound at {sample_rate} Hz.")
    return np.clip(wave, -1.0, 1.0).astype(np.float32, copy=False)


def duration(path) -> float:
    """Return how long a sound file says it lasts, in seconds, without decoding it.

    Raises
    ------
    XaiAudioError
        If the file is missing, a folder, empty or not a sound.
    """
    path = Path(path)
    _check_file(path)
    with _opened(path) as file:
        return file.frames / file.samplerate


def save_audio(path, wave, sample_rate: int = SAMPLE_RATE) -> Path:
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
    _check_rate(sample_rate)
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


def _check_rate(rate) -> None:
    if isinstance(rate, bool) or not isinstance(rate, (int, np.integer)) or rate < 1:
        raise XaiAudioError(f"The sample rate is {rate!r}: it must be a positive number of hertz.")


def _check_file(path: Path) -> None:
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


@contextlib.contextmanager
def _opened(path: Path):
    """Open a sound file; whatever libsndfile says against it becomes one line."""
    try:
        with soundfile.SoundFile(_address(path)) as file:
            yield file
    except (RuntimeError, TypeError, ValueError, AssertionError) as error:
        raise XaiAudioError(
            f"{path} cannot be read as sound (WAV, FLAC, OGG, MP3): it is another kind of file, "
            "or damaged."
        ) from error


def _decode(path: Path) -> tuple[np.ndarray, int]:
    """Read mono float32 samples and their rate."""
    blocks, seconds = [], 0.0
    with _opened(path) as file:
        rate = file.samplerate
        while len(block := file.read(_BLOCK, dtype="float32", always_2d=True)):
            blocks.append(block.mean(axis=1))
            seconds += len(block) / rate
            if seconds > _MAX_SECONDS:
                raise XaiAudioError(f"{path} lasts more than six hours: cut it first.")
    return np.concatenate(blocks) if blocks else np.zeros(0, np.float32), rate


def _address(path: Path) -> bytes | str:
    """Return a path as soundfile opens it, also where the name is no UTF-8."""
    return os.fsencode(path) if os.name == "posix" else str(path)


def _check_samples(path: Path, wave: np.ndarray, rate: int) -> None:
    if wave.size == 0:
        raise XaiAudioError(f"{path} holds no samples.")
    bad = ~np.isfinite(wave)
    if bad.any():
        raise XaiAudioError(
            f"{path} holds NaN or infinite samples, the first at {bad.argmax() / rate:.3f} s: "
            "export it again."
        )
    peak = np.abs(wave).max()
    if peak > _MAX_PEAK:
        raise XaiAudioError(
            f"{path} has samples of {peak:g}, far beyond full scale (1): scale it to [-1, 1]."
        )
