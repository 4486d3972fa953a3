"""Attention as a map: what the layers of a transformer pay to the tiles of a patch.

Row t of a layer's attention says what token t takes from the others. Both methods follow it from
the tokens that the head reads back to the tiles of the spectrogram. Rollout knows attention alone,
and so draws one map for all classes; the other weighs it by the gradient of one class.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import tensorflow as tf

from ..errors import XaiAudioError
from ..models.caching import PerModel
from ..models.graph import graph_of
from ..models.tokens import attend, tokens_of
from ..models.tracing import traced
from ..models.training.fitting import is_number
from .registry import ATTENTION, register

if TYPE_CHECKING:
    from ..models.classifier import AudioClassifier

# Patches in one pass.
CHUNK = 32

_COMPILED = PerModel()


@dataclass(frozen=True)
class RolloutOptions:
    """Options of attention rollout.

    Attributes
    ----------
    residual : float
        The part that a token keeps of itself on the connection around a layer, 0 to 1; the rest
        comes by attention.
    """

    residual: float = 0.5

    def __post_init__(self):
        if not is_number(self.residual) or not 0 <= self.residual <= 1:
            raise XaiAudioError(f"residual is {self.residual!r}: a number from 0 to 1 is needed.")


@dataclass(frozen=True)
class Options:
    """Gradient-weighted attention has no options."""


@register(
    "rollout",
    options=RolloutOptions,
    summary="Attention multiplied through the layers; one map, the same for every class.",
    paper="Abnar & Zuidema 2020, Quantifying Attention Flow in Transformers",
    needs=ATTENTION,
    many_targets=True,
    of_class=False,
)
def rollout(
    classifier: AudioClassifier, patches: np.ndarray, targets: np.ndarray, options: RolloutOptions
) -> np.ndarray:
    """Compute maps (n, k, rows, columns) from the product of ``r * I + (1 - r) * mean(A)``.

    The mean is over the heads, the product over the layers, the first one rightmost. A map is the
    mean of its rows over the tokens that the head reads. The k maps of a patch are one.
    """

    def through(scores, _):
        flow = np.eye(scores[0].shape[-1], dtype=np.float32)
        for paid in scores:
            kept = options.residual * np.eye(paid.shape[-1], dtype=np.float32)
            flow = (kept + (1 - options.residual) * paid.mean(axis=1)) @ flow
        return flow

    maps = _maps(through, classifier, patches, targets[:, 0])
    return np.repeat(maps[:, None], targets.shape[1], axis=1)


@register(
    "gradient-attention",
    options=Options,
    summary="Attention weighted by the gradient of the class, added up through the layers.",
    paper="Chefer et al. 2021, Generic Attention-model Explainability",
    needs=ATTENTION,
)
def gradient_attention(
    classifier: AudioClassifier, patches: np.ndarray, targets: np.ndarray, options: Options
) -> np.ndarray:
    """Compute maps (n, rows, columns) from ``R + mean(relu(dS/dA * A)) @ R``, layer by layer.

    R begins as the identity. The mean is over the heads, S is the logit of the target. A map is
    the mean of the rows of R over the tokens that the head reads.
    """

    def through(scores, gradients):
        flow = np.eye(scores[0].shape[-1], dtype=np.float32)
        for paid, gradient in zip(scores, gradients, strict=True):
            flow = flow + np.maximum(gradient * paid, 0).mean(axis=1) @ flow
        return flow

    return _maps(through, classifier, patches, targets)


def _maps(through, classifier, patches, targets) -> np.ndarray:
    """Follow tokens back to their places: (n, rows, columns)."""
    run, tokens = attention_of(classifier)
    maps = []
    for first in range(0, len(patches), CHUNK):
        part = slice(first, first + CHUNK)
        inputs = tf.constant(classifier.as_input(patches[part]), tf.float32)
        scores, gradients = run(inputs, tf.constant(targets[part], tf.int32))
        flow = through([one.numpy() for one in scores], [one.numpy() for one in gradients])
        flow = np.broadcast_to(flow, (len(inputs), *flow.shape[-2:]))
        maps.append(flow[:, tokens.read].mean(axis=1)[:, tokens.places])
    return np.concatenate(maps)


def attention_of(classifier: AudioClassifier) -> tuple:
    """Return the compiled way to a network's attention, and where its tokens lie.

    Parameters
    ----------
    classifier : AudioClassifier

    Returns
    -------
    run : callable
        ``(inputs, targets) -> (scores, gradients)``, for each layer one tensor
        (n, heads, tokens, tokens) of each: attention, and what the target's logit would rise by.
    tokens : xaiaudio.models.tokens.Tokens

    Raises
    ------
    XaiAudioError
        If the network has no attention over patches, or another network inside.
    """
    return _COMPILED(classifier.logits_network, "attention", lambda alive: _compiled(alive()))


def _compiled(network):
    graph = graph_of(network)
    graph.check_flat("attention")
    tokens = tokens_of(graph)

    def scores_and_gradients(inputs, targets):
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(inputs)
            scores, logits = attend(graph, tokens, inputs)
            score = tf.gather(tf.cast(logits, tf.float32), targets, batch_dims=1)
        gradients = tape.gradient(score, scores, unconnected_gradients="zero")
        return [tf.cast(x, tf.float32) for x in scores], [tf.cast(x, tf.float32) for x in gradients]

    signature = [
        tf.TensorSpec((None, *graph.nodes[0].output.shape[1:]), tf.float32),
        tf.TensorSpec((None,), tf.int32),
    ]
    return traced(scores_and_gradients, signature), tokens
