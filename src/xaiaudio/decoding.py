"""The two decoders of sound files: libsndfile, and PyAV for what libsndfile reads not or wrongly.

libsndfile gets files whose structure is that of a healthy WAV, FLAC, Ogg or MP3. Everything else is
for PyAV (ffmpeg's libraries), which is imported only then.
"""

from __future__ import annotations

import contextlib
import io
import mmap
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import soundfile

from . import signatures
from .clock import clock
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
    "ape,wv,tta,tak,dsf,mpc,mpc8,dts,loas,nistsphere"
)

_LIBSNDFILE_ERRORS = (RuntimeError, TypeError, ValueError, AssertionError)


class _CannotRead(Exception):
    """A decoder does not read this file."""


class _GivesUp(_CannotRead):
    """A decoder began to read this file, and came to a place where it could not go on."""


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


class Stream:
    """The sound in a file, block by block, so that no more than a block is in memory.

    Iterated, once, it gives waveforms, float32 (samples,), each with its rate in hertz. What it
    says of the whole file is complete when the last block was given.

    Parameters
    ----------
    path : Path
        An ordinary file that can be opened and is not empty.
    channel : int, optional
        The channel to take, counted from 0; by default the mean of all.
    stream : int, optional
        Of a file that holds several sounds side by side, the one to read, counted from 0. By
        default the one that ffmpeg's libraries find best.

    Attributes
    ----------
    missing : str
        What of the file could not be read; empty if it is whole.
    seconds : float
        How much was read.
    samples : int
        The same in samples.
    channels : int
        That the sound has.
    cancelled : int
        Number of channels that cancelled each other when averaged; 0 if they did not.

    Raises
    ------
    XaiAudioError
        If it is no sound, or has a rate that no sound has, or not this channel or stream.
    """

    def __init__(self, path: Path, channel: int | None = None, stream: int | None = None):
        self.path, self.missing = path, ""
        self._number, self._tally = stream, _Tally(path, channel)

    seconds = property(lambda self: self._tally.seconds)
    samples = property(lambda self: self._tally.samples)
    channels = property(lambda self: self._tally.channels)
    cancelled = property(lambda self: self._tally.cancelled)

    def __iter__(self) -> Iterator[tuple[np.ndarray, int]]:
        tally, missing, failure = self._tally, [], None
        with _bytes_of(self.path) as data:
            found = parts(data) if self._number is None else []
            found = found or [Part(0, len(data), plain=False)]
            head = data[:4096]
            for part in found:
                # By its name libsndfile reads a file faster than through Python.
                alone = len(found) == 1
                source = _address(self.path) if alone else io.BytesIO(data[part.start : part.stop])
                before = tally.seconds
                try:
                    window = _Window(data, part)
                    lost = yield from _read(source, window, part, tally, self._number)
                    missing.append(_missing(part, tally.seconds - before) or part.lost or lost)
                except _CannotRead as error:
                    failure = str(error)
                    missing.append("one of the sounds in it cannot be decoded")
        if failure is not None and not tally.given:
            if failure:
                raise XaiAudioError(f"{self.path} {failure}")
            raise XaiAudioError(signatures.describe(self.path, head))
        self.missing = next(filter(None, missing), "")


def decode(path: Path, channel: int | None = None, stream: int | None = None) -> Sound:
    """Read all the sound in a file.

    Parameters
    ----------
    path, channel, stream
        As for `Stream`.

    Raises
    ------
    XaiAudioError
        As `Stream`, and if it lasts too long.
    """
    reading = Stream(path, channel, stream)
    runs: list[tuple[list, int]] = []
    for block, rate in reading:
        if reading.seconds > _MAX_SECONDS:
            raise XaiAudioError(f"{path} lasts more than six hours: cut it first.")
        if reading.samples > _MAX_SAMPLES:
            raise XaiAudioError(f"{path} has more than {_MAX_SAMPLES} samples: cut it first.")
        # Blocks of one rate that follow each other are one run.
        if not runs or runs[-1][1] != rate:
            runs.append(([], rate))
        runs[-1][0].append(block)
    joined = []
    while runs:
        blocks, rate = runs.pop(0)
        joined.append((np.concatenate(blocks), rate))
    return Sound(joined, reading.missing, reading.cancelled)


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
        return _less(seconds, part.stated)
    return f"it ends too early, after {clock(seconds, 2)}" if part.cut else ""


def _less(seconds: float, stated: float) -> str:
    return f"it holds {clock(seconds, 2)} of the {clock(stated, 2)} that its header states"


def _address(path: Path) -> bytes | str:
    """Return a path as soundfile opens it, also where the name is no UTF-8."""
    return os.fsencode(path) if os.name == "posix" else str(path)


class _Window:
    """Some bytes of a file as PyAV reads them: a wrong place to seek is no exception."""

    def __init__(self, data, part: Part):
        self.data, self.start, self.stop, self.place = data, part.start, part.stop, part.start
        self.filled = part.filled

    def read(self, count: int) -> bytes:
        first, stop = self.place, min(self.place + count, self.stop)
        found = self.data[first:stop]
        for place, said in self.filled:
            low, high = max(place, first), min(place + len(said), stop)
            if low < high:
                part = said[low - place : high - place]
                found = found[: low - first] + part + found[high - first :]
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


class _Tally:
    """Counts the samples that are read, and mixes them to one channel."""

    def __init__(self, path: Path, channel: int | None):
        self.path, self.channel = path, channel
        self.seconds, self.samples, self.given = 0.0, 0, 0
        self.channels, self.power, self.mixed_power = 1, 0.0, 0.0

    @property
    def cancelled(self) -> int:
        faint = self.power > 0 and self.mixed_power < _CANCEL * self.power
        return self.channels if faint else 0

    def take(self, block: np.ndarray, rate: int) -> tuple[np.ndarray, int]:
        """Return a block, float32 (samples, channels), as one channel, without what was given."""
        self.check_rate(rate)
        self.seconds += len(block) / rate
        self.samples += len(block)
        mixed = self._mixed(block)
        new = min(max(self.samples - self.given, 0), len(mixed))
        self.given = max(self.given, self.samples)
        return mixed[len(mixed) - new :], rate

    def check_rate(self, rate: int) -> None:
        if not RATES[0] <= rate <= RATES[1]:
            raise XaiAudioError(
                f"{self.path} states a rate of {rate} Hz, which no sound has "
                f"({RATES[0]} to {RATES[1]} Hz): export it again."
            )

    def _mixed(self, block: np.ndarray) -> np.ndarray:
        channels = block.shape[1]
        self.channels = max(self.channels, channels)
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
        return mixed

    def mark(self) -> tuple:
        """Return where the counting stands."""
        return self.seconds, self.samples, self.power, self.mixed_power

    def back_to(self, mark: tuple) -> None:
        """Count again from a mark; what was given since then will not be given again."""
        self.seconds, self.samples, self.power, self.mixed_power = mark

    def trimmed(self, step: tuple[np.ndarray, int], seconds: float) -> tuple[np.ndarray, int]:
        """Take the last samples off, if they are no more than an encoder adds."""
        block, rate = step
        extra = round(seconds * rate)
        if not 0 < extra <= min(len(block), 4096):
            return step
        self.samples -= extra
        self.given -= extra
        self.seconds -= extra / rate
        return block[: len(block) - extra], rate


def _read(source, window: _Window, part: Part, tally: _Tally, stream=None):
    """Read one sound with the decoder that can, block by block; return what could not be read.

    Where one decoder gives up, the other goes on at that sample.
    """
    mark, damage = tally.mark(), ""
    if part.plain:
        try:
            yield from _libsndfile(source, part, tally)
            return ""
        except _CannotRead as error:
            tally.back_to(mark)
            # The other decoder does not look at the checksums of these.
            checked = window.data[part.start : part.start + 4] in (b"fLaC", b"OggS")
            if checked and isinstance(error, _GivesUp):
                damage = "damage in it was passed over"
    try:
        return (yield from _av(window, tally, stream)) or damage
    except _CannotRead:
        tally.back_to(mark)
        # AIFF with samples that ffmpeg does not know. libsndfile is not safe with CHAN.
        if window.data[:4] != b"FORM" or window.data.find(b"CHAN") >= 0:
            raise
    yield from _libsndfile(source, part, tally)
    return ""


def _libsndfile(source, part: Part, tally: _Tally):
    try:
        with soundfile.SoundFile(source) as file:
            if part.samples is not None and file.frames < part.samples:
                raise _CannotRead  # it would stop there
            tally.check_rate(file.samplerate)
            size = 8 * _BLOCK // max(file.channels, 8)
            try:
                while len(block := file.read(size, dtype="float32", always_2d=True)):
                    yield tally.take(block, file.samplerate)
            except _LIBSNDFILE_ERRORS as error:
                raise _GivesUp from error
    except _LIBSNDFILE_ERRORS as error:
        raise _CannotRead from error


def _av(window: _Window, tally: _Tally, number: int | None = None):
    """Read with PyAV, block by block; return what could not be read."""
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
                raise _CannotRead(
                    "holds sound of a codec that cannot be decoded here: "
                    f"{signatures.convert(tally.path)}."
                )
            _keep_the_end(container, stream)
            damaged: list[float] = []
            before, last = tally.seconds, None
            for step in _av_frames(container.demux(stream), tally, damaged):
                # The last one is held back: an encoder may have filled it up.
                if last is not None:
                    yield last
                last = step
            lost, extra = _av_end(container, stream, tally.seconds - before, damaged)
            if last is not None:
                yield tally.trimmed(last, extra)
            return lost
    except (av.FFmpegError, ValueError, NotImplementedError) as error:
        raise _CannotRead from error


def _keep_the_end(container, stream) -> None:
    """Keep what ffmpeg's libraries cut off the end of ALAC in CAF, which fills nothing up."""
    if container.format.name == "caf" and stream.codec_context.name == "alac":
        stream.codec_context.flags2 |= 1 << 29  # AV_CODEC_FLAG2_SKIP_MANUAL


def _av_frames(packets, tally: _Tally, damaged: list):
    """Decode packet by packet; write down when one is damaged."""
    import av

    while True:
        try:
            packet = next(packets, None)
        except av.FFmpegError:  # what follows cannot be found any more
            damaged.append(tally.seconds)
            return
        if packet is None:
            return
        try:
            for frame in packet.decode():
                yield tally.take(_av_samples(frame), frame.sample_rate)
        except av.FFmpegError:
            damaged.append(tally.seconds)


def _av_samples(frame) -> np.ndarray:
    """Return a frame as float32 (samples, channels); whole numbers become [-1, 1)."""
    values = frame.to_ndarray()
    values = values.T if frame.format.is_planar else values.reshape(frame.samples, -1)
    if values.dtype == np.uint8:
        return (values.astype(np.float32) - 128) / 128
    if values.dtype.kind == "i":
        return (values * 0.5 ** (8 * values.dtype.itemsize - 1)).astype(np.float32)
    return values.astype(np.float32)


def _av_end(container, stream, seconds: float, damaged: list) -> tuple[str, float]:
    """Say what is missing, and by how many seconds an encoder filled up its last frame."""
    if not seconds and damaged:
        raise _CannotRead
    stated, extra = None, 0.0
    if container.format.name.startswith(("mov", "caf")) and stream.duration:
        stated = float(stream.duration * stream.time_base)
        extra = seconds - stated
    elif container.format.name.startswith("matroska") and container.duration:
        stated = container.duration / 1_000_000
    if stated is not None and seconds < stated - 0.1:
        return _less(seconds, stated), extra
    if damaged:
        places = f"{len(damaged)} places" if len(damaged) > 1 else "1 place"
        first = clock(damaged[0], 2)
        return f"damage at {places} was passed over, the first at {first}", extra
    return "", extra
