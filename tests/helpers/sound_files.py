"""Sound files of the kinds that people have, made here."""

import struct

import av
import numpy as np

RATE = 16_000


def tone(seconds=1.0, rate=RATE, hertz=440.0, amplitude=0.3):
    """Return a sine, float32."""
    times = np.arange(round(rate * seconds)) / rate
    return (amplitude * np.sin(2 * np.pi * hertz * times)).astype("f4")


def coded(path, wave, codec, rate=RATE, container=None):
    """Write a sound with one of ffmpeg's encoders and return its path."""
    with av.open(str(path), "w", format=container) as out:
        _encode(out, out.add_stream(codec, rate=rate, layout="mono"), wave)
    return path


def vbr_mp3(path, wave, *, tag):
    """Write an MP3 of changing bit rate, with or without the header that says how long it is."""
    with av.open(str(path), "w", format="mp3", options={"write_xing": str(int(tag))}) as out:
        stream = out.add_stream("libmp3lame", rate=RATE, layout="mono")
        stream.codec_context.flags |= 2  # by quality, not by bit rate
        stream.codec_context.global_quality = 4 * 118
        _encode(out, stream, wave)
    return path


def _encode(out, stream, wave):
    frame = av.AudioFrame.from_ndarray(wave[None], format="fltp", layout="mono")
    frame.sample_rate, frame.pts = stream.rate, 0
    for packet in [*stream.encode(frame), *stream.encode(None)]:
        out.mux(packet)


def wav(samples, *, sizes=None, rate=RATE, code=1, before=b""):
    """Return a 16-bit mono WAV file; `sizes` is what its header says instead of the truth."""
    size = len(samples) if sizes is None else sizes
    header = struct.pack("<4sIHHIIHH", b"fmt ", 16, code, 1, rate, 2 * rate, 2, 16)
    body = b"WAVE" + before + header + b"data" + struct.pack("<I", size) + samples
    return b"RIFF" + struct.pack("<I", len(body) if sizes is None else sizes) + body


def pcm(wave):
    """Return samples of 16 bits."""
    return (wave * 32_767).astype("<i2").tobytes()


def with_checksum(page):
    """Return a page of Ogg with its checksum, computed bit by bit from the polynomial."""
    page = page[:22] + bytes(4) + page[26:]
    found = 0
    for byte in page:
        found ^= byte << 24
        for _ in range(8):
            found = (found << 1) ^ (0x04C1_1DB7 if found & 0x8000_0000 else 0)
        found &= 0xFFFF_FFFF
    return page[:22] + struct.pack("<I", found) + page[26:]
