"""Raven reads selection tables back by its own rules."""

from types import SimpleNamespace

import pytest
from odd_rows import LABELS, raven, rows_of_labels, shown, written

import xaiaudio as xa
from xaiaudio import exports
from xaiaudio.exports.raven import encode


def test_raven_reads_selections_in_the_order_of_time(tmp_path):
    found = raven(written(tmp_path, "x.selections.txt", rows_of_labels()))
    assert [row["Selection"] for row in found] == [str(n + 1) for n in range(len(LABELS))]
    begins = [float(row["Begin Time (s)"]) for row in found]
    assert begins == sorted(begins)
    for row, label in zip(found, LABELS[::-1], strict=True):
        assert row["Class"].split() == shown(label).replace("\u2028", " ").split()
        assert (row["View"], row["Channel"], row["Unit"]) == ("Spectrogram 1", "1", "logit")
        assert float(row["Low Freq (Hz)"]) < float(row["High Freq (Hz)"])


def test_raven_without_a_band_is_refused(tmp_path):
    event = SimpleNamespace(label="x", start=0.0, end=1.0, peak=0.5, peak_score=0.9)
    with pytest.raises(xa.XaiAudioError, match="give low and high"):
        exports.write(tmp_path / "x.selections.txt", exports.rows_of_events([event]))
    rows = exports.rows_of_events([event], low=0, high=8000)
    (row,) = raven(written(tmp_path, "x.selections.txt", rows))
    assert (row["Score"], row["Peak s"], row["High Freq (Hz)"]) == ("0.9", "0.5", "8000.000000")


def test_columns_of_ones_own_follow_with_readable_titles():
    place = {"start_s": 0.0, "end_s": 1.0, "low_hz": 10.0, "high_hz": 20.0}
    (row,) = raven(encode([{"my\tcolumn_x": None, **place, "note": "two\nlines"}]))
    assert list(row)[7:] == ["My column x", "Note"]
    assert (row["My column x"], row["Note"]) == ("", "two lines")


def test_of_equal_times_the_lower_box_comes_first():
    rows = [
        {"class": name, "start_s": 0, "end_s": 1, "low_hz": low, "high_hz": 900}
        for name, low in (("high", 500), ("low", 100))
    ]
    assert [row["Class"] for row in raven(encode(rows))] == ["low", "high"]
