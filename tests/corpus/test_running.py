"""Runs are stopped, killed and gone on with, alone and on workers."""

import json
import os
import signal
import subprocess
import sys
import time

import dask
import psutil
import pytest
from small_archives import ASKED, same

import xaiaudio as xa
from xaiaudio.corpus import extra, plans, running, tables


@pytest.mark.slow
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


def test_two_runs_on_one_folder_are_refused(whole):
    from filelock import FileLock

    with (
        FileLock(whole.out / ".lock"),
        pytest.raises(xa.XaiAudioError, match="Another run"),
    ):
        xa.corpus.run(plans.load(whole.out), workers=0)


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
