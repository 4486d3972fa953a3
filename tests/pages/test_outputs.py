"""The files that a clip becomes are those that were asked for, and all are written or none."""

import csv
import io
import os

import pytest
import soundfile
from short_noise import WAVE

from xaiaudio import XaiAudioError
from xaiaudio.pages.clip import explain_clip
from xaiaudio.pages.outputs import Outputs, files_of, put_down, write_all
from xaiaudio.plots.render import DPI


@pytest.fixture(scope="module")
def clip(recurrent):
    return explain_clip(recurrent, WAVE, "noise.wav", methods=["occlusion"])


@pytest.mark.slow
def test_the_page_comes_first_and_each_method_has_its_sounds(clip):
    files = files_of(clip, "x", Outputs())
    assert list(files) == ["x.html", "x.png", "x-occlusion-kept.mp3", "x-occlusion-removed.mp3"]
    assert files["x.html"].decode() == clip.html() and files["x.png"] == clip.png


@pytest.mark.slow
def test_formats_are_those_that_were_asked_for(clip):
    outputs = Outputs(figures=("svg",), sound="wav", tables=("csv", "audacity"), keep=0.2)
    files = files_of(clip, "x", outputs)
    assert set(files) == {
        *("x.html", "x.svg", "x-occlusion-kept.wav", "x-occlusion-removed.wav"),
        *("x-occlusion.csv", "x-occlusion.labels.txt"),
    }
    kept, rate = soundfile.read(io.BytesIO(files["x-occlusion-kept.wav"]), dtype="float32")
    heard = clip.parts[0].heard
    assert rate == heard.sample_rate and kept == pytest.approx(heard.kept, abs=1e-6)
    rows = list(csv.DictReader(io.StringIO(files["x-occlusion.csv"].decode("utf-8-sig"))))
    found = clip.parts[0].result.regions(0.2)
    assert [float(row["share"]) for row in rows] == pytest.approx([one.share for one in found])
    assert {row["file"] for row in rows} == {"noise.wav"}


@pytest.mark.slow
def test_other_dots_per_inch_draw_the_picture_anew(clip):
    from PIL import Image

    small = files_of(clip, "x", Outputs(dpi=DPI / 2))["x.png"]
    widths = [Image.open(io.BytesIO(png)).size[0] for png in (small, clip.png)]
    assert widths[1] == pytest.approx(2 * widths[0], abs=2)


def test_all_files_come_into_a_folder_that_is_made(tmp_path):
    folder = tmp_path / "deep" / "out"
    contents = {"x.html": b"page", "x.png": b"picture"}
    paths = write_all(folder, "x", lambda partial: put_down(contents, partial))
    assert paths == [folder / "x.html", folder / "x.png"]
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == contents


def test_what_goes_wrong_in_between_leaves_nothing(tmp_path):
    (tmp_path / "x.html").write_bytes(b"old")

    def fill(partial):
        put_down({"x.html": b"new"}, partial)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_all(tmp_path, "x", fill)
    assert [path.read_bytes() for path in tmp_path.iterdir()] == [b"old"]


def test_a_full_disk_is_told_with_what_to_do(tmp_path, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(XaiAudioError, match="No space left on device.*--out"):
        write_all(tmp_path, "x", lambda partial: put_down({"x.html": b"page"}, partial))
    assert not list(tmp_path.iterdir())
