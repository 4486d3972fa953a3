"""Fetching ESC-10 from a server on this machine, checking it, and what can go wrong."""

import errno
import functools
import hashlib
import http.server
import io
import os
import re
import shutil
import threading
import zipfile
from pathlib import Path

import numpy as np
import pytest

from xaiaudio import cache, datasets
from xaiaudio.audio import encode_audio
from xaiaudio.datasets import CLASSES, esc10
from xaiaudio.errors import XaiAudioError

FILES = {
    f"{number:03} - {label}/{fold}-{number}-A.ogg": encode_audio(
        np.full(160, number / 100), 16_000, ".ogg"
    )
    for number, label in enumerate(CLASSES, start=1)
    for fold in (1, 5)
} | {"ATTRIBUTION.txt": b"- [1-1-A.ogg]: clip derived from x (http://y) by Ann [CC0]\n"}
SUMS = {name: hashlib.sha256(data).hexdigest() for name, data in FILES.items()}


def archive(files, extra=()):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as file:
        file.writestr("ESC-10-553c8f1/", "")
        for name, data in [*files.items(), *extra]:
            file.writestr(name if name.startswith(("/", "..")) else f"ESC-10-553c8f1/{name}", data)
    return buffer.getvalue()


class Handler(http.server.SimpleHTTPRequestHandler):
    asked = 0

    def do_GET(self):
        type(self).asked += 1
        if self.path == "/cut.zip":  # promises more than it sends
            data = archive(FILES)
            self.send_response(200)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data[:1000])
        else:
            super().do_GET()

    def log_message(self, *args):
        pass


@pytest.fixture
def server(tmp_path):
    folder = tmp_path / "server"
    folder.mkdir()
    Handler.asked = 0
    with http.server.ThreadingHTTPServer(
        ("127.0.0.1", 0), functools.partial(Handler, directory=folder)
    ) as running:
        thread = threading.Thread(target=running.serve_forever, daemon=True)
        thread.start()

        def serve(data, name="esc.zip"):
            (folder / name).write_bytes(data)
            return f"http://127.0.0.1:{running.server_port}/{name}"

        yield serve
        running.shutdown()


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("XAIAUDIO_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv("XAIAUDIO_ESC10", raising=False)
    return tmp_path / "cache"


def fetch(url, progress=False):
    return esc10.fetch(progress=progress, url=url, expected=SUMS)


def left_over(home):
    return sorted(path.name for path in home.iterdir() if path.suffix not in (".lock", ".checked"))


def test_fetch_brings_every_file_and_nothing_else(home, server):
    url = server(archive(FILES, extra=[("README.md", b"x"), ("ESC-10.png", b"x")]))
    folder = fetch(url)
    assert folder == home / "esc10"
    found = {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}
    assert found == FILES
    assert esc10.check(folder, expected=SUMS).ok
    assert left_over(home) == ["esc10"]


def test_a_second_fetch_asks_nobody(home, server):
    url = server(archive(FILES))
    fetch(url)
    fetch(url)
    assert Handler.asked == 1


def test_load_reads_what_was_fetched(home, server, monkeypatch):
    url = server(archive(FILES))
    monkeypatch.setattr(esc10, "URL", url)
    monkeypatch.setattr(esc10, "manifest", lambda: SUMS)
    monkeypatch.setattr(
        esc10.fetch, "__kwdefaults__", {"progress": True, "url": url, "expected": None}
    )
    clips = datasets.load("esc10", progress=False)
    assert clips.name == "esc10"
    assert clips.labels == CLASSES
    assert [clip.fold for clip in clips] == [1, 5] * 10
    assert (clips[0].licence, clips[0].author) == ("CC0", "Ann")


def test_a_copy_that_lost_a_file_is_completed(home, server):
    url = server(archive(FILES))
    folder = fetch(url)
    lost, kept = list(FILES)[:2]
    (folder / lost).unlink()
    before = (folder / kept).stat().st_mtime_ns
    fetch(url)
    assert esc10.check(folder, expected=SUMS).ok
    assert (folder / kept).stat().st_mtime_ns == before


def test_a_recording_that_was_changed_comes_back(home, server, capsys):
    folder = fetch(server(archive(FILES)))
    name = list(FILES)[5]
    (folder / name).write_bytes(FILES[name][:-1] + b"?")
    fetch(server(archive(FILES)))
    assert (folder / name).read_bytes() == FILES[name]
    assert "was changed: it is mended" in capsys.readouterr().err
    assert Handler.asked == 2


def test_an_unchanged_copy_is_not_read_again(home, server, monkeypatch):
    url = server(archive(FILES))
    fetch(url)
    monkeypatch.setattr(cache, "sum_of", lambda path: pytest.fail(f"{path} was read"))
    fetch(url)


def test_an_interrupted_unpacking_is_taken_up(home, server, monkeypatch):
    url = server(archive(FILES))
    real, written = Path.write_bytes, []

    def fill(self, data):
        if self.suffix == ".ogg" and len(written) == 7:
            raise OSError(errno.ENOSPC, "No space left on device")
        written.append(self)
        return real(self, data)

    monkeypatch.setattr(Path, "write_bytes", fill)
    with pytest.raises(XaiAudioError, match=r"No space left on device\. Make room, or .*_HOME"):
        fetch(url)
    assert not (home / "esc10").exists()
    monkeypatch.setattr(Path, "write_bytes", real)
    before = {path: path.stat().st_mtime_ns for path in written}
    folder = fetch(url)
    assert Handler.asked == 1  # the download itself was whole
    assert esc10.check(folder, expected=SUMS).ok
    for path, time in before.items():
        assert (folder / path.relative_to(home / "esc10.partial")).stat().st_mtime_ns == time


def test_a_changed_file_is_named_and_nothing_stays(home, server):
    name = list(FILES)[3]
    url = server(archive(FILES | {name: b"something else"}))
    with pytest.raises(XaiAudioError, match=re.escape(name) + r".*SHA-256.*try again.*_ESC10"):
        fetch(url)
    assert not (home / "esc10").exists()
    assert "esc10.zip" not in left_over(home)  # or the next try would meet the same file
    fetch(server(archive(FILES)))
    assert esc10.check(home / "esc10", expected=SUMS).ok


def test_a_missing_file_is_named(home, server):
    name = list(FILES)[3]
    files = {key: data for key, data in FILES.items() if key != name}
    with pytest.raises(XaiAudioError, match=re.escape(name)):
        fetch(server(archive(files)))


@pytest.mark.slow
@pytest.mark.parametrize("data", [b"", b"<html>Sign in</html>", archive(FILES)[:2000]])
def test_something_else_instead_of_the_archive(home, server, data):
    with pytest.raises(XaiAudioError, match="download from http.* is damaged"):
        fetch(server(data))
    assert not (home / "esc10").exists()
    fetch(server(archive(FILES)))


def test_an_archive_cannot_write_elsewhere(home, server, tmp_path):
    evil = [("../../evil.txt", b"x"), ("/tmp/evil-xaiaudio.txt", b"x"), ("../evil.ogg", b"x")]
    folder = fetch(server(archive(FILES, extra=evil)))
    assert not list(tmp_path.rglob("evil*"))
    assert not Path("/tmp/evil-xaiaudio.txt").exists()
    assert len([path for path in folder.rglob("*") if path.is_file()]) == len(FILES)


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("http://127.0.0.1:9/esc.zip", "no connection"),
        ("http://no-such-host.invalid/esc.zip", "no connection"),
    ],
)
def test_no_network(home, url, reason):
    with pytest.raises(XaiAudioError, match=rf"\({reason}\): check the network.*XAIAUDIO_ESC10"):
        fetch(url)
    assert left_over(home) == []


def test_a_server_without_the_archive(home, server):
    url = server(b"").replace("esc.zip", "other.zip")
    with pytest.raises(XaiAudioError, match="status 404"):
        fetch(url)


def test_a_connection_that_breaks(home, server):
    with pytest.raises(XaiAudioError, match="Could not download"):
        fetch(server(b"", "cut.zip"))
    assert left_over(home) == []


def test_a_cache_that_cannot_be_written(tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    monkeypatch.setenv("XAIAUDIO_HOME", str(tmp_path / "file"))
    with pytest.raises(XaiAudioError, match=r"Could not write to .*XAIAUDIO_HOME"):
        fetch("http://127.0.0.1:9/esc.zip")


def test_bars_are_drawn_on_stderr_and_only_if_wanted(home, server, capsys):
    url = server(archive(FILES))
    fetch(url, progress=False)
    assert capsys.readouterr() == ("", "")
    shutil.rmtree(home / "esc10")
    fetch(url, progress=True)
    out, err = capsys.readouterr()
    assert out == ""
    assert "Fetching ESC-10" in err
    assert "Unpacking" in err


def write(folder, files):
    for name, data in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
    return folder


def test_check_tells_missing_from_changed(tmp_path):
    folder = write(tmp_path, FILES)
    first, second, *_ = FILES
    (folder / first).unlink()
    (folder / second).write_bytes(FILES[second][:-1])
    found = esc10.check(folder, expected=SUMS)
    assert (found.good, found.missing, found.changed) == (19, (first,), (second,))
    assert not found.ok
    with pytest.raises(XaiAudioError, match="There is no folder"):
        esc10.check(tmp_path / "no")


def test_ones_own_copy_needs_no_network(tmp_path, home, monkeypatch):
    monkeypatch.setenv("XAIAUDIO_ESC10", str(write(tmp_path / "copy", FILES)))
    assert len(datasets.load("esc10", progress=False)) == 20
    assert not home.exists()


def test_ones_own_copy_that_is_not_esc10(tmp_path, monkeypatch):
    monkeypatch.setenv("XAIAUDIO_ESC10", str(tmp_path / "no"))
    with pytest.raises(XaiAudioError, match="XAIAUDIO_ESC10 does not name.*There is no folder"):
        datasets.load("esc10")
    files = {name: data for name, data in FILES.items() if "Rooster" not in name}
    monkeypatch.setenv("XAIAUDIO_ESC10", str(write(tmp_path / "part", files)))
    with pytest.raises(XaiAudioError, match="part is not ESC-10: it has no clips of Rooster"):
        datasets.load("esc10")
    monkeypatch.setenv("XAIAUDIO_ESC10", str(write(tmp_path / "more", FILES)))
    write(tmp_path / "more", {"011 - Cat/1-11-A.ogg": b"x"})
    with pytest.raises(XaiAudioError, match="more is not ESC-10: it holds Cat too"):
        datasets.load("esc10")


def test_the_manifest_lists_every_clip():
    names = [name for name in esc10.manifest() if name.endswith(".ogg")]
    assert len(names) == 400
    for number, label in enumerate(CLASSES, start=1):
        inside = [name for name in names if name.startswith(f"{number:03} - {label}/")]
        assert sorted(int(Path(name).name[0]) for name in inside) == sorted([1, 2, 3, 4, 5] * 8)
    assert "ATTRIBUTION.txt" in esc10.manifest()
    assert all(re.fullmatch("[0-9a-f]{64}", digest) for digest in esc10.manifest().values())


def test_the_real_recordings():
    if not (folder := os.environ.get("XAIAUDIO_ESC10")):
        pytest.skip("XAIAUDIO_ESC10 is not set")
    assert esc10.check(folder).ok
    summary = datasets.describe(datasets.load("esc10"))
    assert summary["clips"] == 400
    assert set(summary["labels"].values()) == {40}
    assert summary["folds"] == dict.fromkeys(range(1, 6), 80)
    assert summary["licences"] == {"CC0": 233, "CC BY": 165, "CC Sampling+": 2}
    assert 1990 < summary["seconds"] < 2010
