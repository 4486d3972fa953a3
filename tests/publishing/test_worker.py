"""What is left in an executed notebook."""

import subprocess
import sys
import time
from types import SimpleNamespace

import nbformat
import psutil
import pytest
from nbformat import v4

from xaiaudio.publishing import worker
from xaiaudio.publishing.site import run_bound


def test_tidy_keeps_results_and_drops_standard_error(tmp_path):
    path = tmp_path / "chapter.ipynb"
    outputs = [
        v4.new_output("stream", name="stdout", text="loss 0.1"),
        v4.new_output("stream", name="stderr", text="could not find a GPU"),
        v4.new_output("stream", name="stdout", text="WARNING:tensorflow:5 out of the last 8\n"),
        v4.new_output("display_data", data={"text/plain": "a figure"}),
    ]
    cells = [v4.new_markdown_cell("text"), v4.new_code_cell("print(1)", outputs=outputs)]
    cells[1].metadata["papermill"] = {"duration": 1.0}
    nbformat.write(v4.new_notebook(cells=cells, metadata={"papermill": {}}), path)
    worker.tidy(path)
    left = nbformat.read(path, as_version=4)
    assert [out.get("name", out.output_type) for out in left.cells[1].outputs] == [
        "stdout",
        "display_data",
    ]
    assert "papermill" not in left.metadata and "papermill" not in left.cells[1].metadata


@pytest.mark.slow
def test_what_is_bound_ends_when_its_parent_is_killed(tmp_path):
    inner = (
        "import os, time; from xaiaudio.publishing.worker import end_with_parent; "
        f"end_with_parent(); open({str(tmp_path / 'pid')!r}, 'w').write(str(os.getpid()) + ' '); "
        "time.sleep(120)"
    )
    outer = (
        "import sys; from xaiaudio.publishing.site import run_bound; "
        f"run_bound([sys.executable, '-c', {inner!r}])"
    )
    parent = subprocess.Popen([sys.executable, "-c", outer])
    note = tmp_path / "pid"
    _wait(lambda: note.exists() and note.read_text().endswith(" "))
    child = psutil.Process(int(note.read_text()))
    assert child.is_running()
    parent.kill()
    parent.wait(10)
    _wait(lambda: not child.is_running() or child.status() == psutil.STATUS_ZOMBIE)


@pytest.mark.slow
def test_what_is_bound_ends_by_itself_too():
    code = (
        "from xaiaudio.publishing.worker import end_with_parent; end_with_parent(); print('done')"
    )
    done = run_bound([sys.executable, "-c", code])
    assert (done.returncode, done.stdout, done.stderr) == (0, "done\n", "")


def _wait(done, seconds=60):
    end = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.05)


@pytest.mark.parametrize("failures", [0, 1, 2])
def test_a_kernel_that_did_not_come_up_is_tried_again(failures):
    calls = []

    def run():
        calls.append(1)
        if len(calls) <= failures:
            raise RuntimeError("Kernel died before replying to kernel_info")
        return "done"

    assert worker.started(run) == "done"
    assert len(calls) == failures + 1


@pytest.mark.parametrize("message", ["Kernel died before replying to kernel_info", "another"])
def test_what_fails_again_and_again_or_otherwise_is_told(message):
    calls = []

    def run():
        calls.append(1)
        raise RuntimeError(message)

    with pytest.raises(RuntimeError, match=message):
        worker.started(run)
    assert len(calls) == (3 if "kernel_info" in message else 1)


def test_seconds_of_a_kernel_that_nobody_knows_are_unknown():
    told, silent, idle = (
        SimpleNamespace(cpu_seconds=seconds, wait=lambda timeout: 0) for seconds in (40, None, 0)
    )
    assert worker.cpu_seconds([told, idle]) > 40
    assert worker.cpu_seconds([told, told]) > 80
    assert worker.cpu_seconds([told, silent]) == 0
    assert worker.cpu_seconds() > 0
