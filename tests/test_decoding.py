"""Sound files as people have them: all the sound that is there, or one line that helps."""

import errno
import io
import struct
import subprocess
import sys
import tracemalloc
import warnings
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import av
import numpy as np
import pytest
import soundfile
import soxr
from sound_files import RATE, coded, pcm, tone, vbr_mp3, wav, with_checksum

from xaiaudio import containers, decoding
from xaiaudio.audio import duration, encode_audio, load_audio
from xaiaudio.errors import XaiAudioError, XaiAudioWarning


@pytest.fixture(autouse=True)
def no_warning():
    """What is whole is read without a warning; tests of broken files expect theirs."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


def chirp(seconds=1.0, rate=RATE):
    """A tone and then noise, so that frames of an MP3 differ in size."""
    wave = tone(seconds, rate)
    half = len(wave) // 2
    wave[half:] = np.random.default_rng(0).normal(0, 0.1, len(wave) - half)
    return wave


def noise(seconds):
    return np.random.default_rng(1).normal(0, 0.1, round(seconds * RATE)).astype("float32")


def written(path, data):
    path.write_bytes(data)
    return path


def alike(found, expected):
    """Tell how well two sounds agree: 1 is the same."""
    assert len(found) == len(expected)
    return np.corrcoef(found, expected)[0, 1]


# --- MP3


def test_an_mp3_of_changing_bit_rate_without_length(tmp_path):
    wave = chirp(2)
    known = load_audio(vbr_mp3(tmp_path / "known.mp3", wave, tag=True))
    path = vbr_mp3(tmp_path / "x.mp3", wave, tag=False)
    assert soundfile.info(path).frames < 16_000  # by its first frame libsndfile guesses too little
    found = load_audio(path)
    # The encoder's delay of 1105 samples is known only with the tag.
    assert len(found) % 576 == 0 and len(found) >= len(wave) + 1105
    np.testing.assert_allclose(found[1105 : 1105 + len(wave)], known, atol=1e-3)
    assert duration(path) == len(found) / RATE


def test_an_mp3_that_says_it_has_no_frames(tmp_path):
    wave = chirp(2)
    data = bytearray(vbr_mp3(tmp_path / "x.mp3", wave, tag=True).read_bytes())
    known = load_audio(tmp_path / "x.mp3")
    place = max(data.find(b"Xing"), data.find(b"Info"))
    data[place + 8 : place + 12] = bytes(4)
    found = load_audio(written(tmp_path / "x.mp3", data))
    assert len(found) >= len(wave)
    np.testing.assert_allclose(found[: len(wave)], known, atol=1e-3)


@pytest.mark.slow
@pytest.mark.parametrize("rates", [(16_000, 16_000), (16_000, 44_100), (44_100, 16_000)])
def test_mp3_files_that_were_joined(tmp_path, rates):
    parts = [encode_audio(chirp(1, rate), rate, ".mp3") for rate in rates]
    apart = [load_audio(written(tmp_path / "part.mp3", part)) for part in parts]
    path = written(tmp_path / "x.mp3", b"".join(parts))
    found = load_audio(path)
    assert len(found) == sum(map(len, apart))
    np.testing.assert_allclose(found, np.concatenate(apart), atol=1e-6)
    assert duration(path) == pytest.approx(len(found) / RATE, abs=1e-4)


def test_joined_mp3_files_without_length_and_with_tags(tmp_path):
    one = vbr_mp3(tmp_path / "one.mp3", chirp(1), tag=False)
    both = b"ID3\x03\x00\x00\x00\x00\x00\x64" + bytes(100) + one.read_bytes()
    both += b"TAG" + bytes(125) + one.read_bytes()
    found = load_audio(written(tmp_path / "x.mp3", both))
    np.testing.assert_array_equal(found, np.tile(load_audio(one), 2))


def test_zeros_between_the_frames_of_an_mp3(tmp_path):
    data = encode_audio(chirp(4), RATE, ".mp3")
    first = data.find(b"\xff", max(data.find(b"Xing"), data.find(b"Info")))  # after the tag
    data = data[data.find(data[:2], first) :]
    whole = load_audio(written(tmp_path / "x.mp3", data))
    middle = data.find(data[:2], len(data) // 2)
    torn = data[:middle] + bytes(20_000) + data[middle:]
    with pytest.raises(RuntimeError):
        soundfile.read(written(tmp_path / "y.mp3", torn))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", XaiAudioWarning)
        assert len(load_audio(tmp_path / "y.mp3")) >= len(whole) - 3 * 576


def test_a_large_tag_before_an_mp3(tmp_path):
    plain = encode_audio(chirp(), RATE, ".mp3")
    tag = b"ID3\x03\x00\x00" + bytes([0, 0, 78, 16]) + b"\xff\xfb\x90\x44" * 2500
    expected = load_audio(written(tmp_path / "x.mp3", plain))
    np.testing.assert_array_equal(load_audio(written(tmp_path / "y.mp3", tag + plain)), expected)


# --- FLAC


def flac_from_a_pipe(wave):
    """A FLAC that does not say how long it is."""
    data = bytearray(encode_audio(wave, RATE, ".flac"))
    data[21] &= 0xF0
    data[22:26] = bytes(4)
    return data


def test_a_flac_from_a_pipe(tmp_path):
    wave = chirp()
    path = written(tmp_path / "x.flac", flac_from_a_pipe(wave))
    with pytest.raises((RuntimeError, ValueError)):
        soundfile.read(path)  # what libsndfile says of it
    expected = load_audio(written(tmp_path / "y.flac", encode_audio(wave, RATE, ".flac")))
    np.testing.assert_array_equal(load_audio(path), expected)
    assert duration(path) == 1


@pytest.mark.parametrize("stated", [1, 5000, 15_999])
@pytest.mark.parametrize("channels", [1, 2])
def test_a_flac_that_states_fewer_samples_than_follow(tmp_path, stated, channels):
    wave = np.stack([chirp()] * channels, axis=1)
    soundfile.write(tmp_path / "x.flac", wave, RATE)
    expected = load_audio(tmp_path / "x.flac")
    data = bytearray((tmp_path / "x.flac").read_bytes())
    data[21] &= 0xF0
    data[22:26] = struct.pack(">I", stated)
    found = load_audio(written(tmp_path / "y.flac", data))
    last = RATE // 4096 * 4096  # the first sample of the last block
    np.testing.assert_array_equal(found, expected[: RATE if stated <= last else stated])


def recorded(tmp_path, form, extension, place, said):
    """Return a second of sound whose recorder stopped before it wrote the sizes at `place`."""
    path = tmp_path / f"x.{extension}"
    soundfile.write(path, tone(), RATE, format=form, subtype="PCM_16")
    data = bytearray(path.read_bytes())
    at = place if isinstance(place, int) else data.index(place[0]) + place[1]
    data[at : at + len(said)] = said
    return written(path, bytes(data))


@pytest.mark.parametrize(
    ("form", "extension", "place", "said"),
    [
        ("AU", "au", 8, bytes(4)),
        ("AU", "au", 8, b"\xff" * 4),
        ("W64", "w64", (b"data", 16), bytes(8)),
        ("W64", "w64", (b"data", 16), struct.pack("<Q", 24)),
        ("RF64", "wav", (b"ds64", 8), bytes(24)),
        ("RF64", "wav", (b"ds64", 8), b"\xff" * 24),
    ],
)
def test_a_recorder_that_was_stopped(tmp_path, form, extension, place, said):
    path = recorded(tmp_path, form, extension, place, said)
    found = load_audio(path, strict=True)
    assert len(found) == RATE
    np.testing.assert_allclose(found, tone(), atol=1e-4)
    assert duration(path) == 1


def test_bytes_that_were_never_filled_in_are_read_as_they_should_be():
    part = containers.Part(2, 12, filled=((1, b"abc"), (8, b"xy"), (11, b"zz")))
    for step in (1, 3, 10):
        window, found = decoding._Window(bytes(20), part), b""
        while len(piece := window.read(step)):
            assert len(piece) == min(step, 10 - len(found))
            found += piece
        assert found == b"bc" + bytes(4) + b"xy" + bytes(1) + b"z"


def test_joined_wav_files(tmp_path):
    pieces = [wav(pcm(tone(1, rate)), rate=rate) for rate in (RATE, 8000, RATE)]
    found = load_audio(written(tmp_path / "x.wav", b"".join(pieces)), strict=True)
    assert duration(tmp_path / "x.wav") == 3
    np.testing.assert_allclose(found[:RATE], tone(), atol=1e-4)
    np.testing.assert_allclose(found[-RATE:], tone(), atol=1e-4)
    assert len(found) == 3 * RATE


def test_joined_m4a_files(tmp_path):
    data = coded(tmp_path / "x.m4a", tone(), "aac").read_bytes()
    alone = load_audio(tmp_path / "x.m4a")
    found = load_audio(written(tmp_path / "y.m4a", data + data), strict=True)
    np.testing.assert_array_equal(found, np.concatenate([alone, alone]))


@pytest.mark.parametrize("stated", [1000, 20_000])
def test_samples_that_a_header_does_not_mention_are_said(tmp_path, stated):
    data = wav(pcm(tone()))
    place = data.index(b"data") + 4
    data = data[:place] + struct.pack("<I", stated) + data[place + 4 :]
    rest = f"{2 * RATE - stated} bytes behind the end that its header states"
    with pytest.warns(XaiAudioWarning, match=rest):
        assert len(load_audio(written(tmp_path / "x.wav", data))) == stated // 2
    with pytest.raises(XaiAudioError, match=rest):
        load_audio(tmp_path / "x.wav", strict=True)


@pytest.mark.parametrize("behind", [bytes(5000), b"TAG" + b"x" * 1500, b"LIST\x04\0\0\0INFO"])
def test_what_may_follow_the_samples_of_a_wav(tmp_path, behind):
    path = written(tmp_path / "x.wav", wav(pcm(tone())) + behind)
    assert len(load_audio(path, strict=True)) == RATE


def test_joined_flac_files(tmp_path):
    data = encode_audio(chirp(), RATE, ".flac")
    one = load_audio(written(tmp_path / "one.flac", data))
    found = load_audio(written(tmp_path / "x.flac", data + data + flac_from_a_pipe(chirp())))
    np.testing.assert_array_equal(found, np.tile(one, 3))


# --- Ogg


@pytest.mark.parametrize("rates", [(16_000, 16_000), (16_000, 44_100)])
def test_chained_ogg(tmp_path, rates):
    parts = [encode_audio(chirp(1, rate), rate, ".ogg") for rate in rates]
    apart = [load_audio(written(tmp_path / "part.ogg", part)) for part in parts]
    path = written(tmp_path / "x.ogg", b"".join(parts))
    found = load_audio(path)
    assert len(found) == sum(map(len, apart))
    np.testing.assert_allclose(found, np.concatenate(apart), atol=1e-6)
    assert duration(path) == pytest.approx(len(found) / RATE, abs=1e-4)


def _ogg_crc(page):
    crc = 0
    for byte in page:
        crc ^= byte << 24
        for _ in range(8):
            crc = ((crc << 1) ^ (0x04C11DB7 if crc & 0x8000_0000 else 0)) & 0xFFFF_FFFF
    return crc


def earlier(data, samples):
    """Move the times of all pages of an Ogg by so many samples."""
    out, place = bytearray(), 0
    while place < len(data):
        table = place + 27 + data[place + 26]
        end = table + sum(data[place + 27 : table])
        page = bytearray(data[place:end])
        time = struct.unpack_from("<q", page, 6)[0]
        if time > 0:
            struct.pack_into("<q", page, 6, time - samples)
        page[22:26] = bytes(4)
        struct.pack_into("<I", page, 22, _ogg_crc(page))
        out += page
        place = end
    return bytes(out)


def test_opus_that_starts_before_zero(tmp_path):
    data = coded(tmp_path / "one.opus", tone(1, 48_000), "libopus", 48_000).read_bytes()
    path = written(tmp_path / "x.opus", earlier(data, 24_000))
    with pytest.raises(RuntimeError):
        soundfile.read(path)
    assert abs(len(load_audio(path)) - 16_000) < 400
    assert abs(len(load_audio(tmp_path / "one.opus")) - 16_000) < 400


# --- WAV


@pytest.mark.parametrize("sizes", [0, 0xFFFF_FFFF, 0x7FFF_F000])
def test_a_wav_that_does_not_know_its_length(tmp_path, sizes):
    path = written(tmp_path / "x.wav", wav(pcm(tone()), sizes=sizes))
    np.testing.assert_allclose(load_audio(path), tone(), atol=1e-4)
    assert duration(path) == 1


def test_a_wav_of_size_0_that_is_empty(tmp_path):
    path = written(tmp_path / "x.wav", wav(b"", sizes=0) + b"LIST\x04\x00\x00\x00INFO")
    with pytest.raises(XaiAudioError, match="holds no samples"):
        load_audio(path)


def test_a_wav_whose_samples_come_before_their_description(tmp_path):
    data = wav(pcm(tone()))
    head, fmt, samples = data[:12], data[12:36], data[36:]
    path = written(tmp_path / "x.wav", head + samples + fmt)
    np.testing.assert_allclose(load_audio(path), tone(), atol=1e-4)


@pytest.mark.parametrize(
    "form", ["WAVEX", "RF64", "W64", "AIFF", "AU", "CAF", "PCM_24", "ALAW", "ULAW", "MS_ADPCM"]
)
def test_kinds_of_files_that_hold_plain_samples(tmp_path, form):
    options = {"subtype": form, "format": "WAV"} if "_" in form or "LAW" in form else {}
    soundfile.write(tmp_path / "x", tone(), RATE, **(options or {"format": form}))
    found = load_audio(tmp_path / "x")
    assert 16_000 <= len(found) < 16_500
    np.testing.assert_allclose(found[:16_000], tone(), atol=0.02)
    assert duration(tmp_path / "x") == len(found) / RATE


def test_aiff_with_samples_that_only_libsndfile_knows(tmp_path):
    path = tmp_path / "x.aifc"
    soundfile.write(path, tone(), RATE, format="AIFF", subtype="PCM_24", endian="LITTLE")
    np.testing.assert_allclose(load_audio(path), tone(), atol=1e-6)
    # With a map of channels libsndfile is not asked.
    data = path.read_bytes() + b"CHAN" + struct.pack(">I", 12) + bytes(12)
    with pytest.raises(XaiAudioError, match="an AIFF file"):
        load_audio(written(path, data))


# --- What only PyAV reads


@pytest.mark.parametrize(
    ("name", "codec", "likeness"),
    [("x.m4a", "alac", 1), ("x.m4a", "aac", 0.999), ("aac.wav", "aac", 0.999), ("x.aiff", None, 1)],
)
def test_sounds_of_phones_and_macs(tmp_path, name, codec, likeness):
    container = {"x.aiff": "aiff"}.get(name, "ipod")
    path = coded(tmp_path / name, tone(), codec or "pcm_s24be", container=container)
    assert alike(load_audio(path), tone()) >= likeness - 1e-6
    assert duration(path) == 1


@pytest.mark.parametrize(
    ("name", "codec", "rate"),
    [("x.webm", "libopus", 48_000), ("x.aac", "aac", 16_000), ("x.mka", "flac", 16_000)],
)
def test_sounds_of_browsers_and_phones(tmp_path, name, codec, rate):
    path = coded(tmp_path / name, tone(1, rate), codec, rate)
    found = load_audio(path)
    assert 15_900 <= len(found) <= 17_500  # raw AAC keeps what the encoder added
    assert np.abs(np.fft.rfft(found[4000:12_000])).argmax() == 220
    assert duration(path) == pytest.approx(len(found) / RATE, abs=1e-3)


def test_a_film_without_sound(tmp_path):
    with av.open(str(tmp_path / "x.mp4"), "w") as out:
        stream = out.add_stream("mpeg4", rate=10, width=32, height=32, pix_fmt="yuv420p")
        frame = av.VideoFrame.from_ndarray(np.zeros((32, 32, 3), "u1"), format="rgb24")
        for packet in [*stream.encode(frame), *stream.encode(None)]:
            out.mux(packet)
    with pytest.raises(XaiAudioError, match=r"x\.mp4 holds no sound, only pictures"):
        load_audio(tmp_path / "x.mp4")


@pytest.mark.slow
@pytest.mark.parametrize("extension", [".wav", ".flac", ".ogg", ".mp3"])
@pytest.mark.parametrize("rate", [16_000, 44_100])
def test_whole_files_are_what_libsndfile_reads(tmp_path, extension, rate):
    wave = np.random.default_rng(0).normal(0, 0.2, (3 * rate, 2)).clip(-1, 1)
    path = tmp_path / f"x{extension}"
    soundfile.write(path, wave, rate)
    expected = soundfile.read(path, dtype="float32")[0].mean(axis=1)
    if rate != RATE:
        expected = soxr.resample(expected, rate, RATE, quality="HQ")
    # mpg123 rounds differently in blocks of another size.
    tolerance = 3e-7 if extension == ".mp3" else 0
    np.testing.assert_allclose(load_audio(path), expected.clip(-1, 1), rtol=0, atol=tolerance)


@pytest.mark.slow
def test_many_files_at_once(tmp_path):
    paths = [coded(tmp_path / f"{hertz}.m4a", tone(hertz=hertz), "alac") for hertz in (300, 500)]
    paths += [written(tmp_path / "x.flac", flac_from_a_pipe(tone()))]
    apart = [load_audio(path) for path in paths]
    with ThreadPoolExecutor(4) as pool:
        for found, expected in zip(pool.map(load_audio, paths * 10), apart * 10, strict=True):
            np.testing.assert_array_equal(found, expected)


def test_a_file_system_that_maps_no_files(tmp_path, monkeypatch):
    def refuse(*given, **options):
        raise OSError(errno.ENODEV, "No such device")

    path = written(tmp_path / "x.flac", flac_from_a_pipe(tone()))
    mapped = load_audio(path)
    monkeypatch.setattr(decoding.mmap, "mmap", refuse)
    np.testing.assert_array_equal(load_audio(path), mapped)


# --- Cut and damaged


def halved(path, data, share=0.5):
    return written(path, data[: int(len(data) * share)])


@pytest.mark.slow
@pytest.mark.parametrize("extension", [".wav", ".flac", ".ogg", ".mp3", ".m4a", ".mka"])
def test_half_a_file(tmp_path, extension):
    wave, path = chirp(10), tmp_path / f"x{extension}"
    if extension == ".m4a":
        with av.open(str(path), "w", options={"movflags": "faststart"}) as out:
            stream = out.add_stream("aac", rate=RATE, layout="mono")
            frame = av.AudioFrame.from_ndarray(wave[None], format="fltp", layout="mono")
            frame.sample_rate, frame.pts = RATE, 0
            for packet in [*stream.encode(frame), *stream.encode(None)]:
                out.mux(packet)
    elif extension == ".mka":
        coded(path, wave, "flac")
    else:
        path.write_bytes(encode_audio(wave, RATE, extension))
    whole = load_audio(path)
    assert len(whole) == len(wave)
    halved(path, path.read_bytes(), 0.7)
    with pytest.warns(XaiAudioWarning) as said:
        found = load_audio(path)
    assert 4 * RATE < len(found) < 9.9 * RATE
    np.testing.assert_allclose(found[: 4 * RATE], whole[: 4 * RATE], atol=1e-5)
    (message,) = {str(one.message) for one in said}
    assert duration(path) == len(found) / RATE
    seconds = f"{len(found) / RATE:.2f} s"
    assert message.startswith(f"{path} is incomplete: it ") and "\n" not in message
    assert seconds in message and message.endswith("The rest was read.")
    assert ("of the 10.0" in message) == (extension != ".ogg")
    with pytest.raises(XaiAudioError, match=r"is incomplete: it .*strict=False"):
        load_audio(path, strict=True)


def test_a_whole_file_is_not_refused_by_strict(tmp_path):
    for extension in (".wav", ".flac", ".ogg", ".mp3"):
        path = written(tmp_path / f"x{extension}", encode_audio(tone(), RATE, extension))
        np.testing.assert_array_equal(load_audio(path, strict=True), load_audio(path))


def test_damage_in_the_middle_is_passed_over(tmp_path):
    data = bytearray(encode_audio(chirp(3), RATE, ".flac"))
    middle = len(data) // 2
    data[middle : middle + 200] = bytes(200)
    with pytest.warns(XaiAudioWarning, match=r"it holds 2\.\d\d s of the 3\.00 s"):
        assert len(load_audio(written(tmp_path / "x.flac", data))) > 2 * RATE
    data = bytearray(coded(tmp_path / "x.aac", chirp(3), "aac").read_bytes())
    middle = len(data) // 2
    data[middle : middle + 300] = b"\xaa" * 300
    with pytest.warns(XaiAudioWarning, match="damage at .* passed over"):
        assert len(load_audio(written(tmp_path / "x.aac", data))) > 2 * RATE


def test_a_part_that_is_no_sound_does_not_lose_the_others(tmp_path):
    good = encode_audio(chirp(), RATE, ".ogg")
    # A stream that begins well, but whose codec is none.
    page = good[: good.find(b"OggS", 4)]
    bad = with_checksum(page[:28] + b"\x01nonsense" + page[37:]) + good[len(page) :]
    with pytest.warns(XaiAudioWarning, match="one of the sounds in it cannot be decoded"):
        found = load_audio(written(tmp_path / "x.ogg", good + bad))
    np.testing.assert_array_equal(found, load_audio(written(tmp_path / "y.ogg", good)))


def pages_of(data):
    """Return the pages of an Ogg file."""
    starts = [n for n in range(len(data)) if data[n : n + 4] == b"OggS"] + [len(data)]
    return [data[start:stop] for start, stop in pairwise(starts)]


@pytest.mark.slow
@pytest.mark.parametrize("codec", ["VORBIS", "OPUS"])
@pytest.mark.parametrize("damage", ["a flipped bit", "zeros", "a lost page"])
def test_damage_that_ogg_hides_is_said(tmp_path, codec, damage):
    soundfile.write(tmp_path / "x.ogg", noise(6), RATE, format="OGG", subtype=codec)
    pages = pages_of((tmp_path / "x.ogg").read_bytes())
    page = bytearray(pages[len(pages) // 2])
    if damage == "a flipped bit":
        page[len(page) // 2] ^= 4
    elif damage == "zeros":
        page[40:400] = bytes(360)
    else:
        page = b""
    pages[len(pages) // 2] = bytes(page)
    path = written(tmp_path / "y.ogg", b"".join(pages))
    with pytest.warns(XaiAudioWarning, match="damage at 1 place was passed over. The rest"):
        load_audio(path)
    with pytest.raises(XaiAudioError, match="is incomplete: damage"):
        load_audio(path, strict=True)


def test_an_ogg_file_behind_one_that_is_cut_is_read(tmp_path):
    first, second = encode_audio(noise(6), RATE, ".ogg"), encode_audio(tone(2), RATE, ".ogg")
    path = written(tmp_path / "x.ogg", first[: int(0.6 * len(first))] + second)
    with pytest.warns(XaiAudioWarning, match="ends too early"):
        found = load_audio(path)
    alone = load_audio(written(tmp_path / "y.ogg", second))
    np.testing.assert_array_equal(found[-len(alone) :], alone)


def test_a_radio_stream_taken_up_in_its_middle_is_whole(tmp_path, recwarn):
    pages = pages_of(encode_audio(noise(6), RATE, ".ogg"))
    assert len(
        load_audio(written(tmp_path / "x.ogg", b"".join(pages[:2] + pages[4:])), strict=True)
    )
    assert not recwarn.list


def test_a_flipped_bit_in_a_flac_is_said(tmp_path):
    data = bytearray(encode_audio(noise(3), RATE, ".flac"))
    data[-5000] ^= 1  # in the last digits of a sample: nothing goes astray
    with pytest.warns(XaiAudioWarning, match="damage in it was passed over"):
        assert len(load_audio(written(tmp_path / "x.flac", data))) == 3 * RATE
    with pytest.raises(XaiAudioError, match="is incomplete: damage"):
        load_audio(tmp_path / "x.flac", strict=True)


@pytest.mark.parametrize("form", ["AIFF", "AU", "CAF", "W64"])
def test_other_files_that_are_cut_are_read_and_it_is_said(tmp_path, form):
    path, wave = tmp_path / "x.wav", chirp(2)
    soundfile.write(path, wave, RATE, format=form)
    np.testing.assert_array_equal(load_audio(path, strict=True), load_audio(path))
    with pytest.warns(XaiAudioWarning, match=r"ends too early, after 1\.\d\d s"):
        found = load_audio(halved(path, path.read_bytes(), 0.7))
    np.testing.assert_allclose(found, wave[: len(found)], atol=1e-4)
    with pytest.raises(XaiAudioError, match="is incomplete"):
        load_audio(path, strict=True)


def test_alac_of_a_mac_keeps_its_end(tmp_path):
    path, wave = tmp_path / "x.caf", chirp(2)
    soundfile.write(path, wave, RATE, format="CAF", subtype="ALAC_16")
    np.testing.assert_allclose(load_audio(path, strict=True), wave, atol=1e-4)


# --- What is no sound


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"<!DOCTYPE html><html>404</html>" * 20, r"a web page \(HTML\)\. Download the sound"),
        (b"Notes of Monday\n" * 40, r"text\. Name a sound"),
        (b"#EXTM3U\nhttp://sounds.example/x.mp3\n", "a playlist"),
        (b"ffconcat version 1.0\nfile /etc/passwd\n", "text"),
        (b"PK\x03\x04" + bytes(400), "a zip archive. Unpack it"),
        (b"\x00\x05\x16\x07\x00\x02\x00\x00Mac OS X" + bytes(4000), r"AppleDouble"),
        (b"MThd\x00\x00\x00\x06\x00\x01", "MIDI"),
        (b"\x89PNG\r\n\x1a\n" + bytes(100), "PNG"),
        (bytes(4000), "filled with zeros. It was perhaps never fully copied"),
        (b"\x00\x00\x00\x20ftypM4A \x00\x00\x00\x00" + bytes(90), "an MP4.*ffmpeg -i 'my x' x?"),
        (bytes(range(256)) * 16, "another kind of file"),
        (wav(pcm(tone()))[:16] + bytes(4) + wav(pcm(tone()))[20:], "a damaged WAV"),
        (wav(pcm(tone()), rate=0), "a damaged WAV"),
    ],
)
def test_what_is_no_sound_is_named(tmp_path, data, said):
    path = written(tmp_path / "my x", data)
    with pytest.raises(XaiAudioError, match=f"cannot be read as sound: it is .*{said}") as caught:
        load_audio(path)
    assert str(path) in str(caught.value) and "\n" not in str(caught.value)
    with pytest.raises(XaiAudioError):
        duration(path)


def test_a_playlist_named_as_a_sound_is_not_followed(tmp_path):
    written(tmp_path / "secret.wav", wav(pcm(tone())))
    for text in ("ffconcat version 1.0\nfile secret.wav\n", "#EXTM3U\n#EXTINF:1,\nsecret.wav\n"):
        with pytest.raises(XaiAudioError, match="cannot be read as sound"):
            load_audio(written(tmp_path / "x.m4a", text.encode()))


# --- Cost


@pytest.mark.slow
def test_the_other_decoder_is_imported_only_where_it_is_needed(tmp_path):
    for extension in (".wav", ".flac", ".ogg", ".mp3"):
        written(tmp_path / f"x{extension}", encode_audio(tone(0.1), RATE, extension))
    code = (
        "import sys, pathlib; from xaiaudio.audio import load_audio\n"
        "for path in pathlib.Path(sys.argv[1]).iterdir(): load_audio(path)\n"
        "sys.exit('av' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code, tmp_path]).returncode == 0


def test_a_header_costs_no_memory(tmp_path):
    flac = bytearray(encode_audio(tone(), RATE, ".flac"))
    flac[21] |= 0x0F
    files = {
        "x.flac": bytes(flac),
        "x.wav": wav(pcm(tone()), sizes=0xFFFF_FF00),
        "slow.wav": wav(pcm(tone()), rate=1),
    }
    for name, data in files.items():
        written(tmp_path / name, data)
        tracemalloc.start()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                assert len(load_audio(tmp_path / name)) == 16_000
            except XaiAudioError as error:
                assert name == "slow.wav" and "a rate of 1 Hz" in str(error)
        assert tracemalloc.get_traced_memory()[1] < 8e6
        tracemalloc.stop()


def test_too_many_samples_are_refused(tmp_path, monkeypatch):
    path = written(tmp_path / "x.wav", wav(pcm(tone())))
    monkeypatch.setattr(decoding, "_MAX_SAMPLES", 15_000)
    with pytest.raises(XaiAudioError, match=r"x\.wav has more than 15000 samples: cut it first"):
        load_audio(path)


def test_the_window_of_a_part_reads_like_a_file():
    data = bytes(range(100))
    window, file = decoding._Window(data, containers.Part(20, 60)), io.BytesIO(data[20:60])
    for step in [(0, 5), (3, 10), (3, 100)]:
        assert window.seek(step[0]) == file.seek(step[0])
        assert window.read(step[1]) == file.read(step[1])
        assert window.tell() == file.tell()
    assert (window.seek(-5, 2), file.seek(-5, 2)) == (35, 35)
    assert window.read(100) == file.read(100)
    assert window.seek(-1) == -1 and window.tell() == 40
