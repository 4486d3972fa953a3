"""A copy of AudioMNIST, read as it lies."""

from pathlib import Path

import pytest
from spoken_digits import META, parts_of

from xaiaudio.datasets import digits
from xaiaudio.datasets.digits import audiomnist
from xaiaudio.errors import XaiAudioError


@pytest.mark.slow
@pytest.mark.parametrize("inside", ["", "data"])
def test_a_copy_of_audiomnist_is_read_as_it_lies(copy, home, inside):
    clips = digits.load("speaker", copy / inside)
    assert clips.name == "audiomnist"
    assert len(clips) == 6 * 2 * 4
    assert clips.labels == tuple(f"speaker {name}" for name in META)
    assert [clip.name for clip in clips[:5]] == [
        *("0_01_0", "0_01_1", "0_01_9", "0_01_10"),  # in the order of the numbers
        "7_01_0",
    ]
    assert {clip.licence for clip in clips} == {"MIT"}
    wave = clips[0].load()
    assert len(wave) == pytest.approx(28_000 / 3, abs=2)
    assert digits.frontend()(wave, pad=True).shape == (1, 96, 64)
    # What was recorded carries no truth.
    with pytest.raises(XaiAudioError, match="0_01_0: only synthesised"):
        digits.truth(clips[0])


@pytest.mark.slow
def test_takes_and_tasks_of_a_copy(copy, home):
    clips = digits.load("digit", copy, takes=2)
    assert clips.labels == ("zero", "seven")  # those that there are
    assert {clip.name.split("_")[2] for clip in clips} == {"0", "1"}
    train, test = clips.split()
    assert not {p[1] for p in parts_of(train)} & {p[1] for p in parts_of(test)}
    genders = digits.load("gender", copy)
    assert genders.counts() == {"female": 24, "male": 24}
    assert {clip.label for clip in genders.split()[1]} == {"female", "male"}
    assert len(digits.load("digit", copy, takes=None)) == len(genders)


@pytest.mark.slow
def test_a_copy_without_its_table_has_no_genders(copy, home):
    (copy / "data" / audiomnist.META).unlink()
    assert len(digits.load("digit", copy)) == 48
    with pytest.raises(XaiAudioError, match=r"speaker 01 is a woman or a man.*audioMNIST_meta.txt"):
        digits.load("gender", copy)
    (copy / "data" / audiomnist.META).write_text('{"01": 3}')
    with pytest.raises(XaiAudioError, match="table of speakers"):
        digits.load("digit", copy)


def test_only_files_that_belong_to_their_folder_are_recordings(tmp_path):
    for name in (
        *("01/3_01_0.wav", "01/3_01_12.FLAC", "02/0_02_4.wav"),  # these
        *("01/3_02_0.wav", "01/x_01_0.wav", "01/3_01.wav", "01/3_01_0.mp3", "x/0_03_0.wav"),
    ):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    found = audiomnist.read(tmp_path)
    assert [(one.digit, one.speaker, one.take) for one in found] == [
        *((3, "01", 0), (3, "01", 12), (0, "02", 4)),
    ]
    assert {one.gender for one in found} == {None}
    assert len(audiomnist.read(str(tmp_path), 1)) == 2


def test_a_folder_that_cannot_be_listed_is_told(tmp_path, monkeypatch):
    def refuse(self):
        raise PermissionError(13, "Permission denied", str(self))

    monkeypatch.setattr(Path, "iterdir", refuse)
    with pytest.raises(XaiAudioError, match=f"Could not read {tmp_path}: Permission denied"):
        audiomnist.read(tmp_path)
