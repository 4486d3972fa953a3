"""Songs with their stems: files with five sounds side by side, made here."""

import av
import numpy as np
import pytest

import xaiaudio as xa
from xaiaudio.audio import save_audio
from xaiaudio.datasets import stems
from xaiaudio.explainers.engines.components import Components

RATE = 44_100
HERTZ = {"drums": 200, "bass": 80, "other": 1_000, "vocals": 440}


def tone(hertz, seconds=1.0):
    return 0.2 * np.sin(2 * np.pi * hertz * np.arange(round(seconds * RATE)) / RATE)


def write(path, sounds):
    """Write stereo AAC streams into one file."""
    with av.open(str(path), "w", format="mp4") as container:
        streams = [container.add_stream("aac", rate=RATE, layout="stereo") for _ in sounds]
        for stream, sound in zip(streams, sounds, strict=True):
            for start in range(0, len(sound), 1024):
                block = np.tile(sound[start : start + 1024], (2, 1)).astype("float32")
                frame = av.AudioFrame.from_ndarray(block, format="fltp", layout="stereo")
                frame.sample_rate, frame.pts = RATE, start
                container.mux(stream.encode(frame))
            container.mux(stream.encode(None))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    place = tmp_path_factory.mktemp("songs")
    parts = [tone(hertz) for hertz in HERTZ.values()]
    write(place / "A song.stem.mp4", [sum(parts), *parts])
    write(place / "Two sounds.stem.mp4", parts[:2])
    (place / "notes.txt").write_text("no song")
    return place


def loudest(wave, rate):
    return np.abs(np.fft.rfft(wave)).argmax() * rate / len(wave)


@pytest.mark.slow
def test_each_stem_is_its_own_sound(folder, monkeypatch):
    monkeypatch.setenv("XAIAUDIO_STEMS", str(folder))
    song, _ = stems.tracks()
    assert song.name == "A song"
    mix, parts = song.load(16_000), song.load_stems(16_000)
    assert tuple(parts) == stems.STEMS and mix.dtype == np.float32
    for name, part in parts.items():
        assert len(part) == len(mix) and abs(len(mix) - 16_000) < 2_200
        assert loudest(part, 16_000) == pytest.approx(HERTZ[name], abs=3)
    # The codec loses a little: the sum is near the mix, and what it misses is the residual.
    found = Components.of_sources(mix, parts)
    np.testing.assert_array_equal(found.mix(np.ones(4)), mix)
    middle = slice(2_000, -2_000)
    assert np.abs(found.residual[middle]).max() < 0.1 * np.abs(mix).max()


def test_without_a_folder_there_are_none(monkeypatch):
    monkeypatch.delenv("XAIAUDIO_STEMS", raising=False)
    assert stems.tracks() == []


@pytest.mark.slow
def test_what_is_missing_is_told(folder, tmp_path):
    with pytest.raises(xa.XaiAudioError, match="There is no folder"):
        stems.tracks(tmp_path / "none")
    with pytest.raises(xa.XaiAudioError, match="holds no song"):
        stems.tracks(tmp_path)
    with pytest.raises(xa.XaiAudioError, match="has no sound 2: it has 2, counted from 0"):
        stems.tracks(folder)[1].load_stems()
    with pytest.raises(xa.XaiAudioError, match="The stream is -1"):
        xa.load_audio(folder / "A song.stem.mp4", stream=-1)


def test_a_stream_of_a_plain_file(tmp_path):
    wave = tone(440)
    path = save_audio(tmp_path / "tone.wav", wave, RATE)
    found = xa.load_audio(path, sample_rate=RATE, stream=0)
    np.testing.assert_allclose(found, wave, atol=1e-4)
