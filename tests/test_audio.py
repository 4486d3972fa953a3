"""Decoding and writing sound files: what comes in, and what is said when it cannot."""

import builtins
import errno
import os
import struct
import warnings
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from xaiaudio.audio import FORMATS, duration, encode_audio, load_audio, save_audio
from xaiaudio.errors import XaiAudioError, XaiAudioWarning

SUBTYPES = ("PCM_U8", "PCM_16", "PCM_24", "PCM_32", "FLOAT", "DOUBLE", "ULAW")

BEGINNINGS = (b"", b"RIFF\x24\x08\x00\x00WAVEfmt ", b"fLaC", b"OggS", b"ID3", b"\xff\xfb")


def tone(rate, seconds=1.0, hertz=440.0, amplitude=0.5):
    return amplitude * np.sin(2 * np.pi * hertz * np.arange(int(rate * seconds)) / rate)


@pytest.mark.parametrize("extension", FORMATS)
def test_what_is_saved_is_loaded(tmp_path, extension):
    wave = tone(16_000)
    path = save_audio(tmp_path / f"tone{extension}", wave)
    loaded = load_audio(path)
    assert loaded.dtype == np.float32
    if extension in (".wav", ".flac"):
        np.testing.assert_allclose(loaded, wave, atol=1 / 32_768)
    middle = slice(4000, 12_000)
    spectrum = np.abs(np.fft.rfft(loaded[middle] * np.hanning(8000)))
    assert spectrum.argmax() == 220  # 440 Hz in bins of 2 Hz
    assert np.std(loaded[middle]) == pytest.approx(0.5 / np.sqrt(2), rel=0.02)
    assert duration(path) == pytest.approx(len(loaded) / 16_000)
    assert [file.name for file in tmp_path.iterdir()] == [path.name]


@pytest.mark.parametrize("rate", [8000, 11_025, 22_050, 44_100, 48_000, 96_000])
def test_any_rate_is_resampled_truly(tmp_path, rate):
    soundfile.write(tmp_path / "x.wav", tone(rate), rate, subtype="FLOAT")
    loaded = load_audio(tmp_path / "x.wav")
    assert len(loaded) == 16_000
    np.testing.assert_allclose(loaded[800:-800], tone(16_000)[800:-800], atol=1e-3)


def test_what_the_new_rate_cannot_hold_is_removed(tmp_path):
    soundfile.write(tmp_path / "x.wav", tone(44_100, hertz=12_000), 44_100, subtype="FLOAT")
    assert np.abs(load_audio(tmp_path / "x.wav")[800:-800]).max() < 1e-3


def test_channels_are_averaged(tmp_path):
    left, right = tone(16_000), tone(16_000, hertz=1000, amplitude=0.2)
    both = np.stack([left, right, np.zeros(16_000)], axis=1)
    soundfile.write(tmp_path / "x.wav", both, 16_000, subtype="FLOAT")
    np.testing.assert_allclose(load_audio(tmp_path / "x.wav"), both.mean(axis=1), atol=1e-6)


def test_one_channel_can_be_taken(tmp_path):
    both = np.stack([tone(16_000), tone(16_000, hertz=1000)], axis=1)
    soundfile.write(tmp_path / "x.wav", both, 16_000, subtype="FLOAT")
    for channel in (0, 1):
        taken = load_audio(tmp_path / "x.wav", channel=channel)
        np.testing.assert_array_equal(taken, both[:, channel].astype(np.float32))
    with pytest.raises(XaiAudioError, match=r"x\.wav has no channel 2: it has 2, counted from 0"):
        load_audio(tmp_path / "x.wav", channel=2)
    for nonsense in (-1, True, "left"):
        with pytest.raises(XaiAudioError, match="The channel is"):
            load_audio(tmp_path / "x.wav", channel=nonsense)


@pytest.mark.parametrize(
    ("second", "cancels"),
    [(-1.0, True), (-0.9, True), (-0.5, False), (0.0, False), (1.0, False), ("noise", False)],
)
def test_channels_that_cancel_are_noticed(tmp_path, recwarn, second, cancels):
    first = np.random.default_rng(0).normal(0, 0.1, 16_000)
    other = np.random.default_rng(1).normal(0, 0.1, 16_000) if second == "noise" else second * first
    soundfile.write(tmp_path / "x.wav", np.stack([first, other], axis=1), 16_000)
    load_audio(tmp_path / "x.wav")
    assert [str(one.message).startswith("The 2 channels of") for one in recwarn] == [True] * cancels
    recwarn.clear()
    assert load_audio(tmp_path / "x.wav", channel=0).std() == pytest.approx(0.1, rel=0.02)
    assert not len(recwarn)


def test_one_channel_of_six_does_not_cancel(tmp_path, recwarn):
    six = np.zeros((16_000, 6))
    six[:, 2] = tone(16_000)
    soundfile.write(tmp_path / "x.wav", six, 16_000)
    assert load_audio(tmp_path / "x.wav").any()
    assert not len(recwarn)


@pytest.mark.parametrize(
    ("subtype", "error"), [("PCM_U8", 1 / 64), ("PCM_16", 1e-4), ("PCM_24", 1e-6), ("PCM_32", 1e-6)]
)
def test_whole_numbers_become_floats_up_to_one(tmp_path, subtype, error):
    wave = np.array([0.0, 0.5, -0.5, 0.999, -1.0])
    soundfile.write(tmp_path / "x.wav", wave, 16_000, subtype=subtype)
    np.testing.assert_allclose(load_audio(tmp_path / "x.wav"), wave, atol=error)


def test_silence_is_a_sound(tmp_path):
    assert not load_audio(save_audio(tmp_path / "x.wav", np.zeros(100))).any()


def test_overshoots_are_clipped_but_a_wrong_scale_is_refused(tmp_path):
    soundfile.write(tmp_path / "x.wav", [0.5, 1.5, -2.0], 16_000, subtype="FLOAT")
    assert load_audio(tmp_path / "x.wav").tolist() == [0.5, 1.0, -1.0]
    soundfile.write(tmp_path / "y.wav", [0.5, 20_000.0], 16_000, subtype="FLOAT")
    with pytest.raises(XaiAudioError, match=r"y\.wav has samples of 20000.*scale it"):
        load_audio(tmp_path / "y.wav")


def test_long_files_are_read_in_blocks(tmp_path):
    wave = np.random.default_rng(0).uniform(-1, 1, 700_001)
    soundfile.write(tmp_path / "x.flac", wave, 16_000, subtype="PCM_24")
    np.testing.assert_allclose(load_audio(tmp_path / "x.flac"), wave, atol=1e-6)


def bad_file(folder, kind):
    path = folder / "x.wav"
    if kind == "folder":
        path.mkdir()
    elif kind == "empty":
        path.touch()
    elif kind == "text":
        path.write_text("No sound at all, but a long enough text to look like something.")
    elif kind == "header only":
        path.write_bytes(encode_audio(tone(16_000), 16_000, ".wav")[:20])
    elif kind == "no samples":
        soundfile.write(path, np.zeros(0), 16_000)
    elif kind == "NaN":
        soundfile.write(path, np.r_[np.zeros(1600), np.nan, 0.1], 16_000, subtype="FLOAT")
    elif kind == "infinite":
        soundfile.write(path, np.array([-np.inf, 0.1]), 16_000, subtype="FLOAT")
    elif kind == "one sample at a megahertz":
        soundfile.write(path, np.zeros(3), 1_000_000)
    elif kind == "a day":
        soundfile.write(path, np.zeros(864_000 * 10), 100, subtype="PCM_U8")
    elif kind == "one hertz":
        soundfile.write(path, np.zeros(16_000), 1)
    elif kind == "pipe":
        os.mkfifo(path)
    return path


@pytest.mark.slow
@pytest.mark.parametrize(
    ("kind", "message"),
    [
        ("missing", "There is no file"),
        ("folder", "is a folder"),
        ("empty", "is empty"),
        ("text", "cannot be read as sound"),
        ("header only", "cannot be read as sound|holds no samples"),
        ("no samples", "holds no samples"),
        ("NaN", r"NaN or infinite samples, the first at 0\.100 s"),
        ("infinite", r"NaN or infinite samples, the first at 0\.000 s"),
        ("one sample at a megahertz", "too short"),
        ("a day", "more than six hours"),
        ("one hertz", "a rate of 1 Hz, which no sound has"),
        ("pipe", "not an ordinary file"),
    ],
)
def test_bad_files_are_named_in_one_line(tmp_path, kind, message):
    path = bad_file(tmp_path, kind)
    with pytest.raises(XaiAudioError, match=message) as caught:
        load_audio(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_file_one_may_not_read(tmp_path, monkeypatch):
    path = save_audio(tmp_path / "x.wav", tone(16_000))

    def refuse(*args, **kwargs):
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(builtins, "open", refuse)
    with pytest.raises(XaiAudioError, match=r"Could not read .*x\.wav: Permission denied"):
        load_audio(path)


@pytest.mark.parametrize("name", ["sound", "x.wav", "x.mp3", "ä ö\n.ogg"])
def test_the_name_does_not_matter_for_reading(tmp_path, name):
    (tmp_path / name).write_bytes(encode_audio(tone(16_000), 16_000, ".flac"))
    assert len(load_audio(tmp_path / name)) == 16_000


def test_a_header_that_promises_too_much(tmp_path):
    data = bytearray(encode_audio(tone(16_000), 16_000, ".wav"))
    struct.pack_into("<I", data, 40, 0x7FFF_FFF0)
    (tmp_path / "x.wav").write_bytes(data)
    assert len(load_audio(tmp_path / "x.wav")) == 16_000
    flac = bytearray(encode_audio(tone(16_000), 16_000, ".flac"))
    flac[21] |= 0x0F  # the upper bits of the number of samples: 64 billion of them
    (tmp_path / "x.flac").write_bytes(flac)
    with pytest.warns(
        XaiAudioWarning, match=r"x\.flac is incomplete: it holds 1\.00 s of the 1118:28:"
    ):
        assert len(load_audio(tmp_path / "x.flac")) == 16_000
    assert duration(tmp_path / "x.flac") == 1


@pytest.mark.parametrize("rate", [0, -1, 99, 1_000_001, 16_000.0, True, "16000"])
def test_nonsense_rates(tmp_path, rate):
    path = save_audio(tmp_path / "x.wav", tone(16_000))
    with pytest.raises(XaiAudioError, match="sample rate"):
        load_audio(path, sample_rate=rate)
    with pytest.raises(XaiAudioError, match="sample rate"):
        save_audio(path, tone(16_000), rate)


@pytest.mark.parametrize(
    ("name", "wave", "rate", "message"),
    [
        ("x.aac", np.zeros(100), 16_000, r"choose one of \.wav"),
        ("x", np.zeros(100), 16_000, "without extension"),
        ("x.wav", np.zeros((100, 2)), 16_000, "finite waveform"),
        ("x.wav", np.zeros(0), 16_000, "finite waveform"),
        ("x.wav", np.array([0.0, np.nan]), 16_000, "finite waveform"),
        ("x.mp3", np.zeros(100), 12_345, "MP3 file cannot hold"),
        ("no/x.wav", np.zeros(100), 16_000, r"Could not write .*x\.wav: No such file"),
    ],
)
def test_what_cannot_be_saved(tmp_path, name, wave, rate, message):
    with pytest.raises(XaiAudioError, match=message):
        save_audio(tmp_path / name, wave, rate)
    assert not any(tmp_path.iterdir())


def test_a_full_disk_leaves_the_old_file(tmp_path, monkeypatch):
    path = save_audio(tmp_path / "x.wav", tone(16_000))
    before = path.read_bytes()

    def fill(self, data):
        with open(self, "wb") as file:
            file.write(data[:100])
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", fill)
    with pytest.raises(XaiAudioError, match=r"Could not write .*x\.wav: No space left"):
        save_audio(path, np.zeros(5))
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_loud_sounds_are_clipped_when_saved(tmp_path):
    loaded = load_audio(save_audio(tmp_path / "x.wav", np.array([3.0, -3.0, 0.5])))
    np.testing.assert_allclose(loaded, [1, -1, 0.5], atol=1e-4)


@pytest.mark.slow
def test_minutes_of_vorbis(tmp_path):
    path = save_audio(tmp_path / "x.ogg", tone(16_000, 180))
    assert duration(path) == pytest.approx(180, abs=0.1)


@pytest.mark.slow
@settings(
    max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    start=st.sampled_from(
        [b"", b"RIFF\x24\x08\x00\x00WAVEfmt ", b"fLaC", b"OggS", b"ID3", b"\xff\xfb"]
    ),
    rest=st.binary(max_size=2000),
    name=st.sampled_from(["x.wav", "x.mp3", "x.ogg", "x.flac", "x.raw", "x"]),
)
def test_random_bytes(tmp_path, start, rest, name):
    path = tmp_path / name
    path.write_bytes(start + rest)
    check_any(path)


@pytest.mark.slow
@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    extension=st.sampled_from(sorted(FORMATS)),
    flips=st.lists(st.tuples(st.integers(0, 4000), st.integers(0, 255)), max_size=8),
    length=st.integers(1, 4000),
)
def test_damaged_files(tmp_path, extension, flips, length):
    data = bytearray(encode_audio(tone(16_000, 0.2), 16_000, extension))
    for place, value in flips:
        data[place % len(data)] = value
    path = tmp_path / f"x{extension}"
    path.write_bytes(data[:length])
    check_any(path)


@pytest.mark.slow
@settings(
    max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    rate=st.integers(1000, 400_000),
    channels=st.integers(1, 12),
    subtype=st.sampled_from(SUBTYPES),
    samples=st.integers(0, 3000),
    scale=st.floats(0, 100),
)
def test_any_wav(tmp_path, rate, channels, subtype, samples, scale):
    wave = scale * np.random.default_rng(0).standard_normal((samples, channels))
    if subtype not in ("FLOAT", "DOUBLE"):
        wave = wave.clip(-1, 1)  # libsndfile crashes on writing more as ULAW
    path = tmp_path / "x.wav"
    soundfile.write(path, wave, rate, subtype=subtype)
    wave = check_any(path)
    if wave is not None:
        assert abs(len(wave) - duration(path) * 16_000) <= 1


def check_any(path):
    """Whatever the file holds: a sound, or one line that names it."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", XaiAudioWarning)  # it may be cut off
            wave = load_audio(path)
    except XaiAudioError as error:
        assert str(path) in str(error)
        return None
    assert wave.ndim == 1
    assert wave.dtype == np.float32
    assert len(wave) > 0
    assert np.abs(wave).max() <= 1
    return wave
