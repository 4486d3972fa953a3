"""What every layer of a network says of a patch, pooled to a few numbers each, in one pass."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import keras
import numpy as np
import tensorflow as tf

from ..errors import XaiAudioError
from ..models.classifier import AudioClassifier
from ..models.flattening import flatten
from ..models.graph import Graph, Node, graph_of, run
from ..models.tracing import traced

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike

    from ..patches import Patches

#: Patches in one pass. Only the pooled numbers leave it, so the widest layer is what takes memory.
BATCH = 128
#: The name of the patch itself among the layers.
INPUT = "input"

# Layers with weights that do not make new features, but bring those before them into shape.
_SHAPING = (
    keras.layers.BatchNormalization,
    keras.layers.LayerNormalization,
    keras.layers.GroupNormalization,
    keras.layers.PReLU,
)


@dataclass(frozen=True, eq=False)
class Activations:
    """Pooled activations of the layers of a network.

    Attributes
    ----------
    layers : tuple of str
        From the input on.
    values : tuple of ndarray of float32, shape (n, numbers)
        Of each layer: a row for each patch, or sound.
    """

    layers: tuple[str, ...]
    values: tuple[np.ndarray, ...]

    def __len__(self) -> int:
        return len(self.values[0])

    def __getitem__(self, layer: str) -> np.ndarray:
        """Return the numbers of one layer, float32 (n, numbers)."""
        if layer not in self.layers:
            raise XaiAudioError(
                f"There are no activations of {layer!r}: the layers are {', '.join(self.layers)}."
            )
        return self.values[self.layers.index(layer)]

    def of_sounds(self, sound: ArrayLike) -> Activations:
        """Average the patches of each sound.

        Parameters
        ----------
        sound : array_like of int, shape (n,)
            The number of the sound that each patch is from, 0 to sounds - 1, as
            `PatchTable.clip`.

        Returns
        -------
        Activations
            A row for each sound.

        Raises
        ------
        XaiAudioError
            If there is not a number for each patch, or a patch for each sound.
        """
        sound = np.asarray(sound)
        good = sound.shape == (len(self),) and sound.dtype.kind in "iu" and sound.min() >= 0
        # Without gaps there are no more sounds than patches, so that the counts stay small.
        counts = np.bincount(sound) if good and sound.max() < len(sound) else np.zeros(1)
        if not counts.all():
            raise XaiAudioError(
                f"There are {len(self)} patches, and the sounds of {np.size(sound)}: give each "
                "patch the number of its sound, whole, from 0 on without gaps."
            )
        # Row by row of a matrix: each sound's mean of its patches.
        mean = np.zeros((len(counts), len(sound)), np.float32)
        mean[sound, np.arange(len(sound))] = 1 / counts[sound]
        return Activations(self.layers, tuple(mean @ values for values in self.values))

    def rows(self, chosen: ArrayLike) -> Activations:
        """Return some of the rows; `chosen` is a mask or indices."""
        chosen = np.asarray(chosen)
        return Activations(self.layers, tuple(values[chosen] for values in self.values))


def stages(graph: Graph) -> dict[str, Node]:
    """Return what a network computes step by step: its layers, each as the next ones get it.

    A layer counts if it has weights, or brings several others together. It is taken behind the
    normalisation and the activation that follow, as long as nothing else reads what is between.

    Parameters
    ----------
    graph : Graph

    Returns
    -------
    dict of str to Node
        By the layer's name, in the order of the network. The second call of a layer has its number
        behind the name.

    Examples
    --------
    >>> import xaiaudio as xa
    >>> from xaiaudio.models.graph import graph_of
    >>> from xaiaudio.probes import stages
    >>> list(stages(graph_of(xa.load_model("lite").logits_network)))[-3:]
    ['conv4_1', 'conv4_2', 'logits']
    """
    found: dict[str, Node] = {}
    for node in graph.nodes:
        if not _computes(node) or not _poolable(node):
            continue
        name, number = node.name, 2
        while name in found:
            name, number = f"{node.name} ({number})", number + 1
        found[name] = _finished(graph, node)
    return found


def pooled(
    network: AudioClassifier | keras.Model,
    patches: Patches | ArrayLike,
    *,
    layers: Sequence[str] | None = None,
    spread: bool = False,
    batch: int = BATCH,
) -> Activations:
    """Return the activations of all layers for patches, pooled over time and frequency.

    One compiled pass computes all layers, and pools each before it leaves the pass.

    Parameters
    ----------
    network : AudioClassifier or keras.Model
        A classifier is taken up to its logits. Models inside it are taken apart.
    patches : Patches or array_like of float, shape (n, frames, bands)
        Of a classifier of waveforms: `Patches` with their sounds.
    layers : sequence of str, optional
        Some of :func:`stages`, and ``"input"`` for the patch itself; by default all.
    spread : bool
        True adds the standard deviation over time and frequency of each channel to its mean.
    batch : int
        Most patches in one pass.

    Returns
    -------
    Activations
        Of a layer (n, height, width, channels) or (n, time, channels), the mean of each channel; a
        layer (n, numbers) as it is. Of the patch, the mean over time of each band.

    Raises
    ------
    XaiAudioError
        If there is no such layer, or none at all, the batch is none, or the patches or an
        activation are not finite or do not fit.

    Examples
    --------
    >>> import numpy as np, xaiaudio as xa
    >>> from xaiaudio.probes import pooled
    >>> found = pooled(xa.load_model("lite"), np.zeros((3, 96, 64)))
    >>> found.layers[:3], found["conv1"].shape
    (('input', 'conv1', 'conv2'), (3, 16))
    """
    if isinstance(batch, bool) or not isinstance(batch, (int, np.integer)) or batch < 1:
        raise XaiAudioError(f"batch is {batch!r}: a whole number of patches from 1 on is needed.")
    if layers is not None and (isinstance(layers, str) or not len(layers)):
        raise XaiAudioError(
            f"layers is {layers!r}: give a list of names, one at least, or None for all."
        )
    keras_network, inputs = _opened(network, patches)
    graph = graph_of(keras_network)
    names, nodes = _chosen(graph, layers)
    run_batch = _compiled(graph, nodes, spread)
    parts = [
        [found.numpy() for found in run_batch(tf.constant(inputs[start : start + batch]))]
        for start in range(0, len(inputs), batch)
    ]
    values = tuple(np.concatenate(column) for column in zip(*parts, strict=True))
    for name, found in zip(names, values, strict=True):
        if not np.isfinite(found).all():
            raise XaiAudioError(
                f"The layer {name!r} of {keras_network.name} gives NaN or infinity: check the "
                "patches, then its weights."
            )
    return Activations(names, values)


def _opened(network, patches) -> tuple[keras.Model, np.ndarray]:
    """Return a flat Keras network, and the patches as it takes them."""
    if isinstance(network, AudioClassifier):
        inner = getattr(network, "wave_logits_network", None) or network.logits_network
        inputs = np.asarray(network.as_input(patches), np.float32)
    else:
        inner, inputs = network, np.asarray(patches, np.float32)
    inner = flatten(inner)
    shape = tuple(inner.inputs[0].shape)[1:]
    if inputs.ndim == len(shape) and shape[-1] == 1:
        inputs = inputs[..., None]
    fits = inputs.ndim == len(shape) + 1 and all(
        wanted in (None, got) for wanted, got in zip(shape, inputs.shape[1:], strict=True)
    )
    if not fits or not len(inputs):
        raise XaiAudioError(
            f"The patches have the shape {inputs.shape}, but {inner.name} takes "
            f"{('n', *shape)}, one patch at least: make them with its front end."
        )
    if not np.isfinite(inputs).all():  # a ReLU makes 0 of NaN: what comes after would not tell
        raise XaiAudioError(
            f"The {INPUT!r} of {inner.name} holds NaN or infinity: check the patches."
        )
    return inner, inputs


def _chosen(graph, layers) -> tuple[tuple[str, ...], list[Node]]:
    entry = next(node for node in graph.nodes if not node.parents)
    shape = entry.output.shape
    # Of samples the mean says nothing: it is 0, whatever is heard.
    is_wave = len(shape) == 2 or (len(shape) == 3 and shape[-1] == 1)
    known = stages(graph) if is_wave else {INPUT: entry, **stages(graph)}
    for name in layers or ():
        if name not in known:
            raise XaiAudioError(
                f"{graph.name} has no layer {name!r} to probe: there are {', '.join(known)}."
            )
    names = tuple(name for name in known if layers is None or name in layers)
    return names, [known[name] for name in names]


def _compiled(graph, nodes, spread):
    entry = next(node for node in graph.nodes if not node.parents)

    def run_batch(inputs):
        found = run(graph, {entry: inputs}, nodes)
        return [
            _pool(tf.cast(value, tf.float32), spread, is_input=node is entry)
            for node, value in zip(nodes, found, strict=True)
        ]

    shape = (None, *entry.output.shape[1:])
    return traced(run_batch, [tf.TensorSpec(shape, tf.float32)])


def _pool(value, spread, is_input):
    """Pool a tensor (n, ..., channels) to (n, numbers)."""
    if is_input:
        if value.shape.rank == 4:
            value = tf.reshape(value, [tf.shape(value)[0], tf.shape(value)[1], -1])
        axes = [1]
    else:
        axes = list(range(1, value.shape.rank - 1))
    if not axes:
        return value
    mean = tf.reduce_mean(value, axes, keepdims=True)
    parts = [tf.squeeze(mean, axes)]
    if spread:
        parts.append(tf.sqrt(tf.reduce_mean(tf.square(value - mean), axes)))
    return tf.concat(parts, axis=1)


def _computes(node) -> bool:
    """Tell whether a node makes something new of its inputs."""
    if not node.parents or isinstance(node.operation, _SHAPING):
        return False
    return bool(getattr(node.operation, "weights", ())) or len(set(node.parents)) > 1


def _poolable(node) -> bool:
    shape, kind = node.output.shape, keras.backend.standardize_dtype(node.output.dtype)
    return kind.startswith(("float", "bfloat")) and len(shape) >= 2 and shape[-1] is not None


def _finished(graph, node) -> Node:
    """Go on to what the next layers get, through normalisation, activation and dropout."""
    while True:
        readers = graph.consumers[node]
        if len(readers) != 1 or node in graph.outputs:
            return node
        after = readers[0]
        shapes_only = isinstance(after.operation, _SHAPING) or not getattr(
            after.operation, "weights", ()
        )
        alone = len(after.inputs) == 1 and len(after.outputs) == 1
        if not (shapes_only and alone and after.output.shape == node.output.shape):
            return node
        node = after
