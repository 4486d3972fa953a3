"""The one walk over the graph of a Keras network: who calls whom, and what the head reads.

All that this package knows of Keras's own records of a graph stands here.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import keras
import numpy as np
import tensorflow as tf

from ..errors import XaiAudioError
from .grouped import call as grouped_call
from .grouped import is_grouped

if TYPE_CHECKING:
    from typing import Any


CONVOLUTIONS = (
    keras.layers.Conv2D,
    keras.layers.Conv2DTranspose,
    keras.layers.SeparableConv2D,
    keras.layers.DepthwiseConv2D,
)
#: Convolutions along one axis, of which the other has become channels.
ALONG_ONE = (
    keras.layers.Conv1D,
    keras.layers.Conv1DTranspose,
    keras.layers.SeparableConv1D,
    keras.layers.DepthwiseConv1D,
)
#: Layers whose outputs depend on all places, so that a place is none behind them.
_MIXING = (
    keras.layers.RNN,
    keras.layers.Bidirectional,
    keras.layers.MultiHeadAttention,
    keras.layers.Attention,
)
#: Layers that a feature map passes on its way to the head without being made anew.
_LATER = (
    keras.layers.MaxPooling2D,
    keras.layers.AveragePooling2D,
    keras.layers.ZeroPadding2D,
    keras.layers.Cropping2D,
    keras.layers.Dropout,
    keras.layers.SpatialDropout2D,
    keras.layers.GaussianDropout,
    keras.layers.GaussianNoise,
    keras.layers.Identity,
    keras.layers.MaxPooling1D,
    keras.layers.AveragePooling1D,
    keras.layers.ZeroPadding1D,
    keras.layers.Cropping1D,
    keras.layers.SpatialDropout1D,
)


@dataclass(frozen=True, eq=False)
class Node:
    """One call of a layer, or of an operation such as ``x + y``, in a network.

    Attributes
    ----------
    operation : keras.Layer or keras.Operation
    parents : tuple of Node
        Where each of its input tensors comes from, in order; empty for the network's input.
    inputs, outputs : tuple of KerasTensor
    """

    operation: Any
    parents: tuple[Node, ...]
    inputs: tuple
    outputs: tuple
    _arguments: Any

    @property
    def name(self) -> str:
        """The layer's or operation's name."""
        return self.operation.name

    @property
    def output(self):
        """The first output tensor; most have one only."""
        return self.outputs[0]

    @property
    def is_layer(self) -> bool:
        """Whether it is a layer, not an operation."""
        return isinstance(self.operation, keras.layers.Layer)

    def is_operation(self, *names: str) -> bool:
        """Tell whether it is one of Keras's own operations, of one of these types."""
        kind = type(self.operation)
        return kind.__module__.startswith("keras.src.ops.") and kind.__name__ in names

    @property
    def arguments(self) -> dict:
        """What it is called with, by the names of its parameters.

        Its inputs stand in another order where they are given by name.
        """
        signature = inspect.signature(self.operation.call)
        return signature.bind(*self._arguments.args, **self._arguments.kwargs).arguments

    @property
    def begins_with_tensor(self) -> bool:
        """Whether the first argument is a tensor: of ``x / 2`` it is, of ``2 / x`` it is not."""
        return isinstance(self._arguments.args[0], keras.KerasTensor)

    def call(self, *values, around: Callable | None = None):
        """Call the operation, as it is in use, on other values of its input tensors.

        `around`, if given, is called on the operation and what it gives.
        """
        given = iter(values)

        def fill(argument):
            return next(given) if isinstance(argument, keras.KerasTensor) else argument

        # In the order of the inputs, where one tensor may stand twice.
        return _called(self, self._arguments.convert(fill), around)


class Graph:
    """The calls that lead from a network's inputs to its outputs.

    Attributes
    ----------
    name : str
        The network's.
    nodes : tuple of Node
        Each after those that it needs. Where a layer is called twice there are two nodes.
    """

    def __init__(self, name: str, nodes: Iterable[Node], outputs: Iterable[Node]):
        self.name, self.nodes, self.outputs = name, tuple(nodes), tuple(outputs)

    @property
    def output(self) -> Node:
        """The node of the first output; its parents feed the last layer."""
        return self.outputs[0]

    @cached_property
    def consumers(self) -> dict[Node, tuple[Node, ...]]:
        """The nodes that read each node's outputs."""
        found: dict[Node, list[Node]] = {node: [] for node in self.nodes}
        for node in self.nodes:
            for parent in dict.fromkeys(node.parents):
                found[parent].append(node)
        return {node: tuple(readers) for node, readers in found.items()}

    def named(self, name: str) -> Node | None:
        """Return the last call of the layer or operation of that name, or None."""
        return next((node for node in reversed(self.nodes) if node.name == name), None)

    @cached_property
    def nested(self) -> tuple[Node, ...]:
        """The nodes that are networks themselves."""
        return tuple(node for node in self.nodes if isinstance(node.operation, keras.Model))

    def check_flat(self, method: str) -> None:
        """Raise XaiAudioError if there is another network inside: `method` cannot see into it."""
        if self.nested:
            raise XaiAudioError(
                f"The network has another network inside, {self.nested[0].name!r}: {method} needs "
                "a flat one. Call its layers one after the other on your input."
            )


def graph_of(network) -> Graph:
    """Return the graph of a functional or Sequential Keras model.

    Parameters
    ----------
    network : keras.Model

    Returns
    -------
    Graph
        Without the calls that the outputs do not need.

    Raises
    ------
    XaiAudioError
        For a subclassed model, or a Sequential that does not know its input yet.

    Examples
    --------
    >>> import keras
    >>> x = keras.Input((4,), name="in")
    >>> network = keras.Model(x, keras.layers.Dense(2, name="out")(x) * 2.0)
    >>> [node.name for node in graph_of(network).nodes][:2]
    ['in', 'out']
    """
    if not getattr(network, "inputs", None) or not getattr(network, "outputs", None):
        raise XaiAudioError(
            f"{getattr(network, 'name', type(network).__name__)} has no graph to walk: build it as "
            "a functional or Sequential model that begins with keras.layers.Input."
        )
    starts = {id(tensor) for tensor in network.inputs}
    made: dict[int, Node] = {}
    waiting = [_record(tensor) for tensor in reversed(network.outputs)]
    while waiting:
        record = waiting[-1]
        tensors = () if id(record.outputs[0]) in starts else tuple(record.input_tensors)
        missing = [
            other for other in (_record(tensor) for tensor in tensors) if id(other) not in made
        ]
        if missing:
            waiting.extend(missing)
            continue
        waiting.pop()
        if id(record) not in made:
            parents = tuple(made[id(_record(tensor))] for tensor in tensors)
            outputs = tuple(record.outputs)
            made[id(record)] = Node(record.operation, parents, tensors, outputs, record.arguments)
    last = [made[id(_record(tensor))] for tensor in network.outputs]
    return Graph(network.name, made.values(), last)


def made_by(tensor: keras.KerasTensor) -> keras.Operation:
    """Return the layer or operation that made a tensor of a network's graph.

    Examples
    --------
    >>> import keras
    >>> from xaiaudio.models.graph import made_by
    >>> made_by(keras.layers.Dense(2, name="out")(keras.Input((4,)))).name
    'out'
    """
    return tensor._keras_history.operation


def made_from(tensor: keras.KerasTensor) -> keras.KerasTensor:
    """Return the first tensor that went into the operation which made this one.

    Examples
    --------
    >>> import keras
    >>> from xaiaudio.models.graph import made_from
    >>> x = keras.Input((4,))
    >>> made_from(keras.layers.Dense(2)(x)) is x
    True
    """
    return _record(tensor).input_tensors[0]


def _record(tensor):
    """Return Keras's own record of the call that made a tensor."""
    operation, number, _ = tensor._keras_history
    return operation._inbound_nodes[number]


def run(graph: Graph, known: dict, wanted: Iterable[Node], around: Callable | None = None) -> list:
    """Compute some nodes of a network from others, as the network does in use.

    Parameters
    ----------
    graph : Graph
    known : dict of Node to tensor
        Values to begin with, of the input or of any nodes with one output. A node that is known is
        not computed, nor is what only it needs.
    wanted : iterable of Node
    around : callable, optional
        ``(operation, outputs) -> outputs``, called on what each operation gives.

    Returns
    -------
    list of tensor
        The (first) output of each of `wanted`.
    """
    values = {
        id(node.output): keras.ops.cast(value, node.output.dtype) for node, value in known.items()
    }
    for node in _needed(graph, known, wanted):
        outputs = _called(node, node._arguments.fill_in(values), around)
        for tensor, value in zip(node.outputs, keras.tree.flatten(outputs), strict=True):
            values[id(tensor)] = value
    return [values[id(node.output)] for node in wanted]


def _called(node, arguments, around=None):
    positional, named = arguments
    if "training" in getattr(node.operation, "_call_context_args", {}):
        named = {**named, "training": False}
    if is_grouped(node.operation):
        outputs = grouped_call(node.operation, *positional)
    else:
        outputs = node.operation(*positional, **named)
    return outputs if around is None else around(node.operation, outputs)


def is_identity(node: Node) -> bool:
    """Tell whether a layer gives in use what it is given, as augmentation does.

    No layer says so of itself: it is tried on small and large numbers of both signs.

    Parameters
    ----------
    node : Node
    """
    shapes = [tuple(tensor.shape[1:]) for tensor in (*node.inputs, *node.outputs)]
    if len(shapes) != 2 or shapes[0] != shapes[1]:
        return False
    shape = [size or 7 for size in shapes[0]]
    draw = np.random.default_rng(0).normal(size=(3, *shape))
    values = (draw * np.reshape([1e-3, 1, 1e4], (3, *[1] * len(shape)))).astype("float32")
    try:
        with tf.init_scope():  # now, also while something is being compiled
            return np.array_equal(np.asarray(node.call(values)), values)
    except Exception:  # somebody's own layer may refuse these numbers in any way
        return False


def only_shifts(node: Node) -> bool:
    """Tell whether each value that a layer gives is one of those it is given, plus a constant.

    So do layers that add learnt positions or put a learnt token in front. As with
    :func:`is_identity` it is tried: numbers that count the inputs say which one each output is.

    Parameters
    ----------
    node : Node
    """
    if len(node.inputs) != 1 or len(node.outputs) != 1:
        return False
    shape = [size or 7 for size in node.inputs[0].shape[1:]]
    count = int(np.prod(shape))
    draw = np.random.default_rng(0).normal(size=(3, *shape))
    tries = (draw * np.reshape([1e-2, 1, 1e2], (3, *[1] * len(shape)))).astype("float32")
    counted = np.arange(1, count + 1, dtype="float32").reshape(1, *shape)
    try:
        with tf.init_scope():  # now, also while something is being compiled
            zero, numbers, found = (
                np.asarray(node.call(values), "float64")
                for values in (np.zeros_like(counted), counted, tries)
            )
    except Exception:  # somebody's own layer may refuse these numbers in any way
        return False
    which = np.rint(numbers - zero)
    if not (np.isfinite(which).all() and which.min() >= 0 and which.max() <= count):
        return False
    known = np.concatenate([np.zeros((3, 1)), tries.reshape(3, -1)], axis=1)
    expected = known[:, which[0].astype(int)] + zero
    return expected.shape == found.shape and np.allclose(found, expected, rtol=1e-5, atol=1e-6)


def _needed(graph, known, wanted) -> list[Node]:
    """Return the nodes that must be computed, in order."""
    needed, waiting = set(), list(wanted)
    while waiting:
        node = waiting.pop()
        if node in known or node in needed:
            continue
        if not node.parents:
            raise XaiAudioError(f"{graph.name} needs {node.name!r}, which is not given.")
        needed.add(node)
        waiting.extend(node.parents)
    return [node for node in graph.nodes if node in needed]


def is_spatial(node: Node) -> bool:
    """Tell whether a node gives (batch, h, w, channels) with more than one cell."""
    shape = tuple(node.output.shape)
    return len(node.outputs) == 1 and len(shape) == 4 and shape[1:3] != (1, 1)


def feature_maps(graph: Graph) -> tuple[Node, ...]:
    """Return the finished feature maps that the head of a network reads.

    A feature map is spatial and depends on a 2-D convolution. In a network that has none, it is
    (batch, length, channels) and depends on a convolution along one axis, with no memory or
    attention between. The head is what lies between the last feature maps and the output. Finished
    means with all that comes behind the convolution (normalisation, activation, sums of branches),
    but before the pooling, dropout or padding that lies between the map and the head.

    Returns
    -------
    tuple of Node
        One for each branch that the head reads; empty if there is no such map.
    """
    maps = _grown(graph) or _grown_along_one(graph)
    read, seen, waiting = [], set(), list(graph.outputs)
    while waiting:
        node = waiting.pop()
        if node in seen:
            continue
        seen.add(node)
        if node in maps:
            read.append(_finished(node, maps))
        else:
            waiting.extend(node.parents)
    return tuple(node for node in graph.nodes if node in read)


def blocks(graph: Graph) -> tuple[Node, ...]:
    """Return the last feature map of each resolution, with its normalisation and activation.

    Pooling, dropout and padding end a block and are none: of VGG's plan these are the last
    convolutions before each pooling.

    Returns
    -------
    tuple of Node
        In the order of the network; empty if there is no convolution.

    Examples
    --------
    >>> import xaiaudio as xa
    >>> from xaiaudio.models.graph import blocks, graph_of
    >>> [node.name for node in blocks(graph_of(xa.load_model("lite").network))]
    ['conv1', 'conv2', 'conv3_2', 'conv4_2']
    """
    maps = _grown(graph)
    last = {
        tuple(node.output.shape[1:3]): node
        for node in graph.nodes
        if node in maps and type(node.operation) not in _LATER
    }
    return tuple(node for node in graph.nodes if node in last.values())


def _grown(graph) -> set:
    """Return the nodes that are spatial and depend on a 2-D convolution."""
    maps = set()
    for node in graph.nodes:
        grown = isinstance(node.operation, CONVOLUTIONS) or any(
            parent in maps for parent in node.parents
        )
        if grown and is_spatial(node):
            maps.add(node)
    return maps


def _grown_along_one(graph) -> set:
    """Return the nodes (batch, length, channels) that depend on a convolution along one axis."""
    maps = set()
    for node in graph.nodes:
        shape = tuple(node.output.shape)
        if isinstance(node.operation, _MIXING):
            continue
        grown = isinstance(node.operation, ALONG_ONE) or any(
            parent in maps for parent in node.parents
        )
        if grown and len(node.outputs) == 1 and len(shape) == 3 and shape[1] != 1:
            maps.add(node)
    return maps


def _finished(node, maps):
    """Go back from what the head reads to the feature map as it was before pooling."""
    while True:
        before = node.parents[0] if len(node.parents) == 1 else None
        if before not in maps:
            return node
        pooled = type(node.operation) in _LATER
        # A normalisation behind the pooling makes no new map of an activation before it.
        normed = type(node.operation) is keras.layers.BatchNormalization
        if not (pooled or (normed and _pools_an_activation(before, maps))):
            return node
        node = before


def _pools_an_activation(node, maps) -> bool:
    if type(node.operation) not in _LATER:
        return False
    while type(node.operation) in _LATER and node.parents[0] in maps:
        node = node.parents[0]
    linear = getattr(node.operation, "activation", None) in (None, keras.activations.linear)
    return not (isinstance(node.operation, (*CONVOLUTIONS, *ALONG_ONE)) and linear)
