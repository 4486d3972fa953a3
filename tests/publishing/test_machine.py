"""Cores, memory, and ending what was started."""

import os
import subprocess
import time
from pathlib import Path

import psutil
import pytest

from xaiaudio.publishing import machine


def test_workers_are_bound_by_cores_and_memory(monkeypatch):
    for cores, workers in [(1, 1), (2, 2), (64, 3)]:
        monkeypatch.setattr(machine, "count_cores", lambda n=cores: n)
        assert machine.Machine().workers() == workers
    assert machine.Machine().workers(2) == 2


@pytest.mark.parametrize(
    "quota, cores", [("150000 100000", 1), ("300000 100000", 3), ("5000 100000", 1),
                     ("max 100000", 8), ("", 8), (None, 8)],
)  # fmt: skip
def test_the_quota_of_a_container_counts(monkeypatch, quota, cores):
    def read(self, *_, **__):
        assert str(self) == "/sys/fs/cgroup/cpu.max"
        if quota is None:
            raise FileNotFoundError
        return quota

    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: set(range(8)), raising=False)
    monkeypatch.setattr(Path, "read_text", read)
    assert machine.count_cores() == cores


def test_what_a_user_asks_for_is_respected():
    ours = machine.Machine()
    assert ours.workers("7") == 7 and ours.workers(-1) == 1


def test_memory_is_that_of_the_whole_family():
    ours, mine = machine.Machine(), psutil.Process().memory_info().rss >> 20
    with ours.watch_memory(interval=0.01) as watched:
        until = time.monotonic() + 10
        while not watched.peak_mb and time.monotonic() < until:
            time.sleep(0.01)
    assert 0.5 * mine < ours.peak_mb < 1 << 20


@pytest.mark.slow
def test_a_process_ends_with_its_children():
    command = ["sh", "-c", "sleep 60 & echo $!; wait; sleep 60"]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        family = [psutil.Process(int(process.stdout.readline())), psutil.Process(process.pid)]
        assert all(map(running, family))
        machine.Machine().kill(process.pid)
        assert not any(map(running, family))
    machine.Machine().kill(process.pid)  # who is gone already is no error


def running(process):
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
