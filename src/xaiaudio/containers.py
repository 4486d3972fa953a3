"""What the structure of a sound file says, without decoding: its parts, and whether it is whole.

A file may hold several sounds, one after the other: Ogg streams are chained, and others are joined
by people. Its header may be missing, cut off, or say less than there is. All functions
take the bytes of a file (or an `mmap` of it) and look at no more of them than they need.
"""

from __future__ import annotations

import functools
import struct
import zlib
from dataclasses import dataclass

from .chunks import UNKNOWN_SIZE, after_chunks, ends_early, is_wave, unfilled, unmentioned

# Kinds of samples in WAV that libsndfile reads and that are common: PCM, MS ADPCM, float, A-law,
# mu-law, IMA ADPCM, GSM, and the extensible form.
_WAV_CODES = {1, 2, 3, 6, 7, 0x11, 0x31, 0xFFFE}
# How many damaged or foreign bytes to look through for the next frame.
_LOST = 1 << 18
# Where the last frame of a FLAC file begins, before its end at most.
_LAST = 1 << 17
# Larger files are not searched for a second FLAC file.
_SEARCHED = 1 << 30


@dataclass(frozen=True)
class Part:
    """One sound in a file.

    Attributes
    ----------
    start, stop : int
        Its bytes.
    plain : bool
        Whether libsndfile can be expected to read all of it.
    samples : int or None
        Least number of samples (of each channel) that a decoder must find; None if not counted.
    stated : float or None
        Duration that the header states, in seconds, where it may be more than there is.
    cut : bool
        Whether the structure ends too early.
    lost : str
        What of it cannot be read although it is there; empty for nothing.
    filled : tuple of pairs
        Places of the header that a stopped recorder never filled in, and what should stand there.
    """

    start: int
    stop: int
    plain: bool = True
    samples: int | None = None
    stated: float | None = None
    cut: bool = False
    lost: str = ""
    filled: tuple[tuple[int, bytes], ...] = ()


def parts(data) -> list[Part]:
    """Return the sounds in a file; an empty list where its structure is none of those known."""
    start = _after_id3(data, 0)
    head = bytes(data[start : start + 12])
    if is_wave(head):
        return _wavs(data)
    if head[:4] == b"fLaC":
        return _flac(data, start)
    if head[:4] == b"OggS":
        return _ogg(data)
    if start or _frame(head[:4]):
        return _mp3(data, start)
    if head[4:8] == b"ftyp":
        return _mp4(data)
    if filled := unfilled(data):
        return [Part(0, len(data), plain=False, filled=filled)]
    # For these the other decoder does not say that they end too early.
    return [Part(0, len(data), plain=False, cut=True)] if ends_early(data) else []


def _after_id3(data, place: int) -> int:
    """Return where an ID3v2 tag that may begin at `place` ends."""
    while data[place : place + 3] == b"ID3" and len(data) >= place + 10:
        sizes = data[place + 6 : place + 10]
        place += 10 + sum((size & 127) << (21 - 7 * number) for number, size in enumerate(sizes))
    return place


# --- WAV and MP4


def _wavs(data) -> list[Part]:
    """Return the WAV file, and those that were joined to it."""
    found = [_wav(data, 0)]
    while found[-1].stop < len(data):
        found.append(_wav(data, found[-1].stop))
    return found


def _wav(data, start: int) -> Part:
    """Return the WAV file that begins at `start`, which ends early only where another begins."""
    size, order = len(data), ">" if data[start : start + 4] == b"RIFX" else "<"
    code = bytes_per_second = long_size = None
    block = long_place = 0
    place, plain = start + 12, True
    while place + 8 <= size:
        name, length = struct.unpack_from(order + "4sI", data, place)
        place += 8
        if name == b"ds64" and place + 16 <= size:
            long_place, long_size = place, struct.unpack_from("<Q", data, place + 8)[0]
        elif name == b"fmt " and place + 16 <= size:
            code, _, _, bytes_per_second, block = struct.unpack_from(order + "HHIIH", data, place)
            plain = code in _WAV_CODES
        elif name == b"data":
            break
        place += length + length % 2
    else:
        return Part(start, size, plain=False)
    if (
        code and length == 0xFFFF_FFFF and long_size in (0, 0xFFFF_FFFF_FFFF_FFFF)
    ):  # a stopped recorder
        sizes = struct.pack("<QQQ", size - start - 8, size - place, (size - place) // max(block, 1))
        return Part(start, size, plain=False, filled=((long_place, sizes),))
    if length == 0xFFFF_FFFF and long_size:
        length = long_size
    end = after_chunks(data, place + length + length % 2, order)
    if code is None or (length == 0 and end != size):
        return Part(start, size, plain=False)  # the other decoder finds the header, or the end
    there = size - place
    if length < there + max(block, 1) or (length >= UNKNOWN_SIZE and not long_size):
        if end < size and is_wave(data[end : end + 12]):
            return Part(start, end, plain=plain)
        return Part(start, size, plain=plain, lost=unmentioned(data, end, bytes_per_second))
    stated = length / bytes_per_second if bytes_per_second else None
    return Part(start, size, plain=plain, stated=stated, cut=True)


def _mp4(data) -> list[Part]:
    """Return the MP4 files that were joined, each of which begins with a box that says so."""
    starts, place = [0], 0
    while place + 16 <= len(data):
        length, name, long_length = struct.unpack_from(">I4sQ", data, place)
        if name == b"ftyp" and place:
            starts.append(place)
        length = long_length if length == 1 else length
        if length < 8:  # up to the end, or damaged
            break
        place += length
    ends = [*starts[1:], len(data)]
    return [Part(*ends_of, plain=False) for ends_of in zip(starts, ends, strict=True)]


# --- FLAC


def _flac(data, start: int) -> list[Part]:
    starts = [start]
    while len(data) < _SEARCHED and (found := _next_flac(data, starts[-1] + 8)) > 0:
        starts.append(found)
    ends = [*starts[1:], len(data)]
    return [
        _flac_part(data, first, 0 if first == start else first, stop)
        for first, stop in zip(starts, ends, strict=True)
    ]


def _next_flac(data, place: int) -> int:
    while (place := data.find(b"fLaC", place)) > 0:
        if data[place + 4 : place + 8] in (b"\x00\x00\x00\x22", b"\x80\x00\x00\x22"):
            return place
        place += 4
    return -1


def _flac_part(data, head: int, start: int, stop: int) -> Part:
    if stop < head + 26:
        return Part(start, stop, plain=False)
    packed = int.from_bytes(data[head + 18 : head + 26], "big")
    rate, samples = packed >> 44, packed & ((1 << 36) - 1)
    if not rate or not samples:  # written to a pipe: it did not know how much would come
        return Part(start, stop, plain=False)
    if _last_flac_frame(data, head, stop) >= samples:
        unknown = (packed - samples).to_bytes(8, "big")  # none stated: all are read
        return Part(start, stop, plain=False, filled=((head + 18, unknown),))
    return Part(start, stop, stated=samples / rate)


def _last_flac_frame(data, head: int, stop: int) -> int:
    """Return the sample that the last frame begins with; -1 if there is none near the end."""
    size = int.from_bytes(data[head + 10 : head + 12], "big")  # of a block, where all are alike
    first = max(head + 42, stop - _LAST)
    tail, place = bytes(data[first:stop]), stop - first
    while (place := tail.rfind(b"\xff", 0, place)) >= 0:
        number = _flac_number(tail[place : place + 16])
        if number is not None:
            return number * (1 if tail[place + 1] & 1 else size)
    return -1


def _flac_number(head: bytes) -> int | None:
    """Return the number in a FLAC frame's header, of the frame or of a sample; None if it is none.

    It is coded like a letter of UTF-8. The header ends with a checksum of eight bits.
    """
    if len(head) < 16 or head[1] & 0xFE != 0xF8 or head[3] & 1:
        return None
    leading = 8 - (head[4] ^ 0xFF).bit_length()
    if leading in (1, 8):
        return None
    number = head[4] & (0x7F >> leading)
    for byte in head[5 : 4 + leading]:
        number = number << 6 | byte & 0x3F
    end = 4 + max(leading, 1) + {6: 1, 7: 2}.get(head[2] >> 4, 0)
    end += {12: 1, 13: 2, 14: 2}.get(head[2] & 15, 0)
    found = 0
    for byte in head[:end]:
        found ^= byte
        for _ in range(8):
            found = found << 1 ^ (0x107 if found & 0x80 else 0)
    return number if end < 16 and found == head[end] else None


# --- Ogg


def _ogg(data) -> list[Part]:
    """Split a chain of Ogg streams: each begins with a page that says so, after other pages."""
    found: list[Part] = []
    start, damaged, ended, at_start, place = 0, 0, False, True, 0
    awaited: dict[bytes, int] = {}

    def close(stop):
        places = f"{damaged} places" if damaged > 1 else "1 place"
        lost = f"damage at {places} was passed over" if damaged else ""
        found.append(Part(start, stop, cut=not ended, lost=lost))

    while (page := _ogg_page(data, place)) is not None:
        first = bool(page.flags & 2)
        if first and not at_start:
            close(page.start)
            start, damaged, ended = page.start, 0, False
        elif not ended and (page.start > place or page.number > awaited.get(page.stream, 1 << 32)):
            damaged += 1
        # A stream may be taken up in its middle: then pages are missing behind the headers.
        awaited[page.stream] = page.number + 1 if page.samples else 1 << 32
        ended, at_start, place = ended or bool(page.flags & 4), first, page.stop
    close(len(data))
    return found


@dataclass(frozen=True)
class _Page:
    """Where a page of an Ogg stream lies, and what its header says."""

    start: int
    stop: int
    flags: int
    samples: int  # so far in its stream; 0 for headers
    stream: bytes
    number: int


def _ogg_page(data, place: int) -> _Page | None:
    """Return the next page that is whole and undamaged."""
    sought = place + _LOST
    while (place := data.find(b"OggS", place, sought)) >= 0 and place + 27 <= len(data):
        table = place + 27 + data[place + 26]
        stop = table + sum(data[place + 27 : table])
        if stop <= len(data) and _is_sound(data[place:stop]):
            flags, samples, stream, number = struct.unpack_from("<xBq4sI", data, place + 4)
            return _Page(place, stop, flags, samples, stream, number)
        place += 4
    return None


_MIRRORED = bytes(int(f"{number:08b}"[::-1], 2) for number in range(256))


def _is_sound(page: bytes) -> bool:
    """Tell whether a page has the checksum that it states.

    Ogg's is zlib's with the bits of each byte, and of the sum, the other way round.
    """
    blank = page[:22] + bytes(4) + page[26:]
    found = zlib.crc32(blank.translate(_MIRRORED), 0xFFFF_FFFF) ^ 0xFFFF_FFFF
    return found.to_bytes(4, "big").translate(_MIRRORED) == page[22:26]


# --- MP3


@dataclass(frozen=True)
class _Frame:
    """What the header of an MPEG audio frame says."""

    size: int
    samples: int
    rate: int
    mono: bool
    tag: int  # where in the frame Xing's tag would lie

    @property
    def layout(self) -> tuple[int, int, bool]:
        return self.samples, self.rate, self.mono


_RATES = (44_100, 48_000, 32_000)
_KILOBITS = {
    (1, 1): (32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448),
    (1, 2): (32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384),
    (1, 3): (32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    (2, 1): (32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256),
    (2, 2): (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}
_KILOBITS[2, 3] = _KILOBITS[2, 2]


@functools.lru_cache(maxsize=4096)
def _frame(head: bytes) -> _Frame | None:
    """Read the four bytes of an MPEG audio frame's header; None if they are none."""
    bits = int.from_bytes(head, "big")
    version, layer = (bits >> 19) & 3, 4 - ((bits >> 17) & 3)
    kilobits, rate, mono = (bits >> 12) & 15, (bits >> 10) & 3, (bits >> 6) & 3 == 3
    if len(head) < 4 or bits >> 21 != 0x7FF or version == 1 or layer == 4 or rate == 3:
        return None
    if kilobits in (0, 15):
        return None
    newer = version != 3  # MPEG 2 and 2.5: lower rates
    samples = 384 if layer == 1 else 576 if layer == 3 and newer else 1152
    rate = _RATES[rate] >> {3: 0, 2: 1, 0: 2}[version]
    unit = 4 if layer == 1 else 1
    kilobits = _KILOBITS[2 if newer else 1, layer][kilobits - 1]
    size = (samples // 8 * 1000 * kilobits // (rate * unit) + ((bits >> 9) & 1)) * unit
    tag = 4 + ((9 if mono else 17) if newer else (17 if mono else 32))
    return _Frame(size, samples, rate, mono, tag)


def _mp3(data, start: int) -> list[Part]:
    """Count the frames of joined MP3 files; a new one begins with a tag or another layout."""
    found: list[_Mp3] = []
    for place, frame, tagged in _mp3_frames(data, start):
        stated = _stated_frames(data, place, frame)
        if not found or tagged or stated is not None or frame.layout != found[-1].frame.layout:
            found.append(_Mp3(place if found else 0, frame, stated))
            if stated is not None:
                continue  # the frame with the tag holds no sound
        if place + frame.size > len(data):
            found[-1].cut = True
        else:
            found[-1].count += 1
    found = [one for one in found if one.count]
    stops = [one.start for one in found[1:]] + [len(data)]
    return [one.part(stop) for one, stop in zip(found, stops, strict=False)]


@dataclass
class _Mp3:
    """One of joined MP3 files: where it starts, a frame of it, how many it states and has."""

    start: int
    frame: _Frame
    stated: int | None
    count: int = 0
    cut: bool = False

    def part(self, stop: int) -> Part:
        samples = self.count * self.frame.samples
        if self.stated is None:
            return Part(self.start, stop, samples=samples, cut=self.cut)
        cut = self.cut or self.stated > self.count + 1
        stated = self.stated * self.frame.samples / self.frame.rate if cut else None
        plain = abs(self.stated - self.count) <= 1
        return Part(self.start, stop, plain=plain, stated=stated, cut=cut)


def _stated_frames(data, place: int, frame: _Frame) -> int | None:
    """Return how many frames the tag in this one says there are; None if it is no such tag."""
    tag = data[place + frame.tag : place + frame.tag + 12]
    if tag[:4] in (b"Xing", b"Info"):
        return int.from_bytes(tag[8:], "big") if tag[4:8] and tag[7] & 1 else 0
    if data[place + 36 : place + 40] == b"VBRI":
        return int.from_bytes(data[place + 50 : place + 54], "big")
    return None


def _mp3_frames(data, place: int):
    """Yield the place of each frame, its header, and whether a tag of a file lies before it."""
    size, tagged, sought = len(data), False, 0
    while place + 4 <= size and sought < _LOST:
        frame = _frame(data[place : place + 4])
        if frame is not None and _goes_on(data, place, frame):
            yield place, frame, tagged
            place, tagged = place + frame.size, False
            continue
        after = _after_tag(data, place)
        if after > place:
            place, tagged = after, True
            continue
        found = data.find(b"\xff", place + 1, place + _LOST)
        if found < 0:
            return
        place, sought = found, sought + found - place


def _goes_on(data, place: int, frame: _Frame) -> bool:
    """Tell whether another frame of the same layout, a tag or the end follows a frame."""
    after = place + frame.size
    if after + 4 > len(data):
        return True
    following = _frame(data[after : after + 4])
    if following is None:
        return _after_tag(data, after) > after
    return following.layout == frame.layout or _starts_anew(data, after, following)


def _starts_anew(data, place: int, frame: _Frame) -> bool:
    """Tell whether a frame of another layout is the first of a joined file, not damage."""
    following = _frame(data[place + frame.size : place + frame.size + 4])
    return following is not None and following.layout == frame.layout


def _after_tag(data, place: int) -> int:
    """Return where the tag (ID3, APE) that may lie at `place` ends."""
    if data[place : place + 3] == b"TAG":
        return place + 128
    if data[place : place + 8] == b"APETAGEX" and len(data) >= place + 32:
        return place + 32 + struct.unpack_from("<I", data, place + 12)[0]
    return _after_id3(data, place)
