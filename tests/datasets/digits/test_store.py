"""Digits on disk: made once, taken up again, mended."""

import numpy as np
import pytest

from xaiaudio.audio import load_audio
from xaiaudio.datasets import digits
from xaiaudio.datasets.digits import store


@pytest.mark.slow
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


@pytest.mark.slow
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


@pytest.mark.slow
def test_files_are_called_as_those_of_audiomnist(tmp_path):
    assert store.file_of(tmp_path, 7, "03", 2) == tmp_path / "7_03_2.flac"
    store.ensure(tmp_path / "set", digits.speakers(1), 1, 0, progress=False)
    path = store.file_of(tmp_path / "set", 4, "01", 0)
    said = digits.speak(4, digits.speakers(1)[0]).wave
    np.testing.assert_allclose(load_audio(path), said, atol=0.51 / 32768)
