"""Scenes are the sum of their events, which sound when they are said to."""

import numpy as np
import pytest

from xaiaudio import LogMel
from xaiaudio.audio import save_audio
from xaiaudio.datasets import Clip, ClipSet
from xaiaudio.datasets.scenes import AUDIBLE_DB, audible, scenes
from xaiaudio.errors import XaiAudioError


@pytest.fixture(scope="module")
def clips(tmp_path_factory):
    folder, made = tmp_path_factory.mktemp("clips"), []
    time = np.arange(48_000) / 16_000
    for number, label in enumerate(("a", "b", "c")):
        for take in range(2):
            wave = 0.3 * np.sin(2 * np.pi * 300 * (number + 1) * time)
            if label == "c":  # half a second of sound in three
                wave *= (time > 1) & (time < 1.5)
            save_audio(folder / f"{label}{take}.wav", wave.astype("float32"))
            made.append(Clip(folder / f"{label}{take}.wav", label, 1, "CC0"))
    return ClipSet("tones", tuple(made), ("a", "b", "c"))


@pytest.mark.slow
def test_a_scene_is_its_events_over_faint_noise(clips):
    for scene in scenes(clips, count=4, events=3, seed=2):
        assert {event.label for event in scene.events} == {"a", "b", "c"}
        rest = scene.wave - sum(scene.parts)
        assert np.sqrt(np.mean(rest**2)) == pytest.approx(0.001, rel=0.05)
        assert [event.start for event in scene.events] == sorted(e.start for e in scene.events)
        for event, part in zip(scene.events, scene.parts, strict=True):
            heard = np.flatnonzero(np.abs(part) > 10 ** (-AUDIBLE_DB / 20) * np.abs(part).max())
            assert event.start == pytest.approx(heard[0] / 16_000, abs=0.03)
            assert event.end == pytest.approx(heard[-1] / 16_000, abs=0.03)
            if event.label == "c":
                assert event.end - event.start == pytest.approx(0.5, abs=0.06)


@pytest.mark.slow
def test_the_seed_decides(clips):
    one, two, other = (scenes(clips, count=2, events=2, seed=seed) for seed in (1, 1, 2))
    assert np.array_equal(one[1].wave, two[1].wave)
    assert not np.array_equal(one[1].wave, other[1].wave)


def test_audible_is_where_it_is_loud():
    frontend = LogMel.vggish()
    wave = np.zeros(16_000)
    wave[4000:8000] = 0.1
    wave[12_000:] = 0.001  # 40 dB below
    start, end = audible(wave, frontend)
    assert start == pytest.approx(0.25, abs=0.02)
    assert end == pytest.approx(0.5, abs=0.02)


def test_what_makes_no_sense_is_told(clips):
    with pytest.raises(XaiAudioError, match="3 classes"):
        scenes(clips, events=4)
    for seconds in (1.0, -5, float("nan"), float("inf"), "5", 1e9):
        with pytest.raises(XaiAudioError, match="cannot last"):
            scenes(clips, events=2, seconds=seconds)
    for name, value in (("count", 0), ("count", -1), ("count", 1.5), ("count", True)):
        with pytest.raises(XaiAudioError, match=f"{name} is"):
            scenes(clips, events=2, **{name: value})
    for wrong in ({"events": 0}, {"events": float("nan")}, {"seed": -1}, {"seed": 0.5}):
        with pytest.raises(XaiAudioError, match=f"{next(iter(wrong))} is"):
            scenes(clips, **wrong)
    with pytest.raises(XaiAudioError, match="not at 8000"):
        scenes(clips, count=1, events=1)[0].load(8000)


def test_silence_neither_begins_nor_ends():
    with pytest.raises(XaiAudioError, match="silent"):
        audible(np.zeros(16_000), LogMel.vggish())
