"""Folders in the cache: made once, mended where they are damaged."""

import json

import pytest

from xaiaudio import cache
from xaiaudio.datasets import stored
from xaiaudio.errors import XaiAudioError

WANTED = {"one": ["1.a", "1.b"], "two": ["2.a"]}


@pytest.fixture
def maker():
    class Maker:
        jobs = []

        def __call__(self, folder, jobs):
            self.jobs = [*self.jobs, *jobs]
            for job in jobs:
                for name in WANTED[job]:
                    (folder / name).write_text(f"made {name}")

    return Maker()


def ask(folder, maker):
    stored.made(folder, WANTED, maker, what="files", room="1 MB")


def test_a_folder_is_made_once(tmp_path, maker):
    for _ in range(3):
        ask(tmp_path / "set", maker)
    assert maker.jobs == ["one", "two"]
    assert sorted(p.name for p in tmp_path.iterdir()) == ["set", "set.checked", "set.lock"]


def test_a_complete_folder_is_neither_locked_nor_written(tmp_path, maker):
    (tmp_path / "set").mkdir()
    maker(tmp_path / "set", WANTED)
    maker.jobs = []
    tmp_path.chmod(0o555)
    try:
        ask(tmp_path / "set", maker)
    finally:
        tmp_path.chmod(0o755)
    assert maker.jobs == [] and not (tmp_path / "set.lock").exists()


@pytest.mark.parametrize("damage", ["", "made 1.B"])
def test_a_damaged_file_is_made_anew_with_a_word(tmp_path, maker, capsys, damage):
    folder = tmp_path / "set"
    ask(folder, maker)
    (folder / "1.b").write_text(damage)
    ask(folder, maker)
    assert maker.jobs == ["one", "two", "one"]
    assert (folder / "1.b").read_text() == "made 1.b"
    assert "1 files of the files" in capsys.readouterr().err
    ask(folder, maker)
    assert len(maker.jobs) == 3 and capsys.readouterr().err == ""


def test_a_file_that_is_gone_is_made_anew(tmp_path, maker, capsys):
    ask(tmp_path / "set", maker)
    (tmp_path / "set" / "2.a").unlink()
    ask(tmp_path / "set", maker)
    assert maker.jobs == ["one", "two", "two"]
    assert capsys.readouterr().err == ""


def test_what_has_a_new_time_only_is_read_once_more(tmp_path, maker, monkeypatch):
    folder = tmp_path / "set"
    ask(folder, maker)
    text = (folder / "2.a").read_text()
    (folder / "2.a").unlink()
    (folder / "2.a").write_text(text)
    read, sum_of = [], cache.sum_of
    monkeypatch.setattr(cache, "sum_of", lambda path: (read.append(path.name), sum_of(path))[1])
    for _ in range(2):
        ask(folder, maker)
    assert read == ["2.a"] and maker.jobs == ["one", "two"]


@pytest.mark.parametrize("notes", ["", "[1]", "{}", '[["1.a", 1]]', '{"1.a": 2}'])
def test_odd_notes_count_as_none(tmp_path, maker, notes):
    ask(tmp_path / "set", maker)
    (tmp_path / "set.checked").write_text(notes)
    ask(tmp_path / "set", maker)
    assert maker.jobs == ["one", "two"]
    assert len(json.loads((tmp_path / "set.checked").read_text())) == 3


def test_known_sums_decide(tmp_path, maker):
    ask(tmp_path / "set", maker)
    names = ["1.a", "1.b"]
    sums = {name: cache.sum_of(tmp_path / "set" / name) for name in names}
    assert stored.changed(tmp_path / "set", names, sums) == []
    assert stored.changed(tmp_path / "set", names, sums | {"1.b": "other"}) == ["1.b"]


def test_no_room_is_said_in_words(tmp_path):
    def make(folder, jobs):
        raise OSError(28, "No space left on device")

    with pytest.raises(XaiAudioError, match="the files to .*No space.* Set XAIAUDIO_HOME.*1 MB"):
        ask(tmp_path / "set", make)
