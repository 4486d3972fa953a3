"""Which cells a change can reach, against what moves."""

import numpy as np
import pytest
from random_graphs import random_graph

from xaiaudio.models.graph import graph_of, run
from xaiaudio.models.tiling import Tiling, Windows


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(8))
def test_no_cell_beyond_those_that_are_said_to_change_moves(seed):
    network = random_graph(seed)
    rng = np.random.default_rng(seed)
    tiling = Tiling(graph_of(network))
    assert len(tiling.tiled) > 3
    shape = tuple(network.inputs[0].shape[1:])
    before = rng.normal(size=(1, *shape)).astype("float32")
    low, left = (rng.integers(0, size) for size in shape[:2])
    high, right = (rng.integers(a + 1, n + 1) for a, n in zip((low, left), shape[:2], strict=True))
    after = before.copy()
    after[:, low:high, left:right] += rng.normal(size=(high - low, right - left, shape[2]))
    rows, columns = (
        tiling.changed(a, np.array([e])) for a, e in ((0, (low, high)), (1, (left, right)))
    )
    nodes = [one.node for one in tiling.tiled]
    old, new = (run(tiling.graph, {nodes[0]: x}, nodes) for x in (before, after))
    for number, (one, other) in enumerate(zip(old, new, strict=True)):
        moved = np.argwhere((np.asarray(one) != np.asarray(other)).any(axis=-1)[0])
        for axis, (lows, highs) in enumerate((rows, columns)):
            places = moved[:, axis]
            assert ((places >= lows[number, 0]) & (places < highs[number, 0])).all()


@pytest.mark.parametrize(
    "stride, before, taps, apart", [(1, 1, 3, 1), (2, 0, 3, 2), (3, 2, 2, 1), (3, 0, 1, 1)]
)
def test_windows_one_cell_at_a_time(stride, before, taps, apart):
    windows, given, count = Windows(stride, before, taps, apart), 11, 4
    for low in range(given):
        for high in range(low, given + 1):
            first, last = windows.changed(np.array([low]), np.array([high]), count)
            hit = [
                cell
                for cell in range(count)
                if any(low <= cell * stride - before + tap * apart < high for tap in range(taps))
            ]
            assert hit == [] or (int(first[0]), int(last[0])) == (hit[0], hit[-1] + 1)
            assert hit or taps * apart > 1 or first[0] == last[0]
