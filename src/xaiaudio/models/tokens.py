"""Attention over a patch: which layers attend, and which cells each of their tokens stands for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import keras
import numpy as np
import tensorflow as tf

from ..errors import XaiAudioError
from .graph import Graph, Node, run

if TYPE_CHECKING:
    from typing import Any

    from .classifier import AudioClassifier

# Inputs that are tried, so that a unit that is silent for one of them is heard; tokens at a time.
_TRIED = 3
_AT_ONCE = 32


@dataclass(frozen=True, eq=False)
class Tokens:
    """The layers of attention of a network, and where their tokens lie.

    Attributes
    ----------
    layers : tuple of Node
        Calls of `keras.layers.MultiHeadAttention`, in the order of the network.
    count : int
        Tokens, with those that stand for no place.
    places : ndarray of int, shape (rows, columns)
        The token of each place of a grid over the patch, in time and in frequency.
    read : ndarray of int
        The tokens that the head reads: one for a class token, all of them for a mean.
    """

    layers: tuple[Node, ...]
    count: int
    places: np.ndarray
    read: np.ndarray


def tokens_of(graph: Graph) -> Tokens:
    """Find the attention of a network, and the cells that its tokens stand for.

    Nothing of a network says where a token comes from: it is tried. A token stands for the cells
    on which it depends before the first attention; a token in front, which depends on none, for no
    place.

    Parameters
    ----------
    graph : Graph
        Of a network from a patch (batch, frames, bands) or (batch, frames, bands, 1).

    Returns
    -------
    Tokens

    Raises
    ------
    XaiAudioError
        If the network has no attention of tokens to each other, or its tokens are not the places
        of a grid over the patch.

    Examples
    --------
    >>> import xaiaudio as xa
    >>> from xaiaudio.models.graph import graph_of
    >>> from xaiaudio.models.networks import transformer
    >>> network = transformer.build(xa.LogMel.vggish(), 10, transformer.Options(layers=1))
    >>> found = tokens_of(graph_of(network))
    >>> found.count, found.places.shape, found.read.tolist()
    (25, (6, 4), [0])
    """
    layers = tuple(
        node for node in graph.nodes if type(node.operation) is keras.layers.MultiHeadAttention
    )
    if not layers:
        raise XaiAudioError(
            "The network has no attention over patches: rollout and gradient-attention need layers "
            "of keras.layers.MultiHeadAttention. Use another method, such as 'occlusion'."
        )
    count = layers[0].inputs[0].shape[1]
    for node in layers:
        _check(node, count)
    boxes = _boxes(graph, layers[0], count)
    return Tokens(layers, count, _grid(boxes), _read(graph, layers[-1]))


def attends(classifier: AudioClassifier) -> bool:
    """Tell whether there is any attention in a classifier's network."""
    layers = getattr(getattr(classifier, "network", None), "layers", ())
    return any(type(layer) is keras.layers.MultiHeadAttention for layer in layers)


def _check(node: Node, count) -> None:
    shapes = {tuple(tensor.shape[1:2]) for tensor in node.inputs}
    alone = len(set(node.parents)) == 1 and len(node.outputs) == 1
    if not alone or len(node.inputs[0].shape) != 3 or shapes != {(count,)} or count is None:
        raise XaiAudioError(
            f"Layer {node.name!r} is not the attention of {count} tokens to each other: query, key "
            "and value must be one tensor (batch, tokens, channels), the same number of tokens in "
            "every layer, and no scores returned."
        )


def _boxes(graph, node, count) -> list[tuple | None]:
    """Return what each token depends on: (first frame, end, first band, end); None for nothing."""
    start, draw = graph.nodes[0], np.random.default_rng(0)
    shape = tuple(start.output.shape[1:])
    if None in shape:
        raise XaiAudioError(
            "The network has no attention over patches of one size: build it for one, with "
            "keras.layers.Input((frames, bands, 1))."
        )
    seen = np.zeros((count, *shape), bool)
    tries = [draw.normal(size=shape).astype("float32") for _ in range(_TRIED)]
    weights = draw.normal(size=node.inputs[0].shape[-1]).astype("float32")
    for first in range(0, count, _AT_ONCE):
        own = np.arange(first, min(first + _AT_ONCE, count))
        for values in tries:
            inputs = tf.constant(np.repeat(values[None], len(own), axis=0))
            with tf.GradientTape(watch_accessed_variables=False) as tape:
                tape.watch(inputs)
                (tokens,) = run(graph, {start: inputs}, [node.parents[0]])
                each = tf.gather(tf.cast(tokens, tf.float32), own, batch_dims=1)
                total = tf.reduce_sum(each * weights)
            gradient = tape.gradient(total, inputs)
            if gradient is not None:
                seen[own] |= gradient.numpy() != 0
    return [_box(one.reshape(*shape[:2], -1).any(axis=-1)) for one in seen]


def _box(cells) -> tuple | None:
    if not cells.any():
        return None
    (rows,), (columns,) = cells.any(axis=1).nonzero(), cells.any(axis=0).nonzero()
    return tuple(int(x) for x in (rows[0], rows[-1] + 1, columns[0], columns[-1] + 1))


def _grid(boxes) -> np.ndarray:
    """Sort tokens into rows and columns by the cells that they see, or say that this fails."""
    placed = {number: box for number, box in enumerate(boxes) if box is not None}
    rows, columns = (
        sorted({box[part] for box in placed.values()}, key=sum)
        for part in (slice(0, 2), slice(2, 4))
    )
    places = np.full((len(rows), len(columns)), -1)
    for number, box in placed.items():
        places[rows.index(box[:2]), columns.index(box[2:])] = number
    if len(placed) < 2 or len(placed) != places.size or (places < 0).any():
        raise XaiAudioError(
            "The network has no attention over patches: what its tokens stand for is no grid of "
            "places in time and frequency. Use another method, such as 'occlusion'."
        )
    return places


def _read(graph, last) -> np.ndarray:
    """Return the tokens of the last attention on which the logits depend."""
    start, draw = graph.nodes[0], np.random.default_rng(1)
    values = draw.normal(size=(1, *start.output.shape[1:])).astype("float32")
    (heard,) = run(graph, {start: values}, [last])
    with tf.GradientTape(watch_accessed_variables=False) as tape:
        tape.watch(heard)
        (logits,) = run(graph, {start: values, last: heard}, [graph.output])
        total = tf.reduce_sum(logits * draw.normal(size=logits.shape[-1]).astype("float32"))
    gradient = tape.gradient(total, heard)
    if gradient is None:
        raise XaiAudioError(f"The logits do not depend on layer {last.name!r}.")
    return np.flatnonzero((gradient.numpy()[0] != 0).any(axis=-1))


def attend(graph: Graph, tokens: Tokens, inputs: Any) -> tuple[list, Any]:
    """Run a network and keep what its layers of attention pay.

    Parameters
    ----------
    graph : Graph
    tokens : Tokens
    inputs : tensor (n, ...)

    Returns
    -------
    scores : list of tensor (n, heads, tokens, tokens)
        Of each layer; row t is what token t pays to the others. A gradient tape follows them.
    logits : tensor (n, classes)
    """
    start = graph.nodes[0]
    known, scores = {start: inputs}, []
    for node in tokens.layers:
        (given,) = run(graph, known, [node.parents[0]])
        arguments = {
            name: given if isinstance(value, keras.KerasTensor) else value
            for name, value in node.arguments.items()
        }
        told = {**arguments, "return_attention_scores": True, "training": False}
        heard, paid = node.operation(**told)
        known[node] = heard
        scores.append(paid)
    (logits,) = run(graph, known, [graph.output])
    return scores, logits
