"""Tables and maps on disk: what was written is read, and damage is told."""

import shutil

import numpy as np
import pytest

import xaiaudio as xa
from xaiaudio.corpus import tables


def test_damaged_files_are_told(whole, tmp_path):
    out = shutil.copytree(whole.out, tmp_path / "out")
    tables.clips_file(out, 0).write_bytes(b"PAR1")
    with pytest.raises(xa.XaiAudioError, match=r"000000\.parquet is damaged"):
        xa.corpus.read(out)
    shutil.rmtree(out / "maps.zarr" / "000001")
    with pytest.raises(xa.XaiAudioError, match="000001 is damaged"):
        tables.read_maps(out, 1, "gradcam")
    for text, told in {"{}": "another version", "[1]": "no settings", "{": "Expecting"}.items():
        (out / "plan.json").write_text(text)
        with pytest.raises(xa.XaiAudioError, match=rf"plan\.json is damaged: .*{told}"):
            xa.corpus.read(out)


def columns(unit, count=2):
    rng = np.random.default_rng(unit)
    texts = ("file", "sha256", "folder", "class", "method", "explained", "warning")
    clips = {name: [f"{name} {unit} {row} é" for row in range(count)] for name in texts}
    clips |= {name: [unit + row for row in range(count)] for name in ("size", "unit", "place")}
    clips |= {name: rng.random(count) for name in ("seconds", "score", "votes", "start")}
    clips["relevance"] = list(rng.random((count, 5)).astype("f4"))
    bad = {"file": ["bad.wav"], "size": [3], "reason": ["silent"], "unit": [unit]}
    return clips, bad, {"gradcam": rng.random((count, 4, 5)).astype("f4")}


def test_what_was_written_is_read_unit_after_unit(tmp_path):
    written = {unit: columns(unit) for unit in (0, 2)}
    for unit, parts in written.items():
        tables.write_unit(tmp_path, unit, *parts)
    assert tables.done(tmp_path) == {0, 2}
    found = tables.read([tables.clips_file(tmp_path, unit) for unit in (2, 0)], tables.CLIPS)
    assert list(found) == list(tables.CLIPS) and found["relevance"].dtype == np.float32
    for name in tables.CLIPS:
        wanted = np.concatenate([np.asarray(written[unit][0][name]) for unit in (2, 0)])
        np.testing.assert_array_equal(found[name], wanted.astype(found[name].dtype))
    np.testing.assert_array_equal(
        tables.read_maps(tmp_path, 2, "gradcam"), written[2][2]["gradcam"]
    )
    bad = tables.read([tables.bad_file(tmp_path, 2)], tables.BAD)
    assert {name: column.tolist() for name, column in bad.items()} == written[2][1]
    assert not list(tmp_path.rglob("*.partial"))


def test_nothing_at_all_has_its_columns(tmp_path):
    tables.write_unit(tmp_path, 0, *columns(0, count=0)[:2], {"gradcam": np.zeros((0, 4, 5))})
    for paths in ([], [tables.clips_file(tmp_path, 0)]):
        found = tables.read(paths, tables.CLIPS)
        assert list(found) == list(tables.CLIPS) and not any(map(len, found.values()))
    assert tables.done(tmp_path) == {0} and tables.done(tmp_path / "none") == set()


def test_a_unit_is_done_when_its_last_table_is_there(tmp_path, monkeypatch):
    written, write = [], tables._write_whole

    def stopped(path, *rest):
        if path.parent.name == "clips":
            raise KeyboardInterrupt
        written.append(path)
        write(path, *rest)

    monkeypatch.setattr(tables, "_write_whole", stopped)
    with pytest.raises(KeyboardInterrupt):
        tables.write_unit(tmp_path, 0, *columns(0))
    assert written == [tables.bad_file(tmp_path, 0)] and tables.maps_folder(tmp_path, 0).is_dir()
    assert tables.done(tmp_path) == set()
    # The next run writes over what is there.
    monkeypatch.setattr(tables, "_write_whole", write)
    tables.write_unit(tmp_path, 0, *columns(7))
    assert tables.done(tmp_path) == {0}
    np.testing.assert_array_equal(
        tables.read_maps(tmp_path, 0, "gradcam"), columns(7)[2]["gradcam"]
    )


def test_what_could_not_be_read_is_a_table_as_long_as_it_cannot(tmp_path):
    path = tables.unreadable_file(tmp_path)
    tables.write_unreadable(tmp_path, {})
    assert not path.exists()
    tables.write_unreadable(tmp_path, {"deep/": "Permission denied"})
    found = tables.read([path], tables.BAD)
    assert (found["file"][0], found["unit"][0]) == ("deep/", -1)
    assert found["reason"][0] == "deep/: Permission denied."
    tables.write_unreadable(tmp_path, {})
    assert not path.exists()


def test_what_was_left_half_written_is_taken_away_and_nothing_else(tmp_path):
    tables.write_unit(tmp_path, 0, *columns(0))
    (tmp_path / "clips" / ".000001-ab.partial").touch()
    (tmp_path / tables.MAPS / ".000001-ab.partial" / "gradcam").mkdir(parents=True)
    (tmp_path / "clips" / "mine.partial").touch()
    tables.clear_partial(tmp_path)
    assert [path.name for path in tmp_path.rglob("*.partial")] == ["mine.partial"]
    assert tables.done(tmp_path) == {0}


def test_no_room_for_maps_is_said(tmp_path):
    (tmp_path / tables.MAPS).write_text("in the way")
    with pytest.raises(xa.XaiAudioError, match="Could not write .*000000.*Make room"):
        tables.write_unit(tmp_path, 0, *columns(0))
