"""Listen to Interpret: a dictionary of sounds that says with which of them a network is explained.

An interpreter reads hidden layers of the network and writes the sound as a sum of a dictionary's
spectra. A linear layer, trained to answer as the network does, reads the same activations: its
weights say how much each of these components speaks for a class.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from numbers import Integral
from typing import TYPE_CHECKING

import numpy as np
import tensorflow as tf

from ... import cache
from ...errors import XaiAudioError
from ...models.caching import PerModel
from ...models.tracing import traced
from ...models.training.fitting import Settings, check_weights, check_whole, is_number, train
from ...nmf import dictionary
from .. import registry
from . import networks
from .features import BATCH, features, hidden, hidden_values
from .weights import arrays_of, check_model, restore, signed, told

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from ...datasets.base import ClipSet
    from ...models.classifier import AudioClassifier
    from ..base import Explainer
    from .features import Features
    from .networks import Interpreter

# Frames that the dictionary is learnt from.
FRAMES = 5_000
_EPSILON = 1e-6
_READERS = PerModel()


@dataclass(frozen=True)
class Options(Settings):
    """Options of Listen to Interpret, beside those of :class:`.training.fitting.Settings`.

    The seed also decides the dictionary's start, the validation clips and the first weights.

    Attributes
    ----------
    components : int
        Spectra of the dictionary.
    layers : int or tuple of str
        Hidden layers that the interpreter reads, see :func:`.features.hidden`.
    pooling : {"attention", "max"}
        How activations over time become one number a component.
    threshold : float
        Components whose relevance, relative to the largest magnitude, is above this are kept.
    top : int, optional
        Most components to keep; the authors keep 5.
    by_design : bool
        True trains the linear layer on the clips' labels: the components then make a prediction of
        their own, and the map explains that one.
    reconstruction, fidelity, sparsity : float
        What the losses count.
    """

    components: int = 100
    layers: int | tuple[str, ...] = 3
    pooling: str = "attention"
    threshold: float = 0.2
    top: int | None = None
    by_design: bool = False
    reconstruction: float = 10.0
    fidelity: float = 1.0
    sparsity: float = 0.8
    epochs: int = 15
    patience: int = 5

    def __post_init__(self):
        super().__post_init__()
        check_whole(self, "components", least=2)
        object.__setattr__(self, "layers", _layers(self.layers))
        if self.pooling not in networks.POOLINGS:
            raise XaiAudioError(
                f"pooling is {self.pooling!r}: it must be one of {networks.POOLINGS}."
            )
        if not is_number(self.threshold) or not 0 <= self.threshold < 1:
            raise XaiAudioError(f"threshold is {self.threshold!r}: from 0 to below 1 is needed.")
        if self.top is not None:
            check_whole(self, "top")
        check_weights(self, "reconstruction", "fidelity", "sparsity")


def _layers(layers) -> int | tuple[str, ...]:
    """Return the option as a plain value: a number of blocks, or layers by name."""
    if isinstance(layers, str):
        return (layers,)
    if isinstance(layers, (list, tuple)) and layers and all(isinstance(x, str) for x in layers):
        return tuple(layers)
    if isinstance(layers, bool) or not isinstance(layers, Integral) or layers < 1:
        raise XaiAudioError(
            f"layers is {layers!r}: a whole number of blocks from 1 on is needed, or layers' names."
        )
    return int(layers)


def fit(
    model: AudioClassifier, clips: ClipSet | Features, options: Options
) -> dict[str, np.ndarray]:
    """Learn the dictionary, then the interpreter; see :class:`Options`.

    Parameters
    ----------
    model : AudioClassifier
    clips : ClipSet or Features
        The clips to learn from.
    options : Options

    Returns
    -------
    dict of str to ndarray
        ``dictionary`` (bins, components), the weights of the two networks, and the report: the
        ``fidelity`` on the clips for validation, how often the interpreter's class is the network's
        (with `by_design` also the ``accuracy``), and the ``error`` of the sound it writes, relative
        to the sound's own mean square.
    """
    heard = features(model, clips, overlap=0.0, seed=options.seed)
    network = hidden(model, options.layers)
    maps = hidden_values(model, network, heard.patches)
    scales = np.array([_scale(one) for one in maps])
    target = np.log1p(heard.magnitudes)
    columns = _dictionary(target[~heard.validation], options)
    answers = _answers(model, heard, options)
    made = _interpreter(model, [one.shape[1:] for one in maps], scales, options)
    learnt, checked = heard.split(*maps, target.astype(np.float16), answers)
    history = train(
        losses_of(made, columns, options, bool(np.allclose(answers.sum(axis=1), 1, atol=1e-3))),
        made.variables,
        learnt,
        checked,
        options,
        title="Training the interpreter",
    )
    scores = model.scores(heard.patches[heard.validation])
    weights = {
        "dictionary": columns,
        "scales": scales,
        **arrays_of(made.psi, "psi"),
        **arrays_of(made.theta, "theta"),
        **told(_report(made, columns, checked, scores), history),
    }
    return signed(model, weights)


def _scale(values) -> float:
    """Return the root mean square of some of the values; 1 if all are 0."""
    some = values[:: max(1, len(values) // 200)].astype(np.float32)
    return float(np.sqrt(np.square(some).mean())) or 1.0


def _dictionary(target, options) -> np.ndarray:
    """Learn the dictionary from frames drawn from those of the clips to learn from."""
    rows = target.reshape(-1, target.shape[-1])
    drawn = np.random.default_rng(options.seed).permutation(len(rows))[:FRAMES]
    return dictionary(rows[drawn].T, options.components, seed=options.seed)


def _answers(model, heard, options) -> np.ndarray:
    """Return what the linear layer is to answer: the network's answers, or the clips' labels."""
    if not options.by_design:
        return model.scores(heard.patches)
    if None in heard.labels:
        raise XaiAudioError("by_design learns the clips' labels, and a clip has none.")
    classes = np.array([model.index(label) for label in heard.labels])
    return np.eye(len(model.labels), dtype=np.float32)[classes[heard.clip]]


def _interpreter(model, shapes, scales, options) -> Interpreter:
    return networks.build(
        shapes,
        scales,
        model.frontend.frames,
        options.components,
        len(model.labels),
        pooling=options.pooling,
        seed=options.seed,
    )


def losses_of(
    made: Interpreter, columns: np.ndarray, options: Options, exclusive: bool = True
) -> Callable:
    """Return the three losses as a function for :func:`.training.fitting.train`.

    Parameters
    ----------
    made : Interpreter
    columns : ndarray of float, shape (bins, components)
    options : Options
    exclusive : bool
        Whether probabilities sum to 1; else each class is judged by itself.

    Returns
    -------
    callable
        From maps, logarithms of magnitudes (n, frames, bins) and answers (n, classes) to the
        weighted ``reconstruction``, ``fidelity`` and ``sparsity``.
    """
    spectra = tf.constant(columns.T, tf.float32)
    entropy = (
        tf.nn.softmax_cross_entropy_with_logits
        if exclusive
        else tf.nn.sigmoid_cross_entropy_with_logits
    )

    def losses(*batch, training):
        *maps, target, answers = batch
        active, _, logits = made(maps, training=training)
        missed = tf.reduce_mean(tf.square(active @ spectra - target))
        return {
            "reconstruction": options.reconstruction * missed,
            "fidelity": options.fidelity * tf.reduce_mean(entropy(answers, logits)),
            "sparsity": options.sparsity * tf.reduce_mean(tf.abs(active)),
        }

    return losses


def _report(made, columns, checked, scores) -> dict[str, float]:
    *maps, target, answers = checked
    active, _, logits = _run(made, maps)
    missed = (
        np.square(active @ columns.T - target).mean() / np.square(target, dtype=np.float32).mean()
    )
    return {
        "fidelity": fidelity(logits, scores),
        "accuracy": fidelity(logits, answers),
        "error": float(missed),
    }


def fidelity(logits: ArrayLike, scores: ArrayLike, top: int = 1) -> float:
    """Return how often the network's class is among the interpreter's first ones.

    Parameters
    ----------
    logits : array_like of float, shape (n, classes)
        The interpreter's, see :func:`predict`.
    scores : array_like of float, shape (n, classes)
        The network's; or a 1 for the true class, to measure accuracy.
    top : int
        How many of the interpreter's first classes count. Chance is ``top / classes``.

    Examples
    --------
    >>> from xaiaudio.explainers.trained.l2i import fidelity
    >>> logits, scores = [[2.0, 1.0, 0.0], [0.0, 1.0, 2.0]], [[0, 1, 0], [0, 0, 1]]
    >>> fidelity(logits, scores), fidelity(logits, scores, top=2)
    (0.5, 1.0)
    """
    first = np.argsort(-np.asarray(logits), axis=1, kind="stable")[:, :top]
    return float(np.mean((first == np.argmax(scores, axis=1)[:, None]).any(axis=1)))


def _run(made, maps) -> tuple[np.ndarray, ...]:
    """Return activations, pooled ones and logits of hidden maps, in batches."""
    signature = [tf.TensorSpec((None, *one.shape[1:]), tf.float32) for one in maps]
    run = traced(lambda *part: made(part), signature)
    found = [
        run(*(tf.constant(one[start : start + BATCH], tf.float32) for one in maps))
        for start in range(0, len(maps[0]), BATCH)
    ]
    return tuple(np.concatenate([np.asarray(one[n]) for one in found]) for n in range(3))


@registry.register(
    "l2i",
    options=Options,
    summary="components of a learnt dictionary that speak for the class",
    paper="Parekh et al., NeurIPS 2022",
    needs="a convolution",
    many_targets=True,
    fit=fit,
)
def l2i(
    classifier: AudioClassifier,
    patches: np.ndarray,
    targets: np.ndarray,
    options: Options,
    weights: Mapping[str, np.ndarray],
) -> registry.Found:
    """Return the share of each cell that the relevant components hold, in [0, 1]: (n, k, h, w).

    The dictionary is brought to mel bands by the front end's own filters. In each cell, the sum of
    the relevant components there is divided by the sum of all.
    """
    active, pooled, logits = answers_of(classifier, patches, options, weights)
    bands = np.maximum(classifier.frontend.mel_matrix().T @ weights["dictionary"], 0)
    bands = bands.astype(np.float32)
    head = weights["theta/classes/kernel"]
    kept = chosen(relevance(pooled[:, None], head.T[targets]), options)
    whole = active @ bands.T + _EPSILON
    maps = np.stack([(active * one[:, None]) @ bands.T / whole for one in kept.swapaxes(0, 1)], 1)
    named = (logits.argmax(axis=1) == classifier.scores(patches).argmax(axis=1))[:, None]
    report = {"components": kept.sum(axis=-1), "agrees": np.broadcast_to(named, targets.shape)}
    return registry.Found(maps, report)


def answers_of(
    model: AudioClassifier, patches: ArrayLike, options: Options, weights: Mapping
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return an interpreter's activations (n, frames, K), pooled ones (n, K), logits (n, classes).

    Raises
    ------
    XaiAudioError
        If it was trained for another network.
    """
    check_model("l2i", model, weights)
    read = _reader(model, options, weights)
    patches = np.asarray(patches, np.float32)
    starts = range(0, len(patches), BATCH)
    found = [read(tf.constant(patches[start : start + BATCH])) for start in starts]
    return tuple(np.concatenate([np.asarray(one[n]) for one in found]) for n in range(3))


def _reader(model, options, weights):
    """Return the compiled way from patches to answers."""
    learnt = [weights[name] for name in sorted(weights) if name.startswith(("psi/", "theta/"))]
    plan = options.layers, options.components, options.pooling
    key = (*plan, cache.sum_of_arrays([weights["scales"], *learnt]))
    return _READERS(model, key, lambda alive: _compiled(alive, options, weights))


def _compiled(alive, options, weights):
    network = hidden(alive(), options.layers)
    shapes = [tuple(one.shape[1:]) for one in network.outputs]
    if len(shapes) != len(weights["scales"]):
        raise XaiAudioError(
            f"This l2i was trained on {len(weights['scales'])} hidden layers, and its option "
            f"layers, {options.layers!r}, names {len(shapes)}: train it anew."
        )
    made = _interpreter(alive(), shapes, weights["scales"], options)
    restore(made.psi, "psi", weights)
    restore(made.theta, "theta", weights)

    def read(part):
        maps = network(alive().as_input(part), training=False)
        return made(maps if isinstance(maps, (list, tuple)) else [maps])

    return traced(read, [tf.TensorSpec((None, *alive().frontend.patch_shape), tf.float32)])


def predict(explainer: Explainer, model: AudioClassifier, patches: ArrayLike) -> np.ndarray:
    """Return the logits of an interpreter's linear layer, float32 (n, classes).

    With `by_design` they are its own prediction, else its imitation of the network's answers. They
    are sums over components, without a bias.
    """
    return answers_of(model, patches, explainer.options, explainer.learnt())[2]


def relevance(pooled: ArrayLike, head: ArrayLike) -> np.ndarray:
    """Return how much each component speaks for a class: 1 for the largest magnitude.

    Parameters
    ----------
    pooled : array_like of float, shape (..., K)
        Activations over time, pooled.
    head : array_like of float, shape (..., K)
        The linear layer's weights for the class.

    Returns
    -------
    ndarray of float, shape (..., K)
        In [-1, 1]; all 0 where nothing is active. What speaks against the class is negative, also
        where nothing speaks for it.

    Examples
    --------
    >>> from xaiaudio.explainers.trained.l2i import relevance
    >>> relevance([2.0, 1.0, 4.0], [-1.0, -2.0, 0.0]).tolist()
    [-1.0, -1.0, 0.0]
    """
    adds = np.asarray(pooled) * np.asarray(head)
    largest = np.abs(adds).max(axis=-1, keepdims=True)
    return np.divide(adds, largest, out=np.zeros_like(adds), where=largest > 0)


def chosen(relevances: np.ndarray, options: Options) -> np.ndarray:
    """Return which components are kept: above the threshold, of these the `top`, bool (..., K)."""
    kept = relevances > options.threshold
    if options.top is not None:
        place = np.argsort(np.argsort(-relevances, axis=-1, kind="stable"), axis=-1)
        kept &= place < options.top
    return kept
