"""Spoken digits as a user meets them: labels, folds, cache, and a copy of AudioMNIST."""

import json

import numpy as np
import pytest
import soxr

from xaiaudio.audio import save_audio
from xaiaudio.datasets import digits
from xaiaudio.datasets.digits import audiomnist, store
from xaiaudio.errors import XaiAudioError

META = {"01": "male", "02": "Female", "03": "male", "04": "female", "05": "male", "07": "female"}


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    patch = pytest.MonkeyPatch()
    patch.setenv("XAIAUDIO_HOME", str(tmp_path_factory.mktemp("home")))
    patch.delenv(digits.VARIABLE, raising=False)
    yield
    patch.undo()


@pytest.fixture(scope="module")
def small(home):
    """Four voices, two takes, once for each task."""
    return {task: digits.synthesised(task, count=4, takes=2) for task in digits.TASKS}


@pytest.fixture
def copy(tmp_path):
    """A folder laid out as AudioMNIST is, made of synthesised speech at 48 kHz."""
    voices = digits.speakers(6)
    for name, voice in zip(META, voices, strict=True):
        inside = tmp_path / "AudioMNIST" / "data" / name
        inside.mkdir(parents=True)
        for digit in (0, 7):
            wave = soxr.resample(digits.speak(digit, voice).wave, 16_000, 48_000)
            for take in (0, 1, 10, 9):
                save_audio(inside / f"{digit}_{name}_{take}.wav", wave[: 28_000 + take], 48_000)
    table = {name: {"gender": gender, "age": 30} for name, gender in META.items()}
    (tmp_path / "AudioMNIST" / "data" / audiomnist.META).write_text(json.dumps(table))
    (tmp_path / "AudioMNIST" / "data" / "01" / "notes.txt").write_text("not a sound")
    return tmp_path / "AudioMNIST"


def _parts(clips):
    return [tuple(clip.name.split("_")) for clip in clips]


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
    for which, clip in zip(_parts(small["digit"]), small["digit"], strict=True):
        assert clip.label == digits.DIGITS[int(which[0])]
    for which, clip in zip(_parts(small["speaker"]), small["speaker"], strict=True):
        assert clip.label == f"speaker {which[1]}"


@pytest.mark.parametrize("task", ["digit", "gender"])
def test_held_out_voices_are_strangers_to_who_learns_digits_or_genders(small, task):
    train, test = small[task].split()
    heard, strange = ({part[1] for part in _parts(clips)} for clips in (train, test))
    assert not heard & strange
    assert {digits.speakers(4)[int(name) - 1].gender for name in strange} == {"female", "male"}
    assert {clip.label for clip in test} == set(test.labels)


def test_held_out_takes_are_new_but_their_speakers_are_known(small):
    train, test = small["speaker"].split()
    assert {part[1] for part in _parts(train)} == {part[1] for part in _parts(test)}
    assert not set(_parts(train)) & set(_parts(test))
    assert {part[2] for part in _parts(test)} == {"1"}
    assert test.counts() == dict.fromkeys(test.labels, 10)


def test_the_usual_set_holds_out_four_voices_or_one_take(home, monkeypatch):
    monkeypatch.setattr(store, "ensure", lambda *_, **__: None)
    for task, names in (("digit", 4), ("speaker", 20)):
        train, test = digits.load(task).split()
        assert (len(train), len(test)) == (800, 200)
        assert len({part[1] for part in _parts(test)}) == names
        assert {clip.fold for clip in train} == {1, 2, 3, 4}


def test_the_truth_about_a_clip_is_the_clips_own(small):
    for clip in small["digit"][::23]:
        said = digits.truth(clip)
        assert said.digit == clip.label
        assert f"{said.speaker.number:02d}" == clip.name.split("_")[1]
        np.testing.assert_allclose(clip.load(), said.wave, atol=0.51 / 32768)


def test_the_second_load_makes_nothing_and_a_lost_file_is_made_again(small, monkeypatch):
    lost = small["digit"][33].path
    before = lost.read_bytes()
    made, speak = [], store.speak
    monkeypatch.setattr(store, "speak", lambda *what: made.append(what) or speak(*what))
    assert digits.synthesised("digit", count=4, takes=2) == small["digit"]
    assert not made
    lost.unlink()
    digits.synthesised("digit", count=4, takes=2)
    assert len(made) == 1
    assert lost.read_bytes() == before


def test_interrupted_work_leaves_no_folder_and_is_taken_up_again(tmp_path, monkeypatch):
    voices, made, speak = digits.speakers(1), [], store.speak

    def interrupted(*what):
        if len(made) == 4:
            raise KeyboardInterrupt
        made.append(what)
        return speak(*what)

    monkeypatch.setattr(store, "speak", interrupted)
    with pytest.raises(KeyboardInterrupt):
        store.ensure(tmp_path / "set", voices, 1, 0, progress=False)
    assert not (tmp_path / "set").exists()
    monkeypatch.setattr(store, "speak", lambda *what: made.append(what) or speak(*what))
    store.ensure(tmp_path / "set", voices, 1, 0, progress=False)
    assert len(made) == len(set(made)) == 10  # each take once
    assert len(list((tmp_path / "set").iterdir())) == 10
    assert not list(tmp_path.rglob("*.partial"))


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


def test_takes_and_tasks_of_a_copy(copy, home):
    clips = digits.load("digit", copy, takes=2)
    assert clips.labels == ("zero", "seven")  # those that there are
    assert {clip.name.split("_")[2] for clip in clips} == {"0", "1"}
    train, test = clips.split()
    assert not {p[1] for p in _parts(train)} & {p[1] for p in _parts(test)}
    genders = digits.load("gender", copy)
    assert genders.counts() == {"female": 24, "male": 24}
    assert {clip.label for clip in genders.split()[1]} == {"female", "male"}
    assert len(digits.load("digit", copy, takes=None)) == len(genders)


def test_the_environment_names_a_copy(copy, home, monkeypatch):
    monkeypatch.setenv(digits.VARIABLE, str(copy))
    assert digits.load("digit").name == "audiomnist"
    assert digits.synthesised("digit", count=4, takes=2).name == "digits"
    monkeypatch.setenv(digits.VARIABLE, str(copy / "data" / "01"))
    with pytest.raises(XaiAudioError, match="XAIAUDIO_AUDIOMNIST does not name a copy"):
        digits.load("digit")


def test_a_copy_without_its_table_has_no_genders(copy, home):
    (copy / "data" / audiomnist.META).unlink()
    assert len(digits.load("digit", copy)) == 48
    with pytest.raises(XaiAudioError, match=r"speaker 01 is a woman or a man.*audioMNIST_meta.txt"):
        digits.load("gender", copy)
    (copy / "data" / audiomnist.META).write_text('{"01": 3}')
    with pytest.raises(XaiAudioError, match="table of speakers"):
        digits.load("digit", copy)


def test_what_a_user_can_get_wrong_is_said_in_words(tmp_path, home, monkeypatch):
    with pytest.raises(XaiAudioError, match="one of digit, speaker, gender"):
        digits.load("age")
    with pytest.raises(XaiAudioError, match="There is no folder"):
        digits.load("digit", tmp_path / "nowhere")
    with pytest.raises(XaiAudioError, match=r"not AudioMNIST: .* data/01/0_01_0.wav"):
        digits.load("digit", tmp_path)
    with pytest.raises(XaiAudioError, match="takes is 0"):
        digits.load("digit", takes=0)
    with pytest.raises(XaiAudioError, match="1 to 99"):
        digits.synthesised("digit", count=0)
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XAIAUDIO_HOME", str(tmp_path / "file"))
    with pytest.raises(XaiAudioError, match="Set XAIAUDIO_HOME"):
        digits.synthesised("digit")
