"""JSON comes back as it was."""

import json

import pytest
from odd_rows import LABELS, rows_of_labels, shown, strict_json, written

from xaiaudio.exports.json_file import encode


def test_json_comes_back_as_it_was(tmp_path):
    found = strict_json(written(tmp_path, "x.json", rows_of_labels()))
    assert [row["class"] for row in found] == [shown(label) for label in LABELS]
    assert [row["high_hz"] for row in found] == [1000 + n for n in range(len(LABELS))]


def test_each_object_has_a_line_and_scripts_stay_readable():
    data = encode([{"class": "鐘"}, {"class": "b"}])
    assert data.decode() == '[\n{"class": "鐘"},\n{"class": "b"}\n]\n'
    assert json.loads(encode([])) == []


def test_what_json_does_not_know_is_refused():
    with pytest.raises(ValueError, match="JSON"):
        encode([{"share": float("nan")}])
