"""What only the build knows, for the pages."""

import csv
import re

import pytest
from recorded_values import recorded
from small_book import page

from xaiaudio.publishing import baselines, fragments, measuring, project


def test_placeholders():
    known = {"machine": "2 cores"}
    assert fragments.fill_in("{{ machine }}, {{other}}, {run-time}", known, 70) == (
        "2 cores, {{other}}, about a minute"
    )


def test_all_recorded_numbers_are_a_table_to_take_along(built):
    link = page(built[0], "plain").find("a", download=True)
    path = built[0] / "_build/html" / link["href"]
    rows = list(csv.DictReader(path.read_text().splitlines()))
    (answer,) = [row for row in rows if row["number"] == "answer"]
    assert answer["chapter"] == "welcome" and float(answer["this run"]) == 42.5
    assert f"{len(rows)} numbers stand in the text" in page(built[0], "plain").get_text()


def test_what_only_the_build_knows_is_filled_in(built):
    text = page(built[0], "plain").get_text()
    assert "with mini" in text and re.search(r"\d+ cores", text)
    assert "numpy" in text and "recorded-numbers.csv" in text and "{{" not in text
    took = fragments.run_time(built[1].seconds["welcome"])  # on a busy machine it takes longer
    assert f"It took {took}" in page(built[0], "welcome").get_text()


@pytest.mark.parametrize(
    "seconds, said",
    [
        (0, "less than a minute"),
        (44, "less than a minute"),
        (46, "about a minute"),
        (89, "about a minute"),
        (91, "about 2 minutes"),
        (1000, "about 17 minutes"),
    ],
)
def test_durations_as_one_would_say_them(seconds, said):
    assert fragments.run_time(seconds) == said


def test_versions_and_times_of_all_chapters():
    stamps = {
        "one": {"seconds": 61, "finished": "10:00", "build": "2", "peak_mb": 1024,
                "versions": {"numpy": "1.0", "keras": "3"}},
        "other": {"seconds": 29, "finished": "09:00", "build": "1", "peak_mb": 2048,
                  "versions": {"numpy": "2.0", "keras": "3"}},
        "none": {},
    }  # fmt: skip
    versions = fragments._versions(stamps).splitlines()
    assert versions[2:] == ["| numpy | 1.0, 2.0 |", "| keras | 3 |"]
    times = fragments._timings(stamps)
    assert "| {doc}`one` | 61 s | 10:00 |" in times  # of the latest build
    assert "| {doc}`other` | 29 s | before |" in times and "| {doc}`none` | 0 s | before |" in times
    assert "Together 1.5 minutes" in times and "at most 2.0 GB" in times


@pytest.fixture
def measured(tmp_path, monkeypatch):
    """A book of one chapter under one profile, measured with two runs."""
    book = project.Project(tmp_path, "mini")
    runs = [
        recorded(**{"testing-patch-accuracy": share, "clips": 400, "who": "Rain"})
        | recorded(**{"fig/part": 1.0})
        for share in (0.9, 0.92)
    ]
    baselines.save(book, "testing", measuring.measure(runs), range(2))
    monkeypatch.setattr(fragments.notebooks, "read", lambda path: path.stem)
    monkeypatch.setattr(fragments, "recorded", {"testing": runs[1]}.__getitem__)
    return book


def test_the_table_of_numbers_has_this_run_and_the_baselines(measured):
    rows = list(csv.DictReader(fragments.numbers_csv(measured, ["testing"]).splitlines()))
    assert [row["number"] for row in rows] == ["testing-patch-accuracy", "clips"]  # and no parts
    assert rows[0] == {
        "chapter": "testing", "number": "testing-patch-accuracy", "this run": "0.92",
        "mini baseline": "0.9", "mini tolerance": "0.04",
    }  # fmt: skip
    assert rows[1]["mini tolerance"] == "0.0"


def test_accuracies_stand_beside_those_of_the_example(measured):
    lines = fragments._accuracies(measured).splitlines()
    assert lines[0].startswith("| held-out fold | MathWorks | `mini` |")
    assert lines[2].startswith("| patches correct (%) | 86.03 | 90 ± 4 |")
    assert lines[3].startswith("| clips correct (%) | 92.5 |  |")  # nobody measured these
    profiles = fragments._profiles(measured)
    assert "4, from 2 runs" in profiles and "none: not measured" in profiles
