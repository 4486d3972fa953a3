"""Blocks of a file are the file."""

import numpy as np
import pytest
import soundfile

from xaiaudio import load_audio
from xaiaudio.errors import XaiAudioError, XaiAudioWarning
from xaiaudio.streaming import Blocks, excerpts


def noise(seconds, rate, channels=1, seed=0):
    size = (round(seconds * rate), channels)
    return np.random.default_rng(seed).uniform(-0.9, 0.9, size).astype("f4")


@pytest.mark.slow
@pytest.mark.parametrize("rate", [8_000, 16_000, 22_050, 44_100, 48_000])
@pytest.mark.parametrize("block", [0.013, 0.5, 99.0])
def test_blocks_are_the_whole_sound(tmp_path, rate, block):
    soundfile.write(tmp_path / "x.wav", noise(2.3, rate, 2), rate, "PCM_24")
    blocks = Blocks(tmp_path / "x.wav", block=block)
    found = np.concatenate(list(blocks))
    np.testing.assert_allclose(found, load_audio(tmp_path / "x.wav"), atol=1e-5)
    assert blocks.seconds == pytest.approx(blocks.expected, abs=1e-3)
    assert (blocks.file_rate, blocks.channels) == (rate, 2)


def test_one_channel(tmp_path):
    soundfile.write(tmp_path / "x.wav", noise(1, 16_000, 3), 16_000, "FLOAT")
    found = np.concatenate(list(Blocks(tmp_path / "x.wav", channel=2, block=0.3)))
    np.testing.assert_array_equal(found, load_audio(tmp_path / "x.wav", channel=2))
    with pytest.raises(XaiAudioError, match="has no channel 3"):
        list(Blocks(tmp_path / "x.wav", channel=3))


@pytest.mark.parametrize(("start", "end"), [(None, 0.5), (0.25, None), (0.25, 0.75), (0.9, 9.0)])
def test_a_span(tmp_path, start, end):
    wave = noise(1, 16_000)
    soundfile.write(tmp_path / "x.wav", wave, 16_000, "FLOAT")
    blocks = Blocks(tmp_path / "x.wav", start=start, end=end, block=0.1)
    first, last = round((start or 0) * 16_000), round(min(end or 1, 1) * 16_000)
    np.testing.assert_array_equal(np.concatenate(list(blocks)), wave[first:last, 0])
    assert blocks.seconds == pytest.approx(blocks.expected)


def test_a_block_needs_a_length(tmp_path):
    soundfile.write(tmp_path / "x.wav", noise(1, 16_000), 16_000)
    with pytest.raises(XaiAudioError, match="A block lasts 0 s"):
        Blocks(tmp_path / "x.wav", block=0)


def test_channels_that_cancel_are_warned_of(tmp_path):
    wave = noise(1, 16_000)
    soundfile.write(tmp_path / "x.wav", np.hstack([wave, -wave]), 16_000, "FLOAT")
    with pytest.warns(XaiAudioWarning, match="The 2 channels"):
        list(Blocks(tmp_path / "x.wav"))


def test_a_file_without_samples_and_one_that_is_too_short(tmp_path):
    soundfile.write(tmp_path / "none.wav", np.zeros(0), 16_000)
    with pytest.raises(XaiAudioError, match="holds no samples"):
        list(Blocks(tmp_path / "none.wav"))
    with pytest.raises(XaiAudioError, match="There is no file"):
        Blocks(tmp_path / "nowhere.wav")


def test_excerpts_by_the_definition():
    rng = np.random.default_rng(0)
    wave = rng.normal(size=1_000)
    cuts = np.sort(rng.integers(0, 1_000, 7))
    spans = [(0, 10), (400, 900), (450, 460), (990, 1_200), (0, 1_000)]
    found = excerpts(np.split(wave, cuts), spans)
    for piece, (first, last) in zip(found, spans, strict=True):
        np.testing.assert_array_equal(piece, wave[first:last])
