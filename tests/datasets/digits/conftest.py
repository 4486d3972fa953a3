"""Spoken digits that are made once, and a small copy of AudioMNIST."""

import json

import pytest
import soxr
from spoken_digits import META

from xaiaudio.audio import save_audio
from xaiaudio.datasets import digits
from xaiaudio.datasets.digits import audiomnist


@pytest.fixture(scope="session")
def made_once(tmp_path_factory):
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="module")
def home(made_once):
    """A cache of these tests, in which digits that one module made are there for the next."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XAIAUDIO_HOME", str(made_once))
        patch.delenv(digits.VARIABLE, raising=False)
        yield


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
