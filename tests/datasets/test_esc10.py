"""ESC-10: what was fetched or lies here is read, and what is none of it is refused."""

import os
import re
from pathlib import Path

import pytest
from small_esc10 import FILES, SUMS, archive, write

from xaiaudio import datasets
from xaiaudio.datasets import CLASSES, esc10
from xaiaudio.errors import XaiAudioError


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
