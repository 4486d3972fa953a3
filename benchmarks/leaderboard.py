"""How long the whole leaderboard takes: `python benchmarks/leaderboard.py --clips 80`.

Every method by every measure, with their defaults, on the shipped network and synthetic clips. The
goal is 80 clips within 120 seconds on two cores (`taskset -c 0,1`). That is some 325,000 forward
passes, which decide the time: the ratio of the first row says how many bare ones would take as
long. Processor time stands beside the wall clock: on a busy machine only that can be compared.
`--precision auto` asks the network in bfloat16 about all changed patches, where the processor has
it; maps and measures are then others, by a little.
"""

import argparse
import os
import time

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import numpy as np
import tensorflow as tf
from rich.console import Console
from rich.table import Table

import xaiaudio as xa
from xaiaudio.explainers.engines.precision import PRECISIONS

BATCH = 64


def rows(clips, precision=PRECISIONS[0]):
    """Measure once, and say where the time went.

    Yields
    ------
    tuple of str
        What, by whom, seconds, ratio.
    """
    model = xa.load_model("lite")
    test = xa.datasets.load("synthetic").split()[1]
    cases = xa.evaluate.cases_of(model, test, clips, keep_wrong=True)
    bare = _bare(model)
    started, worked = time.perf_counter(), time.process_time()
    board = xa.evaluate.leaderboard(model, cases, precision=precision, progress=False)
    seconds, work = time.perf_counter() - started, time.process_time() - worked
    title = f"leaderboard, {board.cases} clips"
    about = f"{len(board.methods)} methods, {len(board.measures)} measures"
    yield title, about, f"{seconds:.0f} s", f"{seconds / bare:.0f} bare forwards"
    yield title, "processor time", f"{work:.0f} s", f"{work / seconds:.2f} of wall clock"
    slow = sorted(board.methods, key=lambda row: -row.seconds)[:3]
    for row in slow:
        maps = row.seconds * board.cases
        yield title, f"maps of {row.name}", f"{maps:.0f} s", f"{maps / seconds:.0%}"
    rest = seconds - sum(row.seconds for row in board.methods) * board.cases
    yield title, "measures", f"{rest:.0f} s", f"{rest / seconds:.0%}"


def _bare(model) -> float:
    """Seconds that one patch of a full batch takes."""
    forward, batch = model.forward(), tf.constant(np.zeros((BATCH, 96, 64), "float32"))
    times = []
    for _ in range(9):
        started = time.perf_counter()
        forward(batch).numpy()
        times.append(time.perf_counter() - started)
    return float(np.median(times[1:])) / BATCH


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--clips", type=int, default=80)
    parser.add_argument("--precision", choices=PRECISIONS, default=PRECISIONS[0])
    given = parser.parse_args()
    table = Table("what", "by whom", "time", "ratio", title="The leaderboard, once")
    for row in rows(given.clips, given.precision):
        table.add_row(*row)
    Console().print(table)


if __name__ == "__main__":
    main()
