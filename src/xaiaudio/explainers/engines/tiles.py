"""Rectangles hidden in patches, where only what they can have changed is computed again.

A convolution behind a hidden rectangle gives other values only near it. The network's values for
the whole patch are kept; of each layer, the tile that a rectangle reaches is computed anew, with
what lies around it taken from the values that are kept. The answers are those of the whole sweep up
to rounding.
"""

from __future__ import annotations

from functools import cached_property
from itertools import product
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import tensorflow as tf

from ...models.caching import PerModel
from ...models.graph import graph_of, run
from ...models.tiling import Tiling
from ...models.tracing import traced
from ...progress import bar
from .perturbation import BATCH, asked, engine_of, output_of

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from ...models.classifier import AudioClassifier
    from ...models.tiling import Tiled
    from ...patches import Patches
    from .masks import Boxes

# What takes as long as how many multiplications, measured on two cores: to fetch a value, to make
# one, to lay out a weight anew, to call a layer.
FETCHED, MADE, LAID_OUT, CALLED = 24, 24, 40, 4e6
# How many times less work tiles have to be.
WORTH = 1.3
# Sizes of tiles along one axis that are tried; values that wait for the network's last layers.
SIZES, WAITING = 5, 1 << 24

_TILES = PerModel()


class Group(NamedTuple):
    """Masks whose tiles have one size in each layer.

    Attributes
    ----------
    masks : ndarray of int, shape (g,)
        Their numbers.
    starts : ndarray of int32, shape (layers, 2, g)
        First row and column of each tile.
    sizes : ndarray of int32, shape (layers, 2)
    """

    masks: np.ndarray
    starts: np.ndarray
    sizes: np.ndarray


def hidden(
    classifier: AudioClassifier,
    patches: Patches | ArrayLike,
    fill: ArrayLike,
    boxes: Boxes,
    output: str | None = None,
    precision: str = "float32",
    *,
    progress: bool | None = None,
) -> np.ndarray:
    """Ask the network about every patch with each rectangle hidden.

    Parameters
    ----------
    classifier : AudioClassifier
    patches : Patches or array_like of float, shape (n, frames, bands)
    fill : array_like of float
        What stands in hidden cells; like `patches`.
    boxes : Boxes
        m rectangles.
    output : {"scores", "logits"} or None
        See :func:`.perturbation.output_of`.
    precision : {"float32", "bfloat16"}
        See :func:`.precision.precision_of`.
    progress : bool or None
        Show a progress bar on stderr; None shows one on a terminal only.

    Returns
    -------
    ndarray of float32, shape (n, m, classes)
        What the :class:`.perturbation.Engine` answers, up to rounding; by it where the network
        has no layers whose cells can be computed by themselves, or tiles would be no less work.

    Examples
    --------
    >>> import numpy as np, xaiaudio as xa
    >>> from xaiaudio.explainers.engines.masks import Boxes
    >>> patches = np.zeros((2, 96, 64), "float32")
    >>> hidden(xa.load_model("lite"), patches, patches, Boxes(np.array([[0, 9, 0, 9]]))).shape
    (2, 1, 10)
    """
    output = output_of(classifier, output)
    tiles = None if classifier.lacks else _tiles_of(classifier, output, precision)
    if tiles is None or not tiles.pays(boxes.edges):
        return engine_of(classifier, output, precision)(patches, fill, boxes, progress=progress)
    values = np.asarray(patches, np.float32)
    fill = np.broadcast_to(np.asarray(fill, np.float32), values.shape)
    return tiles(classifier.as_input(values), classifier.as_input(fill), boxes.edges, progress)


def _tiles_of(classifier, output, precision="float32") -> Tiles | None:
    network = asked(classifier, output, precision)

    def make(_):
        tiling = Tiling(graph_of(network))
        return Tiles(tiling) if len(tiling.tiled) > 1 else None

    return _TILES(network, "tiles", make)


class Tiles:
    """A network that answers for rectangles hidden in its inputs.

    Parameters
    ----------
    tiling : Tiling
        Of the network's graph.
    """

    def __init__(self, tiling: Tiling):
        self.tiling = tiling
        self._plans: dict[bytes, Plan] = {}

    def pays(self, edges: np.ndarray) -> bool:
        """Tell whether tiles are less work than the whole sweep, by estimate."""
        plan = self._plan(edges)
        return plan.whole >= WORTH * plan.tiled

    def __call__(self, inputs, fills, edges, progress=None) -> np.ndarray:
        """Return the answers (n, m, classes); see :func:`hidden`."""
        groups = self._plan(edges).groups
        ends = [self.tiling.tiled[number] for number in self.tiling.ends]
        values = len(edges) * sum(int(np.prod(one.shape)) for one in ends)
        chunk = max(1, min(8, WAITING // values))
        found = []
        with bar(-(-len(inputs) // chunk), progress) as advance:
            for start in range(0, len(inputs), chunk):
                part = slice(start, start + chunk)
                found.append(self._answers(inputs[part], fills[part], edges, groups))
                advance()
        return np.concatenate(found)

    def _answers(self, inputs, fills, edges, groups):
        """Answer for a few inputs: the layers with tiles group by group, the rest for all."""
        whole, tiles, rest = self._functions
        kind = self.tiling.tiled[0].node.output.dtype
        *kept, base = whole(tf.constant(inputs, kind))
        answers = np.repeat(base.numpy()[:, None], len(edges), axis=1)
        fills, places, maps = tf.constant(fills, kind), [], []
        for group in groups:
            combinations = [axis.ravel() for axis in np.mgrid[: len(inputs), : len(group.masks)]]
            for start in range(0, len(combinations[0]), BATCH):
                which, mask = (axis[start : start + BATCH] for axis in combinations)
                numbers = group.masks[mask]
                starts = group.starts[:, :, mask]
                index = _indices(self.tiling, which, edges[numbers], starts, group.sizes, inputs)
                made = tiles(*map(tf.constant, index), fills, *kept)
                places.append((which, numbers))
                maps.append(made)
        if not maps:
            return answers
        which, numbers = (np.concatenate(axis) for axis in zip(*places, strict=True))
        joined = [tf.concat(parts, axis=0) for parts in zip(*maps, strict=True)]
        for start in range(0, len(which), BATCH):
            part = slice(start, start + BATCH)
            answers[which[part], numbers[part]] = rest(*(one[part] for one in joined)).numpy()
        return answers

    @cached_property
    def _functions(self):
        """The network in three compiled parts: the whole, tiles up to the ends, and the rest."""
        return _functions(self.tiling)

    def _plan(self, edges):
        key = edges.tobytes()
        if key not in self._plans:
            if len(self._plans) > 32:
                self._plans.clear()
            self._plans[key] = _planned(self.tiling, np.asarray(edges, int))
        return self._plans[key]


class Plan(NamedTuple):
    """How masks are sorted, and the work for one input: of all tiles, and of the whole sweep."""

    groups: list[Group]
    tiled: float
    whole: float


def _planned(tiling, edges) -> Plan:
    """Sort masks into groups, so that the least is computed."""
    real = np.flatnonzero((edges[:, 1] > edges[:, 0]) & (edges[:, 3] > edges[:, 2]))
    if not len(real):
        return Plan([], 1.0, 1.0)
    spans, which = [], []
    for axis in (0, 1):
        pairs, whose = np.unique(edges[real, 2 * axis : 2 * axis + 2], axis=0, return_inverse=True)
        spans.append(tiling.changed(axis, pairs))
        which.append(whose.ravel())
    sizes = [np.maximum(highs - lows, 1) for lows, highs in spans]
    trials = []
    for counts in product(range(1, SIZES + 1), repeat=2):
        classes = [_classes(one, count) for one, count in zip(sizes, counts, strict=True)]
        largest = [
            np.stack([one[:, kinds == kind].max(axis=1) for kind in range(kinds.max() + 1)])
            for one, kinds in zip(sizes, classes, strict=True)
        ]
        both = [kinds[whose] for kinds, whose in zip(classes, which, strict=True)]
        trials.append((_cost(tiling, largest, both), largest, both))
    cost, largest, both = min(trials, key=lambda trial: trial[0])
    groups = []
    for kinds in sorted(set(zip(*(one.tolist() for one in both), strict=True))):
        chosen = np.flatnonzero((both[0] == kinds[0]) & (both[1] == kinds[1]))
        size = np.stack([largest[axis][kinds[axis]] for axis in (0, 1)], axis=1)
        starts = []
        for axis in (0, 1):
            ends = np.array([one.shape[axis] for one in tiling.tiled]) - size[:, axis]
            lows = spans[axis][0][:, which[axis][chosen]]
            starts.append(np.clip(lows, 0, ends[:, None]))
        groups.append(Group(real[chosen], np.stack(starts, axis=1), size))
    cells = [one.shape[0] * one.shape[1] for one in tiling.tiled]
    once = sum(work(one) * count for one, count in zip(tiling.tiled, cells, strict=True))
    rest = tiling.rest * len(edges)
    return Plan(groups, once + cost + rest, len(edges) * once + rest)


def work(one: Tiled) -> float:
    """Return what a cell of a layer costs, in multiplications."""
    return one.work + MADE * one.shape[2]


def _classes(sizes, count) -> np.ndarray:
    """Sort places (layers, m) into at most `count` classes of about one size: int (m,)."""
    order = np.argsort((sizes / sizes.max(axis=1, keepdims=True)).sum(axis=0), kind="stable")
    classes = np.empty(len(order), int)
    for kind, some in enumerate(np.array_split(order, min(count, len(order)))):
        classes[some] = kind
    return classes


def _cost(tiling, largest, both) -> float:
    """Estimate the multiplications of all tiles, and what fetching and laying out cost."""
    number = np.zeros((len(largest[0]), len(largest[1])))
    np.add.at(number, tuple(both), 1)
    total, used = 0.0, (number > 0).sum()
    for place, one in enumerate(tiling.tiled):
        rows, columns = largest[0][:, place], largest[1][:, place]
        cells = rows[:, None] * columns
        total += (number * cells).sum() * work(one) + used * (one.weights * LAID_OUT + CALLED)
        if not one.is_direct:
            seen = one.windows[0].span(rows)[:, None] * one.windows[1].span(columns)
            channels = sum(tiling.tiled[parent].shape[2] for parent in one.parents)
            total += (number * seen).sum() * channels * FETCHED
    ends = sum(int(np.prod(tiling.tiled[end].shape)) for end in tiling.ends)
    return total + number.sum() * ends * FETCHED


def _functions(tiling):
    graph, tiled = tiling.graph, tiling.tiled
    needed = _needed(tiling)
    start, ends = tiled[0].node, [tiled[number].node for number in tiling.ends]
    specs = [tf.TensorSpec((None, *one.shape), one.node.output.dtype) for one in tiled]

    def whole(inputs):
        wanted = [*(tiled[number].node for number in needed), graph.output]
        *found, answers = run(graph, {start: inputs}, wanted)
        return [*found, tf.cast(answers, tf.float32)]

    def rest(*maps):
        (answers,) = run(graph, dict(zip(ends, maps, strict=True)), [graph.output])
        return tf.cast(answers, tf.float32)

    def tiles(*arrays):
        index, (fills, *kept) = iter(arrays[:count]), arrays[count:]
        known = dict(zip(needed, kept, strict=True))
        made = {0: _fetched(next(index), 0.0, known[0], fills)}
        for number, one in enumerate(tiled[1:], 1):
            if one.is_direct:
                values = [made[one.parents[0]]]
            else:
                values = [
                    _fetched(next(index), one.padding, known[parent], made[parent])
                    for parent in one.parents
                ]
            share = next(index) if one.shared else None
            made[number] = one.compute(values, share)
        return [_fetched(next(index), 0.0, known[end], made[end]) for end in tiling.ends]

    indices = []
    for one in tiled:
        fetches = 0 if one.is_direct else max(1, len(one.parents))
        indices += [tf.TensorSpec((None, None, None), tf.int32)] * fetches
        indices += [tf.TensorSpec((None, None, None, 1), tf.float32)] * one.shared
    indices += [tf.TensorSpec((None, None, None), tf.int32)] * len(ends)
    count = len(indices)
    return (
        traced(whole, specs[:1]),
        traced(tiles, [*indices, specs[0], *(specs[number] for number in needed)]),
        traced(rest, [specs[number] for number in tiling.ends]),
    )


def _needed(tiling) -> list[int]:
    """Return the layers whose values of the whole input are kept."""
    parents = {parent for one in tiling.tiled if not one.is_direct for parent in one.parents}
    return sorted({0} | parents | set(tiling.ends))


def _fetched(index, padding, *stores):
    """Fetch cells (batch, rows, columns): number 0 is padding, then come those of the stores."""
    kind, channels = stores[0].dtype, stores[0].shape[-1]
    cells = [tf.fill([1, channels], tf.constant(padding, kind))]
    cells += [tf.reshape(tf.cast(store, kind), (-1, channels)) for store in stores]
    return tf.gather(tf.concat(cells, axis=0), index)


def _indices(tiling, which, edges, starts, sizes, inputs) -> list[np.ndarray]:
    """Return what :func:`_fetched` fetches, in the order of the layers.

    Parameters
    ----------
    tiling : Tiling
    which : ndarray of int, shape (batch,)
        The input of each tile.
    edges : ndarray of int, shape (batch, 4)
        What is hidden.
    starts : ndarray of int, shape (layers, 2, batch)
    sizes : ndarray of int, shape (layers, 2)
    inputs : ndarray, shape (n, h, w, channels)
    """
    n, h, w, _ = inputs.shape
    rows, columns = (starts[0, a][:, None] + np.arange(sizes[0, a]) for a in (0, 1))
    top, bottom, left, right = edges.T[..., None]
    inside = _both((rows >= top) & (rows < bottom), (columns >= left) & (columns < right))
    cells = 1 + ((which[:, None] * h + rows) * w)[:, :, None] + columns[:, None]
    found = [cells + n * h * w * inside]

    def fetch(number, rows, columns):
        # Those in its tile, those that are kept, and what lies outside of the map.
        h, w, _ = tiling.tiled[number].shape
        down, right = (x - s[:, None] for x, s in zip((rows, columns), starts[number], strict=True))
        high, wide = sizes[number]
        anew = _both((down >= 0) & (down < high), (right >= 0) & (right < wide))
        inside = _both((rows >= 0) & (rows < h), (columns >= 0) & (columns < w))
        old = 1 + ((which[:, None] * h + rows) * w)[:, :, None] + columns[:, None]
        tile = np.arange(len(which))[:, None] * high + down
        new = 1 + n * h * w + (tile * wide)[:, :, None] + right[:, None]
        found.append(np.where(anew, new, np.where(inside, old, 0)))

    for number, one in enumerate(tiling.tiled):
        here, size = starts[number], sizes[number]
        if not one.is_direct:
            seen = [w.seen(s, k) for w, s, k in zip(one.windows, here, size, strict=True)]
            for parent in one.parents:
                fetch(parent, *seen)
        if one.shared:
            before = tiling.tiled[one.parents[0]].shape
            rows, columns = (one.windows[a].share(here[a], size[a], before[a]) for a in (0, 1))
            found.append((rows[:, :, None] * columns[:, None])[..., None].astype(np.float32))
    for end in tiling.ends:
        h, w, _ = tiling.tiled[end].shape
        fetch(end, *(np.tile(np.arange(size), (len(which), 1)) for size in (h, w)))
    return [one if one.dtype == np.float32 else one.astype(np.int32) for one in found]


def _both(rows, columns):
    return rows[:, :, None] & columns[:, None]
