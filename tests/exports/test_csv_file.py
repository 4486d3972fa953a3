"""CSV comes back as it was, and a spreadsheet runs none of it."""

import csv
import io

from odd_rows import LABELS, rows_of_labels, shown, written

from xaiaudio.exports.csv_file import encode


def test_csv_comes_back_and_holds_no_formula(tmp_path):
    data = written(tmp_path, "x.csv", rows_of_labels())
    found = list(csv.DictReader(io.StringIO(data.decode("utf-8"), newline=""), strict=True))
    for row, label in zip(found, LABELS, strict=True):
        assert row["class"] == shown("'" + label if label[:1] in tuple("=+-@") else label)
    # Numbers stay numbers, the negative ones too.
    assert [float(row["relevance"]) for row in found] == [-0.25 * n for n in range(len(LABELS))]
    assert float(found[0]["end_s"]) == 4.0


def test_titles_are_no_formulas_either_and_missing_cells_are_empty():
    data = encode([{"=a": 1}, {"b": -2.5}]).decode()
    assert data == "'=a,b\r\n1,\r\n,-2.5\r\n"
