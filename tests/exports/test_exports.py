"""Files for other programs, read back by those programs' rules."""

import csv
import io
import json
import sys
from types import SimpleNamespace

import numpy as np
import pytest

import xaiaudio as xa
from xaiaudio import exports
from xaiaudio.explainers.engines.components import Components

# All that breaks a format: its separators, quotes, formulas, other scripts, nothing at all.
LABELS = [
    "Dog bark",
    "a\tb",
    "two\nlines\r\nand more",
    'say "yes", or no',
    "=HYPERLINK(1)",
    "+1",
    "-1",
    "@sum",
    "Glocke ü 鐘 \u2028",
    "\\ backslash",
    "bad \udcff byte",
    "",
]


def rows_of_labels():
    """Rows, not in the order of time."""
    return [
        {
            "class": label,
            "start_s": 3.0 - number / 10,
            "end_s": np.float32(4.0),
            "low_hz": 125.5,
            "high_hz": 1000 + number,
            "relevance": -0.25 * number,
            "unit": "logit",
        }
        for number, label in enumerate(LABELS)
    ]


def shown(label):
    """A label with its bytes that are no UTF-8 replaced."""
    return label.encode("utf-8", "replace").decode()


def audacity(data):
    """Read a label track as Audacity does: by lines, and in these by tabs."""
    found = []
    for line in data.decode("utf-8").split("\n")[:-1]:
        fields = line.split("\t")
        if fields[0] == "\\":
            assert len(fields) == 3 and len(found[-1]) == 3
            found[-1] += (float(fields[1]), float(fields[2]))
            continue
        assert len(fields) == 3, line
        found.append((float(fields[0]), float(fields[1]), fields[2]))
    return found


def raven(data):
    """Read a selection table: a line of titles, then as many fields in every line."""
    lines = data.decode("utf-8").split("\n")
    assert lines.pop() == ""
    titles = lines[0].split("\t")
    rows = [dict(zip(titles, line.split("\t"), strict=True)) for line in lines[1:]]
    needed = ["Selection", "View", "Channel", "Begin Time (s)", "End Time (s)"]
    assert titles[:7] == [*needed, "Low Freq (Hz)", "High Freq (Hz)"]
    return rows


def written(tmp_path, name, rows, **options):
    return exports.write(tmp_path / name, rows, **options).read_bytes()


def test_audacity_reads_labels_in_the_order_of_time(tmp_path):
    found = audacity(written(tmp_path, "x.labels.txt", rows_of_labels()))
    starts = [place[0] for place in found]
    assert starts == sorted(starts) and len(found) == len(LABELS)
    by_start = {round(3 - number / 10, 6): number for number in range(len(LABELS))}
    for start, end, label, low, high in found:
        number = by_start[start]
        assert (end, low, high) == (4.0, 125.5, 1000 + number)
        assert label.split() == shown(LABELS[number]).replace("\u2028", " ").split()


def test_audacity_labels_without_a_band_have_one_line(tmp_path):
    rows = [{"class": "x", "start_s": 0, "end_s": 1, "share": 0.256, "part": "time 1"}]
    assert written(tmp_path, "x.labels.txt", rows) == b"0.000000\t1.000000\tx, time 1, 26%\n"


def test_numbers_have_a_point_whatever_the_size(tmp_path):
    rows = [{"class": "x", "start_s": 1e-7, "end_s": 123456.5, "low_hz": 0, "high_hz": 96000}]
    assert audacity(written(tmp_path, "x.labels.txt", rows)) == [(0, 123456.5, "x", 0, 96000)]
    assert raven(written(tmp_path, "x.selections.txt", rows))[0]["End Time (s)"] == "123456.500000"


def test_raven_reads_selections_in_the_order_of_time(tmp_path):
    found = raven(written(tmp_path, "x.selections.txt", rows_of_labels()))
    assert [row["Selection"] for row in found] == [str(n + 1) for n in range(len(LABELS))]
    begins = [float(row["Begin Time (s)"]) for row in found]
    assert begins == sorted(begins)
    for row, label in zip(found, LABELS[::-1], strict=True):
        assert row["Class"].split() == shown(label).replace("\u2028", " ").split()
        assert (row["View"], row["Channel"], row["Unit"]) == ("Spectrogram 1", "1", "logit")
        assert float(row["Low Freq (Hz)"]) < float(row["High Freq (Hz)"])


@pytest.mark.parametrize("name", ["x.labels.txt", "x.selections.txt"])
def test_a_row_without_a_place_is_refused(tmp_path, name):
    with pytest.raises(xa.XaiAudioError, match="no end_s"):
        exports.write(tmp_path / name, [{"class": "x", "start_s": 0, "end_s": np.nan}])
    assert not list(tmp_path.iterdir())


def test_raven_without_a_band_is_refused(tmp_path):
    event = SimpleNamespace(label="x", start=0.0, end=1.0, peak=0.5, peak_score=0.9)
    with pytest.raises(xa.XaiAudioError, match="give low and high"):
        exports.write(tmp_path / "x.selections.txt", exports.rows_of_events([event]))
    rows = exports.rows_of_events([event], low=0, high=8000)
    (row,) = raven(written(tmp_path, "x.selections.txt", rows))
    assert (row["Score"], row["Peak s"], row["High Freq (Hz)"]) == ("0.9", "0.5", "8000.000000")


def test_csv_comes_back_and_holds_no_formula(tmp_path):
    data = written(tmp_path, "x.csv", rows_of_labels())
    found = list(csv.DictReader(io.StringIO(data.decode("utf-8"), newline=""), strict=True))
    for row, label in zip(found, LABELS, strict=True):
        assert row["class"] == shown("'" + label if label[:1] in tuple("=+-@") else label)
    # Numbers stay numbers, the negative ones too.
    assert [float(row["relevance"]) for row in found] == [-0.25 * n for n in range(len(LABELS))]
    assert float(found[0]["end_s"]) == 4.0


def strict_json(data):
    def refuse(constant):
        raise AssertionError(constant)

    return json.loads(data.decode("utf-8"), parse_constant=refuse)


def test_json_comes_back_as_it_was(tmp_path):
    found = strict_json(written(tmp_path, "x.json", rows_of_labels()))
    assert [row["class"] for row in found] == [shown(label) for label in LABELS]
    assert [row["high_hz"] for row in found] == [1000 + n for n in range(len(LABELS))]


def test_what_is_no_number_is_nothing(tmp_path):
    rows = [{"a": np.nan, "b": float("inf"), "c": None, "d": np.int64(3), "e": np.True_}]
    assert strict_json(written(tmp_path, "x.json", rows)) == [
        {"a": None, "b": None, "c": None, "d": 3, "e": True}
    ]
    assert written(tmp_path, "x.csv", rows).splitlines()[1] == b",,,3,True"


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


def test_rows_of_maps_are_their_regions():
    model = xa.load_model("lite")
    wave = np.random.default_rng(1).normal(0, 0.1, 32_000).astype("float32")
    result = xa.explain(model, model.frontend(wave), "Rain", "occlusion")
    rows = exports.rows_of(result, file="rain.wav", keep=0.05, least=0.02)
    found = result.regions(0.05, 0.02)
    assert [row["share"] for row in rows] == [one.share for one in found] != []
    assert {(r["file"], r["class"], r["method"], r["unit"]) for r in rows} == {
        ("rain.wav", "Rain", "occlusion", "logit")
    }


def test_rows_of_parts_say_where_each_lies():
    model = xa.load_model("lite")
    time = np.arange(32_000) / 16_000
    low, high = np.sin(2 * np.pi * 400 * time), np.sin(2 * np.pi * 3000 * time)
    low[16_000:], high[:8_000] = 0, 0
    sources = {"low": low, "high": high, "nothing": np.zeros(32_000)}
    parts = Components.of_sources((low + high) / 2, {k: v / 2 for k, v in sources.items()})
    result = xa.explain_parts(model, parts, "Rain")
    rows = {row["part"]: row for row in exports.rows_of(result)}
    assert rows["low"]["end_s"] == pytest.approx(1.0, abs=2e-3)
    assert rows["high"]["start_s"] == pytest.approx(0.5, abs=2e-3)
    assert 350 < rows["low"]["low_hz"] < rows["low"]["high_hz"] < 450
    assert 2950 < rows["high"]["low_hz"] < rows["high"]["high_hz"] < 3050
    assert (rows["nothing"]["start_s"], rows["nothing"]["end_s"]) == (0, 2)
    assert (rows["nothing"]["low_hz"], rows["nothing"]["high_hz"]) == (0, 8000)
    assert [row["relevance"] for row in rows.values()] == result.weights.tolist()
