"""How archives scale: planning many files, one worker against two, and memory over many clips.

Run it by hand: ``python benchmarks/archives.py``. The files are hard links to a few made sounds.
Planning is measured in seconds and in the memory of this process; the workers as a ratio, each
with the time that they take to start taken off. Say which load the machine had.

``--memory CLIPS`` explains so many clips with one worker instead, of many lengths so that no two
units are alike, and tells the resident memory of the worker and of this process, which sends it
the units, as they go on. The slope is of the second half: by then, what is kept once is there.
"""

import argparse
import os
import resource
import tempfile
import threading
import time
from pathlib import Path

import numpy as np
import psutil
import soundfile
from scipy import stats

import xaiaudio as xa
from xaiaudio.corpus import tables
from xaiaudio.datasets.events import generators


def linked(folder, files, different=20, longest=None):
    """Make a folder with many names of a few sounds, a thousand a folder.

    With `longest`, their lengths differ, from one second to so many.
    """
    sources = []
    for number in range(different):
        label = generators.LABELS[number % len(generators.LABELS)]
        event, background = generators.generate(label, number)
        wave = event + background
        if longest is not None:
            seconds = np.random.default_rng(number).uniform(1, longest)
            wave = np.resize(wave, round(seconds * 16_000))
        sources.append(folder / f"source-{number}.wav")
        soundfile.write(sources[-1], wave, 16_000)
    for number in range(files - different):
        path = folder / f"{number // 1000:04d}" / f"{number % 1000:03d}.wav"
        path.parent.mkdir(exist_ok=True)
        os.link(sources[number % different], path)
    return folder


def memory():
    """Return the most that this process has held, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def planned(folder, out):
    """Plan a folder anew, then once more, and say what it took."""
    for what in ("anew, with the network", "again, as a run that goes on does"):
        before, started = memory(), time.perf_counter()
        plan = xa.corpus.plan(folder, out)
        seconds = time.perf_counter() - started
        print(f"{plan} {what}: {seconds:.1f} s, {memory() - before:.0f} MB more")
    return plan


def speed(folder, out, workers, units):
    """Return clips a second between the end of the first units and that of the last."""
    plan = xa.corpus.plan(folder, out)
    xa.corpus.run(plan, workers=workers, units=units + workers, progress=False)
    ends = sorted(tables.clips_file(out, unit).stat().st_mtime for unit in tables.done(out))
    # Each worker's first unit takes its start, too.
    return 64 * units / (ends[-1] - ends[workers - 1])


def resident(pid):
    """Return the resident memory of a process, in MB."""
    return psutil.Process(pid).memory_info().rss / 2**20


def worker():
    """Return the process below this one that holds most: the worker, not what watches it."""
    below = psutil.Process().children(recursive=True)
    return max((one.pid for one in below), key=resident)


def grown(folder, out, every=5):
    """Explain an archive with one worker; print what is resident every few units, and the slope."""
    plan, ended = xa.corpus.plan(folder, out), threading.Event()
    seen = []

    def watch():
        while not ended.wait(0.2):
            units = len(tables.done(out))
            if units and units >= (seen[-1][0] if seen else 0) + every:
                seen.append((units, resident(worker()), resident(os.getpid())))
                told = " ".join(f"{held:8.0f} MB" for held in seen[-1][1:])
                print(f"{64 * units:6d} clips: {told}", flush=True)

    print("               worker    this process")
    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        summary = xa.corpus.run(plan, workers=1, progress=False)
    finally:
        ended.set()
        watcher.join()
    print(f"{summary.clips} clips in {summary.seconds:.0f} s, {summary.bad} bad")
    half = np.array(seen[len(seen) // 2 :])
    for name, held in (("worker", half[:, 1]), ("this process", half[:, 2])):
        line = stats.linregress(half[:, 0] * 64 / 1000, held)
        more = line.stderr * stats.t.ppf(0.975, len(half) - 2)
        print(f"{name}: {line.slope:+.2f} MB in 1000 clips, +- {more:.2f} (95 %)")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--files", type=int, default=100_000)
    parser.add_argument("--units", type=int, default=8, help="units of 64 clips that are timed")
    parser.add_argument("--memory", type=int, metavar="CLIPS", help="watch memory over so many")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        place = Path(place)
        (place / "sounds").mkdir()
        if asked.memory:
            folder = linked(place / "sounds", asked.memory, different=200, longest=4)
            grown(folder, place / "out")
            return
        folder = linked(place / "sounds", asked.files)
        planned(folder, place / "out")
        if not asked.units:
            return
        rates = {count: speed(folder, place / f"w{count}", count, asked.units) for count in (1, 2)}
        share = rates[2] / (2 * rates[1])
        told = ", ".join(f"{count}: {rate:.1f}" for count, rate in rates.items())
        print(f"clips a second by workers: {told}; {share:.0%} of linear")
        print(
            f"load of the machine: {np.round(os.getloadavg(), 1).tolist()}, {os.cpu_count()} cores"
        )


if __name__ == "__main__":
    main()
