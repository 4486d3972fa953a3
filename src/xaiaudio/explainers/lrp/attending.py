r"""Attention: softmax and products of matrices, by the rules of AttnLRP.

    S = Q K^T / sqrt(d)     A = softmax(S)     O = A V

A product of matrices gives half of each term to either factor:

    R(A_ts) = 1/2 * A_ts * sum over h of V_sh R(O_th) / O_th       (and so for V, Q, K)

The softmax is expanded to first order where it stands. Its constant term stays behind:

    R(S_ts) = S_ts * (R(A_ts) - A_ts * sum over u of R(A_tu))

R. Achtibat et al., "AttnLRP: Attention-Aware Layer-Wise Relevance Propagation for Transformers",
ICML 2024. What the softmax keeps is counted with the biases, so that the account adds up.
"""

from __future__ import annotations

import tensorflow as tf
from keras import layers

from ...errors import XaiAudioError
from .plan import handles
from .rules import EPSILON, Passed, Situation, divided, per_example
from .weighted import linear_of


@handles(layers.MultiHeadAttention, kind="attention")
def attended(step, inputs, situation, relevance) -> Passed:
    """Carry relevance back through the heads to what was asked, compared and handed on."""
    layer = step.layer
    _check(step)
    asked, valued = inputs[:2]
    keyed = inputs[2] if len(inputs) > 2 else valued
    ways = [
        (asked, linear_of(layer.query_dense)),
        (keyed, linear_of(layer.key_dense)),
        (valued, linear_of(layer.value_dense)),
    ]
    query, key, value = (linear.apply(x, linear.kernel) + linear.bias for x, linear in ways)
    scale = layer.key_dim**-0.5
    scores = tf.nn.softmax(scale * tf.einsum("btnh,bsnh->bnts", query, key))
    heard = tf.einsum("bnts,bsnh->btnh", scores, value)
    out = _by_rule(step, heard, linear_of(layer.output_dense), relevance)

    rates = divided(out.inputs[0] / 2, heard, EPSILON)
    of_value = value * tf.einsum("bnts,btnh->bsnh", scores, rates)
    of_scores = scores * tf.einsum("btnh,bsnh->bnts", rates, value)
    # Per unit of S, so that nothing is divided by an S near zero.
    of_each = scale * _expanded(scores, of_scores) / 2
    of_query = query * tf.einsum("bnts,bsnh->btnh", of_each, key)
    of_key = key * tf.einsum("bnts,btnh->bsnh", of_each, query)
    kept = per_example(of_scores) - per_example(of_query) - per_example(of_key)

    found = [
        _by_rule(step, x, linear, own)
        for (x, linear), own in zip(ways, (of_query, of_key, of_value), strict=True)
    ]
    bias = out.bias + kept + sum(one.bias for one in found)
    by_query, by_key, by_value = (one.inputs[0] for one in found)
    if len(inputs) > 2:
        return Passed([by_query, by_value, by_key], bias)
    return Passed([by_query, by_value + by_key], bias)


@handles(layers.Softmax, "Softmax")
def softened(step, inputs, situation, relevance) -> Passed:
    """Expand a softmax to first order; what its constant term is worth stays behind."""
    (x,) = inputs
    outputs = tf.cast(step.node.call(x), tf.float32)
    axis = getattr(step.layer, "axis", -1)
    if not isinstance(axis, int):
        raise XaiAudioError(
            f"Layer {step.layer.name!r} is a softmax over several axes: relevance propagation "
            "treats one."
        )
    found = x * _expanded(outputs, relevance, axis)
    return Passed([found], per_example(relevance) - per_example(found))


def _expanded(outputs, relevance, axis=-1):
    """Return what a softmax hands on per unit of its input."""
    return relevance - outputs * tf.reduce_sum(relevance, axis=axis, keepdims=True)


def _by_rule(step, x, linear, relevance) -> Passed:
    return step.rule(linear, Situation(x, tf.ones_like(x)), relevance)


def _check(step) -> None:
    layer, name = step.layer, step.layer.name
    given = step.node.named
    if given.get("attention_mask") is not None or given.get("use_causal_mask"):
        raise XaiAudioError(
            f"Layer {name!r} is given a mask: relevance propagation treats attention of every "
            "token to every token."
        )
    special = [part for part in ("_use_gate", "_sliding_window") if getattr(layer, part, None)]
    if special or len(step.node.inputs[0].shape) != 3:
        raise XaiAudioError(
            f"Layer {name!r} is no plain attention over (tokens, channels): relevance propagation "
            "treats keras.layers.MultiHeadAttention without gates, windows or further axes."
        )
