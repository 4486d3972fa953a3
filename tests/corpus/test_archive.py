"""An archive is planned, explained, stopped, gone on with and read."""

import csv
import errno
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from urllib.parse import unquote

import dask
import numpy as np
import psutil
import pytest
import soundfile
from commands import call, complaint
from small_archives import RATE, archive, hiss, in_order

import xaiaudio as xa
from xaiaudio.corpus import extra, plans, running, tables

ASKED = {"methods": ["gradcam", "input-x-gradient"], "clips": 3}


@pytest.fixture(scope="module")
def sounds(tmp_path_factory):
    """Twelve sounds, three of them bad."""
    folder = archive(tmp_path_factory.mktemp("sounds"))
    (folder / "hum" / "text.wav").write_text("no sound")
    soundfile.write(folder / "hiss" / "silent.wav", np.zeros(2 * RATE), RATE)
    soundfile.write(folder / "short [1].wav", hiss(1, seconds=0.2), RATE)
    soundfile.write(folder / "alone.wav", hiss(1), RATE)
    (folder / "notes.txt").write_text("no sound by its name")
    return folder


@pytest.fixture(scope="module")
def whole(sounds, tmp_path_factory):
    """The same archive explained in one go, in this process."""
    out = tmp_path_factory.mktemp("whole") / "out"
    xa.corpus.run(xa.corpus.plan(sounds, out, **ASKED), workers=0)
    return xa.corpus.read(out)


@pytest.fixture
def mine(sounds, tmp_path):
    return shutil.copytree(sounds, tmp_path / "mine")  # with the times of the files


def same(found, whole):
    assert in_order(found.clips) == in_order(whole.clips) and len(whole.clips["file"])
    assert in_order(found.bad) == in_order(whole.bad)
    for method in whole.methods:
        ours, theirs = (np.concatenate(list(each.maps(method))) for each in (found, whole))
        np.testing.assert_array_equal(ours, theirs)


def test_units_are_full_at_so_many_clips_or_bytes(monkeypatch):
    monkeypatch.setattr(plans, "BYTES", 100)
    sizes = np.array([60, 60, 10, 10, 10, 500, 1])
    assert plans._units(sizes, 3).tolist() == [0, 1, 1, 1, 2, 3, 4]
    assert plans._units(sizes[:0], 3, 4).tolist() == []


def test_a_plan_lists_sounds_and_reads_none(sounds, tmp_path, monkeypatch):
    monkeypatch.setattr(
        plans, "_settled", lambda asked: plans.ArchiveSettings(**asked, labels=[], frontend={})
    )
    plan = xa.corpus.plan(sounds, tmp_path / "out", clips=5)
    names = plan.files["file"].tolist()
    assert names == sorted(names) and len(names) == 12 and "notes.txt" not in names
    assert [len(plan.clips_of(unit)) for unit in range(plan.units)] == [5, 5, 2]
    again = plans.load(tmp_path / "out")
    assert again.settings == plan.settings
    assert [again.clips_of(unit) for unit in range(3)] == [plan.clips_of(unit) for unit in range(3)]
    assert repr(plan) == "ArchivePlan(12 clips in 3 units, 0 done)"


def test_the_table_says_what_the_network_says(whole, sounds):
    model, rows = xa.load_model("lite"), whole.rows("input-x-gradient")
    maps = np.concatenate(list(whole.maps("input-x-gradient")))
    assert len(maps) == len(rows["file"]) == 9
    for place, name in enumerate(rows["file"]):
        wave = xa.load_audio(sounds / name)
        said = model.predict_clip(wave, 0.5)
        assert rows["class"][place] == rows["explained"][place] == said.label
        assert rows["votes"][place] == pytest.approx(said.shares[said.label])
        assert rows["seconds"][place] == len(wave) / RATE
        patch = model.frontend(wave, overlap=0.5).loudest()
        assert rows["start"][place] == pytest.approx(patch.times()[0])
        own = xa.explain(model, patch, said.label, "input-x-gradient").maps[0]
        np.testing.assert_allclose(maps[place], own, atol=1e-5 * np.abs(own).max())
        np.testing.assert_allclose(rows["relevance"][place], maps[place].mean(axis=0), rtol=1e-4)
    folders = dict(zip(rows["file"], rows["folder"], strict=True))
    assert folders["hum/00.wav"] == "hum" and folders["alone.wav"] == ""


def test_bad_files_have_reasons(whole, sounds):
    reasons = dict(zip(whole.bad["file"], whole.bad["reason"], strict=True))
    assert set(reasons) == {"hum/text.wav", "hiss/silent.wav", "short [1].wav"}
    assert "silent" in reasons["hiss/silent.wav"] and "sound" in reasons["hum/text.wav"]
    assert not any(str(sounds) in reason for reason in reasons.values())


def test_a_run_that_is_stopped_goes_on(whole, sounds, tmp_path):
    out = tmp_path / "out"
    plan = xa.corpus.plan(sounds, out, **ASKED)
    assert xa.corpus.run(plan, workers=0, units=2).units == 2
    assert len(xa.corpus.read(out).clips["file"]) < len(whole.clips["file"])
    # A unit stopped between its files, and one in the middle of a file, are not done.
    tables.clips_file(out, 1).unlink()
    (out / "maps.zarr" / ".000002-ab.partial").mkdir()
    (out / "clips" / ".000002-ab.partial").write_text("half")
    again = xa.corpus.plan(sounds, out, **ASKED)
    assert again.waiting() == [1, 2, 3]
    xa.corpus.run(again, workers=0)
    same(xa.corpus.read(out), whole)
    assert not list(out.rglob("*.partial"))
    assert xa.corpus.run(again, workers=0).units == 0


def test_new_sounds_make_new_units(mine, tmp_path, whole):
    out = tmp_path / "out"
    xa.corpus.run(xa.corpus.plan(mine, out, **ASKED), workers=0)
    archive(mine, classes=("more", "hum"), each=2, first=90)
    plan = xa.corpus.plan(mine, out, **ASKED)
    assert (plan.added, plan.waiting()) == (4, [4, 5])
    xa.corpus.run(plan, workers=0)
    found = xa.corpus.read(out)
    files = found.clips["file"].tolist()
    assert len(files) == len(set(zip(files, found.clips["method"], strict=True))) == 26
    assert set(whole.clips["file"]) < set(files)


def changed(mine):
    (mine / "hum" / "00.wav").write_bytes((mine / "hum" / "01.wav").read_bytes())
    return "hum/00.wav is not what it was"


def gone(mine):
    (mine / "hum" / "00.wav").unlink()
    return "hum/00.wav is gone"


@pytest.mark.parametrize("how", [changed, gone])
def test_a_changed_folder_is_told(mine, tmp_path, how):
    xa.corpus.plan(mine, tmp_path / "out", **ASKED)
    told = how(mine)
    with pytest.raises(xa.XaiAudioError, match=re.escape(told)):
        xa.corpus.plan(mine, tmp_path / "out", **ASKED)


@pytest.mark.parametrize(
    ("other", "told"),
    [
        ({"methods": ["gradcam"]}, "methods"),
        ({"target": "Rain"}, "class explained changed, from None to Rain"),
        ({"overlap": 0.25}, "overlap changed, from 0.5 to 0.25"),
        ({"pad": True}, "pad"),
        ({"clips": 4}, "clips of a unit"),
        ({"model": "music"}, "the network changed"),
    ],
)
def test_other_settings_are_told(whole, sounds, other, told):
    with pytest.raises(xa.XaiAudioError, match=told):
        xa.corpus.plan(sounds, whole.out, **{**ASKED, **other})


def test_another_network_of_the_same_name_is_told(mine, tmp_path):
    xa.load_model("lite").save(tmp_path / "net.keras")
    plan = xa.corpus.plan(mine, tmp_path / "out", model=tmp_path / "net.keras", **ASKED)
    with open(tmp_path / "net.keras", "ab") as file:
        file.write(b" ")
    with pytest.raises(xa.XaiAudioError, match="not the network"):
        xa.corpus.run(plan, workers=0)
    with pytest.raises(xa.XaiAudioError, match="the network's file changed"):
        xa.corpus.plan(mine, tmp_path / "out", model=tmp_path / "net.keras", **ASKED)


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ({"methods": ["gradcan"]}, "did you mean 'gradcam'"),
        ({"methods": {"gradcam": {"stepz": 1}}}, "no option 'stepz'"),
        ({"methods": ["l2i"]}, "trained"),
        ({"methods": []}, "No method"),
        ({"target": "Unicorn"}, "Unicorn"),
        ({"overlap": 1.0}, "overlap"),
        ({"clips": 0}, "at least one"),
        ({"model": "no.keras"}, "no network"),
    ],
)
def test_what_cannot_work_is_refused_before_anything_is_written(sounds, tmp_path, asked, told):
    with pytest.raises(xa.XaiAudioError, match=told):
        xa.corpus.plan(sounds, tmp_path / "out", **{**ASKED, **asked})
    assert not (tmp_path / "out").exists()


def test_folders_without_sounds_are_refused(tmp_path):
    with pytest.raises(xa.XaiAudioError, match="holds no sounds"):
        xa.corpus.plan(tmp_path, tmp_path / "out")
    with pytest.raises(xa.XaiAudioError, match="is not there"):
        xa.corpus.plan(tmp_path / "no", tmp_path / "out")
    with pytest.raises(xa.XaiAudioError, match="holds no archive"):
        xa.corpus.read(tmp_path)


def closed(monkeypatch, *folders):
    """Let some folders refuse to be listed, as root too is refused by some file systems."""
    real = os.scandir

    def scandir(path):
        if Path(path) in folders:
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return real(path)

    monkeypatch.setattr(os, "scandir", scandir)


def test_a_folder_that_cannot_be_read_is_bad_and_the_rest_is_done(
    capsys, mine, tmp_path, monkeypatch, whole
):
    archive(mine / "hum" / "deep", classes=("inner",), each=2)
    words = ["corpus", "explain", mine, "--out", tmp_path / "out", "--workers", "0"]
    with monkeypatch.context() as patch:
        closed(patch, mine / "hum" / "deep")
        status, out, err = call(capsys, *words)
    assert (status, out.splitlines()[0]) == (0, "9 clips explained, 4 bad.")
    assert "Bad: hum/deep/: Permission denied." in err
    found = xa.corpus.read(tmp_path / "out")
    assert set(found.clips["file"]) == set(whole.clips["file"])
    assert (found.bad["file"][-1], found.bad["unit"][-1]) == ("hum/deep/", -1)
    # Once it can be read, its sounds came since; if it is closed again, they are not gone.
    status, out, err = call(capsys, *words)
    assert (status, out.splitlines()[0]) == (
        0,
        "11 clips explained, 3 bad.",
    ) and "2 sounds came" in err
    assert xa.corpus.read(tmp_path / "out").bad["unit"].min() == 0
    closed(monkeypatch, mine / "hum" / "deep")
    status, out, err = call(capsys, *words)
    assert (status, out.splitlines()[0]) == (0, "11 clips explained, 4 bad.")


def test_a_folder_of_which_nothing_can_be_read_is_refused(sounds, tmp_path, monkeypatch):
    closed(monkeypatch, sounds)
    with pytest.raises(xa.XaiAudioError, match=f"Could not read {sounds}: Permission denied"):
        xa.corpus.plan(sounds, tmp_path / "out")
    (tmp_path / "outer").mkdir()
    (tmp_path / "outer" / "inner").mkdir()
    closed(monkeypatch, tmp_path / "outer" / "inner")
    told = r"outer holds no sounds that can be read.*inner/ \(Permission denied\)"
    with pytest.raises(xa.XaiAudioError, match=told):
        xa.corpus.plan(tmp_path / "outer", tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_results_within_the_folder_are_no_sounds_of_it(mine):
    out = mine / "out"
    archive(out / "inner", classes=("a",), each=1)
    assert len(xa.corpus.plan(mine, out, **ASKED)) == 12


def test_two_runs_on_one_folder_are_refused(whole):
    from filelock import FileLock

    with (
        FileLock(whole.out / ".lock"),
        pytest.raises(xa.XaiAudioError, match="Another run"),
    ):
        xa.corpus.run(plans.load(whole.out), workers=0)


def test_damaged_files_are_told(whole, tmp_path):
    out = shutil.copytree(whole.out, tmp_path / "out")
    tables.clips_file(out, 0).write_bytes(b"PAR1")
    with pytest.raises(xa.XaiAudioError, match=r"000000\.parquet is damaged"):
        xa.corpus.read(out)
    shutil.rmtree(out / "maps.zarr" / "000001")
    with pytest.raises(xa.XaiAudioError, match="000001 is damaged"):
        tables.read_maps(out, 1, "gradcam")
    for text, told in {"{}": "another version", "[1]": "no settings", "{": "Expecting"}.items():
        (out / "plan.json").write_text(text)
        with pytest.raises(xa.XaiAudioError, match=rf"plan\.json is damaged: .*{told}"):
            xa.corpus.read(out)


@pytest.mark.slow
def test_workers_keep_no_record_of_what_their_threads_are_at():
    """It takes 100 MB of each worker, which nobody reads."""
    asked = "distributed.worker.profile.enabled"
    with (
        running._cluster(1, 1) as cluster,
        running._client(extra.needed("distributed"), cluster) as client,
    ):
        (told,) = client.run(dask.config.get, asked).values()
    assert told is False and dask.config.get(asked)  # only of these


def test_without_the_extra_it_is_said(monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(xa.XaiAudioError, match=r"pip install 'xaiaudio\[corpus\]'"):
        extra.needed("distributed")


@pytest.mark.slow
def test_the_package_needs_none_of_it():
    code = "import sys, xaiaudio as xa; xa.corpus.plan; xa.corpus.run; "
    code += "print({'dask', 'distributed', 'pyarrow', 'zarr', 'tensorflow'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout.strip() == "set()", done


def test_the_command_explains_and_goes_on(capsys, sounds, tmp_path):
    asked = ("corpus", "explain", sounds, "--out", tmp_path / "out", "--workers", "0")
    status, said, told = call(capsys, *asked)
    assert status == 0 and said.startswith("9 clips explained, 3 bad.")
    assert "12 clips in 1 unit, 1 to do" in told and "Bad: hum/text.wav" in told
    status, said, told = call(capsys, *asked)
    assert status == 0 and "0 to do" in told and said.startswith("9 clips")
    status, _, told = call(capsys, *asked, "--overlap", "0")
    assert status == 1 and "overlap changed" in complaint(told)


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


def test_a_report_of_nothing_is_refused(capsys, sounds, tmp_path):
    status, _, told = call(capsys, "corpus", "report", tmp_path)
    assert status == 1 and "holds no archive" in complaint(told)
    xa.corpus.plan(sounds, tmp_path / "out", **ASKED)
    status, _, told = call(capsys, "corpus", "report", tmp_path / "out")
    assert status == 1 and "no explained clip yet" in complaint(told)


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


def children(process):
    """Return the workers of a process, once they have begun to write."""
    found = psutil.Process(process.pid).children(recursive=True)
    return [one for one in found if "spawn_main" in " ".join(one.cmdline())]


@pytest.mark.slow
def test_killed_workers_and_a_killed_command_lose_nothing(sounds, whole, tmp_path):
    out = tmp_path / "out"
    methods = [word for name in ASKED["methods"] for word in ("--method", name)]
    arguments = ["corpus", "explain", sounds, "--out", out, *methods, "--clips", "3"]
    command = [sys.executable, "-m", "xaiaudio", *map(str, arguments), "--workers", "1"]
    # The plan is this process's, which saves the command the network.
    xa.corpus.plan(sounds, out, **ASKED)

    def begun(process, units):
        until = time.monotonic() + 120
        while len(tables.done(out)) < units and process.poll() is None:
            assert time.monotonic() < until
            time.sleep(0.01)

    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as first:
        begun(first, 1)
        workers = children(first)
        first.send_signal(signal.SIGKILL)
    assert first.returncode == -signal.SIGKILL
    left = len(plans.load(out).waiting())
    psutil.wait_procs(workers, timeout=20)
    assert not [one for one in workers if one.is_running()]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as second:
        heads = [second.stderr.readline() for _ in range(2)]
        assert f"{left} to do" in heads[0] and "dashboard: http://127.0.0.1" in heads[1]
        for one in (workers := children(second)):
            one.kill()
        said, told = second.communicate(timeout=120)
    assert second.returncode == 0, told
    assert workers and said.startswith("9 clips explained, 3 bad.")
    same(xa.corpus.read(out), whole)
    assert json.loads((out / "plan.json").read_text())["clips"] == 3
    assert not [name for name in os.listdir(out / "clips") if name.startswith(".")]


@pytest.mark.slow
def test_ctrl_c_ends_the_workers_without_a_word_of_theirs(sounds, whole, tmp_path):
    out = tmp_path / "out"
    methods = [word for name in ASKED["methods"] for word in ("--method", name)]
    arguments = ["corpus", "explain", sounds, "--out", out, *methods, "--clips", "3"]
    xa.corpus.plan(sounds, out, **ASKED)
    with subprocess.Popen(
        [sys.executable, "-m", "xaiaudio", *map(str, arguments), "--workers", "1"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    ) as process:
        until = time.monotonic() + 300
        while not tables.done(out) and process.poll() is None:
            assert time.monotonic() < until
            time.sleep(0.01)
        workers = children(process)
        os.killpg(process.pid, signal.SIGINT)  # as a terminal does
        _, told = process.communicate(timeout=120)
    assert process.returncode == 130 and told.endswith("Stopped.\n")
    assert "Traceback" not in told
    assert not [one for one in workers if one.is_running()]
    assert not list(out.rglob("*.partial"))
    xa.corpus.run(xa.corpus.plan(sounds, out, **ASKED), workers=0)
    same(xa.corpus.read(out), whole)
