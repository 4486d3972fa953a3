r"""Attention: softmax and products of matrices, by the rules of AttnLRP.

    S = Q K^T / sqrt(d)     A = softmax(S)     O = A V

A product of matrices gives half of each term to either factor:

    R(A_ts) = 1/2 * A_ts * sum over h of V_sh R(O_th) / O_th       (and so for V, Q, K)

The softmax is expanded to first order where it stands. Its constant term stays behind:

    R(S_ts) = S_ts * (R(A_ts) - A_ts * sum over u of R(A_tu))

R. Achtibat et al., "AttnLRP: Attention-Aware Layer-Wise Relevance Propagation for Transformers",
ICML 2024. What the softmax keeps is counted with the biases, so that the account adds up. Where a
mask forbids a token to look, A is 0, and so is all that follows from it. A mask that the network
computes decides who looks where, and gets no relevance, as a gate does.
"""

from __future__ import annotations

import keras
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
    places = _places(step.node)
    asked, keyed, valued = (inputs[place] for place in places)
    allowed = _allowed(step, inputs, tf.shape(asked)[1], tf.shape(valued)[1])
    ways = [
        (asked, linear_of(layer.query_dense)),
        (keyed, linear_of(layer.key_dense)),
        (valued, linear_of(layer.value_dense)),
    ]
    query, key, value = (linear.apply(x, linear.kernel) + linear.bias for x, linear in ways)
    scale = layer.key_dim**-0.5
    scores = scale * tf.einsum("btnh,bsnh->bnts", query, key)
    scores = _paid(layer, scores, allowed)
    heard = tf.einsum("bnts,bsnh->btnh", scores, value)
    out = _by_rule(step, heard, linear_of(layer.output_dense), relevance)

    rates = divided(out.inputs[0] / 2, heard, EPSILON)
    of_value = value * tf.einsum("bnts,btnh->bsnh", scores, rates)
    of_scores = scores * tf.einsum("btnh,bsnh->bnts", rates, value)
    # Per unit of S, so that nothing is divided by an S near zero.
    of_each = scale * tf.where(allowed, _expanded(scores, of_scores), 0) / 2
    of_query = query * tf.einsum("bnts,bsnh->btnh", of_each, key)
    of_key = key * tf.einsum("bnts,btnh->bsnh", of_each, query)
    kept = per_example(of_scores) - per_example(of_query) - per_example(of_key)

    found = [
        _by_rule(step, x, linear, own)
        for (x, linear), own in zip(ways, (of_query, of_key, of_value), strict=True)
    ]
    bias = out.bias + kept + sum(one.bias for one in found)
    parts = [tf.zeros_like(x) for x in inputs]  # of a mask, nothing more
    for place, one in zip(places, found, strict=True):
        parts[place] += one.inputs[0]
    return Passed(parts, bias)


@handles(layers.Softmax, "Softmax")
def softened(step, inputs, situation, relevance) -> Passed:
    """Expand a softmax to first order; what its constant term is worth stays behind."""
    x, *masks = inputs
    outputs = tf.cast(step.node.call(*inputs), tf.float32)
    axis = getattr(step.layer, "axis", -1)
    if not isinstance(axis, int):
        raise XaiAudioError(
            f"Layer {step.layer.name!r} is a softmax over several axes: relevance propagation "
            "treats one."
        )
    found = x * _expanded(outputs, relevance, axis)
    nothing = [tf.zeros_like(mask) for mask in masks]
    return Passed([found, *nothing], per_example(relevance) - per_example(found))


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
    called = step.node.arguments
    # What Keras's Masking layers would say; these are refused before.
    own = [
        each for each in ("query_mask", "value_mask", "key_mask") if called.get(each) is not None
    ]
    if own:
        raise XaiAudioError(
            f"Layer {name!r} is given {own[0]}: relevance propagation treats attention_mask and "
            "use_causal_mask."
        )
    signals = [called.get(each) for each in ("query", "value", "key")]
    if not all(one is None or isinstance(one, keras.KerasTensor) for one in signals):
        raise XaiAudioError(
            f"Layer {name!r} is given a constant as query, key or value: relevance propagation "
            "treats what the network computes from its input."
        )


def _places(node) -> list[int]:
    """Return which inputs of a layer are query, key and value; it may be given them by name."""
    called = node.arguments
    key = called["value"] if called.get("key") is None else called["key"]
    tensors = [id(one) for one in node.inputs]
    return [tensors.index(id(one)) for one in (called["query"], key, called["value"])]


def _allowed(step, inputs, asked, keyed):
    """Return which token may look at which, bool, to go with (n, heads, asked, keyed)."""
    called = step.node.arguments
    mask, causal = called.get("attention_mask"), called.get("use_causal_mask")
    allowed = tf.constant(True)
    if mask is not None:
        shape, computed = np.shape(mask), isinstance(mask, keras.KerasTensor)
        if len(shape) < 3 if computed else len(shape) > 2 and shape[0] != 1:
            raise XaiAudioError(
                f"Layer {step.layer.name!r} is given a mask that is not one for each sound, nor "
                "the same for all: relevance propagation cannot tell whose it is."
            )
        if computed:
            mask = inputs[[id(one) for one in step.node.inputs].index(id(mask))]
        allowed = tf.cast(mask, tf.bool)
        while len(allowed.shape) < 4:  # the axis of the heads, then that of the sounds
            allowed = tf.expand_dims(allowed, -3)
    if causal:
        allowed &= tf.linalg.band_part(tf.ones((asked, keyed), tf.bool), -1, 0)
    return allowed


def _paid(layer, scores, allowed):
    """Return the softmax over what may be looked at; where that is nothing, as Keras has it."""
    paid = tf.nn.softmax(tf.where(allowed, scores, scores.dtype.min))
    return tf.where(allowed, paid, 0) if layer.dropout else paid
