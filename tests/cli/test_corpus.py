"""``xaiaudio corpus``: what its commands hand on, print, and say of bad input."""

from types import SimpleNamespace

import numpy as np
import pytest
from commands import call, complaint, sound

from xaiaudio import corpus
from xaiaudio.cli.corpus import _groups


class Plan:
    """Three clips in two units, one of which waits."""

    added, passed_over, units = 1, ("odd name",), 2

    def __len__(self):
        return 3

    def waiting(self):
        return [1]


@pytest.fixture
def asked(monkeypatch):
    """What the commands hand on, instead of an archive."""
    given = {}
    found = SimpleNamespace(
        clips={"file": np.array(["a.wav", "b.wav"] * 2)},
        bad={"file": np.array(["c.wav"]), "reason": np.array(["c.wav is silent"])},
        methods=("gradcam", "lime"),
    )

    def plan(folder, out, **options):
        given.update(options, folder=folder, out=out)
        return Plan()

    def run(plan, **options):
        given.update(options)
        return SimpleNamespace(units=1, clips=2, bad=1, seconds=1.5)

    monkeypatch.setattr(corpus, "plan", plan)
    monkeypatch.setattr(corpus, "run", run)
    monkeypatch.setattr(corpus, "read", lambda folder: found)
    given["found"] = found
    return given


def test_options_are_handed_on_and_results_are_counted(capsys, tmp_path, asked):
    words = ("-m", "gradcam", "-m", "lime", "--set", "lime.samples=30", "--workers", 0)
    out = tmp_path / "out"
    status, said, err = call(capsys, "corpus", "explain", tmp_path, "--out", out, *words)
    assert status == 0, err
    assert asked["methods"].keys() == {"gradcam", "lime"}
    assert float(asked["methods"]["lime"]["samples"]) == 30 and not asked["methods"]["gradcam"]
    assert (asked["folder"], asked["out"], asked["workers"]) == (tmp_path, out, 0)
    assert said.splitlines()[0] == "2 clips explained, 1 bad."  # two methods each
    assert "3 clips in 2 units, 1 to do." in err and "1 sound came since." in err
    assert "3 clips in 1.5 s (2.0 a second)." in err
    assert "Bad: c.wav is silent" in err and "odd name" in err


def test_where_nothing_could_be_explained_the_status_is_1(capsys, tmp_path, asked):
    asked["found"].clips["file"] = np.array([])
    status, said, _ = call(capsys, "corpus", "explain", tmp_path, "--out", tmp_path / "out")
    assert status == 1 and said.startswith("0 clips explained")


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--workers", "2", "--scheduler", "tcp://x:1"), "leave out --scheduler"),
        (("--set", "lime.samples=3"), "--method lime"),
    ],
)
def test_wrong_choices_are_told_before_the_work(capsys, tmp_path, asked, words, told):
    out = tmp_path / "out"
    status, said, err = call(capsys, "corpus", "explain", tmp_path, "--out", out, *words)
    assert (status, said) == (1, "") and told in complaint(err)
    assert "folder" not in asked and not out.exists()


def test_an_out_that_is_a_file(capsys, tmp_path, asked):
    file = sound(tmp_path / "a.wav")
    for words in (("explain", tmp_path), ("report", tmp_path)):
        status, _, err = call(capsys, "corpus", *words, "--out", file)
        assert status == 1 and "which is a file" in complaint(err)


def test_a_report_of_an_archive_without_a_clip(capsys, tmp_path, asked):
    asked["found"].clips["file"] = np.array([])
    status, _, err = call(capsys, "corpus", "report", tmp_path)
    assert status == 1 and "run xaiaudio corpus explain" in complaint(err)


def test_a_report_names_groups_and_where_they_differ(capsys, tmp_path, asked, monkeypatch):
    from xaiaudio.pages import archive

    groups = SimpleNamespace(found=2, p_value=0.01, labels=np.array([0, 0, 1]))
    band = SimpleNamespace(low=100.0, high=200.0, share=0.5, others=0.25)
    report = SimpleNamespace(label="Rain", files=("a", "b", "c"), groups=groups, bands=(band, band))
    monkeypatch.setattr(corpus, "by_class", lambda found, method, seed: [report])
    written = {}

    def write(found, reports, method, folder):
        written.update(method=method, folder=folder)
        return [folder / "report.html"]

    monkeypatch.setattr(archive, "write", write)
    status, said, err = call(capsys, "corpus", "report", tmp_path)
    assert status == 0, err
    assert written == {"method": "gradcam", "folder": tmp_path / "report"}
    assert said.splitlines() == [
        "Rain: 3 clips, 2 groups, p = 0.01",
        "  group 1: 2 clips; at 100-200 Hz 50%, the others 25%",
        "  group 2: 1 clip; at 100-200 Hz 50%, the others 25%",
        f"  {tmp_path / 'report' / 'report.html'}",
    ]
    assert _groups(SimpleNamespace(found=1)) == "one group"
