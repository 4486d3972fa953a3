"""Spoken digits as a user meets them: labels, folds, cache, and a copy of AudioMNIST."""

import pytest

from xaiaudio.datasets import digits
from xaiaudio.errors import XaiAudioError


@pytest.mark.slow
def test_the_environment_names_a_copy(copy, home, monkeypatch):
    monkeypatch.setenv(digits.VARIABLE, str(copy))
    assert digits.load("digit").name == "audiomnist"
    assert digits.synthesised("digit", count=4, takes=2).name == "digits"
    monkeypatch.setenv(digits.VARIABLE, str(copy / "data" / "01"))
    with pytest.raises(XaiAudioError, match="XAIAUDIO_AUDIOMNIST does not name a copy"):
        digits.load("digit")


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
