"""The set on disk: made once, in parallel, and kept.

A folder holds three files for each clip: ``1-dog_bark-00.flac`` (the clip), ``.stems.flac``
(event and background as two channels) and ``.events.npz`` (the event mask).
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import threading
import types
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile

from ...files import whole
from ...progress import bar
from ...synthesis import dsp
from ..stored import made
from . import generators
from .masks import event_mask

FOLDS = 5
_THREADS = "OPENBLAS_NUM_THREADS"
_FEW = 16  # so few clips are made sooner than other processes start


@dataclass(frozen=True)
class Job:
    """One clip to be made."""

    label: str
    index: int
    fold: int
    seed: int

    @property
    def name(self) -> str:
        """The clip's file name without extension."""
        return f"{self.fold}-{self.label.lower().replace(' ', '_')}-{self.index:02d}"

    def files(self, folder: Path) -> dict[str, Path]:
        """Paths of the clip, its stems and its mask; the clip is written last."""
        endings = {"stems": ".stems.flac", "events": ".events.npz", "clip": ".flac"}
        return {kind: folder / (self.name + ending) for kind, ending in endings.items()}


def jobs(seed: int, clips_per_class: int) -> list[Job]:
    """List the clips of a set: label by label, each label's fold by fold."""
    return [
        Job(label, index, 1 + index * FOLDS // clips_per_class, seed)
        for label in generators.LABELS
        for index in range(clips_per_class)
    ]


def ensure(folder: Path, wanted: list[Job], *, progress: bool, workers: int | None = None) -> None:
    """Make the folder, or what is missing of it; return when it is whole: see :func:`.made`."""
    files = {job: [path.name for path in job.files(folder).values()] for job in wanted}

    def make(where, todo):
        _make_all(where, todo, progress, workers)

    made(folder, files, make, what="synthetic clips", room="150 MB")


def _make_all(folder, todo, progress, workers) -> None:
    workers = workers or min(8, _cores())
    with bar(len(todo), None if progress else False, "Making synthetic sounds") as step:
        if workers == 1 or len(todo) <= _FEW:
            for job in todo:
                make(folder, job)
                step()
            return
        # "spawn": a fork of a process that runs TensorFlow may hang.
        context = multiprocessing.get_context("spawn")
        pool = ProcessPoolExecutor(workers, mp_context=context, initializer=_begin)
        try:
            with _spawning():
                running = [pool.submit(make, folder, job) for job in todo]
            for done in as_completed(running):
                done.result()
                step()
        finally:
            pool.shutdown(cancel_futures=True)


def _cores() -> int:
    """Return the number of cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def make(folder: Path, job: Job) -> None:
    """Make one clip and write its files, each whole or not at all."""
    event, background = generators.generate(job.label, job.index, job.seed)
    files = job.files(folder)
    write = {
        "stems": lambda file: _write_flac(file, np.stack([event, background], axis=1)),
        "events": lambda file: np.savez_compressed(file, mask=event_mask(event, background)),
        "clip": lambda file: _write_flac(file, event + background),
    }
    for kind, path in files.items():
        with whole(path) as partial, open(partial, "wb") as file:
            write[kind](file)


def _write_flac(file, wave) -> None:
    soundfile.write(file, wave, dsp.RATE, subtype="PCM_16", format="FLAC")


def _begin() -> None:
    """Set up a worker: Ctrl-C is for its parent, and it goes when its parent is gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = multiprocessing.parent_process()

    def watch():
        parent.join()
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


@contextmanager
def _spawning():
    """Hide the running script while workers start, and keep each of them to one thread.

    A spawned process first runs its parent's script again, up to ``if __name__ == "__main__"``.
    Ours need nothing of it, and a script without that line would start workers without end.
    """
    main, threads = sys.modules["__main__"], os.environ.get(_THREADS)
    sys.modules["__main__"] = types.ModuleType("__main__")
    os.environ[_THREADS] = "1"
    try:
        yield
    finally:
        sys.modules["__main__"] = main
        os.environ.pop(_THREADS)
        if threads is not None:
            os.environ[_THREADS] = threads
