"""Sets of sounds on the command line: whatever the registry holds."""

import http.server
import re
import sys
import threading
import zipfile
from types import ModuleType

import numpy as np
import pytest
from commands import call, complaint, left, run, sound

import xaiaudio as xa
from xaiaudio.audio import save_audio
from xaiaudio.datasets import registry
from xaiaudio.datasets.base import Clip, ClipSet
from xaiaudio.datasets.registry import SETS


@pytest.fixture
def tiny(monkeypatch, tmp_path):
    """A set that somebody adds: a module, and a line in the registry."""
    module = ModuleType("xaiaudio.datasets.tiny")

    def load(*, progress=True):
        clips = []
        for label in ("low", "high"):
            path = save_audio(tmp_path / f"{label}.wav", np.zeros(16_000, "float32"))
            clips.append(Clip(path, label, None, "CC0"))
        return ClipSet("tiny", tuple(clips), ("low", "high"))

    module.load = load
    monkeypatch.setitem(sys.modules, module.__name__, module)
    monkeypatch.setitem(registry.SETS, "tiny", registry.Entry("tiny", "two sounds of nothing"))
    return tmp_path


@pytest.mark.slow
def test_a_set_of_the_registry_is_known_to_all_commands(capsys, tiny):
    status, out, _ = call(capsys, "data", "list")
    assert status == 0 and "two sounds of nothing" in out
    status, out, _ = call(capsys, "data", "info", "tiny")
    assert status == 0 and f"Files: {tiny}" in "".join(out.splitlines())
    status, out, _ = call(capsys, "data", "fetch", "tiny")
    assert status == 0 and f"tiny is complete: {tiny}" in "".join(out.splitlines())
    assert len(xa.datasets.load("tiny")) == 2


def test_a_set_that_is_made_has_no_mirror(capsys, tiny):
    status, _, error = call(capsys, "data", "fetch", "tiny", "--url", "https://example.org/a.zip")
    assert status == 1 and "tiny is made here" in error


def test_what_is_downloaded_is_asked_for_at_the_mirror(capsys, tmp_path, monkeypatch):
    from xaiaudio.datasets import fsdd

    asked = []
    monkeypatch.setattr(fsdd, "fetch", lambda **given: asked.append(given["url"]) or tmp_path)
    status, out, _ = call(capsys, "data", "fetch", "fsdd", "--url", "https://example.org/a.zip")
    assert status == 0 and "fsdd is complete" in out
    assert asked == ["https://example.org/a.zip"]


@pytest.mark.slow
@pytest.mark.parametrize(
    "words", [("data", "fetch"), ("data", "info"), ("train",), ("evaluate",)], ids=" ".join
)
def test_the_help_names_every_set(capsys, words):
    status, out, _ = call(capsys, *words, "--help")
    assert status == 0 and all(name in out for name in registry.SETS)


def test_data_list_and_info(capsys, tmp_path):
    for label, count in (("knock", 3), ("whistle", 2)):
        for number in range(count):
            sound(tmp_path / "mine" / label / f"{number}.wav")
    status, out, _ = call(capsys, "data", "list")
    assert status == 0 and "synthetic" in out and "esc10" in out
    status, out, _ = call(capsys, "data", "info", tmp_path / "mine")
    assert status == 0
    assert re.search(r"knock +3", out) and re.search(r"whistle +2", out) and "all" in out


@pytest.mark.slow
@pytest.mark.parametrize("arguments", [["data", "info"], ["train"]])
def test_folders_that_are_not_there(arguments, tmp_path):
    done = run(*arguments, tmp_path / "nowhere")
    assert done.returncode == 1
    assert str(tmp_path / "nowhere") in complaint(done.stderr)


@pytest.mark.slow
def test_a_copy_of_esc10_with_wrong_files_is_found_out(tmp_path):
    damaged = tmp_path / "001 - Dog bark" / "1-100032-A.ogg"
    damaged.parent.mkdir()
    damaged.write_bytes(b"not what the authors published")
    done = run("data", "info", "esc10", XAIAUDIO_ESC10=tmp_path)
    assert done.returncode == 1
    message = complaint(done.stderr)
    assert str(tmp_path) in message and damaged.name in message
    assert "xaiaudio data fetch" in message


@pytest.mark.slow
def test_esc10_that_is_not_there_is_not_fetched_by_looking(tmp_path):
    done = run("data", "info", "esc10", XAIAUDIO_HOME=tmp_path, XAIAUDIO_ESC10="")
    assert done.returncode == 1
    assert "xaiaudio data fetch" in complaint(done.stderr)
    assert left(tmp_path) == []


@pytest.fixture
def mirror(tmp_path):
    """Serve a folder on this machine; yields the folder and its address."""
    folder = tmp_path / "mirror"
    folder.mkdir()

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def __init__(self, *arguments):
            super().__init__(*arguments, directory=str(folder))

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Quiet)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield folder, f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def _archive(path, names):
    with zipfile.ZipFile(path, "w") as archive:
        for name in names:
            archive.writestr(f"ESC-10-commit/{name}", b"something else")


@pytest.mark.slow
def test_a_download_with_wrong_checksums_is_refused(tmp_path, mirror):
    from xaiaudio.datasets import esc10

    folder, address = mirror
    _archive(folder / "esc10.zip", esc10.manifest())
    home = tmp_path / "home"
    done = run(
        "data",
        "fetch",
        "--url",
        f"{address}/esc10.zip",
        XAIAUDIO_HOME=home,
        no_proxy="127.0.0.1",
        NO_PROXY="127.0.0.1",
    )
    assert done.returncode == 1
    message = complaint(done.stderr)
    assert ".ogg" in message and "SHA-256" in message and "XAIAUDIO_ESC10" in message
    assert not (home / "esc10").exists()
    assert not (home / "esc10.zip").exists()


@pytest.mark.slow
def test_a_download_that_is_not_there(tmp_path, mirror):
    _, address = mirror
    done = run(
        "data",
        "fetch",
        "--url",
        f"{address}/gone.zip",
        XAIAUDIO_HOME=tmp_path / "home",
        no_proxy="127.0.0.1",
        NO_PROXY="127.0.0.1",
    )
    assert done.returncode == 1
    assert "404" in complaint(done.stderr)


@pytest.mark.slow
def test_no_network(tmp_path):
    home = tmp_path / "home"
    proxy = "http://127.0.0.1:9"  # nobody listens there
    done = run(
        "data",
        "fetch",
        XAIAUDIO_HOME=home,
        XAIAUDIO_ESC10="",
        HTTPS_PROXY=proxy,
        https_proxy=proxy,
        NO_PROXY="",
        no_proxy="",
    )
    assert done.returncode == 1
    message = complaint(done.stderr)
    assert "github.com" in message and "network" in message and "XAIAUDIO_ESC10" in message
    assert [name for name in left(home) if "lock" not in name] == []


def test_a_set_that_cannot_be_fetched_is_told_with_those_that_can(capsys, tmp_path):
    status, _, err = call(capsys, "data", "fetch", tmp_path)
    assert status == 1 and "there are" in complaint(err)
    assert all(name in err for name in SETS)


def test_the_list_says_where_a_set_of_ones_own_lies(capsys, monkeypatch, tmp_path):
    monkeypatch.setenv("XAIAUDIO_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("XAIAUDIO_ESC10", str(tmp_path / "esc"))
    (tmp_path / "home" / "digits").mkdir(parents=True)
    status, out, _ = call(capsys, "data", "list")
    words = re.sub(r"\s+", "", out)  # a narrow column folds its lines
    assert status == 0 and f"{tmp_path}/esc(XAIAUDIO_ESC10)" in words
    assert f"{tmp_path}/home/digits" in words
    assert "notherey" in words and "xaiaudiodatafetch" in words


def test_clips_are_counted_by_class_and_fold(capsys, tmp_path):
    for number in range(3):
        sound(tmp_path / "mine" / "knock" / f"{number}.wav")
    sound(tmp_path / "mine" / "whistle" / "0.wav")
    status, out, _ = call(capsys, "data", "info", tmp_path / "mine")
    clips = xa.datasets.load(tmp_path / "mine")
    folds = sorted({clip.fold for clip in clips})
    rows = {words[0]: words[1:] for words in map(str.split, out.splitlines()) if words}
    assert status == 0
    for label in ("knock", "whistle", "all"):
        part = [clip for clip in clips if label in (clip.label, "all")]
        counts = [sum(clip.fold == fold for clip in part) for fold in folds]
        assert rows[label] == [str(number) for number in (len(part), *counts)]
    assert "Licences: unknown" in out and f"Files: {tmp_path / 'mine'}" in out
