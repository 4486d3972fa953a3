"""How many cores and how much memory a build may use, and ending what it started."""

from __future__ import annotations

import os
import threading
from contextlib import contextmanager
from pathlib import Path

#: What the whole build may take, and what one chapter is reckoned to take, in GB.
MEMORY = 4.0
CHAPTER = 1.2

#: More at a time than this gains nothing.
MOST = 4


class Machine:
    """The cores of this machine, and the memory that the build takes."""

    def __init__(self):
        self.cores = count_cores()
        self.peak_mb = 0

    def workers(self, wish=None) -> int:
        """Return how many chapters to run at a time.

        Parameters
        ----------
        wish : int, optional
            What the user asked for; it is respected.

        Returns
        -------
        int
        """
        if wish:
            return max(1, int(wish))
        return max(1, min(self.cores, MOST, int(MEMORY / CHAPTER)))

    @contextmanager
    def watch_memory(self, interval=0.5):
        """Note the most memory that this process and its descendants take together.

        The result is in `peak_mb`: resident memory, what they share counted for each.
        """
        stop = threading.Event()

        def watch():
            while not stop.wait(interval):
                self.peak_mb = max(self.peak_mb, _tree_mb())

        thread = threading.Thread(target=watch, daemon=True)
        thread.start()
        try:
            yield self
        finally:
            stop.set()
            thread.join()

    def kill(self, pid):
        """End a process and all that descend from it, kernels included.

        Parameters
        ----------
        pid : int
        """
        import psutil

        try:
            process = psutil.Process(pid)
            family = [*process.children(recursive=True), process]
        except psutil.Error:
            return
        for member in family:
            try:
                member.kill()
            except psutil.Error:
                continue
        psutil.wait_procs(family, timeout=5)


def count_cores() -> int:
    """Count the cores this process may use, a container's quota included.

    Returns
    -------
    int
    """
    try:
        cores = len(os.sched_getaffinity(0))
    except AttributeError:  # macOS, Windows
        cores = os.cpu_count() or 1
    try:
        quota, period = Path("/sys/fs/cgroup/cpu.max").read_text().split()
        cores = min(cores, max(1, int(quota) // int(period)))
    except (OSError, ValueError):  # no quota
        pass
    return cores


def _tree_mb() -> int:
    import psutil

    total = 0
    me = psutil.Process()
    for process in [me, *me.children(recursive=True)]:
        try:
            total += process.memory_info().rss
        except psutil.Error:
            continue
    return total >> 20
