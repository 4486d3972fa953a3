"""Archives of others: fetched from a server on this machine, checked, and what can go wrong."""

import errno
import re
import shutil
from pathlib import Path

import pytest
from small_esc10 import FILES, SUMS, Handler, archive, fetch, write

from xaiaudio import cache
from xaiaudio.datasets import esc10
from xaiaudio.errors import XaiAudioError


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
