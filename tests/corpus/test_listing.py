"""What lies below a folder is listed; what cannot be read is told."""

import os

import pytest
from commands import call
from small_archives import ASKED, archive, closed

import xaiaudio as xa
from xaiaudio.corpus.listing import sounds_below


@pytest.mark.slow
def test_folders_without_sounds_are_refused(tmp_path):
    with pytest.raises(xa.XaiAudioError, match="holds no sounds"):
        xa.corpus.plan(tmp_path, tmp_path / "out")
    with pytest.raises(xa.XaiAudioError, match="is not there"):
        xa.corpus.plan(tmp_path / "no", tmp_path / "out")
    with pytest.raises(xa.XaiAudioError, match="holds no archive"):
        xa.corpus.read(tmp_path)


@pytest.mark.slow
def test_a_folder_that_cannot_be_read_is_bad_and_the_rest_is_done(
    capsys, mine, tmp_path, monkeypatch, whole
):
    archive(mine / "hum" / "deep", classes=("inner",), each=2)
    words = ["corpus", "explain", mine, "--out", tmp_path / "out", "--workers", "0"]
    with monkeypatch.context() as patch:
        closed(patch, mine / "hum" / "deep")
        status, out, err = call(capsys, *words)
    assert (status, out.splitlines()[0]) == (0, "9 clips explained, 4 bad.")
    assert "Bad: hum/deep/: Permission denied." in err
    found = xa.corpus.read(tmp_path / "out")
    assert set(found.clips["file"]) == set(whole.clips["file"])
    assert (found.bad["file"][-1], found.bad["unit"][-1]) == ("hum/deep/", -1)
    # Once it can be read, its sounds came since; if it is closed again, they are not gone.
    status, out, err = call(capsys, *words)
    assert (status, out.splitlines()[0]) == (
        0,
        "11 clips explained, 3 bad.",
    ) and "2 sounds came" in err
    assert xa.corpus.read(tmp_path / "out").bad["unit"].min() == 0
    closed(monkeypatch, mine / "hum" / "deep")
    status, out, err = call(capsys, *words)
    assert (status, out.splitlines()[0]) == (0, "11 clips explained, 4 bad.")


def test_a_folder_of_which_nothing_can_be_read_is_refused(sounds, tmp_path, monkeypatch):
    closed(monkeypatch, sounds)
    with pytest.raises(xa.XaiAudioError, match=f"Could not read {sounds}: Permission denied"):
        xa.corpus.plan(sounds, tmp_path / "out")
    (tmp_path / "outer").mkdir()
    (tmp_path / "outer" / "inner").mkdir()
    closed(monkeypatch, tmp_path / "outer" / "inner")
    told = r"outer holds no sounds that can be read.*inner/ \(Permission denied\)"
    with pytest.raises(xa.XaiAudioError, match=told):
        xa.corpus.plan(tmp_path / "outer", tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.slow
def test_results_within_the_folder_are_no_sounds_of_it(mine):
    out = mine / "out"
    archive(out / "inner", classes=("a",), each=1)
    assert len(xa.corpus.plan(mine, out, **ASKED)) == 12


def touched(folder, *names):
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(name)
    return folder


def test_links_that_lead_nowhere_or_in_circles_are_passed_by(tmp_path):
    sounds = touched(tmp_path / "sounds", "a.wav", "b.wav", "mono.wav")
    for name, target in {"self.wav": "self.wav", "gone.wav": "nothing.wav", "up": ".."}.items():
        (sounds / name).symlink_to(target)
    (sounds / "link.wav").symlink_to("a.wav")
    found = sounds_below(sounds, tmp_path / "out")
    assert found.files["file"].tolist() == ["a.wav", "b.wav", "link.wav", "mono.wav"]
    assert (found.passed_over, found.unreadable) == ((), {})


def test_sounds_are_known_by_their_names_and_come_in_their_order(tmp_path):
    names = ["b.WAV", "a/z.flac", "a/deep/er.mp3", "a.b.ogg", "é.wav"]
    folder = touched(tmp_path / "sounds", *names, "notes.txt", "wav", "table.csv")
    touched(folder, ".hidden.wav", "__MACOSX/._a.wav", ".trash/a.wav", "out/inner/c.wav")
    found = sounds_below(folder, folder / "out").files
    assert found["file"].tolist() == sorted(names)
    for name, size, time in zip(found["file"], found["size"], found["time"], strict=True):
        about = (folder / name).stat()
        assert (size, time) == (about.st_size, about.st_mtime_ns)
    # Another folder of results leaves this one a folder of sounds.
    assert "out/inner/c.wav" in sounds_below(folder, tmp_path / "out").files["file"]


def test_names_that_are_no_text_are_passed_over(tmp_path):
    folder = touched(tmp_path / "sounds", "a.wav")
    try:
        open(os.path.join(os.fsencode(folder), b"caf\xe9.wav"), "w").close()
    except OSError:
        pytest.skip("this file system knows no such names")
    found = sounds_below(folder, tmp_path / "out")
    assert found.files["file"].tolist() == ["a.wav"]
    assert found.passed_over == ("caf\\udce9.wav",)


def test_a_file_is_no_folder(tmp_path):
    with pytest.raises(xa.XaiAudioError, match="a.wav is a file: name a folder of sounds"):
        sounds_below(touched(tmp_path, "a.wav") / "a.wav", tmp_path / "out")
