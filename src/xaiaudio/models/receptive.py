"""Which cells of a patch each cell of a feature map can see: its receptive field."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import keras
import numpy as np

from .graph import Graph, Node

if TYPE_CHECKING:
    from typing import Any

POOLINGS = (keras.layers.MaxPooling2D, keras.layers.AveragePooling2D)
CONVOLUTIONS = (
    *(keras.layers.Conv2D, keras.layers.DepthwiseConv2D),
    keras.layers.SeparableConv2D,
)
#: What works on each cell by itself.
CELLWISE = (
    *(keras.layers.Activation, keras.layers.ReLU, keras.layers.LeakyReLU, keras.layers.ELU),
    *(keras.layers.PReLU, keras.layers.BatchNormalization, keras.layers.Identity),
    *(keras.layers.Dropout, keras.layers.SpatialDropout2D, keras.layers.GaussianDropout),
    *(keras.layers.GaussianNoise, keras.layers.Rescaling, keras.layers.Add),
    *(keras.layers.Multiply, keras.layers.Average, keras.layers.Maximum, keras.layers.Minimum),
    *(keras.layers.Subtract, keras.layers.Concatenate),
)


@dataclass(frozen=True, eq=False)
class Fields:
    """Receptive fields of the cells of a feature map.

    Attributes
    ----------
    frames : ndarray of int, shape (h, 2)
        First frame that a row of the map sees, and the one behind the last.
    bands : ndarray of int, shape (w, 2)
        The same for its columns.
    """

    frames: np.ndarray
    bands: np.ndarray

    def of(self, cell: int) -> tuple[tuple[int, int], tuple[int, int]]:
        """Return the frames and the bands that a cell sees, counted row by row."""
        row, column = divmod(int(cell), len(self.bands))
        (one, two), (low, high) = self.frames[row].tolist(), self.bands[column].tolist()
        return (one, two), (low, high)


def fields(graph: Graph, node: Node) -> Fields:
    """Return what each cell of a feature map sees of the patch.

    Exact for convolutions, poolings, padding and what works on each cell by itself, at the edges
    too. Behind anything else a cell is taken to see the whole patch.

    Parameters
    ----------
    graph : Graph
    node : Node
        Of the graph; gives (n, h, w, channels).

    Returns
    -------
    Fields

    Examples
    --------
    >>> import xaiaudio as xa
    >>> from xaiaudio.models.graph import blocks, graph_of
    >>> graph = graph_of(xa.load_model("lite").network)
    >>> found = fields(graph, blocks(graph)[2])
    >>> found.frames.shape, found.frames[12].tolist()  # row 12 of 24
    ((24, 2), [37, 63])
    """
    known: dict[Node, tuple[np.ndarray, np.ndarray]] = {}
    shape = tuple(graph.nodes[0].output.shape[1:3])
    for one in graph.nodes:
        if not one.parents:
            shape = tuple(one.output.shape[1:3])
            known[one] = tuple(np.stack([np.arange(n), np.arange(n) + 1], axis=1) for n in shape)  # type: ignore[assignment]
            continue
        if len(one.output.shape) != 4:
            continue
        seen = [known[parent] for parent in one.parents if parent in known]
        complete = len(seen) == len(one.parents)
        known[one] = tuple(  # type: ignore[assignment]
            _axis(one, axis, [pair[axis] for pair in seen] if complete else None, shape[axis])
            for axis in (0, 1)
        )
        if one is node:
            break
    return Fields(*known[node])


def _axis(node, axis, before, size) -> np.ndarray:
    """Return what the cells of one axis see, (cells, 2), given what those of the parents see."""
    count = node.output.shape[1 + axis]
    layer = node.operation
    whole = np.tile([0, size], (count, 1))
    if before is None:
        return whole
    if type(layer) in CELLWISE and all(len(one) == count for one in before):
        lows, highs = zip(*(one.T for one in before), strict=True)
        return np.stack([np.min(lows, axis=0), np.max(highs, axis=0)], axis=1)
    if len(before) != 1 or getattr(layer, "data_format", None) == "channels_first":
        return whole
    steps = steps_of(layer, axis, len(before[0]), count)
    return whole if steps is None else _seen(before[0], *steps)


def _seen(before, first, taps, apart) -> np.ndarray:
    """Join what the taps of each window, `apart` cells from each other, see.

    A tap in the padding sees nothing; a window that lies in it wholly sees the cell next to it.
    """
    cells = first[:, None] + apart * np.arange(taps)
    real = (cells >= 0) & (cells < len(before))
    real |= ~real.any(axis=1, keepdims=True)
    cells = np.clip(cells, 0, len(before) - 1)
    lows = np.where(real, before[cells, 0], np.iinfo(int).max).min(axis=1)
    return np.stack([lows, np.where(real, before[cells, 1], -1).max(axis=1)], axis=1)


def steps_of(layer: Any, axis: int, given: int, count: int) -> Any:
    """Return where the windows of a layer's cells lie on one axis.

    Parameters
    ----------
    layer : keras.Layer
    axis : {0, 1}
        Frames or bands.
    given, count : int
        Cells along the axis before the layer, and behind it.

    Returns
    -------
    tuple of (ndarray of int, int, int), or None
        The first cell of each window, its taps and how far apart they are. None for a layer that
        has no windows, or is not known.

    Examples
    --------
    >>> first, taps, apart = steps_of(keras.layers.Conv2D(4, 3, 2, padding="same"), 0, 7, 4)
    >>> first.tolist(), taps, apart
    ([-1, 1, 3, 5], 3, 1)
    """
    numbers = np.arange(count)
    if isinstance(layer, keras.layers.ZeroPadding2D):
        return numbers - layer.padding[axis][0], 1, 1
    if isinstance(layer, keras.layers.Cropping2D):
        return numbers + layer.cropping[axis][0], 1, 1
    apart = 1
    if type(layer) in POOLINGS:
        taps = layer.pool_size[axis]
    elif type(layer) in CONVOLUTIONS:
        taps, apart = layer.kernel_size[axis], layer.dilation_rate[axis]
    else:
        return None
    stride = layer.strides[axis]
    before = 0
    if layer.padding == "same":
        width = (taps - 1) * apart + 1
        before = max((count - 1) * stride + width - given, 0) // 2
    return numbers * stride - before, taps, apart
