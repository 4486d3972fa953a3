"""Formats are found by their name or suffix; files of all of them are whole and readable."""

import numpy as np
import pytest
from odd_rows import audacity, raven, rows_of_labels, shown, strict_json, written

import xaiaudio as xa
from xaiaudio import exports


def test_numbers_have_a_point_whatever_the_size(tmp_path):
    rows = [{"class": "x", "start_s": 1e-7, "end_s": 123456.5, "low_hz": 0, "high_hz": 96000}]
    assert audacity(written(tmp_path, "x.labels.txt", rows)) == [(0, 123456.5, "x", 0, 96000)]
    assert raven(written(tmp_path, "x.selections.txt", rows))[0]["End Time (s)"] == "123456.500000"


@pytest.mark.parametrize("name", ["x.labels.txt", "x.selections.txt"])
def test_a_row_without_a_place_is_refused(tmp_path, name):
    with pytest.raises(xa.XaiAudioError, match="no end_s"):
        exports.write(tmp_path / name, [{"class": "x", "start_s": 0, "end_s": np.nan}])
    assert not list(tmp_path.iterdir())


def test_what_is_no_number_is_nothing(tmp_path):
    rows = [{"a": np.nan, "b": float("inf"), "c": None, "d": np.int64(3), "e": np.True_}]
    assert strict_json(written(tmp_path, "x.json", rows)) == [
        {"a": None, "b": None, "c": None, "d": 3, "e": True}
    ]
    assert written(tmp_path, "x.csv", rows).splitlines()[1] == b",,,3,True"


def test_no_rows_make_a_file_that_can_be_read(tmp_path):
    pytest.importorskip("pyarrow")
    for one in exports.formats().values():
        exports.write(tmp_path / f"x{one.suffix}", [])
    assert strict_json((tmp_path / "x.json").read_bytes()) == []
    assert (tmp_path / "x.csv").read_text().startswith("file,class,method,part,start_s")
    assert audacity((tmp_path / "x.labels.txt").read_bytes()) == []
    assert raven((tmp_path / "x.selections.txt").read_bytes()) == []


def test_the_name_or_the_suffix_says_the_format(tmp_path):
    rows = rows_of_labels()
    for one in exports.formats().values():
        if one.name != "parquet":
            named = written(tmp_path, "named.txt", rows, format=one.name)
            assert (
                named
                == written(tmp_path, f"x{one.suffix.upper()}", rows)
                == one.encode(
                    strict_json(exports.formats()["json"].encode(rows_without_numpy(rows)))
                )
            )


def rows_without_numpy(rows):
    return [
        {
            k: shown(v) if isinstance(v, str) else float(v) if k == "end_s" else v
            for k, v in r.items()
        }
        for r in rows
    ]


@pytest.mark.parametrize(
    "name, options, said",
    [
        ("x.txt", {}, "does not say its format"),
        ("x.xlsx", {}, "does not say its format"),
        ("x.csv", {"format": "CSV"}, "did you mean 'csv'"),
        ("missing/x.csv", {}, "Could not write"),
    ],
)
def test_what_cannot_be_written_is_said(tmp_path, name, options, said):
    with pytest.raises(xa.XaiAudioError, match=said):
        exports.write(tmp_path / name, rows_of_labels(), **options)
