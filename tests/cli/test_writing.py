"""What ``xaiaudio explain`` writes beside the pages, and of folders."""

import csv
import json
import re
import sys

import numpy as np
import pytest
import soundfile
from commands import call, complaint, noise, sound

import xaiaudio as xa
from xaiaudio import exports
from xaiaudio.cli import writing
from xaiaudio.plots.render import FORMATS

QUICK = ("--method", "occlusion", "--set", "occlusion.mask=0.5", "--set", "occlusion.stride=0.5")
QUICK = (*QUICK, "--overlap", "0", "--mixer", "none")
OPTIONS = {"mask": 0.5, "stride": 0.5}


def test_the_command_knows_all_formats():
    assert {*map(str, writing.Table)} == set(exports.formats())
    assert {*map(str, writing.Figure)} == set(FORMATS)


@pytest.mark.slow
def test_tables_figures_and_sounds_of_ones_choice(capsys, tmp_path):
    pytest.importorskip("pyarrow")
    wave = np.stack([noise(2.0, rate=44_100), noise(2.0, rate=44_100, seed=1)], axis=1)
    clip = sound(tmp_path / "two.wav", wave, rate=44_100, subtype="PCM_16")
    kinds = [part for one in writing.Table for part in ("--table", str(one))]
    figures = ("--figure", "pdf", "--figure", "svg", "--dpi", "90")
    out = tmp_path / "out"
    wanted = (*kinds, *figures, "--sound", "wav", "--keep", "0.2")
    status, _, err = call(capsys, "explain", clip, "--out", out, *QUICK, *wanted)
    assert status == 0, err
    ends = [one.suffix for one in exports.formats().values()]
    assert {path.name for path in out.iterdir()} == {
        *("two.html", "two.pdf", "two.svg", "two-occlusion.npz"),
        *("two-occlusion-kept.wav", "two-occlusion-removed.wav"),
        *(f"two-occlusion{end}" for end in ends),
    }
    # The regions are those of the maps that were saved.
    found = xa.Explanation.load(out / "two-occlusion.npz").regions(0.2)
    rows = json.loads((out / "two-occlusion.json").read_text("utf-8"))
    assert [row["share"] for row in rows] == [one.share for one in found] != []
    assert {row["file"] for row in rows} == {"two.wav"}
    for name in ("csv", "labels.txt", "selections.txt"):
        text = (out / f"two-occlusion.{name}").read_text("utf-8")
        assert f"{found[0].end:.4f}"[:-1] in text
    # Kept and removed are the recording, to a millionth.
    halves = [soundfile.read(out / f"two-occlusion-{half}.wav") for half in ("kept", "removed")]
    assert {rate for _, rate in halves} == {44_100}
    assert np.abs(halves[0][0] + halves[1][0] - soundfile.read(clip)[0]).max() <= 1e-6
    page = (out / "two.html").read_text("utf-8")
    assert "at 44100 Hz with 2 channels" in page
    assert "above 7500 Hz, which the network cannot hear, is in the removed one" in page
    said = re.search(r"Of the kept one: (.*?) Of the removed one: (.*?)</p>", page)
    assert said and all("network hears" in text or "silent" in text for text in said.groups())


@pytest.mark.slow
def test_what_begins_later_in_a_file_counts_from_the_files_beginning(capsys, tmp_path):
    clip = sound(tmp_path / "x.wav", noise(3.0, rate=22_050), rate=22_050)
    cut = ("--from", "1.5", "--to", "2.6", "--table", "json", "--sound", "wav")
    status, _, err = call(capsys, "explain", clip, "--out", tmp_path / "out", *QUICK, *cut)
    assert status == 0, err
    rows = json.loads((tmp_path / "out" / "x-occlusion.json").read_text("utf-8"))
    assert rows and all(1.5 <= row["start_s"] < row["end_s"] <= 2.6 for row in rows)
    halves = [
        soundfile.read(tmp_path / f"out/x-occlusion-{one}.wav")[0] for one in ("kept", "removed")
    ]
    part = soundfile.read(clip)[0][round(1.5 * 22_050) : round(2.6 * 22_050)]
    assert np.abs(sum(halves) - part).max() <= 1e-6


def test_parquet_without_pyarrow_is_refused_before_the_work(capsys, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    clip = sound(tmp_path / "x.wav")
    given = ("--out", tmp_path / "out", "--table", "parquet", "--model", "missing.keras")
    status, _, err = call(capsys, "explain", clip, *given)
    assert status == 1 and "pip install 'xaiaudio[corpus]'" in complaint(err)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("wrong", [("--table", "xls"), ("--figure", "gif"), ("--dpi", "5")])
def test_what_cannot_be_written_is_a_mistyped_command(capsys, tmp_path, wrong):
    status, _, err = call(capsys, "explain", sound(tmp_path / "x.wav"), *wrong)
    assert status == 2 and wrong[0] in err


@pytest.fixture(scope="module")
def explained(tmp_path_factory):
    """A folder with sounds in folders, one of them broken, and what the command made of it."""
    from xaiaudio import cli

    root = tmp_path_factory.mktemp("many")
    folder = root / "my <b>sounds"
    for number, name in enumerate(("z.wav", "a/index.wav", "a/z.wav")):
        sound(folder / name, noise(1.0, seed=number))
    sound(folder / "silent.wav", np.zeros(24_000))
    (folder / "a" / "broken.wav").write_text("no sound <i>")
    (folder / "notes.txt").write_text("x")
    sound(folder / ".hidden" / "x.wav")
    out = folder / "explained"
    arguments = ["explain", folder, "--out", out, "--table", "json", *QUICK]
    return folder, out, cli.main([str(argument) for argument in arguments])


@pytest.mark.slow
def test_a_folder_has_pages_a_summary_and_a_table(explained):
    folder, out, status = explained
    assert status == 1  # one is broken, one silent
    pages = {path.name for path in out.glob("*.html")}
    assert pages == {"index.html", "index-2.html", "z.html", "z-2.html"}
    with open(out / "summary.csv", newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert json.loads((out / "summary.json").read_text("utf-8"))[0]["file"] == rows[0]["file"]
    by_file = {row["file"].removeprefix(f"{folder}/"): row for row in rows}
    assert set(by_file) == {"z.wav", "a/index.wav", "a/z.wav", "a/broken.wav", "silent.wav"}
    assert [name for name, row in by_file.items() if row["failed"]] == [
        "silent.wav",
        "a/broken.wav",
    ]
    assert "it is text" in by_file["a/broken.wav"]["failed"]
    model = xa.load_model("lite")
    for name in ("z.wav", "a/index.wav", "a/z.wav"):
        row, wave = by_file[name], xa.load_audio(folder / name)
        said = model.predict_clip(wave, overlap=0)
        assert (row["class"], row["failed"]) == (said.label, "")
        assert float(row["share_of_patches"]) == said.shares[said.label]
        assert int(row["patches"]) == said.voted.sum()
        assert float(row["seconds"]) == 1.0 and (out / row["page"]).exists()
        result = xa.explain(
            model, model.frontend(wave, overlap=0), said.label, "occlusion", **OPTIONS
        )
        assert row["kept_by_occlusion"] == result.check(wave, overlap=0)["kept"].hears


@pytest.mark.slow
def test_the_summary_is_small_escaped_and_leads_to_the_pages(explained):
    folder, out, _ = explained
    text = (out / "index.html").read_text("utf-8")
    assert len(text) < 12_000 + 3 * 8_000
    assert "<b>sounds" not in text
    links = re.findall(r'href="([^"]+)"', text)
    assert {"z.html", "index-2.html", "summary.csv"} <= set(links)
    assert all((out / link).exists() for link in links)
    assert "What could not be explained" in text and "no sound &lt;i&gt;" not in text
    assert text.count("<img ") == 3 and not re.search(r'(src|href)="https?:', text)


@pytest.mark.slow
def test_several_files_are_summed_up_and_one_is_not(capsys, tmp_path):
    files = [sound(tmp_path / f"{name}.wav", noise(1.0, seed=3)) for name in "ab"]
    for number in (1, 2):
        out = tmp_path / str(number)
        status, said, _ = call(capsys, "explain", *files[:number], "--out", out, *QUICK)
        assert status == 0
        assert (out / "index.html").exists() == ("Summary: " in said) == (number == 2)


def test_the_results_of_an_earlier_run_and_hidden_sounds_are_not_taken(tmp_path):
    names = ("b.wav", "a/c.FLAC", "out/b-kept.mp3", ".x.wav", ".y/z.wav", "notes.txt")
    for name in names:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    found, several = writing.gather([tmp_path, tmp_path / "b.wav"], tmp_path / "out")
    assert [str(file.relative_to(tmp_path)) for file in found] == ["b.wav", "a/c.FLAC"] and several
    assert writing.gather([tmp_path / "b.wav"], tmp_path) == ([tmp_path / "b.wav"], False)


def test_a_folder_without_sounds_is_refused(capsys, tmp_path):
    (tmp_path / "notes.txt").write_text("x")
    status, _, err = call(capsys, "explain", tmp_path, "--out", tmp_path / "out")
    assert status == 1 and "holds no sounds" in complaint(err)
