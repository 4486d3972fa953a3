"""Files are there whole or not at all."""

import os

import pytest
from commands import call, complaint, sound

import xaiaudio as xa
from xaiaudio.errors import XaiAudioError
from xaiaudio.files import expanded, whole


def test_a_file_appears_when_all_is_written(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("old")
    with whole(path) as partial:
        partial.write_text("new")
        assert path.read_text() == "old"
    assert path.read_text() == "new"
    assert [p.name for p in tmp_path.iterdir()] == ["a.txt"]


def test_whatever_goes_wrong_the_old_file_stays(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("old")
    with pytest.raises(KeyboardInterrupt), whole(path) as partial:
        partial.write_text("half")
        raise KeyboardInterrupt
    assert path.read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["a.txt"]


def test_the_bytes_are_on_the_disk_before_the_name_is(tmp_path, monkeypatch):
    done = []
    monkeypatch.setattr(os, "fsync", lambda handle: done.append("sync"))
    replace = os.replace
    monkeypatch.setattr(os, "replace", lambda *names: (done.append("name"), replace(*names)))
    with whole(tmp_path / "a.txt") as partial:
        partial.write_text("x")
    assert done == ["sync", "name"]


def test_the_name_until_then_can_be_chosen(tmp_path):
    with whole(tmp_path / "a.keras", "a.partial.keras") as partial:
        assert partial == tmp_path / "a.partial.keras"
        partial.write_text("x")
    assert [p.name for p in tmp_path.iterdir()] == ["a.keras"]


def test_what_cannot_be_written_is_said_with_advice(tmp_path):
    with (
        pytest.raises(XaiAudioError, match=r"Could not write .*a\.txt: .*\. Make room\.$"),
        whole(tmp_path / "none" / "a.txt", advice="Make room.") as partial,
    ):
        partial.write_text("x")


@pytest.mark.parametrize("name", ["x" * 300, "a/" * 3000, "a\0b"])
@pytest.mark.parametrize("ask", [expanded, xa.load_audio, xa.load_model, xa.datasets.load])
def test_a_name_that_no_file_can_have_is_said_in_short(ask, name):
    with pytest.raises(XaiAudioError) as raised:
        ask(name)
    assert len(str(raised.value)) < 250


@pytest.mark.slow
def test_the_folder_for_results_has_a_name_that_it_can_have(capsys, tmp_path):
    clip = sound(tmp_path / "a.wav")
    status, _, err = call(capsys, "explain", clip, "--out", tmp_path / ("x" * 300))
    assert status == 1 and "too long" in complaint(err) and "..." not in err.split("too long")[1]


def test_the_home_of_nobody_stays_a_name(capsys, tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    assert expanded("~/x") == tmp_path / "x"
    assert str(expanded("~nosuchuser/x")) == "~nosuchuser/x"
    with pytest.raises(XaiAudioError, match="~nosuchuser/x"):
        xa.datasets.load("~nosuchuser/x")
    for variable in ("XAIAUDIO_ESC10", "XAIAUDIO_FSDD"):
        monkeypatch.setenv(variable, "~nosuchuser/x")
        with pytest.raises(XaiAudioError, match="~nosuchuser/x"):
            xa.datasets.load(variable.partition("_")[2].lower())
    status, _, err = call(capsys, "evaluate", "~nosuchuser/x")
    assert status == 1 and "~nosuchuser/x" in complaint(err)
