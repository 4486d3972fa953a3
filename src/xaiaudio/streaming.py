"""Sounds of any length: read, resampled and handed on block by block."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import soxr

from .audio import SAMPLE_RATE, check_file, check_rate, check_samples, warn
from .clock import clock
from .decoding import Stream, stated_seconds
from .errors import XaiAudioError

if TYPE_CHECKING:
    from .types import PathLike

# Seconds in a block, about: what is decoded or resampled at once.
BLOCK = 10.0


class Blocks:
    """A sound file as blocks of a mono waveform; no more than one is in memory.

    Put together, the blocks are what :func:`xaiaudio.load_audio` returns, to 1e-5: the resampler
    carries on from block to block.

    Parameters
    ----------
    path : str or path-like
        As for :func:`xaiaudio.load_audio`; any length.
    sample_rate : int
        Wanted rate in hertz.
    start, end : float, optional
        The seconds of the file to read; by default all. The resampler begins at `start`, as if the
        file did.
    block : float
        Length of a block in seconds, about.
    channel : int, optional
        The channel to take, counted from 0; by default the mean of all.

    Attributes
    ----------
    seconds : float
        How much was given so far.
    missing : str
        What of the file could not be read, known at its end; empty if it is whole.
    file_rate, channels : int
        As the file has them, known after the first block.
    cancelled : int
        Number of channels that cancel each other when they are averaged, known at the end.

    Raises
    ------
    XaiAudioError
        If the file is missing, a folder, empty, not a sound, or has no such channel; if it holds
        NaN or infinite samples, or some far beyond full scale, at the block that does; if `start`
        is behind its end, or no sample lies between the two.

    Examples
    --------
    >>> import numpy as np, xaiaudio as xa
    >>> from xaiaudio.audio import save_audio
    >>> from xaiaudio.streaming import Blocks
    >>> path = save_audio("tone.flac", np.zeros(40_000))  # doctest: +SKIP
    >>> [len(block) for block in Blocks(path, 16_000, block=1.0)]  # doctest: +SKIP
    [16000, 16000, 8000]
    """

    def __init__(
        self,
        path: PathLike,
        sample_rate: int = SAMPLE_RATE,
        *,
        start: float | None = None,
        end: float | None = None,
        block: float = BLOCK,
        channel: int | None = None,
    ):
        self.path, self.sample_rate = Path(path), sample_rate
        self.start, self.end = 0.0 if start is None else float(start), end
        check_rate(sample_rate)
        check_file(self.path)
        _check_span(self.start, end)
        if not block > 0:
            raise XaiAudioError(f"A block lasts {block} s: it must be a number above 0.")
        self._block, self._stream = block, Stream(self.path, channel)
        self.seconds, self.file_rate = 0.0, 0

    missing = property(lambda self: self._stream.missing)
    channels = property(lambda self: self._stream.channels)
    cancelled = property(lambda self: self._stream.cancelled)

    @property
    def expected(self) -> float | None:
        """How many seconds will come, if the file says how long it is."""
        whole = stated_seconds(self.path)
        if whole is None:
            return None if self.end is None else self.end - self.start
        return max(0.0, min(whole, np.inf if self.end is None else self.end) - self.start)

    def __iter__(self) -> Iterator[np.ndarray]:
        resample = None
        for wave, rate in self._pieces():
            self.file_rate = self.file_rate or rate
            if resample is None or resample.rate != rate:
                if resample is not None:
                    yield from self._given(resample.rest())
                resample = _Resampler(rate, self.sample_rate)
            yield from self._given(resample(wave))
        if resample is not None:
            yield from self._given(resample.rest())
        if not self.seconds:
            self._complain_of_nothing()
        warn(self.path, self._stream)

    def _pieces(self) -> Iterator[tuple[np.ndarray, int]]:
        """Give the samples between start and end, as the file has them."""
        place = 0.0  # of the first sample of the block
        for wave, rate in self._stream:
            first = max(0, round((self.start - place) * rate))
            last = len(wave)
            if self.end is not None:
                last = min(last, round((self.end - place) * rate))
            size = max(1, round(self._block * rate))
            for begin in range(first, last, size):
                piece = wave[begin : min(begin + size, last)]
                check_samples(self.path, piece, rate, place + begin / rate)
                yield piece, rate
            place += len(wave) / rate
            if self.end is not None and place >= self.end:
                return

    def _given(self, wave: np.ndarray) -> Iterator[np.ndarray]:
        if len(wave):
            self.seconds += len(wave) / self.sample_rate
            yield np.clip(wave, -1.0, 1.0).astype(np.float32, copy=False)

    def _complain_of_nothing(self) -> None:
        lasts = self._stream.seconds
        if self.start and self.start >= lasts:
            raise XaiAudioError(
                f"{self.path} lasts {clock(lasts)}: there is nothing from {clock(self.start)} on."
            )
        if self.end is not None:
            raise XaiAudioError(
                f"{self.path} has no sample from {clock(self.start)} to {clock(self.end)}."
            )
        if lasts:
            raise XaiAudioError(f"{self.path} is too short to be a sound at {self.sample_rate} Hz.")
        cut = f" ({self.missing})" if self.missing else ""
        raise XaiAudioError(f"{self.path} holds no samples{cut}.")


def excerpts(blocks: Iterable[np.ndarray], spans: Sequence[tuple[int, int]]) -> list[np.ndarray]:
    """Return some pieces of a sound that comes in blocks.

    Parameters
    ----------
    blocks : iterable of ndarray of float32, each (samples,)
    spans : sequence of (int, int)
        First sample of each piece and the one behind its last; in any order, and they may overlap.

    Returns
    -------
    list of ndarray of float32
        Shorter where the sound ends earlier.

    Examples
    --------
    >>> import numpy as np
    >>> from xaiaudio.streaming import excerpts
    >>> excerpts([np.arange(3.0), np.arange(3.0, 9.0)], [(2, 5), (7, 20)])
    [array([2., 3., 4.]), array([7., 8.])]
    """
    found: list[list[np.ndarray]] = [[] for _ in spans]
    place, last = 0, max((stop for _, stop in spans), default=0)
    for block in blocks:
        for pieces, (start, stop) in zip(found, spans, strict=True):
            piece = block[max(start - place, 0) : max(stop - place, 0)]
            if len(piece):
                pieces.append(piece)
        place += len(block)
        if place >= last:
            break
    nothing = np.zeros(0, np.float32)
    return [np.concatenate(pieces) if pieces else nothing for pieces in found]


class _Resampler:
    """Changes the rate of a sound that comes in pieces."""

    def __init__(self, rate: int, wanted: int):
        self.rate = rate
        self._stream = None
        if rate != wanted:
            self._stream = soxr.ResampleStream(rate, wanted, 1, dtype="float32", quality="HQ")

    def __call__(self, wave: np.ndarray) -> np.ndarray:
        return wave if self._stream is None else self._stream.resample_chunk(wave)

    def rest(self) -> np.ndarray:
        """Return what was held back, at the end."""
        nothing = np.zeros(0, np.float32)
        return nothing if self._stream is None else self._stream.resample_chunk(nothing, last=True)


def _check_span(start, end) -> None:
    if not 0 <= start < np.inf:
        raise XaiAudioError(f"A sound cannot be read from {start} s on: give 0 or more.")
    if end is not None and not start < end:
        raise XaiAudioError(
            f"A sound cannot be read from {clock(start)} to {clock(end)}: the end must come later."
        )
