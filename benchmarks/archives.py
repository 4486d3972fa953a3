"""How archives scale: planning many files, and one worker against two.

Run it by hand: ``python benchmarks/archives.py``. The files are hard links to a few made sounds.
Planning is measured in seconds and in the memory of this process; the workers as a ratio, each
with the time that they take to start taken off. Say which load the machine had.
"""

import argparse
import os
import resource
import tempfile
import time
from pathlib import Path

import numpy as np
import soundfile

import xaiaudio as xa
from xaiaudio.corpus import tables
from xaiaudio.datasets.events import generators


def linked(folder, files, different=20):
    """Make a folder with many names of a few sounds, a thousand a folder."""
    sources = []
    for number in range(different):
        label = generators.LABELS[number % len(generators.LABELS)]
        event, background = generators.generate(label, number)
        sources.append(folder / f"source-{number}.wav")
        soundfile.write(sources[-1], event + background, 16_000)
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


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--files", type=int, default=100_000)
    parser.add_argument("--units", type=int, default=8, help="units of 64 clips that are timed")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        place = Path(place)
        (place / "sounds").mkdir()
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
