"""Units on Dask: a cluster of this machine, one that is there already, or none at all."""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import sys
import time
import types
from dataclasses import dataclass
from itertools import islice
from multiprocessing import resource_tracker
from typing import TYPE_CHECKING

from .. import cache
from ..errors import XaiAudioError
from ..progress import bar
from . import tables
from .extra import needed

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator
    from typing import Any

    from .plans import ArchivePlan

# Units that wait at the scheduler for each worker: the memory of the scheduler does not grow with
# the archive.
AHEAD = 3


@dataclass(frozen=True)
class Summary:
    """What a run did.

    Attributes
    ----------
    units, clips, bad : int
        Done in this run; `bad` are files that could not be explained.
    seconds : float
        Wall-clock time.
    """

    units: int
    clips: int
    bad: int
    seconds: float


def run(
    plan: ArchivePlan,
    *,
    workers: int | None = None,
    scheduler: str | None = None,
    units: int | None = None,
    progress: bool | None = None,
    tell: Callable[[str], Any] | None = None,
) -> Summary:
    """Explain what a plan has not done yet.

    Each unit is written whole or not at all, so a run may be stopped or killed at any moment; the
    next one goes on with what is missing.

    Parameters
    ----------
    plan : ArchivePlan
    workers : int, optional
        Processes on this machine, with one thread each; by default as many as it has cores. 0
        works in this process, without Dask.
    scheduler : str, optional
        Address of a Dask scheduler to use instead, such as ``"tcp://host:8786"``. Its workers
        need the same xaiaudio and the same folders.
    units : int, optional
        Most units to do now; by default all.
    progress : bool or None
        None shows a bar on a terminal.
    tell : callable, optional
        Given lines on what goes on, such as the address of the dashboard.

    Returns
    -------
    Summary

    Raises
    ------
    XaiAudioError
        If another run works on the same folder, the cluster cannot be reached, nothing can be
        written, or units failed; what is done is kept.
    """
    started = time.perf_counter()
    busy = f"Another run works on {plan.out}: wait for it, or stop it."
    with cache.lock(plan.out / ".lock", busy=busy, advice=""):
        tables.clear_partial(plan.out)
        todo = plan.waiting()[:units]
        work = _here(plan, todo) if workers == 0 and scheduler is None else None
        counts = {"clips": 0, "bad": 0}
        sizes = dict.fromkeys(todo, 0)
        for unit in plan.files["unit"].tolist():
            if unit in sizes:
                sizes[unit] += 1
        failed = []
        with bar(sum(sizes.values()), progress, "Explaining") as step:
            work = work or _on_dask(plan, todo, workers, scheduler, tell or (lambda line: None))
            with contextlib.closing(work) as results:
                for unit, found in results:
                    if isinstance(found, Exception):
                        failed.append((unit, found))
                    else:
                        counts = {name: counts[name] + found[name] for name in counts}
                    done = sum(counts.values())
                    rate = done / (time.perf_counter() - started)
                    step(sizes[unit], text=f"{rate:.1f} clips/s, {counts['bad']} bad")
    if failed:
        unit, error = failed[0]
        first = plan.clips_of(unit)[0][0]
        raise XaiAudioError(
            f"{len(failed)} of {len(todo)} units failed, first {unit} (from {first}): "
            f"{type(error).__name__}: {str(error)[:200]}. Run the same again to try them once more."
        )
    return Summary(len(todo), counts["clips"], counts["bad"], time.perf_counter() - started)


def explain_unit(out: str, unit: int, clips: list[tuple[str, int, int]]) -> dict[str, int]:
    """Explain a unit where this is called: who only sends it there needs no TensorFlow."""
    from . import units

    return units.explain_unit(out, unit, clips)


def _here(plan, todo) -> Generator[tuple[int, Any]]:
    for unit in todo:
        yield unit, explain_unit(str(plan.out.resolve()), unit, plan.clips_of(unit))


def _on_dask(plan, todo, workers, scheduler, tell) -> Generator[tuple[int, Any]]:
    """Yield each unit and what came of it, as it is done: counts, or an exception."""
    distributed = needed("distributed")
    if not todo:
        return
    with contextlib.ExitStack() as stack:
        address: Any = scheduler
        if scheduler is None:
            address = stack.enter_context(_cluster(workers or _cores(), len(todo)))
        client = stack.enter_context(_client(distributed, address))
        tell(f"Dask's dashboard: {client.dashboard_link}")
        out, waiting = str(plan.out.resolve()), iter(todo)

        def submit(unit):
            clips = plan.clips_of(unit)
            return client.submit(explain_unit, out, unit, clips, key=f"unit-{unit}", pure=False)

        many = AHEAD * max(1, len(client.scheduler_info(n_workers=-1)["workers"]))
        running = {submit(unit): unit for unit in islice(waiting, many)}
        finished = distributed.as_completed(list(running), loop=client.loop)
        for future in finished:
            unit = running.pop(future)
            error = future.exception()
            if isinstance(error, XaiAudioError):
                raise error  # of the settings or the disk, not of a sound: the others fail alike
            yield unit, future.result() if error is None else error
            del future
            for more in islice(waiting, 1):
                new = submit(more)
                running[new] = more
                finished.add(new)


@contextlib.contextmanager
def _cluster(workers, units) -> Iterator[Any]:
    """Start workers of one thread each, which are restarted when they die."""
    dask, distributed = needed("dask"), needed("distributed")
    one = dict.fromkeys(("TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS"), "1")
    one["TF_CPP_MIN_LOG_LEVEL"] = "3"  # what it says of devices, once in each process
    told: dict[str, Any] = {
        f"distributed.nanny.pre-spawn-environ.{name}": value for name, value in one.items()
    }
    # Dask keeps what each thread was at, a hundred times a second: 100 MB, and more with each unit.
    told["distributed.worker.profile.enabled"] = False
    with _no_main(), dask.config.set(told), contextlib.ExitStack() as stack:
        with _interrupts_later():
            try:
                cluster = distributed.LocalCluster(
                    n_workers=min(workers, units),
                    threads_per_worker=1,
                    processes=True,
                    host="127.0.0.1",
                    dashboard_address="127.0.0.1:0",
                    silence_logs=logging.CRITICAL,
                )
            except (OSError, RuntimeError) as error:
                raise XaiAudioError(
                    f"The workers could not be started: {error}. Try fewer, with --workers."
                ) from error
            stack.enter_context(cluster)
        yield cluster


@contextlib.contextmanager
def _interrupts_later() -> Iterator[None]:
    """Let Ctrl-C wait. What starts meanwhile, threads and their processes, never hears of it.

    A terminal sends it to all processes; this one ends the workers, which would each complain.
    """
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    resource_tracker.ensure_running()  # as it starts, it takes the block away
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


@contextlib.contextmanager
def _client(distributed, address) -> Iterator[Any]:
    try:
        client = distributed.Client(address, timeout="10s", set_as_default=False)
    except (OSError, ValueError, TypeError) as error:
        raise XaiAudioError(f"No Dask scheduler answers at {address}: {error}.") from error
    with client:
        yield client


@contextlib.contextmanager
def _no_main() -> Iterator[None]:
    """Hide the running script while workers may start: they would run it again."""
    main = sys.modules["__main__"]
    sys.modules["__main__"] = types.ModuleType("__main__")
    try:
        yield
    finally:
        sys.modules["__main__"] = main


def _cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
