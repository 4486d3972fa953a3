"""The page of an archive: each class with its profile, its clips as links, and what is bad."""

import csv
import os
import re
from types import SimpleNamespace
from urllib.parse import unquote

import numpy as np
import pytest

from xaiaudio import LogMel
from xaiaudio.corpus.classes import Band, ClassReport
from xaiaudio.corpus.spectral import Groups
from xaiaudio.pages import archive

FRONTEND = LogMel.vggish()


def groups(labels):
    rng = np.random.default_rng(1)
    count = len(labels)
    return Groups(
        labels=np.asarray(labels),
        found=max(labels) + 1,
        eigenvalues=np.arange(5) / 4,
        gap=0.25,
        chance=np.zeros(19),
        places=rng.normal(size=(count, 2)),
        pooled=rng.random((count, 8)),
        grid=(2, 4),
    )


def report(label, labels, bands=()):
    count = len(labels)
    names = np.array([f"{label}/clip {number} #<i>.wav" for number in range(count)])
    mean = np.arange(64) / 64
    distance = np.arange(count) / count
    return ClassReport(label, names, mean, mean - 1, mean + 1, distance, groups(labels), bands)


def results(folder, bad=()):
    names, reasons = zip(*bad, strict=True) if bad else ((), ())
    return SimpleNamespace(
        frontend=FRONTEND,
        settings=SimpleNamespace(model="<b>net", folder=str(folder)),
        bad={"file": np.array(names), "reason": np.array(reasons)},
    )


@pytest.fixture(autouse=True)
def drawn(monkeypatch):
    """Figures have tests of their own: none is drawn here, but each is counted."""
    figures = []
    monkeypatch.setattr(archive, "render", lambda figure: figures.append(figure) or b"PNG")
    return figures


@pytest.fixture
def reports():
    bands = (Band(500.0, 700.0, 0.4, 0.1), Band(900.0, 950.0, 0.3, 0.2))
    return [report("Rain", [0, 0, 0]), report("<Dog>", [0, 0, 1, 1, 1], bands)]


@pytest.mark.slow
def test_what_comes_from_outside_is_escaped_and_links_lead_to_the_sounds(tmp_path, reports):
    out = tmp_path / "report"
    bad = [("<i>.wav", "it is <b>text</b>")]
    text = archive.page(results(tmp_path / "sounds", bad), reports, "gradcam", out)
    assert not any(tag in text for tag in ("<b>net", "<i>", "<Dog>", "<b>text"))
    sources = re.findall(r'<audio[^>]* src="([^"]*)"', text)
    assert sources and all("#" not in source and "<" not in source for source in sources)
    places = {os.path.normpath(out / unquote(source)) for source in sources}
    sounds = {str(tmp_path / "sounds" / name) for one in reports for name in one.files}
    assert places <= sounds
    shown = {name for one in reports for name in (*one.typical(), *one.odd())}
    assert places >= {str(tmp_path / "sounds" / name) for name in shown}


@pytest.mark.slow
def test_a_class_that_falls_into_groups_says_where_they_differ(tmp_path, reports, drawn):
    text = archive.page(results(tmp_path), reports, "gradcam", tmp_path)
    assert len(drawn) == text.count("<img ") == 2  # the profiles, and the groups of one class
    assert "Maps fall into groups in: &lt;Dog&gt;." in text
    rain, dog = (part for part in text.split("<section>") if "Typical:" in part)
    assert "One group" in rain and "Group 1" not in rain
    assert "2 groups (p = 0.05)" in dog  # no cloud of 19 has so large a gap: 1 of 20
    assert "Group 2: 3 clips" in dog and "at 900 to 950 Hz: 30%" in dog
    alone = archive.page(results(tmp_path), reports[:1], "gradcam", tmp_path)
    assert "No class falls into groups." in alone


@pytest.mark.slow
def test_bad_files_beyond_those_that_are_listed_are_counted(tmp_path, monkeypatch):
    monkeypatch.setattr(archive, "LISTED", 2)
    bad = [(f"{number}.wav", "silent") for number in range(5)]
    text = archive.page(results(tmp_path, bad), [], "gradcam", tmp_path)
    assert text.count("<td>silent</td>") == 2 and "3 more in bad.csv." in text
    assert ";\n5 files are bad." in text
    alone = archive.page(results(tmp_path, bad[:1]), [], "gradcam", tmp_path)
    assert ";\n1 file is bad." in alone and "more in bad.csv" not in alone
    assert "Bad files" not in archive.page(results(tmp_path), [], "gradcam", tmp_path)


def test_without_a_clip_there_is_no_picture(tmp_path):
    text = archive.page(results(tmp_path, [("a.wav", "silent")]), [], "gradcam", tmp_path)
    assert "<img" not in text and "on 0 clips of" in text


@pytest.mark.slow
def test_the_tables_hold_every_clip_band_and_reason(tmp_path, reports):
    bad = [("a, b.wav", "it is silent")]
    paths = archive.write(results(tmp_path, bad), reports, "gradcam", tmp_path / "out")
    assert [path.name for path in paths] == ["report.html", "classes.csv", "groups.csv", "bad.csv"]
    tables = [list(csv.reader(path.read_text().splitlines())) for path in paths[1:]]
    classes, members, left = tables
    assert len(classes) == 1 + 2 * 64 and len(members) == 1 + 3 + 5
    assert left == [["file", "reason"], ["a, b.wav", "it is silent"]]
    hertz = [float(row[2]) for row in classes[1:65]]
    assert hertz == pytest.approx(FRONTEND.band_centres(), abs=0.05)
    assert [row[2] for row in members[4:]] == ["1", "1", "2", "2", "2"]  # counted from one
