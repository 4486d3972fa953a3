"""Chunks and their sizes, written by hand."""

import struct

import pytest

from xaiaudio.chunks import after_chunks, ends_early, is_wave, unfilled


def test_the_beginning_of_a_wav():
    assert is_wave(b"RIFF\0\0\0\0WAVE") and is_wave(b"RIFX\0\0\0\0WAVEfmt ")
    assert not is_wave(b"RIFF\0\0\0\0AVI ") and not is_wave(b"RIFF")


def test_where_chunks_end():
    odd = b"LIST" + struct.pack("<I", 3) + b"abc\0"
    assert after_chunks(odd * 2, 0, "<") == len(odd * 2)
    assert after_chunks(odd + b"\xff\xfe1234567", 0, "<") == len(odd)
    assert after_chunks(odd + b"RIFF1234WAVE", 0, "<") == len(odd)
    assert after_chunks(odd + b"data" + struct.pack("<I", 99) + b"x", 0, "<") == len(odd)


def aiff(stated, there):
    """Return an AIFF file whose chunk of samples says another size than it has."""
    samples = b"SSND" + struct.pack(">I", stated) + bytes(there)
    return b"FORM" + struct.pack(">I", 4 + len(samples)) + b"AIFF" + samples


@pytest.mark.parametrize(
    ("data", "early"),
    [
        (aiff(100, 100), False),
        (aiff(100, 60), True),
        (aiff(0x7FFF_FFFF, 60), False),
        (b".snd" + struct.pack(">II", 24, 0xFFFF_FFFF) + bytes(60), False),
        (b".snd" + struct.pack(">II", 24, 90) + bytes(60), True),
        (b"caff\0\1\0\0data" + struct.pack(">q", -1) + bytes(60), False),
        (b"caff\0\1\0\0data" + struct.pack(">q", 70) + bytes(60), True),
        (b"caff\0\1\0\0free" + struct.pack(">q", -70) + bytes(60), False),
        (b"RIFF" + struct.pack("<I", 100) + b"AVI " + bytes(60), True),
        (b"RIFF" + struct.pack("<I", 64) + b"AVI " + bytes(60), False),
        (b"", False),
    ],
)
def test_files_that_end_early(data, early):
    assert ends_early(data) == early


def wave64(stated, there=64, before=b""):
    """Return a Wave64 file whose chunk of samples says a size; `before` it stands another."""
    head = b"riff" + bytes(12) + struct.pack("<Q", 0) + b"wave" + bytes(12)
    return head + before + b"data" + bytes(12) + struct.pack("<Q", stated) + bytes(there)


def test_sizes_that_were_never_filled_in():
    assert unfilled(wave64(24 + 64)) == ()
    for stated in (0, 24, 2**63):
        assert unfilled(wave64(stated)) == (
            (16, struct.pack("<Q", 128)),
            (56, struct.pack("<Q", 88)),
        )
    odd = b"fmt " + bytes(12) + struct.pack("<Q", 24 + 3) + bytes(8)
    assert [place for place, _ in unfilled(wave64(0, before=odd))] == [16, 56 + 32]
    assert unfilled(b"riff" + bytes(20) + b"wave" + bytes(12)) == ()  # no samples at all
    assert unfilled(b".snd" + struct.pack(">II", 24, 0) + bytes(40)) == ((8, b"\xff" * 4),)
    assert unfilled(b".snd" + struct.pack(">II", 24, 9) + bytes(40)) == ()
