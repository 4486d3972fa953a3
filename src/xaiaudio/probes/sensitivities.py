"""What a layer says of patches, and how the logits answer when it changes: one compiled pass."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import tensorflow as tf

from ..errors import XaiAudioError, meant
from ..explainers.checks import check_patches
from ..models.graph import Graph, Node, graph_of, run
from ..models.tracing import traced

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike

    from ..models.classifier import AudioClassifier
    from ..patches import Patches

# Patches in one pass, which keeps all that lies between input and output for its way back.
BATCH = 32


@dataclass(frozen=True, eq=False)
class Sensitivity:
    """Activations of one layer, and the gradients of logits with respect to them.

    Attributes
    ----------
    values : ndarray of float64, shape (n, channels)
        The mean over the positions of each patch: times, bands.
    gradients : ndarray of float64, shape (n, channels)
        Of one logit of each patch, the sum over its positions: how fast the logit rises when a
        channel rises everywhere alike.
    """

    values: np.ndarray
    gradients: np.ndarray


def sensitivities(
    model: AudioClassifier,
    layers: Sequence[str],
    patches: Patches | ArrayLike,
    targets: ArrayLike,
) -> dict[str, Sensitivity]:
    """Return what layers say of patches, and how a logit of each depends on it.

    Parameters
    ----------
    model : AudioClassifier
        Of patches.
    layers : sequence of str
        Names of layers between the patch and the logits.
    patches : array_like of float, shape (n, frames, bands)
    targets : array_like of int, shape (n,)
        Whose logit, for each patch.

    Returns
    -------
    dict of str to Sensitivity

    Raises
    ------
    XaiAudioError
        If there is no such layer, it has no channels, or the patches are none of the model's.

    Examples
    --------
    >>> import numpy as np, xaiaudio as xa
    >>> from xaiaudio.probes.sensitivities import sensitivities
    >>> model = xa.load_model("lite")
    >>> found = sensitivities(model, ["conv2"], np.zeros((3, 96, 64)), [0, 1, 1])
    >>> found["conv2"].gradients.shape
    (3, 32)
    """
    graph, nodes = nodes_of(model, layers)
    values = checked(model, patches)
    targets = asked_for(model, targets, len(values))
    step = _step(model, graph, nodes)
    parts = [
        step(
            tf.constant(values[start : start + BATCH]), tf.constant(targets[start : start + BATCH])
        )
        for start in range(0, len(values), BATCH)
    ]
    found = [np.concatenate([one.numpy() for one in column]) for column in zip(*parts, strict=True)]
    halves = zip(layers, found[: len(nodes)], found[len(nodes) :], strict=True)
    return {
        name: Sensitivity(mean.astype(np.float64), slope.astype(np.float64))
        for name, mean, slope in halves
    }


def nodes_of(model: AudioClassifier, layers: Sequence[str]) -> tuple[Graph, list[Node]]:
    """Return the graph of a model up to its logits, and the nodes of layers by their names.

    Raises
    ------
    XaiAudioError
        If there is no such layer, or it is the patch or the logits.
    """
    names = [layers] if isinstance(layers, str) else list(layers)
    graph = graph_of(model.logits_network)
    graph.check_flat("a probe of a layer")
    inner = {
        node.name: node
        for node in graph.nodes
        if node.parents and node is not graph.output and len(node.output.shape) >= 2
    }
    for name in names:
        if name not in inner:
            raise XaiAudioError(
                f"{model.name} has no layer {name!r} between the patch and the logits"
                f"{meant(name, inner)}: there are {', '.join(list(inner)[-8:])}, among others."
            )
    if not names:
        raise XaiAudioError("No layer is named: give at least one.")
    return graph, [inner[name] for name in names]


def checked(model: AudioClassifier, patches: Patches | ArrayLike) -> np.ndarray:
    """Return patches as an array of float32; XaiAudioError if they are none of the model's."""
    return np.asarray(check_patches(model, patches))


def asked_for(model: AudioClassifier, targets: ArrayLike, count: int) -> np.ndarray:
    """Return the classes of patches, int32 (count,); XaiAudioError if they are no classes."""
    targets = np.asarray(targets)
    classes = len(model.labels)
    if targets.shape != (count,) or not np.isin(targets, np.arange(classes)).all():
        raise XaiAudioError(
            f"There are {targets.size} targets for {count} patches: give each its class, from 0 to "
            f"{classes - 1}."
        )
    return targets.astype(np.int32)


def _step(model, graph, nodes):
    def step(patches, targets):
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(patches)
            inputs = {graph.nodes[0]: model.as_input(patches)}
            *layers, logits = run(graph, inputs, [*nodes, graph.output])
            chosen = tf.gather(tf.cast(logits, tf.float32), targets, batch_dims=1)
        slopes = tape.gradient(chosen, layers, unconnected_gradients=tf.UnconnectedGradients.ZERO)
        means = [tf.reduce_mean(one, _positions(one)) for one in layers]
        return means + [tf.reduce_sum(one, _positions(one)) for one in slopes]

    shape = (None, *model.frontend.patch_shape)
    return traced(step, [tf.TensorSpec(shape, tf.float32), tf.TensorSpec((None,), tf.int32)])


def _positions(tensor) -> list[int]:
    return list(range(1, tensor.shape.rank - 1))
