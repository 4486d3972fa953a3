r"""Attention: softmax and products of matrices, by the rules of AttnLRP.

    S = Q K^T / sqrt(d)     A = softmax(S)     O = A V

A product of matrices gives half of each term to either factor:

    R(A_ts) = 1/2 * A_ts * sum over h of V_sh R(O_th) / O_th       (and so for V, Q, K)

The softmax is expanded to first order where it stands. Its constant term stays behind:

    R(S_ts) = S_ts * (R(A_ts) - A_ts * sum over u of R(A_tu))

R. Achtibat et al., "AttnLRP: Attention-Aware Layer-Wise Relevance Propagation for Transformers",
ICML 2024. What the softmax keeps is counted with the biases, so that the account adds up. Where a
constant mask forbids a token to look, A is 0, and so is all that follows from it.
"""

from __future__ import annotations

import numpy as np
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
    mask = _mask(step)
    asked, valued = inputs[:2]
    keyed = inputs[2] if len(inputs) > 2 else valued
    ways = [
        (asked, linear_of(layer.query_dense)),
        (keyed, linear_of(layer.key_dense)),
        (valued, linear_of(layer.value_dense)),
    ]
    query, key, value = (linear.apply(x, linear.kernel) + linear.bias for x, linear in ways)
    scale = layer.key_dim**-0.5
    scores = scale * tf.einsum("btnh,bsnh->bnts", query, key)
    scores = tf.nn.softmax(scores if mask is None else tf.where(mask, scores, -np.inf))
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
    special = [part for part in ("_use_gate", "_sliding_window") if getattr(layer, part, None)]
    if special or len(step.node.inputs[0].shape) != 3:
        raise XaiAudioError(
            f"Layer {name!r} is no plain attention over (tokens, channels): relevance propagation "
            "treats keras.layers.MultiHeadAttention without gates, windows or further axes."
        )
    # What Keras's Masking layers would say; these are refused before.
    own = [
        each
        for each in ("query_mask", "value_mask", "key_mask")
        if step.node.named.get(each) is not None
    ]
    if own:
        raise XaiAudioError(
            f"Layer {name!r} is given {own[0]}: relevance propagation treats attention_mask and "
            "use_causal_mask."
        )


def _mask(step) -> np.ndarray | None:
    """Return which token may look where, bool (1, heads or 1, asked, keyed); None: everywhere."""
    given, name = step.node.named, step.layer.name
    mask, causal = given.get("attention_mask"), given.get("use_causal_mask")
    if mask is None and not causal:
        return None
    sizes = tuple(tensor.shape[1] for tensor in step.node.inputs[:2])
    if None in sizes:
        raise XaiAudioError(
            f"Layer {name!r} is given a mask and any number of tokens: relevance propagation "
            "treats masks of a number that is known."
        )
    allowed = np.ones(sizes, bool) if mask is None else np.asarray(mask).astype(bool)
    if causal:
        allowed = allowed & np.tril(np.ones(sizes, bool))
    while allowed.ndim < 4:  # the axis of the heads, then that of the sounds
        allowed = np.expand_dims(allowed, -3)
    if len(allowed) != 1 or not allowed.any(axis=-1).all():
        what = "of several sounds" if len(allowed) != 1 else "in which a token may look nowhere"
        raise XaiAudioError(
            f"Layer {name!r} is given a mask {what}: relevance propagation treats masks that are "
            "the same for all sounds, and leave each token something."
        )
    return allowed
