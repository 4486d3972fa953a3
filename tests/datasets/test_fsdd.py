"""FSDD: fetched from a server on this machine, read, divided, and what can go wrong."""

import functools
import hashlib
import http.server
import io
import os
import re
import threading
import zipfile

import numpy as np
import pytest

from xaiaudio import datasets
from xaiaudio.audio import encode_audio
from xaiaudio.datasets import archives, fsdd
from xaiaudio.errors import XaiAudioError

PEOPLE = ("ada", "bo", "cy", "di", "ed", "flo")
FILES = {
    f"recordings/{digit}_{who}_{take}.wav": encode_audio(
        np.full(80, (take + 1) / 100 + digit / 1000 + place / 10), 8_000, ".wav"
    )
    for digit in (0, 7)
    for place, who in enumerate(PEOPLE)
    for take in (0, 1, 2, 9, 10)
}
SUMS = {name: hashlib.sha256(data).hexdigest() for name, data in FILES.items()}


def archive(files):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as file:
        for name, data in files.items():
            file.writestr(f"free-spoken-digit-dataset-26eb9aa/{name}", data)
    return buffer.getvalue()


@pytest.fixture
def server(tmp_path):
    folder = tmp_path / "server"
    folder.mkdir()
    handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=folder)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as running:
        threading.Thread(target=running.serve_forever, args=(0.01,), daemon=True).start()

        def serve(data):
            (folder / "fsdd.zip").write_bytes(data)
            return f"http://127.0.0.1:{running.server_port}/fsdd.zip"

        yield serve
        running.shutdown()


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("XAIAUDIO_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv("XAIAUDIO_FSDD", raising=False)
    return tmp_path / "cache"


@pytest.fixture
def copy(tmp_path):
    for name, data in FILES.items():
        path = tmp_path / "copy" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return tmp_path / "copy"


def test_what_is_fetched_is_read(home, server, monkeypatch):
    url = server(archive(FILES | {"README.md": b"x", "metadata.py": b"x"}))
    monkeypatch.setattr(fsdd, "URL", url)
    monkeypatch.setattr(fsdd, "manifest", lambda: SUMS)
    clips = datasets.load("fsdd", progress=False)
    assert (clips.name, len(clips)) == ("fsdd", len(FILES))
    found = {str(p.relative_to(home / "fsdd")) for p in (home / "fsdd").rglob("*") if p.is_file()}
    assert found == set(FILES)
    assert {clip.licence for clip in clips} == {"CC BY-SA 4.0"}
    assert all(clip.author and clip.source == fsdd.PAGE for clip in clips)


def test_a_changed_recording_in_the_download_is_refused(home, server):
    name = list(FILES)[4]
    url = server(archive(FILES | {name: FILES[name][:-1] + b"?"}))
    with pytest.raises(XaiAudioError, match=re.escape(name) + r".*SHA-256.*XAIAUDIO_FSDD"):
        fsdd.fetch(url=url, expected=SUMS, progress=False)
    assert not (home / "fsdd").exists()


@pytest.mark.parametrize("where", [60, 100, "method"])
def test_a_damaged_archive_is_said_and_fetched_anew(home, where):
    data = os.urandom(100) * 40
    wanted = {"recordings/1_ada_0.wav": hashlib.sha256(data).hexdigest()}
    home.mkdir()
    path = home / "fsdd.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("top/recordings/1_ada_0.wav", data)
    whole = bytearray(path.read_bytes())
    if where == "method":  # one that there is not
        whole[8] = whole[whole.rfind(b"PK\x01\x02") + 10] = 99
    else:
        whole[where] ^= 0xFF
        whole[where + 1] ^= 0xFF
    path.write_bytes(whole)
    with pytest.raises(XaiAudioError, match="is damaged"):
        fsdd.fetch(url="http://127.0.0.1:9/fsdd.zip", expected=wanted, progress=False)
    assert not path.exists()


def test_a_folder_that_cannot_be_entered(tmp_path, home, monkeypatch):
    def refused(path):
        if path.name == "recordings":
            raise PermissionError(13, "Permission denied")
        return True

    monkeypatch.setattr(type(tmp_path), "is_dir", refused)
    with pytest.raises(XaiAudioError, match="Could not read .*: Permission denied"):
        fsdd.load("digit", tmp_path)


def test_no_network(home):
    with pytest.raises(XaiAudioError, match=r"no connection.*network.*XAIAUDIO_FSDD"):
        fsdd.fetch(url="http://127.0.0.1:9/fsdd.zip", progress=False)


@pytest.mark.parametrize("inside", ["", "recordings"])
def test_digits_are_tested_on_strangers_and_speakers_on_takes(copy, home, inside):
    clips = fsdd.load("digit", copy / inside)
    assert clips.labels == ("zero", "seven")
    assert [clip.name for clip in clips[:5]] == [f"0_ada_{take}" for take in (0, 1, 2, 9, 10)]
    train, test = ({tuple(clip.name.split("_")) for clip in part} for part in clips.split())
    assert {who for _, who, _ in test} == {"flo"}
    assert not {who for _, who, _ in train} & {who for _, who, _ in test}
    by_speaker = fsdd.load("speaker", copy)
    assert by_speaker.labels == tuple(f"speaker {who}" for who in PEOPLE)
    test = by_speaker.split()[1]
    assert sorted(clip.name for clip in test) == sorted(
        f"{digit}_{who}_10" for digit in (0, 7) for who in PEOPLE
    )


def test_takes_are_the_first_by_their_numbers(copy, home):
    clips = fsdd.load("digit", copy, takes=4)
    assert {clip.name.split("_")[2] for clip in clips} == {"0", "1", "2", "9"}
    assert len(clips) == 2 * len(PEOPLE) * 4


def test_the_environment_names_a_copy(copy, home, monkeypatch):
    monkeypatch.setenv("XAIAUDIO_FSDD", str(copy))
    assert len(fsdd.load("speaker")) == len(FILES)
    assert not home.exists()
    monkeypatch.setenv("XAIAUDIO_FSDD", str(copy / "nowhere"))
    with pytest.raises(XaiAudioError, match="XAIAUDIO_FSDD does not name a copy.*no folder"):
        fsdd.load()


def test_what_a_user_can_get_wrong_is_said_in_words(tmp_path, home):
    with pytest.raises(XaiAudioError, match="one of digit, speaker\\."):
        fsdd.load("gender", tmp_path)
    with pytest.raises(XaiAudioError, match="takes is 0"):
        fsdd.load(takes=0)
    with pytest.raises(XaiAudioError, match=r"not FSDD: .*recordings/7_jackson_32\.wav"):
        fsdd.load("digit", tmp_path)


def test_the_manifest_lists_fifty_takes_of_each():
    names = [re.fullmatch(r"recordings/(\d)_([a-z]+)_(\d+)\.wav", name) for name in fsdd.manifest()]
    assert all(names)
    assert len(names) == 3000
    assert len({(name[1], name[2]) for name in names}) == 60
    assert {int(name[3]) for name in names} == set(range(50))
    assert all(re.fullmatch("[0-9a-f]{64}", digest) for digest in fsdd.manifest().values())


def test_the_real_recordings():
    if not (folder := os.environ.get("XAIAUDIO_FSDD")):
        pytest.skip("XAIAUDIO_FSDD is not set")
    assert archives.check(folder, fsdd.manifest()).ok
    clips = fsdd.load("speaker", takes=10)
    assert set(clips.counts().values()) == {100}
    assert datasets.describe(clips)["folds"] == dict.fromkeys(range(1, 6), 120)
