"""The two decoders of sound files: libsndfile, and PyAV for what libsndfile reads not or wrongly.

libsndfile gets files whose structure is that of a healthy WAV, FLAC, Ogg or MP3. Everything else is
for PyAV (ffmpeg's libraries), which is imported only then.
"""

from __future__ import annotations

import contextlib
import io
import mmap
import os
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import soundfile

from . import signatures
from .containers import Part, parts
from .errors import XaiAudioError

#: Rates that sounds have, in hertz.
RATES = (100, 1_000_000)

# A header may promise anything: we read block by block and believe only what arrives.
_BLOCK = 1 << 18
_MAX_SECONDS = 6 * 3600
_MAX_SAMPLES = 1 << 30
# A file of so many bytes holds no more samples than this factor of it, or its header is wrong.
_MAX_RATIO = 1 << 13
# Channels whose mean has less than this share of the power of independent ones cancel.
_CANCEL = 0.02

# What PyAV may take a file for. Playlists and their kind, which name other files, are not in it.
_FORMATS = (
    "wav,w64,mp3,flac,ogg,mov,matroska,webm,aac,aiff,au,caf,asf,amr,ac3,eac3,avi,flv,mpegts,mpeg,"
    "ape,wv,tta,tak,dsf,mpc,mpc8,dts,loas"
)

_LIBSNDFILE_ERRORS = (RuntimeError, TypeError, ValueError, AssertionError)


class _CannotRead(Exception):
    """A decoder does not read this file."""


@dataclass
class Sound:
    """What was read of a file.

    Attributes
    ----------
    runs : list of tuple
        Waveforms, float32 (samples,), each with its rate in hertz, one after the other. Most
        files have one.
    missing : str
        What of the file could not be read; empty if it is whole.
    cancelled : int
        Number of channels that cancelled each other when averaged; 0 if they did not.
    """

    runs: list[tuple[np.ndarray, int]] = field(default_factory=list)
    missing: str = ""
    cancelled: int = 0

    @property
    def seconds(self) -> float:
        """How long it lasts."""
        return sum(len(wave) / rate for wave, rate in self.runs)


def decode(path: Path, channel: int | None = None, stream: int | None = None) -> Sound:
    """Read all the sound in a file.

    Parameters
    ----------
    path : Path
        An ordinary file that can be opened and is not empty.
    channel : int, optional
        The channel to take, counted from 0; by default the mean of all.
    stream : int, optional
        Of a file that holds several sounds side by side, the one to read, counted from 0. By
        default the one that ffmpeg's libraries find best.

    Raises
    ------
    XaiAudioError
        If it is no sound, lasts too long, or has a rate that no sound has, or not this channel or
        stream.
    """
    collected, missing, failure = _Collector(path, channel), [], None
    with _bytes_of(path) as data:
        found = parts(data) if stream is None else []
        found = found or [Part(0, len(data), plain=False)]
        head = data[:4096]
        for part in found:
            # By its name libsndfile reads a file faster than through Python.
            alone = len(found) == 1
            source = _address(path) if alone else io.BytesIO(data[part.start : part.stop])
            before = collected.seconds
            try:
                window = _Window(data, part.start, part.stop)
                lost = _read(source, window, part, collected, stream)
                missing.append(_missing(part, collected.seconds - before) or lost)
            except _CannotRead as error:
                failure = str(error)
                missing.append("one of the sounds in it cannot be decoded")
    if failure is not None and not collected.blocks:
        if failure:
            raise XaiAudioError(f"{path} {failure}")
        raise XaiAudioError(signatures.describe(path, head))
    return collected.sound(next(filter(None, missing), ""))


@contextlib.contextmanager
def _bytes_of(path: Path):
    """Yield a file's bytes; only those that are looked at are read."""
    with open(path, "rb") as file:
        try:
            mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        except (OSError, ValueError):  # some file systems cannot
            yield file.read()
            return
        with mapped:
            yield mapped


def stated_seconds(path: Path) -> float | None:
    """Return how long a sound file says it lasts; None if it must be decoded to know."""
    with _bytes_of(path) as data:
        found, size = parts(data), len(data)
    if len(found) != 1 or not found[0].plain or found[0].cut:
        return None
    try:
        with soundfile.SoundFile(_address(path)) as file:
            frames, rate = file.frames, file.samplerate
            if found[0].stated is not None:  # is the last sample there?
                file.seek(frames - 1)
                frames = frames if len(file.read(1)) else 0
    except _LIBSNDFILE_ERRORS:
        return None
    if found[0].samples is not None:
        frames = found[0].samples if frames >= found[0].samples else 0
    if not 0 < frames < size * _MAX_RATIO or not RATES[0] <= rate <= RATES[1]:
        return None
    return frames / rate


def _missing(part: Part, seconds: float) -> str:
    if part.stated is not None and seconds < part.stated - 1e-3:
        return f"it holds {seconds:.2f} s of the {part.stated:.2f} s that its header states"
    return f"it ends too early, after {seconds:.2f} s" if part.cut else ""


def _address(path: Path) -> bytes | str:
    """Return a path as soundfile opens it, also where the name is no UTF-8."""
    return os.fsencode(path) if os.name == "posix" else str(path)


class _Window:
    """Some bytes of a file as PyAV reads them: a wrong place to seek is no exception."""

    def __init__(self, data, start: int, stop: int):
        self.data, self.start, self.stop, self.place = data, start, stop, start

    def read(self, count: int) -> bytes:
        found = self.data[self.place : min(self.place + count, self.stop)]
        self.place += len(found)
        return found

    def seek(self, offset: int, whence: int = 0) -> int:
        place = (self.start, self.place, self.stop)[whence] + offset
        if not self.start <= place <= self.stop:
            return -1
        self.place = place
        return self.tell()

    def tell(self) -> int:
        return self.place - self.start


class _Collector:
    """Gathers blocks of samples, mixed to one channel, in runs of one rate."""

    def __init__(self, path: Path, channel: int | None):
        self.path, self.channel = path, channel
        self.blocks: list[tuple[np.ndarray, int]] = []
        self.seconds, self.samples = 0.0, 0
        self.channels, self.power, self.mixed_power = 1, 0.0, 0.0

    def add(self, block: np.ndarray, rate: int) -> None:
        """Take a block, float32 (samples, channels)."""
        self.check_rate(rate)
        self.seconds += len(block) / rate
        self.samples += len(block)
        if self.seconds > _MAX_SECONDS:
            raise XaiAudioError(f"{self.path} lasts more than six hours: cut it first.")
        if self.samples > _MAX_SAMPLES:
            raise XaiAudioError(f"{self.path} has more than {_MAX_SAMPLES} samples: cut it first.")
        self.blocks.append((self._mixed(block), rate))

    def check_rate(self, rate: int) -> None:
        if not RATES[0] <= rate <= RATES[1]:
            raise XaiAudioError(
                f"{self.path} states a rate of {rate} Hz, which no sound has "
                f"({RATES[0]} to {RATES[1]} Hz): export it again."
            )

    def _mixed(self, block: np.ndarray) -> np.ndarray:
        channels = block.shape[1]
        if self.channel is not None:
            if self.channel >= channels:
                raise XaiAudioError(
                    f"{self.path} has no channel {self.channel}: it has {channels}, counted from 0."
                )
            return np.ascontiguousarray(block[:, self.channel])
        mixed = block.mean(axis=1)
        if channels > 1:
            with np.errstate(all="ignore"):
                self.power += float(np.vdot(block, block)) / channels
                self.mixed_power += float(np.vdot(mixed, mixed)) * channels
            self.channels = channels
        return mixed

    def mark(self) -> tuple:
        """Return where the collection stands."""
        return len(self.blocks), self.seconds, self.samples, self.power, self.mixed_power

    def back_to(self, mark: tuple) -> None:
        """Forget what came after a mark."""
        count, self.seconds, self.samples, self.power, self.mixed_power = mark
        del self.blocks[count:]

    def trim(self, seconds: float) -> None:
        """Take the last samples off, if they are no more than an encoder adds."""
        if not self.blocks:
            return
        block, rate = self.blocks.pop()
        extra = round(seconds * rate)
        kept = block[: len(block) - extra] if 0 < extra <= min(len(block), 4096) else block
        self.blocks.append((kept, rate))
        self.samples -= len(block) - len(kept)
        self.seconds -= (len(block) - len(kept)) / rate

    def sound(self, missing: str) -> Sound:
        """Join the blocks of one rate that follow each other."""
        runs: list[tuple[list, int]] = []
        for block, rate in self.blocks:
            if not runs or runs[-1][1] != rate:
                runs.append(([], rate))
            runs[-1][0].append(block)
        self.blocks = []
        joined = [(np.concatenate(blocks), rate) for blocks, rate in runs]
        cancelled = self.power > 0 and self.mixed_power < _CANCEL * self.power
        return Sound(joined, missing, self.channels if cancelled else 0)


def _read(source, window: _Window, part: Part, collected: _Collector, stream=None) -> str:
    """Read one sound with the decoder that can; return what could not be read of it."""
    mark = collected.mark()
    if part.plain:
        try:
            _libsndfile(source, part, collected)
            return ""
        except _CannotRead:
            collected.back_to(mark)
    try:
        return _av(window, collected, stream)
    except _CannotRead:
        collected.back_to(mark)
        # AIFF with samples that ffmpeg does not know. libsndfile is not safe with CHAN.
        if window.data[:4] != b"FORM" or window.data.find(b"CHAN") >= 0:
            raise
    _libsndfile(source, part, collected)
    return ""


def _libsndfile(source, part: Part, collected: _Collector) -> None:
    try:
        with soundfile.SoundFile(source) as file:
            if part.samples is not None and file.frames < part.samples:
                raise _CannotRead  # it would stop there
            collected.check_rate(file.samplerate)
            size = 8 * _BLOCK // max(file.channels, 8)
            while len(block := file.read(size, dtype="float32", always_2d=True)):
                collected.add(block, file.samplerate)
    except _LIBSNDFILE_ERRORS as error:
        raise _CannotRead from error


def _av(window: _Window, collected: _Collector, number: int | None = None) -> str:
    """Read with PyAV; return what could not be read."""
    import av

    try:
        with av.open(window, "r", options={"format_whitelist": _FORMATS}) as container:
            sounds = container.streams.audio
            if not sounds:
                raise _CannotRead("holds no sound, only pictures or text.")
            if number is not None and number >= len(sounds):
                raise _CannotRead(f"has no sound {number}: it has {len(sounds)}, counted from 0.")
            stream = container.streams.best("audio") if number is None else sounds[number]
            if stream is None or stream.codec_context is None:
                raise _CannotRead("holds sound of a codec that cannot be decoded here.")
            before = collected.seconds
            damaged = _av_frames(container.demux(stream), collected)
            return _av_end(container, stream, collected, collected.seconds - before, damaged)
    except (av.FFmpegError, ValueError, NotImplementedError) as error:
        raise _CannotRead from error


def _av_frames(packets, collected: _Collector) -> int:
    """Decode packet by packet; return how many are damaged."""
    import av

    damaged = 0
    while True:
        try:
            packet = next(packets, None)
        except av.FFmpegError:  # what follows cannot be found any more
            return damaged + 1
        if packet is None:
            return damaged
        try:
            for frame in packet.decode():
                collected.add(_av_samples(frame), frame.sample_rate)
        except av.FFmpegError:
            damaged += 1


def _av_samples(frame) -> np.ndarray:
    """Return a frame as float32 (samples, channels); whole numbers become [-1, 1)."""
    values = frame.to_ndarray()
    values = values.T if frame.format.is_planar else values.reshape(frame.samples, -1)
    if values.dtype == np.uint8:
        return (values.astype(np.float32) - 128) / 128
    if values.dtype.kind == "i":
        return (values * 0.5 ** (8 * values.dtype.itemsize - 1)).astype(np.float32)
    return values.astype(np.float32)


def _av_end(container, stream, collected, seconds: float, damaged: int) -> str:
    """Take off what an encoder added to fill its last frame; say what is missing."""
    if not seconds and damaged:
        raise _CannotRead
    stated = None
    if container.format.name.startswith("mov") and stream.duration:
        stated = float(stream.duration * stream.time_base)
        collected.trim(seconds - stated)
    elif container.format.name.startswith("matroska") and container.duration:
        stated = container.duration / 1_000_000
    if stated is not None and seconds < stated - 0.1:
        return f"it holds {seconds:.2f} s of the {stated:.2f} s that its header states"
    if damaged:
        return f"damage at {damaged} place{'s' if damaged > 1 else ''} was passed over"
    return ""
