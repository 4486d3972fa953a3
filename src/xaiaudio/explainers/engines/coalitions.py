"""Coalitions of a grid's rectangles, for which the first layers are computed once.

Near the input a cell of a feature map sees two rectangles in time and two in frequency at most.
Whatever a coalition does elsewhere, the cell has one of 16 values. The network's first layers are
asked for these, and each coalition's feature map is put together of them: the layers that follow
get what the whole network would have made, up to rounding.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import tensorflow as tf

from ...models.caching import PerModel
from ...models.graph import graph_of, run
from ...models.tiling import Tiling
from ...models.tracing import traced
from .perturbation import BATCH, PARTS, asked, engine_of, output_of
from .tiles import FETCHED, work

if TYPE_CHECKING:
    from ...models.classifier import AudioClassifier
    from ...models.graph import Graph
    from .masks import Coalitions

_SHARED = PerModel()


class Cut(NamedTuple):
    """Where a network is cut, for one grid.

    Attributes
    ----------
    number : int
        The layer of the tiling whose values are put together.
    rows, columns : ndarray of int, shapes (a, h) and (b, w)
        Which row (column) of rectangles each of its cells sees, of those with one remainder.
    across : int
        Columns of the grid.
    """

    number: int
    rows: np.ndarray
    columns: np.ndarray
    across: int

    @property
    def patterns(self) -> int:
        """How many values a cell can have."""
        return 2 ** (len(self.rows) * len(self.columns))


def answered(
    classifier: AudioClassifier,
    patches: np.ndarray,
    fill: np.ndarray,
    masks: Coalitions,
    grid: tuple[int, int] | None,
    output: str | None = None,
    precision: str = "float32",
) -> np.ndarray:
    """Ask the network about every patch under every coalition.

    Parameters
    ----------
    classifier : AudioClassifier
    patches : ndarray of float, shape (n, frames, bands)
    fill : ndarray of float
        What stands in hidden cells; like `patches`.
    masks : Coalitions
    grid : pair of int, or None
        How many rows and columns of rectangles the segments of all patches are, see
        :func:`.segments.grid`; None if they are not.
    output : {"scores", "logits"} or None
        See :func:`.perturbation.output_of`.
    precision : {"float32", "bfloat16"}
        See :func:`.precision.precision_of`.

    Returns
    -------
    ndarray of float32, shape (n, m, classes)
        What the :class:`.perturbation.Engine` answers, up to rounding; by it where the network has
        no first layers that are worth it, or each patch has coalitions of its own.

    Examples
    --------
    >>> import numpy as np, xaiaudio as xa
    >>> from xaiaudio.explainers.engines.masks import Coalitions
    >>> from xaiaudio.explainers.engines.segments import grid
    >>> patches, present = np.zeros((2, 96, 64), "float32"), np.eye(49, dtype=bool)[None]
    >>> masks = Coalitions(grid((96, 64), 7, 7)[None], present)
    >>> answered(xa.load_model("lite"), patches, patches, masks, (7, 7)).shape
    (2, 49, 10)
    """
    output = output_of(classifier, output)
    if grid is not None and not classifier.lacks and len(masks.present) == 1:
        network = asked(classifier, output, precision)
        shared = _SHARED(network, "shared", lambda _: Shared(graph_of(network)))
        cut = shared.cut(np.asarray(masks.segments[0]), grid, len(masks))
        if cut is not None:
            inputs, fill = (np.asarray(one, np.float32) for one in (patches, fill))
            fill = np.broadcast_to(fill, inputs.shape)
            return shared(classifier.as_input, inputs, fill, masks, cut)
    return engine_of(classifier, output, precision)(patches, fill, masks)


class Shared:
    """A network cut in two, behind first layers that coalitions share.

    Parameters
    ----------
    graph : Graph
    """

    def __init__(self, graph: Graph):
        self.tiling = Tiling(graph)
        self._steps: dict[int, tuple] = {}

    def cut(self, segments: np.ndarray, grid: tuple[int, int], count: int) -> Cut | None:
        """Return where the network is cut to save the most, for so many coalitions; None if not.

        Parameters
        ----------
        segments : ndarray of int, shape (frames, bands)
        grid : pair of int
        count : int
        """
        tiled, graph = self.tiling.tiled, self.tiling.graph
        if not tiled or tiled[0].shape[:2] != segments.shape:
            return None
        lines = (segments[:, 0] // grid[1], segments[0])
        spans = [self.tiling.changed(axis, _edges(line)) for axis, line in enumerate(lines)]
        best, most, done = None, 0.0, 0.0
        for number, one in enumerate(tiled[1:], 1):
            done += work(one) * one.shape[0] * one.shape[1]
            rows, columns = (
                _seen(lows[number], highs[number], one.shape[axis])
                for axis, (lows, highs) in enumerate(spans)
            )
            cut = Cut(number, rows, columns, grid[1])
            fetched = FETCHED * int(np.prod(one.shape)) * count
            saved = done * (count - min(cut.patterns, count)) - fetched
            if saved > most and _is_bottleneck(graph, one.node, tiled[0].node):
                best, most = cut, saved
        return best

    def __call__(self, as_input, patches, fill, masks, cut: Cut) -> np.ndarray:
        """Return the answers (n, m, classes); see :func:`answered`."""
        first, rest = self._functions(cut.number)
        segments, present = np.asarray(masks.segments[0]), np.asarray(masks.present[0], bool)
        row, column = np.divmod(segments, cut.across)
        kinds = row % len(cut.rows) * len(cut.columns) + column % len(cut.columns)
        heard = (np.arange(cut.patterns)[:, None, None] >> kinds & 1).astype(bool)
        index = tf.constant(_index(cut, present), tf.int32)
        chunk, count, quarter = max(1, BATCH // cut.patterns), len(present), BATCH // PARTS
        answers = []
        for start in range(0, len(patches), chunk):
            some = slice(start, start + chunk)
            made = np.where(heard, patches[some, None], fill[some, None])
            made = as_input(made.reshape(-1, *segments.shape))
            parts = [made[k : k + BATCH] for k in range(0, len(made), BATCH)]
            maps = tf.concat([first(tf.constant(part, tf.float32)) for part in parts], axis=0)
            total = len(patches[some]) * count
            for begin in range(0, total, BATCH):
                size = min(BATCH, quarter * -(-(total - begin) // quarter))
                found = rest(tf.constant([begin, size, total, cut.patterns]), maps, index)
                answers.append(found.numpy()[: total - begin])
        return np.concatenate(answers).reshape(len(patches), count, -1)

    def _functions(self, number):
        """Return the network in two compiled parts: up to a layer, and from its values on."""
        if number not in self._steps:
            graph, start = self.tiling.graph, self.tiling.tiled[0].node
            node = self.tiling.tiled[number].node
            inside = tf.TensorSpec((None, *node.output.shape[1:]), node.output.dtype)
            self._steps[number] = (
                traced(
                    lambda inputs: run(graph, {start: inputs}, [node])[0],
                    [tf.TensorSpec((None, *start.output.shape[1:]), tf.float32)],
                ),
                traced(
                    lambda *given: _put_together(graph, node, *given),
                    [tf.TensorSpec((4,), tf.int32), inside, tf.TensorSpec((None, None), tf.int32)],
                ),
            )
        return self._steps[number]


def _put_together(graph, node, numbers, maps, index):
    """Answer for combinations begin to begin + size: number i is input i // count, and so on."""
    begin, size, total, patterns = tf.unstack(numbers)
    each = tf.minimum(begin + tf.range(size), total - 1)
    count, cells = tf.shape(index)[0], tf.shape(index)[1]
    places = tf.gather(index, each % count) + (each // count * patterns * cells)[:, None]
    shape = node.output.shape[1:]
    values = tf.gather(tf.reshape(maps, (-1, shape[-1])), places)
    (answers,) = run(graph, {node: tf.reshape(values, (-1, *shape))}, [graph.output])
    return tf.cast(answers, tf.float32)


def _index(cut, present) -> np.ndarray:
    """Return where the values of the cells are for each coalition: int (m, cells).

    They are numbered by patterns first. A pattern has a bit for each kind of rectangles, those of
    one remainder in time and one in frequency; of each kind, a cell sees one rectangle at most.
    """
    pattern = np.zeros((len(present), cut.rows.shape[1], cut.columns.shape[1]), int)
    kinds = [(row, column) for row in cut.rows for column in cut.columns]
    for bit, (row, column) in enumerate(kinds):
        pattern += present[:, row[:, None] * cut.across + column].astype(int) << bit
    flat = pattern.reshape(len(present), -1)
    return flat * flat.shape[1] + np.arange(flat.shape[1])


def _edges(line) -> np.ndarray:
    """Return the first and last-plus-one cell of each number in a rising line: int (count, 2)."""
    numbers = np.arange(line[-1] + 1)
    return np.stack([np.searchsorted(line, numbers, side) for side in ("left", "right")], axis=1)


def _seen(lows, highs, size) -> np.ndarray:
    """Return which stretch, of those of each remainder, each cell sees: int (remainders, size).

    Stretches that a cell sees follow each other, so that as many remainders as the most of them
    tell them apart. Where a cell sees none of a remainder, any will do.
    """
    inside = (lows[:, None] <= np.arange(size)) & (np.arange(size) < highs[:, None])
    most = max(1, int(inside.sum(axis=0).max()))
    return np.stack([first + most * inside[first::most].argmax(axis=0) for first in range(most)])


def _is_bottleneck(graph, node, start) -> bool:
    """Tell whether all that the output knows of the input goes through a node."""
    waiting, met = [graph.output], {node}
    while waiting:
        one = waiting.pop()
        if one not in met:
            met.add(one)
            waiting += one.parents
    return start not in met
