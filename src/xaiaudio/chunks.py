"""Sound files that are made of chunks, each with a name and a size: WAV, AIFF, CAF and others."""

from __future__ import annotations

import struct

# Sizes from here on are what recorders write that do not know how much will come.
UNKNOWN_SIZE = 0x7FFF_F000
_WAVES = (b"RIFF", b"RIFX", b"RF64")
# What players write behind the last chunk of a WAV file.
_TAGS = (b"ID3", b"TAG", b"APETAGEX", b"LYRICSBEGIN")
# How much of what follows the last chunk is looked at.
_SEARCHED = 1 << 18


def is_wave(head) -> bool:
    """Tell whether a file's first twelve bytes are those of WAV."""
    return head[:4] in _WAVES and head[8:12] == b"WAVE"


def after_chunks(data, place: int, order: str) -> int:
    """Return where the chunks end that begin at `place`: at the file's end, if all is well."""
    while place + 8 <= len(data):
        name, length = struct.unpack_from(order + "4sI", data, place)
        after = place + 8 + length + length % 2
        if name in _WAVES or not name.isascii() or after > len(data) + 1:
            return place
        place = after
    return place if place <= len(data) else len(data)


def unmentioned(data, place: int, bytes_per_second) -> str:
    """Say how much lies behind the end that a header states: perhaps it was never brought up."""
    rest = len(data) - place
    if rest < max((bytes_per_second or 0) // 10, 1000) or data[place : place + 11].startswith(
        _TAGS
    ):
        return ""
    if not data[place : place + _SEARCHED].strip(b"\0"):
        return ""  # filled up
    return f"{rest} bytes behind the end that its header states were passed over"


def ends_early(data) -> bool:
    """Tell whether a file of AIFF, CAF, AU, Wave64 or AVI is shorter than its header says."""
    size, head = len(data), bytes(data[:40])
    if len(head) < 40:
        return False
    if head[:4] == b"FORM" and head[8:12] in (b"AIFF", b"AIFC"):
        return _chunk_ends_early(data, 12, ">4sI", b"SSND", even=True)
    if head[:4] == b"caff":
        return _chunk_ends_early(data, 8, ">4sq", b"data")
    if head[:4] == b".snd":
        start, length = struct.unpack_from(">II", head, 4)
        return length < UNKNOWN_SIZE and start + length > size
    if head[:4] == b"riff" and head[24:28] == b"wave":
        return size < struct.unpack_from("<q", head, 16)[0]
    if head[:4] == b"RIFF" and head[8:12] == b"AVI ":
        return size < struct.unpack_from("<I", head, 4)[0] + 8 < UNKNOWN_SIZE
    return False


def unfilled(data) -> tuple[tuple[int, bytes], ...]:
    """Say what a header of AU or Wave64 would state, had its recorder not stopped before.

    Parameters
    ----------
    data : bytes or mmap

    Returns
    -------
    tuple of pairs
        Places and what should stand there; empty where the header states how much there is.
    """
    size, head = len(data), bytes(data[:40])
    if head[:4] == b".snd" and head[8:12] == bytes(4):
        return ((8, b"\xff" * 4),)  # how AU says that it does not know
    if head[:4] != b"riff" or head[24:28] != b"wave":
        return ()
    place = 40
    while place + 24 <= size:
        name, length = struct.unpack_from("<4s12xQ", data, place)
        if name == b"data":
            filled = 24 < length < UNKNOWN_SIZE << 24
            stated = struct.pack("<Q", size), struct.pack("<Q", size - place)
            return () if filled else ((16, stated[0]), (place + 16, stated[1]))
        place += max(24, length + -length % 8)
    return ()


def _chunk_ends_early(data, place: int, form: str, wanted: bytes, even: bool = False) -> bool:
    """Tell whether the chunk with the samples says that it is longer than the file."""
    size, width = len(data), struct.calcsize(form)
    while place + width <= size:
        name, length = struct.unpack_from(form, data, place)
        place += width
        if name == wanted:
            return place + length > size and length < UNKNOWN_SIZE
        if length < 0:
            return False
        place += length + (length % 2 if even else 0)
    return False
