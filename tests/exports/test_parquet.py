"""Parquet comes back as it was, with its types."""

import io
import sys

import pytest
from odd_rows import LABELS, rows_of_labels, shown

import xaiaudio as xa
from xaiaudio import exports
from xaiaudio.exports.parquet import encode


def test_parquet_comes_back_as_it_was(tmp_path):
    parquet = pytest.importorskip("pyarrow.parquet")
    path = exports.write(tmp_path / "x.parquet", rows_of_labels())
    table = parquet.read_table(path)
    assert table["class"].to_pylist() == [shown(label) for label in LABELS]
    assert str(table.schema.field("start_s").type) == "double"
    assert table["relevance"].to_pylist() == [-0.25 * n for n in range(len(LABELS))]
    again = exports.write(tmp_path / "y.parquet", rows_of_labels())
    assert again.read_bytes() == path.read_bytes()


def test_parquet_refuses_a_column_of_texts_and_numbers(tmp_path):
    pytest.importorskip("pyarrow")
    with pytest.raises(xa.XaiAudioError, match="'a' mixes"):
        exports.write(tmp_path / "x.parquet", [{"a": 1.5}, {"a": "x"}])


def test_without_pyarrow_the_message_names_the_extra(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(xa.XaiAudioError, match=r"pip install 'xaiaudio\[corpus\]'"):
        exports.write(tmp_path / "x.parquet", rows_of_labels())
    assert not list(tmp_path.iterdir())


def test_what_is_missing_is_null():
    parquet = pytest.importorskip("pyarrow.parquet")
    table = parquet.read_table(io.BytesIO(encode([{"a": 1.5, "b": None}, {"b": "x"}])))
    assert table.to_pylist() == [{"a": 1.5, "b": None}, {"a": None, "b": "x"}]


def test_numbers_that_no_column_holds_are_refused():
    pytest.importorskip("pyarrow")
    with pytest.raises(xa.XaiAudioError, match="'a' mixes"):
        encode([{"a": 2**70}])
