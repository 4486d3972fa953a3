"""Execute the chapters, several at a time, and only those that changed."""

from __future__ import annotations

import contextlib
import json
import os
import platform
import queue
import shutil
import stat
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

from .. import cache
from ..errors import XaiAudioError
from ..files import whole
from ..progress import bar
from . import nursery
from .budget import expected
from .machine import Machine
from .project import Page, chapter_key, read_json, write_json
from .rounding import ROUNDINGS

#: Threads of each kernel, whatever the machine has: how many share a sum decides how it is rounded,
#: and after hundreds of training steps which weights come out.
THREADS = 2

#: Of numpy's and scipy's linear algebra. Its threads wait for each other and hold their cores: with
#: two chapters side by side, small matrices then take ten times as long.
BLAS_THREADS = 1

#: Operations of one graph that TensorFlow may run side by side. A sum of three gradients or more is
#: added up in the order in which they are done: with two at a time, one training in a few ends with
#: other weights than the last.
AT_A_TIME = 1

# What the names of scratch folders begin with; then comes the number of the build's process.
_SCRATCH = "xaiaudio-build-"

_VERSIONS = ("numpy", "tensorflow", "keras", "tf-keras-vis", "lime", "soundfile", "matplotlib")


@dataclass
class ChapterRun:
    """What is known of one executed chapter.

    Attributes
    ----------
    name : str
    seconds : float
        Wall-clock time of its last execution.
    fresh : bool
        Whether it was executed now; otherwise an earlier result was good.
    """

    name: str
    seconds: float
    fresh: bool


@dataclass
class _Job:
    chapter: Page
    key: str
    process: subprocess.Popen | None = None
    log: object = None
    started: float = 0.0
    error: dict = field(default_factory=dict)
    done: bool = False
    cpu_seconds: float = 0.0


def execute(project, *, workers=None, console=None, budget=None) -> list[ChapterRun]:
    """Bring all chapters of the book up to date.

    A chapter that asks for it (``xaiaudio: {first: true}`` in its front matter) runs before the
    others: it trains the network that the others load. Beside it run those alone that say
    that they do not (``xaiaudio: {early: true}``). The rest run side by side, the longest first.

    Parameters
    ----------
    project : Project
    workers : int, optional
        How many at a time; by default as many as cores and 4 GB of memory allow.
    console : rich.console.Console, optional
        Where progress is shown.
    budget : Budget, optional
        How long it may take. Chapters come in its order, and those that would end too late are not
        begun: the budget names them.

    Returns
    -------
    list of ChapterRun
        In the order of the book; without those that were not begun.

    Raises
    ------
    XaiAudioError
        If a chapter fails. Those that are finished stay.
    KeyboardInterrupt
        On Ctrl-C, when all kernels are dead and no half-written file is left.
    """
    chapters = project.chapters()
    jobs, runs = [], {}
    for chapter in chapters:
        key = chapter_key(project, chapter)
        stamp = read_stamp(project, chapter.name)
        if stamp.get("key") == key:
            runs[chapter.name] = ChapterRun(chapter.name, stamp["seconds"], False)
        else:
            jobs.append(_Job(chapter, key))
    if jobs:
        _run_all(project, jobs, runs, workers, console, budget)
    done = [runs[chapter.name] for chapter in chapters if chapter.name in runs]
    timings = _timings(project) | {run.name: run.seconds for run in done}
    write_json(project.home / "timings.json", timings)
    return done


def notebook_path(project, name) -> Path:
    """Return where the executed notebook of a chapter is kept."""
    return project.executed / f"{name}.ipynb"


def read_stamp(project, name) -> dict:
    """Read what is known of a chapter's last execution; empty if it has to be executed.

    So it is, too, if the notebook is no longer what was written, or the stamp is damaged.

    Returns
    -------
    dict
        ``key``, ``notebook`` (its sum), ``seconds``, ``cpu_seconds`` of all its threads together,
        ``build`` and ``finished`` (UTC), ``peak_mb`` of the whole build until then, ``versions``.
    """
    stamp = read_json(project.executed / f"{name}.json", {})
    notebook = notebook_path(project, name)
    if not isinstance(stamp.get("seconds"), int | float) or not notebook.is_file():
        return {}
    return stamp if stamp.get("notebook") == cache.sum_of(notebook) else {}


def _timings(project) -> dict:
    """Read how long each chapter took; what is no number is left out."""
    kept = read_json(project.home / "timings.json", {})
    return {name: seconds for name, seconds in kept.items() if isinstance(seconds, int | float)}


def sweep(project):
    """Delete what an interrupted build left half-written."""
    for path in project.executed.glob("*.partial*"):
        path.unlink(missing_ok=True)


def sweep_scratch(folder):
    """Delete the scratch folders of builds that were killed: ours, whose process is gone.

    Parameters
    ----------
    folder : Path
        Where scratch folders are made.
    """
    import psutil

    for path in folder.glob(f"{_SCRATCH}*"):
        owner = path.name.removeprefix(_SCRATCH).partition("-")[0]
        with contextlib.suppress(OSError):
            about = path.lstat()
            mine = stat.S_ISDIR(about.st_mode) and about.st_uid == os.getuid()
            if owner.isdigit() and mine and not psutil.pid_exists(int(owner)):
                shutil.rmtree(path, ignore_errors=True)


def _run_all(project, jobs, runs, workers, console, budget):
    project.executed.mkdir(parents=True, exist_ok=True)
    sweep(project)
    sweep_scratch(Path(tempfile.gettempdir()))
    jobs = _in_order(project, jobs, budget)
    machine = Machine()
    workers = machine.workers(workers)
    total = len(jobs) + len(runs)
    with (
        _Bar(console, total, len(runs)) as bar,
        tempfile.TemporaryDirectory(prefix=f"{_SCRATCH}{os.getpid()}-") as scratch,
        machine.watch_memory(),
        contextlib.ExitStack() as stack,
    ):
        environment = _environment(Path(scratch)) | ROUNDINGS.get(project.rounding, {})
        environment |= stack.enter_context(nursery.opened(len(jobs), Path(scratch), environment))
        crew = _Crew(project, Path(scratch), machine, bar, runs, environment)
        crew.work(jobs, workers, budget)


def _in_order(project, jobs, budget=None):
    """Return jobs, the most urgent first where time is short, otherwise the longest.

    Where a build never ran, those that once ran elsewhere say which are long. One that never ran
    anywhere stands in the middle. Before them come those that the others wait for, and then those
    that wait for nobody.
    """
    timings = expected(project) | _timings(project)
    middle = statistics.median(timings.values()) if timings else 0.0

    def rank(job):
        name, when = job.chapter.name, (not job.chapter.first, not job.chapter.early)
        if budget:
            return not job.chapter.first, budget.rank(name)
        return *when, -timings.get(name, middle)

    return sorted(jobs, key=rank)


class _Crew:
    """The workers of one build."""

    def __init__(self, project, scratch, machine, bar, runs, environment):
        self.project, self.scratch, self.machine = project, scratch, machine
        self.bar, self.runs, self.environment = bar, runs, environment
        self.news = queue.Queue()
        self.began = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime())

    def work(self, jobs, workers, budget=None):
        """Run jobs, at most `workers` at a time; stop all at the first that fails."""
        waiting, running = list(jobs), []
        try:
            while waiting or running:
                while len(running) < workers and (job := _next(waiting, running, budget)):
                    waiting.remove(job)
                    running.append(self._start(job))
                if not running:
                    break
                job, message = self.news.get()
                if message is None:
                    running.remove(job)
                    self._finish(job)
                    if budget:
                        budget.took(job.chapter.name, self.runs[job.chapter.name].seconds)
                else:
                    self._hear(job, message)
        finally:
            # Reached with work still running after a failure or Ctrl-C.
            for job in running:
                self._stop(job)
            sweep(self.project)
        if budget:
            budget.left = [job.chapter.name for job in waiting]

    def _start(self, job):
        name = job.chapter.name
        partial = self._partial(job)
        partial.parent.mkdir(parents=True, exist_ok=True)
        cwd = self.scratch / name / "work"
        cwd.mkdir(parents=True)
        job.log = open(self.scratch / name / "log.txt", "w+", encoding="utf-8", errors="replace")  # noqa: SIM115
        order = {
            "source": str(job.chapter.path),
            "target": str(partial),
            "parameters": {"profile": self.project.profile, "seed": self.project.seed},
            "cwd": str(cwd),
        }
        job.started = time.monotonic()
        job.process = subprocess.Popen(
            [sys.executable, "-m", "xaiaudio.publishing.worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=job.log,
            text=True,
            encoding="utf-8",
            env=self.environment,
            start_new_session=True,  # Ctrl-C reaches us alone, and we end the rest in order
        )
        job.process.stdin.write(json.dumps(order) + "\n")
        job.process.stdin.flush()
        threading.Thread(target=self._listen, args=(job,), daemon=True).start()
        self.bar.start(name)
        return job

    def _listen(self, job):
        for line in job.process.stdout:
            # What a start-up file of the user prints is no report, and must not end the listening.
            with contextlib.suppress(ValueError):
                self.news.put((job, json.loads(line)))
        job.process.wait()
        self.news.put((job, None))

    def _hear(self, job, message):
        if "cell" in message:
            self.bar.cell(job.chapter.name, message["cell"], message["of"])
        job.error = message.get("error", job.error)
        job.done = job.done or message.get("done", False)
        job.cpu_seconds = message.get("cpu_seconds", job.cpu_seconds)

    def _finish(self, job):
        name, partial = job.chapter.name, self._partial(job)
        seconds = round(time.monotonic() - job.started, 1)
        log = self._close(job)
        if not job.done or job.error:
            raise XaiAudioError(_failure(job, log))
        stamp = {
            "key": job.key,
            "seconds": seconds,
            "cpu_seconds": job.cpu_seconds,
            "build": self.began,
            "finished": time.strftime("%Y-%m-%d %H:%M", time.gmtime()),
            "profile": self.project.profile,
            "seed": self.project.seed,
            "peak_mb": self.machine.peak_mb,
            "versions": versions(),
        }
        notebook = notebook_path(self.project, name)
        with whole(notebook, partial.name):
            stamp["notebook"] = cache.sum_of(partial)
        write_json(self.project.executed / f"{name}.json", stamp)
        self.runs[name] = ChapterRun(name, seconds, True)
        self.bar.done(name, seconds)

    def _stop(self, job):
        self.machine.kill(job.process.pid)
        job.process.wait()
        self._close(job)

    def _close(self, job) -> str:
        """Let go of the pipes and return the end of what was logged."""
        job.process.stdin.close()
        job.log.seek(0)
        log = job.log.read()[-3000:]
        job.log.close()
        return log

    def _partial(self, job) -> Path:
        # papermill insists on the ending
        return self.project.executed / f"{job.chapter.name}.partial.ipynb"


def _next(waiting, running, budget=None):
    """Return the first job that may begin now and would end in time; None if there is none."""
    training = any(job.chapter.first for job in (*waiting, *running))
    for job in waiting:
        if job.chapter.first:
            return None if any(one.chapter.first for one in running) else job
        fits = not budget or budget.fits(job.chapter.name)
        if fits and (job.chapter.early or not training):
            return job
    return None


def _environment(scratch) -> dict:
    """Return the environment of a kernel: this interpreter, its threads, no surprises.

    A kernel called ``python3`` that the user once installed elsewhere, or their IPython start-up
    files, must not decide what the book runs on.
    """
    kernel = scratch / "jupyter" / "kernels" / "python3"
    if not kernel.exists():
        command = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
        command.append("--HistoryManager.enabled=False")
        write_json(
            kernel / "kernel.json",
            {"argv": command, "display_name": "Python 3", "language": "python"},
        )
    share = str(THREADS)
    path = [str(scratch / "jupyter"), *filter(None, [os.environ.get("JUPYTER_PATH")])]
    return {
        **os.environ,
        "JUPYTER_PATH": os.pathsep.join(path),
        "IPYTHONDIR": str(scratch / "ipython"),
        "JUPYTER_RUNTIME_DIR": str(scratch / "runtime"),
        "OMP_NUM_THREADS": share,
        "OPENBLAS_NUM_THREADS": str(BLAS_THREADS),
        "TF_NUM_INTRAOP_THREADS": share,
        "TF_NUM_INTEROP_THREADS": str(AT_A_TIME),
        "PYTHONHASHSEED": "0",
        "NO_COLOR": "1",
    }


def _failure(job, log) -> str:
    """Say which chapter failed, in which cell, and how it ended."""
    error = job.error or {"what": "its process ended without a word", "lines": log.splitlines()}
    source = (error.get("source") or "").strip()
    where = ""
    if source:
        begin = job.chapter.text.find(source)
        line = job.chapter.text.count("\n", 0, begin) + 1 if begin >= 0 else 0
        before = [
            i
            for i, text in enumerate(job.chapter.text.splitlines(), 1)
            if text.lstrip().startswith("```{code-cell}") and (not line or i < line)
        ]
        cell = f"cell {len(before)}" if line else "a cell"
        place = f" (line {line} of {job.chapter.path.name})" if line else ""
        where = f"\n  {cell}{place}: {source.splitlines()[0]}"
    lines = "".join(f"\n    {text}" for text in error["lines"][-14:])
    return f"Chapter '{job.chapter.name}' failed: {error['what']}{where}{lines}"


def versions() -> dict:
    """Name the versions of Python and of the libraries that the numbers depend on."""
    from importlib import metadata

    found = {"python": platform.python_version()}
    for name in _VERSIONS:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found


class _Bar:
    """Progress on the terminal: the whole, and a line for each chapter that is running.

    Where there is no terminal (CI, a pipe) it is one plain line for each finished chapter.
    """

    def __init__(self, console, total, ready):
        from rich.console import Console

        self.console = console or Console()
        self.total, self.ready = total, ready
        self.lines = {}  # what to close, and what moves the bar, for each chapter that is running
        self.whole = contextlib.ExitStack()

    def __enter__(self):
        if self.ready:
            self.console.print(f"{self.ready} of {self.total} chapters are up to date.")
        self.all = self.whole.enter_context(bar(self.total, None, "chapters", console=self.console))
        self.all(self.ready)
        return self

    def __exit__(self, *_):
        for line, _ in self.lines.values():
            line.close()
        self.whole.close()

    def start(self, name):
        """Show a line for a chapter."""
        line = contextlib.ExitStack()
        step = line.enter_context(bar(None, None, f"  {name}", console=self.console))
        self.lines[name] = line, step

    def cell(self, name, number, of):
        """Say which code cell is running."""
        self.lines[name][1](done=number - 1, total=of)

    def done(self, name, seconds):
        """Take the line away and print the time it took."""
        self.lines.pop(name)[0].close()
        self.all()
        self.console.print(f"  {name}: {seconds:.0f} s", highlight=False)
