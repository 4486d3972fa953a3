"""One set of recordings, three questions: labels and folds."""

from pathlib import Path

import pytest
from spoken_digits import parts_of

from xaiaudio.datasets import digits
from xaiaudio.datasets.digits import store, tasks
from xaiaudio.errors import XaiAudioError


@pytest.mark.slow
def test_the_same_recordings_have_other_labels_for_another_task(small):
    paths = [clip.path for clip in small["digit"]]
    assert len(set(paths)) == 4 * 10 * 2
    for task, clips in small.items():
        assert [clip.path for clip in clips] == paths, task
        assert {clip.label for clip in clips} == set(clips.labels)
    assert small["digit"].labels == digits.DIGITS
    assert small["speaker"].labels == ("speaker 01", "speaker 02", "speaker 03", "speaker 04")
    assert small["gender"].labels == ("female", "male")
    for which, clip in zip(parts_of(small["digit"]), small["digit"], strict=True):
        assert clip.label == digits.DIGITS[int(which[0])]
    for which, clip in zip(parts_of(small["speaker"]), small["speaker"], strict=True):
        assert clip.label == f"speaker {which[1]}"


@pytest.mark.slow
@pytest.mark.parametrize("task", ["digit", "gender"])
def test_held_out_voices_are_strangers_to_who_learns_digits_or_genders(small, task):
    train, test = small[task].split()
    heard, strange = ({part[1] for part in parts_of(clips)} for clips in (train, test))
    assert not heard & strange
    assert {digits.speakers(4)[int(name) - 1].gender for name in strange} == {"female", "male"}
    assert {clip.label for clip in test} == set(test.labels)


@pytest.mark.slow
def test_held_out_takes_are_new_but_their_speakers_are_known(small):
    train, test = small["speaker"].split()
    assert {part[1] for part in parts_of(train)} == {part[1] for part in parts_of(test)}
    assert not set(parts_of(train)) & set(parts_of(test))
    assert {part[2] for part in parts_of(test)} == {"1"}
    assert test.counts() == dict.fromkeys(test.labels, 10)


def test_the_usual_set_holds_out_four_voices_or_one_take(home, monkeypatch):
    monkeypatch.setattr(store, "ensure", lambda *_, **__: None)
    for task, names in (("digit", 4), ("speaker", 20)):
        train, test = digits.load(task).split()
        assert (len(train), len(test)) == (800, 200)
        assert len({part[1] for part in parts_of(test)}) == names
        assert {clip.fold for clip in train} == {1, 2, 3, 4}


def recordings(*, speakers=("01", "02"), digits_=(0, 7), takes=range(5), gender=None):
    gender = gender or {"01": "male", "02": "female"}
    return [
        tasks.Recording(
            Path(f"{digit}_{speaker}_{take}.wav"), digit, speaker, take, gender.get(speaker),
            "CC0", "Ann", "here",
        )
        for take in takes for digit in digits_ for speaker in speakers
    ]  # fmt: skip


def test_clips_come_in_order_and_keep_what_is_known_of_the_file():
    clips = tasks.clip_set(recordings(takes=(10, 9)), "digit", "some")
    assert [clip.name for clip in clips[:4]] == ["0_01_9", "0_01_10", "7_01_9", "7_01_10"]
    assert clips.labels == ("zero", "seven") and clips.name == "some"
    assert {(clip.licence, clip.author, clip.source) for clip in clips} == {("CC0", "Ann", "here")}


@pytest.mark.parametrize(
    "count, folds", [(1, [1]), (2, [1, 5]), (3, [1, 3, 5]), (5, [1, 2, 3, 4, 5])]
)
def test_takes_are_dealt_out_and_the_last_fifth_is_held_out(count, folds):
    clips = tasks.clip_set(recordings(takes=range(count)), "speaker", "some")
    for digit, speaker in ((0, "01"), (7, "02")):
        ours = [clip for clip in clips if clip.name.startswith(f"{digit}_{speaker}")]
        assert [clip.fold for clip in ours] == folds


def test_the_first_takes_are_those_of_the_lowest_numbers():
    kept = tasks.first_takes(recordings(takes=(10, 2, 9)), 2)
    assert {one.take for one in kept} == {2, 9} and len(kept) == 8
    assert len(tasks.first_takes(recordings(), None)) == 20


@pytest.mark.parametrize("takes", [0, -1, True, 1.0, "3"])
def test_takes_that_are_none(takes):
    with pytest.raises(XaiAudioError, match=f"takes is {takes!r}"):
        tasks.check_takes(takes)
    tasks.check_takes(None)
    tasks.check_takes(3)


def test_nobody_is_labelled_with_a_gender_that_is_not_known():
    unknown = recordings(gender={"01": "male"})
    assert len(tasks.clip_set(unknown, "digit", "some")) == 20
    with pytest.raises(XaiAudioError, match="speaker 02 is a woman or a man"):
        tasks.clip_set(unknown, "gender", "some")
    with pytest.raises(XaiAudioError, match="The task is 'age'"):
        tasks.clip_set(unknown, "age", "some")
