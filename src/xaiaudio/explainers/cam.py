"""Class activation maps: the feature maps that the head of a network reads, weighted and summed.

All of them look at the logits, keep their own scale (nothing is normalised) and have the
resolution of the feature maps. On networks that tf-keras-vis treats right, they are what it gives.
"""

from __future__ import annotations

from dataclasses import dataclass
from numbers import Integral
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import tensorflow as tf

from ..errors import XaiAudioError
from ..models import axes
from ..models.caching import PerModel
from ..models.graph import (
    ALONG_ONE,
    CONVOLUTIONS,
    Graph,
    Node,
    feature_maps,
    graph_of,
    is_spatial,
    run,
)
from ..models.tracing import traced
from .engines.masks import Stretched
from .engines.perturbation import engine_of
from .engines.precision import check_precision, precision_of
from .registry import register

if TYPE_CHECKING:
    import keras

    from ..models.classifier import AudioClassifier

# Patches in one backward pass.
CHUNK = 32

_VIEWS = PerModel()


@dataclass(frozen=True)
class Options:
    """Options of the gradient methods.

    Attributes
    ----------
    layer : str or None
        Name of the layer (or operation) to look at. None takes the finished feature maps that the
        head reads: behind the normalisation, activation or sum that follows the last convolution,
        before the pooling. A convolution along time alone gives maps over time, the same in all
        bands. Where the head reads several, they are taken together, as if they were
        joined; the cells of smaller ones are repeated up to the size of the largest, as often as
        that goes without a rest.
    """

    layer: str | None = None


@dataclass(frozen=True)
class ScoreOptions(Options):
    """Options of Score-CAM.

    Attributes
    ----------
    layer : str or None
        As in :class:`Options`.
    channels : int or None
        Ask only about this many feature maps, those that vary most (Faster Score-CAM). None asks
        about all of them, one forward pass each.
    precision : {"float32", "auto", "bfloat16"}
        Numbers in which the network is asked about them. ``"auto"`` takes bfloat16, about twice as
        fast, where the processor has it and the network's answers hardly change, see
        :func:`.precision.precision_of`. A result's options say what was taken.
    """

    channels: int | None = None
    precision: str = "float32"

    def __post_init__(self):
        check_precision(self.precision)
        if self.channels is not None and not (
            isinstance(self.channels, Integral) and self.channels >= 1
        ):
            raise XaiAudioError(f"channels is {self.channels!r}: a number from 1 up, or None.")


@register(
    "gradcam",
    options=Options,
    summary="Feature maps of a convolution, each weighted by its mean gradient.",
    paper="Selvaraju et al. 2017, Grad-CAM",
    needs="a convolution",
)
def gradcam(
    classifier: AudioClassifier, patches: np.ndarray, targets: np.ndarray, options: Options
) -> np.ndarray:
    """Compute maps (n, h, w): relu(sum over k of mean(dS/dA_k) * A_k)."""

    def weighted(features, gradients):
        return features * gradients.mean(axis=(1, 2), keepdims=True)

    return _gradient_maps(weighted, classifier, patches, targets, options)


@register(
    "gradcam++",
    options=Options,
    summary="Grad-CAM with weights that count every place where a feature shows.",
    paper="Chattopadhay et al. 2018, Grad-CAM++",
    needs="a convolution",
)
def gradcam_plus_plus(
    classifier: AudioClassifier, patches: np.ndarray, targets: np.ndarray, options: Options
) -> np.ndarray:
    """Compute maps (n, h, w), without the paper's factor exp(S).

    With g = dS/dA_k, each cell has the weight g^2 / (2 g^2 + g^3 sum(A_k)), the weights of one
    feature map add up to 1 (as in the authors' code; the paper does not say so), and A_k counts by
    the mean of relu(g) with these weights.

    The factor is the same for all cells of a patch. With logits it would overflow for a sure
    class, vanish for an unlikely one, and make maps of different classes incomparable.
    """

    def weighted(features, gradients):
        cells, squares = (1, 2), gradients**2
        total = features.sum(axis=cells, keepdims=True)
        below = 2 * squares + squares * gradients * total
        weights = squares / np.where(squares == 0, below + 1, below)
        sums = weights.sum(axis=cells, keepdims=True)
        weights = weights / np.where(sums == 0, 1, sums)
        return features * (weights * np.maximum(gradients, 0)).sum(axis=cells, keepdims=True)

    return _gradient_maps(weighted, classifier, patches, targets, options)


@register(
    "layercam",
    options=Options,
    summary="Feature maps of a convolution, each cell weighted by its own positive gradient.",
    paper="Jiang et al. 2021, LayerCAM",
    needs="a convolution",
)
def layercam(
    classifier: AudioClassifier, patches: np.ndarray, targets: np.ndarray, options: Options
) -> np.ndarray:
    """Compute maps (n, h, w): relu(sum over k of relu(dS/dA_k) * A_k)."""

    def weighted(features, gradients):
        return features * np.maximum(gradients, 0)

    return _gradient_maps(weighted, classifier, patches, targets, options)


@register(
    "scorecam",
    options=ScoreOptions,
    summary="Feature maps of a convolution, each weighted by the score it lets through.",
    paper="Wang et al. 2020, Score-CAM",
    needs="a convolution",
)
def scorecam(
    classifier: AudioClassifier, patches: np.ndarray, targets: np.ndarray, options: ScoreOptions
) -> np.ndarray:
    """Compute maps (n, h, w): relu(sum over k of P(class | patch * H_k) * A_k).

    H_k is feature map k stretched to the patch and scaled to 0 to 1. As in the paper the patch is
    multiplied by it, so a hidden cell goes to 0, which is not silence in a log-mel patch. P is the
    classifier's own score: by softmax, or by a sigmoid where the network ends in one.
    """
    view = view_of(classifier.logits_network, options.layer)
    if options.channels and options.channels > view.channels:
        raise XaiAudioError(
            f"channels is {options.channels}, but layer {view.name!r} has only {view.channels}."
        )
    channels = options.channels or view.channels
    precision = precision_of(classifier, options.precision, patches, "scores")
    engine, maps = engine_of(classifier, "scores", precision), []
    for part in _parts(len(patches), CHUNK):
        features, _ = view(classifier.as_input(patches[part]), targets[part])
        if channels < view.channels:
            order = np.argsort(-features.std(axis=(1, 2)), axis=-1, kind="stable")[:, :channels]
            features = np.take_along_axis(features, order[:, None, None], axis=-1)
        answers = engine(patches[part], None, Stretched(features), progress=False)
        weights = np.take_along_axis(answers, targets[part][:, None, None], axis=2)[..., 0]
        maps.append(np.maximum((features * weights[:, None, None]).sum(axis=-1), 0))
    return np.concatenate(maps)


def _gradient_maps(weighted, classifier, patches, targets, options) -> np.ndarray:
    view = view_of(classifier.logits_network, options.layer)
    maps = []
    for part in _parts(len(patches), CHUNK):
        features, gradients = view(classifier.as_input(patches[part]), targets[part])
        maps.append(np.maximum(weighted(features, gradients).sum(axis=-1), 0))
    return np.concatenate(maps)


def _parts(total, size) -> list[slice]:
    return [slice(start, start + size) for start in range(0, total, size)]


def find_maps(graph: Graph, name: str | None = None) -> tuple[Node, ...]:
    """Return the feature maps to look at, or say why there are none.

    Parameters
    ----------
    graph : Graph
        Of a flat network.
    name : str, optional
        A layer or operation with an output (batch, h, w, channels), or (batch, length, channels);
        None as in :class:`Options`.

    Returns
    -------
    tuple of Node
        Each size a whole part of the largest.

    Raises
    ------
    XaiAudioError
        For a nested network, one without a convolution, an unknown name, an output that is neither,
        or a head that reads maps of sizes that do not divide each other.
    """
    graph.check_flat("a class activation map")
    nodes = (_named(graph, name),) if name is not None else feature_maps(graph)
    if not nodes:
        kinds = (*CONVOLUTIONS, *ALONG_ONE)
        convolves = any(isinstance(node.operation, kinds) for node in graph.nodes)
        why = (
            "All convolutions of the network give one value for the whole patch, which is no map"
            if convolves
            else "The network has no convolution, so there is no class activation map"
        )
        raise XaiAudioError(f"{why}: use a method that needs none, such as 'occlusion' or 'lime'.")
    for node in nodes:
        _check(node)
    sizes = {node.name: _cells(node) for node in nodes}
    if any(np.any(np.mod(_whole(nodes), size)) for size in sizes.values()):
        names = ", ".join(f"{name!r} {size}" for name, size in sizes.items())
        raise XaiAudioError(
            f"The head reads feature maps of sizes that do not divide each other: {names}. Say "
            f"which one to look at, with layer={nodes[-1].name!r}."
        )
    return nodes


def _whole(nodes) -> tuple[int, int]:
    """Return the largest height and width of feature maps."""
    high, wide = (max(sides) for sides in zip(*map(_cells, nodes), strict=True))
    return high, wide


def _cells(node) -> tuple[int, int]:
    """Return height and width of a feature map; one along one axis is one cell wide."""
    shape = tuple(node.output.shape)
    return (shape[1], 1) if len(shape) == 3 else (shape[1], shape[2])


def _named(graph: Graph, name: str) -> Node:
    node = graph.named(name)
    if node is None:
        known = [node.name for node in graph.nodes if is_spatial(node) and node.parents]
        raise XaiAudioError(
            f"The network has no layer {name!r}. Those with feature maps: "
            f"{', '.join(dict.fromkeys(known))}."
        )
    return node


def _check(node: Node) -> None:
    shape = tuple(node.output.shape)
    if len(shape) in (3, 4) and None in shape[1:]:
        raise XaiAudioError(
            f"Layer {node.name!r} gives maps of any size, {shape[1:]}: build the network "
            "for one size of patch, with keras.layers.Input((frames, bands, 1))."
        )
    if len(shape) not in (3, 4) or len(node.outputs) > 1:
        raise XaiAudioError(
            f"Layer {node.name!r} gives {shape}: a map needs (batch, h, w, channels), or along one "
            "axis (batch, length, channels)."
        )
    if getattr(node.operation, "data_format", "channels_last") != "channels_last":
        raise XaiAudioError(f"Layer {node.name!r} has its channels first: they must be last.")


class _View(NamedTuple):
    """Feature maps of a network, and the compiled way to them and their gradients."""

    name: str
    channels: int
    compiled: object

    def __call__(self, inputs, targets):
        """Return features and gradients of the targets' logits, each (n, time, frequency, k)."""
        found = self.compiled(tf.constant(inputs, tf.float32), tf.constant(targets, tf.int32))
        return [part.numpy() for part in found]


def view_of(network: keras.Model, name: str | None) -> _View:
    """Return what to look at in a network; it is compiled once and goes when the network goes."""
    return _VIEWS(network, name, lambda alive: _view(alive(), name))


def _view(network, name) -> _View:
    graph = graph_of(network)
    nodes = find_maps(graph, name)
    turned = _turned(graph, nodes)
    start = graph.nodes[0]
    times = [
        [long // short for long, short in zip(_whole(nodes), _cells(node), strict=True)]
        for node in nodes
    ]

    def whole(parts, shared):
        """Join maps; what is `shared` among repeated cells keeps its sum, as gradients do."""
        joined = []
        for part, (down, right) in zip(parts, times, strict=True):
            part = part[:, :, None] if len(part.shape) == 3 else part
            part = tf.repeat(tf.repeat(tf.cast(part, tf.float32), down, axis=1), right, axis=2)
            joined.append(part / (down * right) if shared else part)
        joined = tf.concat(joined, axis=-1)
        return tf.transpose(joined, (0, 2, 1, 3)) if turned else joined

    def features_and_gradients(inputs, targets):
        features = run(graph, {start: inputs}, nodes)
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(features)
            known = {start: inputs, **dict(zip(nodes, features, strict=True))}
            (logits,) = run(graph, known, [graph.output])
            score = tf.gather(tf.cast(logits, tf.float32), targets, batch_dims=1)
        gradients = tape.gradient(score, features)
        if all(gradient is None for gradient in gradients):
            raise XaiAudioError(
                f"No gradient comes back to layer {nodes[-1].name!r}: the layers behind it are not "
                "differentiable. Use a method that only asks for scores, such as 'occlusion'."
            )
        gradients = [
            tf.zeros_like(x) if gradient is None else gradient
            for x, gradient in zip(features, gradients, strict=True)
        ]
        return whole(features, shared=False), whole(gradients, shared=True)

    signature = [
        tf.TensorSpec((None, *start.output.shape[1:]), tf.float32),
        tf.TensorSpec((None,), tf.int32),
    ]
    channels = sum(node.output.shape[-1] for node in nodes)
    return _View(nodes[-1].name, channels, traced(features_and_gradients, signature))


def _turned(graph, nodes) -> bool:
    """Tell whether the maps are (frequency, time), or say that this cannot be followed."""
    known = axes.axes_of(graph)
    orders = set()
    for node in nodes:
        sizes, names = _cells(node), known[node][:2]
        if len(node.output.shape) == 3:
            names = (names[0], None)
        lost = [name for name, size in zip(names, sizes, strict=True) if name is None and size > 1]
        if lost or axes.CHANNEL in names or names[0] == names[1] is not None:
            raise XaiAudioError(
                f"Where the cells of {node.name!r} lie in the patch cannot be followed through the "
                "network, which rearranges or cuts its axes. Name an earlier layer with layer=..., "
                "or use a method that needs no place, such as 'occlusion'."
            )
        orders.add(names[0] == axes.FREQUENCY or names[1] == axes.TIME)
    if len(orders) > 1:
        raise XaiAudioError(
            "Of the feature maps that the head reads, some have time first and some frequency: say "
            f"which one to look at, with layer={nodes[-1].name!r}."
        )
    return orders.pop()
