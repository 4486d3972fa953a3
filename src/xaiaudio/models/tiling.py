"""Which cells inside a network a change of some cells of its input can reach, layer by layer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import keras
import numpy as np

from .graph import Graph, Node
from .grouped import in_groups
from .receptive import CELLWISE, CONVOLUTIONS, POOLINGS, steps_of

if TYPE_CHECKING:
    from collections.abc import Callable

#: Keras's operations that work on each cell by itself.
_OPERATIONS = (
    *("Add", "Subtract", "Multiply", "Divide", "Maximum", "Minimum", "Negative"),
    *("Relu", "Relu6", "LeakyRelu", "Elu", "Selu", "Gelu", "Silu", "Tanh", "Sigmoid"),
    *("HardSigmoid", "HardSilu", "Softplus", "Softsign"),
)


class Windows(NamedTuple):
    """Where the windows of a layer's cells lie on one axis: cell i begins at i * stride - before.

    Attributes
    ----------
    stride, before, taps, apart : int
    """

    stride: int = 1
    before: int = 0
    taps: int = 1
    apart: int = 1

    @property
    def reach(self) -> int:
        """Cells from the first tap to the last."""
        return (self.taps - 1) * self.apart

    def changed(
        self, lows: np.ndarray, highs: np.ndarray, count: int
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return which cells behind the layer see some cells before it.

        Parameters
        ----------
        lows, highs : ndarray of int
            First and last-plus-one cell before the layer. Where they are equal there are none.
        count : int
            Cells behind the layer.

        Returns
        -------
        lows, highs : ndarray of int
            First and last-plus-one cell behind it.
        """
        first = -((self.reach - self.before - lows) // self.stride)
        last = (highs - 1 + self.before) // self.stride + 1
        first, last = np.clip(first, 0, count), np.clip(last, 0, count)
        return first, np.where(highs > lows, np.maximum(first, last), first)

    def span(self, size: int | np.ndarray) -> int | np.ndarray:
        """Return how many cells before the layer `size` cells behind it see.

        Parameters
        ----------
        size : int or ndarray of int

        Returns
        -------
        int or ndarray of int
        """
        return (size - 1) * self.stride + self.reach + 1

    def seen(self, starts: np.ndarray, size: int) -> np.ndarray:
        """Return which cells before the layer are seen.

        Parameters
        ----------
        starts : ndarray of int, shape (m,)
            First of the cells behind the layer that see.
        size : int
            How many do.

        Returns
        -------
        ndarray of int, shape (m, span)
        """
        return (starts * self.stride - self.before)[:, None] + np.arange(self.span(int(size)))

    def share(self, starts: np.ndarray, size: int, count: int) -> np.ndarray:
        """Return which share of the taps of cells is real, and not padding.

        Parameters
        ----------
        starts, size
            As in :meth:`seen`.
        count : int
            Cells before the layer.

        Returns
        -------
        ndarray of float, shape (m, size)
        """
        cells = starts[:, None] + np.arange(size)
        taps = (cells * self.stride - self.before)[..., None] + self.apart * np.arange(self.taps)
        return ((taps >= 0) & (taps < count)).mean(axis=-1)


@dataclass(frozen=True, eq=False)
class Tiled:
    """A layer of which a part of the cells can be computed by itself.

    Attributes
    ----------
    node : Node
    parents : tuple of int
        The numbers of those that it needs.
    windows : pair of Windows
        Along frames and bands.
    compute : callable or None
        ``(values, share) -> tile``: of a part of each parent, where the layer's windows need no
        padding any more. None for the input.
    padding : float
        What lies around the parent's cells.
    work : int
        Multiplications for each of its cells.
    weights : int
    shared : bool
        Whether `compute` has to know which `share` of the taps of each of the tile's cells,
        (batch, rows, columns, 1), is not padding.
    """

    node: Node
    parents: tuple[int, ...]
    windows: tuple[Windows, Windows]
    compute: Callable | None
    padding: float = 0.0
    work: int = 0
    weights: int = 0
    shared: bool = False

    @property
    def is_direct(self) -> bool:
        """Whether a tile covers just the cells of its parent's."""
        return len(self.parents) == 1 and all(one == Windows() for one in self.windows)

    @property
    def shape(self) -> tuple[int, int, int]:
        """Rows, columns and channels."""
        rows, columns, channels = self.node.output.shape[1:]
        return rows, columns, channels


class Tiling:
    """The part of a network, from its input on, whose cells can be computed tile by tile.

    Convolutions, poolings, padding and what works on each cell by itself; a layer that is not
    known, and all that lies behind it, is left to the network itself.

    Parameters
    ----------
    graph : Graph
        Of one input (batch, frames, bands, channels).

    Attributes
    ----------
    tiled : tuple of Tiled
        In order; the first is the input.
    ends : tuple of int
        Numbers of those that the rest of the network reads.
    rest : int
        Multiplications of the rest for each input.

    Examples
    --------
    >>> import numpy as np, xaiaudio as xa
    >>> from xaiaudio.models.graph import graph_of
    >>> tiling = Tiling(graph_of(xa.load_model("lite").logits_network))
    >>> tiling.tiled[-1].node.name
    'pool4'
    >>> lows, highs = tiling.changed(0, np.array([[40, 59]]))
    >>> int(lows[-1, 0]), int(highs[-1, 0])  # of 6 rows
    (0, 6)
    """

    def __init__(self, graph: Graph):
        found: dict[Node, int] = {}
        tiled: list[Tiled] = []
        self.graph = graph
        for node in graph.nodes:
            one = _tiled(node, found)
            if one is not None:
                found[node] = len(tiled)
                tiled.append(one)
        self.tiled = tuple(tiled)
        self.ends = tuple(
            number
            for node, number in found.items()
            if node in graph.outputs or any(one not in found for one in graph.consumers[node])
        )
        self.rest = sum(_work(node)[0] for node in graph.nodes if node not in found)

    def changed(self, axis: int, edges: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return which cells of each layer can be other ones when those of the input are.

        Parameters
        ----------
        axis : {0, 1}
            Frames or bands.
        edges : ndarray of int, shape (m, 2)
            First and last-plus-one cell of the input.

        Returns
        -------
        lows, highs : ndarray of int, shape (layers, m)
        """
        lows, highs = [edges[:, 0]], [edges[:, 1]]
        for one in self.tiled[1:]:
            count, windows = one.shape[axis], one.windows[axis]
            pairs = [windows.changed(lows[n], highs[n], count) for n in one.parents]
            some = [high > low for low, high in pairs]
            # Where a parent has not changed, its interval does not count.
            low = np.min([np.where(s, p[0], count) for s, p in zip(some, pairs, strict=True)], 0)
            high = np.max([np.where(s, p[1], 0) for s, p in zip(some, pairs, strict=True)], 0)
            lows.append(np.minimum(low, high))
            highs.append(high)
        return np.stack(lows), np.stack(highs)


def _tiled(node, found) -> Tiled | None:
    """Return how a node's cells are computed; None if it, or what it needs, is not known."""
    shape = tuple(node.output.shape)
    if len(node.outputs) != 1 or len(shape) != 4 or None in shape[1:]:
        return None
    alone = (Windows(), Windows())
    if not node.parents:
        return Tiled(node, (), alone, None) if not found else None
    if any(parent not in found for parent in node.parents):
        return None
    parents, (work, weights) = tuple(found[parent] for parent in node.parents), _work(node)
    if _is_cellwise(node):
        return Tiled(node, parents, alone, lambda values, *_: node.call(*values), 0.0, work)
    layer, before = node.operation, node.parents[0].output.shape
    if len(parents) != 1 or getattr(layer, "data_format", None) == "channels_first":
        return None
    both = []
    for axis in (0, 1):
        steps = steps_of(layer, axis, before[1 + axis], shape[1 + axis])
        if steps is None:
            return None
        first, taps, apart = steps
        stride = int(first[1] - first[0]) if len(first) > 1 else 1
        both.append(Windows(stride, -int(first[0]), taps, apart))
    windows = (both[0], both[1])
    if type(layer) in CONVOLUTIONS:
        if not _is_builtin(layer.activation) or getattr(layer, "quantization_mode", None):
            return None
        return Tiled(node, parents, windows, _convolution(layer), 0.0, work, weights)
    if type(layer) in POOLINGS:
        means = type(layer) is keras.layers.AveragePooling2D
        lowest = 0.0 if means else float("-inf")
        return Tiled(node, parents, windows, _pooling(layer, means), lowest, shared=means)
    return Tiled(node, parents, windows, lambda values, *_: values[0])


def _is_cellwise(node) -> bool:
    """Tell whether a node works on each cell by itself, also where other cells are left out."""
    if len({tuple(tensor.shape[1:3]) for tensor in (*node.inputs, node.output)}) > 1:
        return False
    layer = node.operation
    if node.is_operation(*_OPERATIONS):
        given = [*node._arguments.args, *node._arguments.kwargs.values()]
        plain = (keras.KerasTensor, int, float, bool, str, type(None))
        return all(isinstance(one, plain) for one in given)
    if type(layer) not in CELLWISE or type(layer) is keras.layers.PReLU:
        return False
    if type(layer) in (keras.layers.BatchNormalization, keras.layers.Concatenate):
        return layer.axis in (-1, 3)
    if type(layer) is keras.layers.Rescaling:
        return np.ndim(layer.scale) == np.ndim(layer.offset) == 0
    return _is_builtin(getattr(layer, "activation", None))


def _is_builtin(function) -> bool:
    """Tell whether an activation is Keras's own; another one may look at all cells at once."""
    if function is None:
        return True
    return getattr(function, "__module__", "").startswith("keras.src.activations")


def _work(node) -> tuple[int, int]:
    """Return a node's multiplications: of one cell for a map, of all for what is none; weights."""
    sizes = [np.prod(one.shape) for one in getattr(node.operation, "weights", ()) if one.ndim > 1]
    weights, cells = int(sum(sizes)), node.output.shape[1:-1]
    if len(cells) == 2:
        return weights, weights
    return weights * int(np.prod([size or 1 for size in cells])), weights


def _convolution(layer):
    """Return the layer's convolution of a part that holds its padding already."""
    options = {"padding": "valid", "data_format": "channels_last"}
    options |= {"strides": tuple(layer.strides), "dilation_rate": layer.dilation_rate}

    def convolved(x):
        if type(layer) is keras.layers.SeparableConv2D:
            kernels = (layer.depthwise_kernel, layer.pointwise_kernel)
            return keras.ops.separable_conv(x, *_cast(kernels, x), **options)
        (kernel,) = _cast([layer.kernel], x)
        if type(layer) is keras.layers.DepthwiseConv2D:
            return keras.ops.depthwise_conv(x, kernel, **options)
        return in_groups(lambda part, k: keras.ops.conv(part, k, **options), x, kernel)

    def compute(values, _=None):
        outputs = convolved(keras.ops.cast(values[0], layer.compute_dtype))
        if layer.use_bias:
            outputs += _cast([layer.bias], outputs)[0]
        return outputs if layer.activation is None else layer.activation(outputs)

    return compute


def _cast(weights, like):
    return [keras.ops.cast(one, like.dtype) for one in weights]


def _pooling(layer, means):
    """Return the layer's pooling of a part that holds its padding, which does not count."""
    pool = keras.ops.average_pool if means else keras.ops.max_pool

    def compute(values, share=None):
        found = pool(values[0], layer.pool_size, layer.strides, padding="valid")
        return found / keras.ops.cast(share, found.dtype) if means else found

    return compute
