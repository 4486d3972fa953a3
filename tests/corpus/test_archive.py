"""An archive is planned, explained, stopped, gone on with and read."""

import csv
import re
from pathlib import Path
from urllib.parse import unquote

import numpy as np
import pytest
from commands import call, complaint
from small_archives import ASKED, archive

import xaiaudio as xa


@pytest.mark.slow
def test_the_command_explains_and_goes_on(capsys, sounds, tmp_path):
    asked = ("corpus", "explain", sounds, "--out", tmp_path / "out", "--workers", "0")
    status, said, told = call(capsys, *asked)
    assert status == 0 and said.startswith("9 clips explained, 3 bad.")
    assert "12 clips in 1 unit, 1 to do" in told and "Bad: hum/text.wav" in told
    status, said, told = call(capsys, *asked)
    assert status == 0 and "0 to do" in told and said.startswith("9 clips")
    status, _, told = call(capsys, *asked, "--overlap", "0")
    assert status == 1 and "overlap changed" in complaint(told)


@pytest.mark.slow
def test_the_report_sums_up_and_escapes(capsys, tmp_path):
    folder = archive(tmp_path / "sounds & <b>", each=6)
    (folder / "hum" / "<i>.wav").write_text("no sound")
    out = tmp_path / "out"
    status, _, _ = call(capsys, "corpus", "explain", folder, "--out", out, "--workers", "0")
    assert status == 0
    status, said, _ = call(capsys, "corpus", "report", out)
    assert status == 0 and "12 clips, 2 groups" in said
    page = (out / "report" / "report.html").read_text(encoding="utf-8")
    assert "<i>" not in page and "&lt;i&gt;.wav" in page and "sounds &amp; &lt;b&gt;" in page
    links = re.findall(r'audio controls preload="none" src="([^"]+)"', page)
    assert links and all((out / "report" / unquote(link)).resolve().is_file() for link in links)
    with open(out / "report" / "groups.csv", newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    # The sounds that hum are one group, the others the other.
    sides = {(Path(row["file"]).parent.name, row["group"]) for row in rows}
    assert len(sides) == 2 and len({group for _, group in sides}) == 2
    found = xa.corpus.read(out)
    assert sorted(row["file"] for row in rows) == sorted(found.rows()["file"])
    reports = xa.corpus.by_class(found)
    assert sum(len(one.files) for one in reports) == 12
    for one in reports:
        assert one.typical(1) != one.odd(1) or len(one.files) == 1
    with open(out / "report" / "classes.csv", newline="", encoding="utf-8") as file:
        bands = list(csv.DictReader(file))
    assert len(bands) == 64 * len(reports)


@pytest.mark.slow
def test_a_report_of_nothing_is_refused(capsys, sounds, tmp_path):
    status, _, told = call(capsys, "corpus", "report", tmp_path)
    assert status == 1 and "holds no archive" in complaint(told)
    xa.corpus.plan(sounds, tmp_path / "out", **ASKED)
    status, _, told = call(capsys, "corpus", "report", tmp_path / "out")
    assert status == 1 and "no explained clip yet" in complaint(told)


@pytest.mark.slow
def test_figures_of_an_archive(whole):
    reports = xa.corpus.by_class(whole)
    profiles = xa.plots.class_profiles(reports, whole.frontend)
    assert profiles.data["mean"].shape == (len(reports), 64)
    assert (profiles.data["low"] <= profiles.data["high"]).all()
    maps = np.abs(np.random.default_rng(0).normal(size=(60, 96, 64)))
    maps[:30, :, 50] += 40
    groups = xa.corpus.groups_of(maps, draws=39)
    figure = xa.plots.map_groups(groups, whole.frontend)
    assert figure.data["profiles"].shape == (2, 32) and figure.data["gap"] > figure.data["chance"]
    np.testing.assert_allclose(figure.data["profiles"].sum(axis=1), 1)
