"""Rows say what an explanation found, where and how much."""

from types import SimpleNamespace

import numpy as np
import pytest
from commands import noise
from small_networks import additive

import xaiaudio as xa
from xaiaudio import exports
from xaiaudio.explainers.engines.components import Components
from xaiaudio.exports.rows import COLUMNS, _extent, columns_of, one_line, plain


@pytest.mark.slow
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


@pytest.mark.slow
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


def test_a_row_of_an_event_has_its_place_its_peak_and_no_band():
    event = SimpleNamespace(label="x", start=3.0, end=4.0, peak=3.5, peak_score=0.9)
    (row,) = exports.rows_of_events([event], file="a.wav")
    assert row == {
        "file": "a.wav",
        "class": "x",
        "start_s": 3.0,
        "end_s": 4.0,
        "low_hz": None,
        "high_hz": None,
        "peak_s": 3.5,
        "score": 0.9,
    }


def test_numbers_of_numpy_become_pythons_and_texts_become_unicode():
    rows = plain([{"a": np.float32(0.5), 3: np.inf, "c": np.str_("x"), "d": b"y", "e": False}])
    assert rows == [{"a": 0.5, "3": None, "c": "x", "d": "b'y'", "e": False}]
    assert type(rows[0]["a"]) is float and type(rows[0]["c"]) is str
    assert plain([{"a": "bad \udcff"}]) == [{"a": "bad ?"}]


def test_columns_stand_in_the_order_in_which_they_first_come():
    assert columns_of([{"b": 1, "a": 2}, {"c": 3, "b": 4}]) == ["b", "a", "c"]
    assert columns_of([]) == list(COLUMNS)


@pytest.mark.parametrize(
    ("text", "line"), [("a\tb\r\nc", "a b c"), (None, ""), (1.5, "1.5"), (" \x1b[31m ", "[31m")]
)
def test_a_text_becomes_one_line(text, line):
    assert one_line(text) == line


def test_a_part_lies_where_it_is_heard_and_in_the_band_of_its_energy():
    rate = 1000
    wave = np.zeros(rate)
    wave[200:700] = np.sin(2 * np.pi * 100 * np.arange(500) / rate)
    extent = _extent(wave, rate)
    assert extent["start_s"] == pytest.approx(0.2, abs=2e-3) and extent["end_s"] == 0.7
    power = np.abs(np.fft.rfft(wave)) ** 2
    low, high = int(extent["low_hz"]), int(extent["high_hz"]) - 1  # a bin is a hertz
    assert power[:low].sum() < 0.01 * power.sum() <= power[: low + 1].sum()
    assert power[:high].sum() < 0.99 * power.sum() <= power[: high + 1].sum()


@pytest.mark.slow
def test_rows_count_from_the_beginning_of_the_file():
    model = additive((12, 8))[0]
    result = xa.explain(model, model.frontend(noise(0.3)), 0, "saliency")
    first, later = (exports.rows_of(result, begins=begins) for begins in (0.0, 60.0))
    assert first and len(first) == len(later)
    for one, other in zip(first, later, strict=True):
        moved = {name: one[name] + 60 for name in ("start_s", "end_s")}
        assert other == {**one, **moved}
