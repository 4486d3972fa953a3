"""What a long sound costs, read at once and block by block: `python benchmarks/long_sounds.py`.

Noise at 48 kHz, stereo, 24 bits, is scored by the shipped network in both ways, in turns. Memory is
that of NumPy's arrays at its peak: of blocks it must not grow with the sound. The whole command,
`xaiaudio explain`, also explains events; what it takes is measured from outside
(`/usr/bin/time -v`).
"""

import argparse
import os
import statistics
import tempfile
import time
import tracemalloc
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import numpy as np
import soundfile
from rich.console import Console
from rich.table import Table

import xaiaudio as xa
from xaiaudio.timelines import timeline

RATE, REPEATS = 48_000, 3


def written(path, seconds):
    """Write noise, ten seconds at once."""
    rng = np.random.default_rng(0)
    with soundfile.SoundFile(path, "w", RATE, 2, "PCM_24") as file:
        for _ in range(seconds // 10):
            file.write(rng.normal(0, 0.05, (10 * RATE, 2)))
    return path


def at_once(model, path):
    return model.scores(model.frontend(xa.load_audio(path), overlap=0.5))


def in_blocks(model, path):
    return timeline(model, path, overlap=0.5, progress=False).scores


def rows(minutes):
    """Measure both ways with sounds of several lengths.

    Yields
    ------
    tuple of str
        How long the sound is, by whom, seconds, ratio, peak of memory.
    """
    model = xa.load_model("lite")
    ways = {"at once": at_once, "in blocks": in_blocks}
    with tempfile.TemporaryDirectory() as folder:
        for length in minutes:
            path = written(Path(folder) / "noise.wav", 60 * length)
            seconds = {name: [] for name in ways}
            for turn in range(REPEATS + 1):
                for name, way in ways.items():
                    started = time.perf_counter()
                    way(model, path)
                    if turn:
                        seconds[name].append(time.perf_counter() - started)
            for name, way in ways.items():
                tracemalloc.start()
                way(model, path)
                peak = tracemalloc.get_traced_memory()[1] / 1e6
                tracemalloc.stop()
                took = statistics.median(seconds[name])
                pairs = zip(seconds[name], seconds["at once"], strict=True)
                by = statistics.median(one / other for one, other in pairs)
                yield f"{length} min", name, f"{took:.2f} s", f"{by:.2f}", f"{peak:.0f} MB"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=int, nargs="+", default=[1, 5])
    table = Table("sound", "read", "time", "of at once", "memory", title="Scores of long sounds")
    for row in rows(parser.parse_args().minutes):
        table.add_row(*row)
    Console().print(table)


if __name__ == "__main__":
    main()
