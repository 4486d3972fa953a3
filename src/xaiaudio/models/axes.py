"""Which axis of a tensor inside a network is time, and which is frequency."""

from __future__ import annotations

import numpy as np

from .graph import Graph, Node

TIME, FREQUENCY, CHANNEL = "time", "frequency", "channel"

#: Keras's layers and operations that may put axes elsewhere; its others leave them in place.
_MOVING = {
    *("Permute", "Reshape", "Flatten", "Transpose", "Swapaxes", "Moveaxis", "Squeeze"),
    *("ExpandDims", "GetItem", "Flip", "Rot90", "Roll", "Take", "Slice", "Einsum"),
    *("Cropping1D", "Cropping2D"),
}
#: Parts of the names of layers that make channels of their last axis.
_MIXING = ("Conv", "Dense", "LSTM", "GRU", "RNN", "Attention", "Bidirectional")
# A cut that takes no more than this share off an end of an axis leaves the places what they are.
_LITTLE = 1 / 8
# Stands for a size that the network leaves open.
_SOME_SIZE = 7


def axes_of(graph: Graph) -> dict[Node, tuple[str | None, ...]]:
    """Follow time and frequency from the input (batch, frames, bands) or (..., 1) on.

    Parameters
    ----------
    graph : Graph

    Returns
    -------
    dict of Node to tuple
        For each axis of the node's output, without the batch: ``"time"``, ``"frequency"``,
        ``"channel"``, or None where it is none of these, or cannot be told, or where its cells lie
        elsewhere than in the patch, as behind a cut.

    Examples
    --------
    >>> import keras
    >>> from xaiaudio.models.graph import graph_of
    >>> x = keras.Input((24, 16, 2))
    >>> graph = graph_of(keras.Model(x, keras.layers.Permute((2, 1, 3))(x)))
    >>> axes_of(graph)[graph.output]
    ('frequency', 'time', 'channel')
    """
    found: dict[Node, tuple[str | None, ...]] = {}
    for node in graph.nodes:
        if not node.parents:
            rank = len(node.output.shape) - 1
            found[node] = (TIME, FREQUENCY, *[CHANNEL] * rank)[:rank]
        else:
            found[node] = _behind(node, [found[parent] for parent in node.parents])
    return found


def _behind(node: Node, before: list) -> tuple[str | None, ...]:
    ours = type(node.operation).__module__.startswith("keras.")
    ours = ours and type(node.operation).__name__ not in ("Lambda", "TFSMLayer")
    moving = type(node.operation).__name__ in _MOVING
    rank = len(node.output.shape) - 1
    if len(node.inputs) == 1 and (moving or not ours):
        sources = _sources(node)
        if sources is not None:
            return tuple(None if source is None else before[0][source] for source in sources)
        if moving:
            return (None,) * rank
    if any(len(axes) == rank for axes in before) and not (not ours and _swaps(node)):
        names = _merged(node, before, rank)
        # Put one behind the other along an axis, pieces lie elsewhere in it.
        behind = getattr(node.operation, "axis", -1) if len(node.inputs) > 1 else -1
        joined = type(node.operation).__name__ == "Concatenate" and behind % (rank + 1) != rank
        return tuple(
            None if joined and axis == behind % (rank + 1) - 1 else name
            for axis, name in enumerate(names)
        )
    return _by_size(node, before[0])


def _sources(node: Node) -> list[int | None] | None:
    """Return which input axis each output axis is, or None if values are not only moved.

    The operation is called once for each input axis, on numbers that count along that axis.
    """
    moving = type(node.operation).__name__ in _MOVING
    shape = [size or _SOME_SIZE for size in node.inputs[0].shape[1:]]
    counted = np.indices(shape, dtype="float32")
    try:
        outputs = [np.asarray(node.call(one[None]))[0] for one in counted]
    except Exception:  # somebody's own layer may refuse these numbers in any way
        return None
    sources: list[int | None] = []
    for axis in range(outputs[0].ndim):
        steps = [np.unique(np.diff(one, axis=axis)) for one in outputs]
        along = [k for k, step in enumerate(steps) if np.any(step != 0)]
        if outputs[0].shape[axis] == 1:
            sources.append(None)
        elif len(along) == 1 and len(steps[along[0]]) == 1 and steps[along[0]][0] > 0:
            whole = _is_whole(outputs[along[0]], shape[along[0]], steps[along[0]][0])
            sources.append(along[0] if whole else None)
        elif moving or (along and all(_are_places(outputs[k], shape[k]) for k in along)):
            sources.append(None)  # axes run together, or backwards
        else:
            return None
    return sources


def _is_whole(places, size: int, step: float) -> bool:
    """Tell whether places from a first one on, each a step further, span an axis."""
    little = max(step, _LITTLE * size)
    return places.min() <= little and places.max() + step >= size - little


def _are_places(values, size: int) -> bool:
    """Tell whether all values are whole numbers that count an axis."""
    return bool(np.all(values == np.rint(values)) and values.min() >= 0 and values.max() < size)


def _swaps(node: Node) -> bool:
    """Tell whether somebody's own layer gives the two sizes it was given the other way round."""
    before, after = (tuple(tensor.shape[1:3]) for tensor in (node.inputs[0], node.output))
    return before != after and before == after[::-1]


def _merged(node: Node, before: list, rank: int) -> tuple[str | None, ...]:
    """Axes stay in place; where inputs come together they must agree."""
    merged: list[str | None] = []
    for axis in range(rank):
        names = {
            axes[axis]
            for axes, tensor in zip(before, node.inputs, strict=True)
            if len(axes) == len(tensor.shape) - 1 == rank and tensor.shape[axis + 1] != 1
        }
        merged.append(names.pop() if len(names) == 1 else None)
    if _mixes(node) or (rank == 3 and merged[-1] is None):
        merged[-1] = CHANNEL
    return tuple(merged)


def _by_size(node: Node, before) -> tuple[str | None, ...]:
    """Where the number of axes changes, an axis is known by a size that occurs once."""
    sizes = list(node.inputs[0].shape[1:])
    found = []
    for size in node.output.shape[1:]:
        once = size not in (None, 1) and sizes.count(size) == 1
        found.append(before[sizes.index(size)] if once else None)
    if found and _mixes(node):  # such as the last state of a recurrent layer, of whatever size
        found[-1] = CHANNEL
    return tuple(found)


def _mixes(node: Node) -> bool:
    """Tell whether a layer makes channels of its last axis."""
    return any(part in type(node.operation).__name__ for part in _MIXING)
