"""Kernels that are copies of a process which has imported TensorFlow."""

import os
import signal
import subprocess
import sys
import time

import psutil
import pytest
from small_book import chapter, make_book, quiet

from xaiaudio import XaiAudioError
from xaiaudio.imports import PACKAGE
from xaiaudio.publishing import execute, notebooks, nursery, project

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="forks are for Linux")

ASKING = """\
```{code-cell} ipython3
import os
import subprocess
import sys

import matplotlib
import xaiaudio as xa
from tensorflow.python.eager import context
from xaiaudio import imports

read = imports._uses.cache_info().currsize
xa.number("NAME-imported", {"tensorflow", "librosa", "xaiaudio.explainers.lime"} <= {*sys.modules})
xa.number("NAME-read", read)
xa.number("NAME-backend", matplotlib.get_backend())
xa.number("NAME-folder", os.path.basename(os.path.dirname(os.getcwd())))
xa.number("NAME-threads", os.environ["OMP_NUM_THREADS"])
spins = not context.context().config.experimental.disable_thread_spinning
xa.number("NAME-spins", spins)
xa.number("NAME-hash", hash("sound"))
xa.number("NAME-child", subprocess.run([sys.executable, "-c", "exit(3)"]).returncode)
xa.number("NAME-pid", str(os.getpid()))
print(sum(range(10)))
```
"""


@pytest.mark.slow
def test_kernels_of_many_chapters_have_imported_already(tmp_path):
    names = [f"chapter-{number}" for number in range(nursery.LEAST)]
    texts = {name: chapter(name, ASKING.replace("NAME", name)) for name in names}
    ours = project.find(root=make_book(tmp_path / "clone", **texts))
    execute.execute(ours, console=quiet(), workers=2)
    found, usual = [], hash_of_a_kernel()
    for name in names:
        page = notebooks.read(execute.notebook_path(ours, name))
        said = {record["name"]: record["value"] for record in notebooks.records(page)}
        said = {key.removeprefix(f"{name}-"): value for key, value in said.items()}
        assert said["imported"] and said["read"] == len(PACKAGE.everything(""))
        assert "inline" in said["backend"]
        assert said["folder"] == name and said["threads"] == str(execute.THREADS)
        assert said["spins"] is False
        assert said["hash"] == usual and said["child"] == 3
        assert "45" in str(page.cells)
        found.append(int(said["pid"]))
        # The worker's imports and the kernel's work: not the import of TensorFlow.
        assert execute.read_stamp(ours, name)["cpu_seconds"] > 0.2
    assert len(set(found)) == len(names)
    assert not any(map(psutil.pid_exists, found))


def hash_of_a_kernel():
    code = "print(hash('sound'))"
    env = {**os.environ, "PYTHONHASHSEED": "0"}
    return int(subprocess.run([sys.executable, "-c", code], env=env, stdout=subprocess.PIPE).stdout)


@pytest.mark.slow
def test_a_kernel_of_the_nursery_that_dies_is_told(tmp_path, monkeypatch):
    monkeypatch.setattr(nursery, "LEAST", 1)
    body = "```{code-cell} ipython3\nimport os\n\nos._exit(3)\n```\n"
    root = make_book(tmp_path / "clone", dying=chapter("Dying", body))
    with pytest.raises(XaiAudioError, match="'dying' failed: the kernel died"):
        execute.execute(project.find(root=root), console=quiet())


@pytest.mark.slow
def test_the_share_of_a_kernel_is_known_however_it_ended(tmp_path, monkeypatch):
    # Several would be threads, and a process with threads is not forked.
    environment = {**os.environ, "OPENBLAS_NUM_THREADS": "1"}
    with nursery.opened(nursery.LEAST, tmp_path, environment) as more:
        monkeypatch.setenv(nursery.VARIABLE, more[nursery.VARIABLE])
        argv = ["python", "-f", str(tmp_path / "kernel.json")]
        first, second = (nursery.kernel(argv, os.environ, tmp_path) for _ in range(2))
        assert first.cpu_seconds is None
        # The kernel has written the file that it was told, so it has done some work.
        wait_for((tmp_path / "kernel.json").exists)
        for kernel in (first, second):
            kernel.kill()
            kernel.wait(60)
            assert kernel.cpu_seconds > 0 and not psutil.pid_exists(kernel.pid)
    third = nursery.kernel(argv, os.environ, tmp_path)
    assert third is None


SLEEPING = """\
```{code-cell} ipython3
import os
import pathlib
import sys
import time

assert "tensorflow" in sys.modules
pathlib.Path(os.environ["XAIAUDIO_TEST_PID"]).write_text(str(os.getpid()))
time.sleep(120)
```
"""

BUILD = """
from xaiaudio import publishing
from xaiaudio.publishing import nursery
nursery.LEAST = 1
publishing.build(root={root!r})
"""


@pytest.mark.slow
@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL])
def test_kernels_of_the_nursery_end_with_the_build(tmp_path, how):
    root = make_book(tmp_path / "clone", sleeping=chapter("Sleeping", SLEEPING))
    note = tmp_path / "pid"
    process = subprocess.Popen(
        [sys.executable, "-c", BUILD.format(root=str(root))],
        env={**os.environ, "XAIAUDIO_TEST_PID": str(note)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    wait_for(lambda: note.exists() and note.read_text())
    kernel = psutil.Process(int(note.read_text()))
    nurse = kernel.parent()
    assert "xaiaudio.publishing.nursery" in nurse.cmdline()
    process.send_signal(how)
    process.wait(60)
    wait_for(lambda: not kernel.is_running() and not nurse.is_running())


def wait_for(what, seconds=120):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if what():
            return
        time.sleep(0.1)
    raise AssertionError("waited in vain")


def test_few_chapters_need_none(tmp_path, monkeypatch):
    with nursery.opened(nursery.LEAST - 1, tmp_path, {}) as more:
        assert more == {}
    (deep := tmp_path / ("long" * 40)).mkdir()  # no socket has so long a name
    with nursery.opened(nursery.LEAST, deep, {}) as more:
        assert more == {}
    monkeypatch.delenv(nursery.VARIABLE, raising=False)
    assert nursery.kernel(["python", "-f", "x"], {}, tmp_path) is None
    # One that could not be forked has gone: the worker starts a kernel of its own.
    monkeypatch.setenv(nursery.VARIABLE, str(tmp_path / "gone"))
    assert nursery.kernel(["python", "-f", "x"], {}, tmp_path) is None
