"""The parts of a sound file, against files whose parts are known."""

import struct

import pytest
import soundfile
from sound_files import RATE, pcm, tone, vbr_mp3, wav

from xaiaudio.audio import encode_audio
from xaiaudio.containers import Part, parts


@pytest.mark.parametrize("extension", [".wav", ".flac", ".ogg", ".mp3"])
@pytest.mark.parametrize("rate", [8000, 22_050, 44_100])
def test_a_whole_file_is_one_plain_part(extension, rate):
    data = encode_audio(tone(2, rate), rate, extension)
    (part,) = parts(data)
    assert (part.start, part.stop, part.plain, part.cut) == (0, len(data), True, False)
    assert part.stated == (2 if extension == ".flac" else None)


@pytest.mark.parametrize("extension", [".flac", ".ogg", ".mp3"])
def test_joined_files_are_split_where_they_were_joined(extension):
    pieces = [encode_audio(tone(1, rate), rate, extension) for rate in (16_000, 44_100, 16_000)]
    found = parts(b"".join(pieces))
    ends = [len(b"".join(pieces[:count])) for count in (1, 2, 3)]
    assert [(part.start, part.stop) for part in found] == list(zip([0, *ends], ends, strict=False))
    assert all(part.plain and not part.cut for part in found)


@pytest.mark.parametrize("extension", [".wav", ".ogg", ".mp3"])
def test_a_cut_file_is_known_by_its_structure(extension):
    data = encode_audio(tone(4), RATE, extension)
    (part,) = parts(data[: int(0.8 * len(data))])
    assert part.cut
    if extension != ".ogg":
        assert part.stated == pytest.approx(4, abs=0.15)  # an MP3's with its padding


@pytest.mark.slow
@pytest.mark.parametrize("rate", [8000, 16_000, 44_100])
@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize("mode", ["CONSTANT", "VARIABLE"])
def test_the_frames_of_an_mp3_are_counted(tmp_path, rate, channels, mode):
    path = tmp_path / "x.mp3"
    wave = tone(2, rate)[:, None].repeat(channels, axis=1)
    soundfile.write(path, wave, rate, bitrate_mode=mode, compression_level=0.5)
    data = path.read_bytes()
    first = max(data.find(b"Xing"), data.find(b"Info"))
    start = data.rfind(b"\xff", 0, first)
    head = int.from_bytes(data[start : start + 4], "big")
    assert head >> 21 == 0x7FF
    stated = int.from_bytes(data[first + 8 : first + 12], "big")
    # Without the frame that holds the tag, the frames are counted instead of believed.
    (part,) = parts(data[data.find(data[start : start + 2], first) :])
    samples = 1152 if rate > 24_000 else 576
    assert part.samples in (stated * samples, (stated - 1) * samples)


def test_an_mp3_without_length_is_counted_whole(tmp_path):
    data = vbr_mp3(tmp_path / "x.mp3", tone(2), tag=False).read_bytes()
    (part,) = parts(data)
    assert part == Part(0, len(data), samples=part.samples)
    assert part.samples >= 32_000 + 1105
    # Zeros after the last frame, as in a file of a player with fixed blocks, change nothing much.
    assert parts(data + bytes(5000))[0].samples >= part.samples - 576


@pytest.mark.parametrize(
    "data", [b"", b"x", b"RIFF", b"fLaC", b"OggS", b"ID3", bytes(100), b"\xff"]
)
def test_beginnings_alone(data):
    for part in parts(data):
        assert part.stop == len(data)
        assert part.cut or not part.plain


@pytest.mark.parametrize("code", [0x38, 0x55, 0x1234])
def test_wav_with_rare_codecs_is_not_for_libsndfile(code):
    assert not parts(wav(pcm(tone()), code=code))[0].plain


def test_chunks_before_the_samples_are_passed_over():
    for chunk in (b"LIST" + struct.pack("<I", 4) + b"INFO", b"odd " + b"\x03\0\0\0abc\0"):
        (part,) = parts(wav(pcm(tone()), before=chunk))
        assert part.plain and not part.cut


@pytest.mark.slow
def test_looking_for_frames_in_foreign_bytes_ends():
    data = b"ID3\x03\x00\x00\x00\x00\x00\x00" + b"\xff\x00" * (1 << 22)
    assert parts(data) == []


def test_thousands_of_joined_wav_files_are_told_apart():
    one = encode_audio(tone(0.01, RATE), RATE, ".wav")
    found = parts(one * 3000)
    assert [part.start for part in found] == list(range(0, 3000 * len(one), len(one)))
    assert found[-1].stop == 3000 * len(one)
