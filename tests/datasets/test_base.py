"""Clip and ClipSet: order, counts, splits, and what a clip can load."""

from pathlib import Path

import numpy as np
import pytest
import soundfile

from xaiaudio.audio import save_audio
from xaiaudio.datasets import Clip, ClipSet, describe
from xaiaudio.datasets.base import held_out
from xaiaudio.errors import XaiAudioError


def clip_set(**counts):
    clips = [
        Clip(Path(f"{label}-{i}.wav"), label, 1 + i % 5, "CC0")
        for label, count in counts.items()
        for i in range(count)
    ]
    return ClipSet("test", tuple(clips), tuple(counts))


def test_a_set_is_a_sequence():
    clips = clip_set(dog=3, cat=2)
    assert len(clips) == 5
    assert [clip.name for clip in clips] == ["dog-0", "dog-1", "dog-2", "cat-0", "cat-1"]
    assert clips[-1].label == "cat"
    part = clips[1:4]
    assert isinstance(part, ClipSet)
    assert part.labels == ("dog", "cat")
    assert part.counts() == {"dog": 2, "cat": 1}
    assert part.indices.tolist() == [0, 0, 1]
    assert clips[0] in clips


def test_of_keeps_the_labels():
    clips = clip_set(dog=3, cat=2, owl=1)
    assert clips.of("cat", "owl").counts() == {"dog": 0, "cat": 2, "owl": 1}
    assert clips.of("owl").indices.tolist() == [2]
    with pytest.raises(XaiAudioError, match="'fox': the labels are dog, cat, owl"):
        clips.of("fox")


def test_split_holds_out_one_fold():
    clips = clip_set(dog=10, cat=5)
    train, test = clips.split(fold=2)
    assert {clip.fold for clip in test} == {2}
    assert {clip.fold for clip in train} == {1, 3, 4, 5}
    assert test.counts() == {"dog": 2, "cat": 1}
    assert set(train) | set(test) == set(clips)


def test_split_refuses_what_leaves_nothing():
    clips = clip_set(dog=3)
    with pytest.raises(XaiAudioError, match="fold 5: its clips are of folds 1, 2, 3. Name"):
        clips.split(5)
    with pytest.raises(XaiAudioError, match="fold 1"):
        clips[:1].split(1)


@pytest.mark.parametrize(
    ("count", "share", "held"),
    [(0, 0.8, 0), (1, 0.8, 0), (2, 0.8, 1), (3, 0.8, 1), (5, 0.8, 1), (40, 0.8, 8), (2, 0.1, 1)],
)
def test_held_out(count, share, held):
    assert held_out(count, share) == held


def test_split_share_takes_the_last_of_each_label():
    clips = clip_set(dog=10, cat=5, owl=1, fox=2)
    train, test = clips.split_share(0.8)
    assert [clip.name for clip in test] == ["dog-8", "dog-9", "cat-4", "fox-1"]
    assert train.counts() == {"dog": 8, "cat": 4, "owl": 1, "fox": 1}
    for share in (0, 1, -0.5, float("nan")):
        with pytest.raises(XaiAudioError, match="between 0 and 1"):
            clips.split_share(share)


def test_clips_without_label_cannot_be_learnt():
    clips = ClipSet("x", (Clip(Path("a.wav"), None, 1, ""),), ())
    with pytest.raises(XaiAudioError, match=r"a\.wav has no label"):
        _ = clips.indices


def test_a_clip_loads_its_parts(tmp_path):
    wave = np.linspace(-0.5, 0.5, 1600)
    soundfile.write(tmp_path / "stems.flac", [[0.5, 0.25], [-0.5, 0.0]], 16_000)
    mask = np.eye(4, dtype=bool)
    np.savez(tmp_path / "events.npz", mask=mask)
    clip = Clip(
        save_audio(tmp_path / "a.wav", wave),
        "dog",
        1,
        "CC0",
        stems=tmp_path / "stems.flac",
        events=tmp_path / "events.npz",
    )
    np.testing.assert_allclose(clip.load(), wave, atol=1e-4)
    stems = clip.load_stems()
    assert stems["event"].tolist() == [0.5, -0.5]
    assert stems["background"].tolist() == [0.25, 0.0]
    assert stems["event"].dtype == np.float32
    assert (clip.load_events() == mask).all()


def test_a_clip_says_what_it_has_not(tmp_path):
    clip = Clip(tmp_path / "a.wav", "dog", 1, "CC0")
    with pytest.raises(XaiAudioError, match="a has no stems"):
        clip.load_stems()
    with pytest.raises(XaiAudioError, match="a has no event mask"):
        clip.load_events()
    with pytest.raises(XaiAudioError, match="There is no file"):
        clip.load()
    save_audio(tmp_path / "mono.wav", np.zeros(10))
    np.savez(tmp_path / "other.npz", name=np.zeros(3))
    np.savez_compressed(tmp_path / "torn.npz", mask=np.random.default_rng(0).random(500))
    packed = bytearray((tmp_path / "torn.npz").read_bytes())
    packed[200:300] = bytes(100)
    (tmp_path / "torn.npz").write_bytes(packed)
    for name in ("mono.wav", "other.npz", "torn.npz"):
        clip = Clip(tmp_path / "a.wav", "d", 1, "", stems=tmp_path / name, events=tmp_path / name)
        with pytest.raises(XaiAudioError, match=f"Could not read .*{name}"):
            clip.load_stems()
        with pytest.raises(XaiAudioError, match=f"Could not read .*{name}"):
            clip.load_events()


def test_describe_sums_up(tmp_path):
    for name, seconds in (("a", 1), ("b", 2), ("c", 0.5)):
        save_audio(tmp_path / f"{name}.flac", np.zeros(int(16_000 * seconds)))
    clips = (
        Clip(tmp_path / "a.flac", "dog", 1, "CC0"),
        Clip(tmp_path / "b.flac", "cat", 2, "CC BY"),
        Clip(tmp_path / "c.flac", "cat", 1, ""),
    )
    assert describe(ClipSet("x", clips, ("dog", "cat", "owl"))) == {
        "name": "x",
        "clips": 3,
        "labels": {"dog": 1, "cat": 2, "owl": 0},
        "folds": {1: 2, 2: 1},
        "licences": {"CC0": 1, "CC BY": 1, "unknown": 1},
        "seconds": 3.5,
    }
