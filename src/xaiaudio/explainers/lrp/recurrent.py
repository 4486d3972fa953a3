"""LSTM and GRU layers: back through time, with all relevance of a gated product to the signal.

A memory cell is a sum of products. In each product one factor is a gate, which only decides how
much passes; the other is the signal, which carries the message. The signal takes all:

    c_t = f_t * c_{t-1} + i_t * g_t     shared by the epsilon rule between c_{t-1} and g_t
    h_t = o_t * tanh(c_t)               all to c_t
    g_t = tanh(W x_t + U h_{t-1} + b)   shared by the epsilon rule between x_t, h_{t-1} and b

A GRU's state is such a sum as well, and inside its signal the reset gate r is a gate:

    h_t = z_t * h_{t-1} + (1 - z_t) * g_t          shared between h_{t-1} and g_t
    g_t = tanh(W x_t + r_t * (U h_{t-1} + b') + b)  shared between x_t, h_{t-1}, b and b'

(or U (r_t * h_{t-1}), without b', where ``reset_after=False``).

The gates get nothing, and so do their biases. L. Arras et al., "Explaining and Interpreting LSTMs",
in *Explainable AI*, Springer 2019.
"""

from __future__ import annotations

from typing import NamedTuple

import keras
import tensorflow as tf

from ...errors import XaiAudioError
from .activations import PASSING, activation_of
from .plan import handles
from .rules import Passed, divided, per_example

#: Activations of gates: they must stay between 0 and 1.
GATES = ("sigmoid", "hard_sigmoid")


KINDS = (keras.layers.LSTM, keras.layers.GRU)


@handles(*KINDS, kind="recurrent")
def one_way(step, inputs, situation, relevance) -> Passed:
    """Share the relevance of the last state, or of all of them, out to the frames."""
    _check(step.layer)
    return _through_time(step.layer, inputs[0], relevance, step.rule.epsilon)


@handles(keras.layers.Bidirectional, kind="recurrent")
def both_ways(step, inputs, situation, relevance) -> Passed:
    """Give each direction the relevance of its own states."""
    layer = step.layer
    if layer.merge_mode != "concat":
        raise XaiAudioError(
            f"Layer {layer.name!r} merges its directions by {layer.merge_mode!r}: relevance "
            "propagation treats merge_mode='concat'."
        )
    one, other = layer.forward_layer, layer.backward_layer
    for part in (one, other):
        if type(part) not in KINDS:
            raise XaiAudioError(
                f"Layer {layer.name!r} runs a {type(part).__name__} in both directions: relevance "
                "propagation treats LSTM and GRU."
            )
        _check(part)
    ahead, back = relevance[..., : one.units], relevance[..., one.units :]
    if other.return_sequences:
        # The wrapper puts the backward states into the order of time.
        back = tf.reverse(back, [1])
    first = _through_time(one, inputs[0], ahead, step.rule.epsilon)
    second = _through_time(other, inputs[0], back, step.rule.epsilon)
    return Passed([first.inputs[0] + second.inputs[0]], first.bias + second.bias)


class _Course(NamedTuple):
    """What happened in a layer, time first: each (frames, n, units)."""

    before: tf.Tensor
    kept: tf.Tensor
    added: tf.Tensor
    total: tf.Tensor
    message: tf.Tensor
    reset: tf.Tensor | None = None


def _through_time(layer, x, relevance, epsilon) -> Passed:
    gated = isinstance(layer, keras.layers.GRU)
    kernel, recurrent, bias, inner = _weights(layer)
    frames = tf.transpose(x, (1, 0, 2))
    frames = tf.reverse(frames, [0]) if layer.go_backwards else frames
    if gated:
        course = _forward_gru(layer.cell, frames, kernel, recurrent, bias, inner)
    else:
        course = _forward(layer, frames, kernel, recurrent, bias)
    if layer.return_sequences:
        arriving = tf.transpose(relevance, (1, 0, 2))
    else:
        rest = tf.zeros_like(course.total)[1:]
        arriving = tf.concat([rest, relevance[None]], axis=0)
    # In both layers the signal has the third part of the weights.
    signal = slice(2 * layer.units, 3 * layer.units)
    if gated:
        after = layer.cell.reset_after
        rates = _backward_gru(course, arriving, recurrent[:, signal], epsilon, after)
    else:
        rates = _backward(course, arriving, recurrent[:, signal], epsilon)
    shares = frames * tf.tensordot(rates, tf.transpose(kernel[:, signal]), axes=1)
    shares = tf.reverse(shares, [0]) if layer.go_backwards else shares
    biases = bias[signal]
    if gated and layer.cell.reset_after:
        biases += course.reset * inner[signal]
    stayed = per_example(tf.transpose(rates * biases, (1, 0, 2)))
    return Passed([tf.transpose(shares, (1, 0, 2))], stayed)


def _weights(layer):
    """Return the kernels (inputs, k units), (units, k units), and two biases (k units,).

    The parts are those of the input gate, the forget gate, the signal and the output gate of an
    LSTM; the update gate, the reset gate and the signal of a GRU. The second bias is the one that
    a GRU adds before it resets.
    """
    cell = layer.cell
    kernel = tf.cast(cell.kernel, tf.float32)
    recurrent = tf.cast(cell.recurrent_kernel, tf.float32)
    none = tf.zeros(kernel.shape[-1])
    bias = tf.cast(cell.bias, tf.float32) if cell.use_bias else none
    if len(bias.shape) == 2:
        return kernel, recurrent, bias[0], bias[1]
    return kernel, recurrent, bias, none


def _forward(layer, frames, kernel, recurrent, bias) -> _Course:
    """Run the layer once more, and keep what its output does not tell."""
    cell = layer.cell
    n = tf.shape(frames)[1]
    seen = tf.tensordot(frames, kernel, axes=1) + bias

    def tick(state, seen):
        hidden, memory = state[0], state[1]
        parts = tf.split(seen + tf.matmul(hidden, recurrent), 4, axis=1)
        opens, keeps, lets = (cell.recurrent_activation(parts[k]) for k in (0, 1, 3))
        kept, added = keeps * memory, opens * cell.activation(parts[2])
        total = kept + added
        return lets * cell.activation(total), total, kept, added, parts[2]

    start = tf.zeros((n, cell.units))
    hidden, total, kept, added, message = tf.scan(tick, seen, (start,) * 5)
    before = tf.concat([start[None], hidden[:-1]], axis=0)
    return _Course(before, kept, added, total, message)


def _backward(course, arriving, recurrent, epsilon):
    """Return relevance per unit of each signal's sum: (frames, n, units), time first."""

    def tick(state, now):
        hidden, memory = state[0], state[1]
        own, before, kept, added, total, message = now
        rate = divided(hidden + own + memory, total, epsilon)
        signal = divided(added * rate, message, epsilon)
        return before * tf.matmul(signal, recurrent, transpose_b=True), kept * rate, signal

    start = tf.zeros_like(arriving[0])
    _, _, rates = tf.scan(tick, (arriving, *course[:5]), (start,) * 3, reverse=True)
    return rates


def _forward_gru(cell, frames, kernel, recurrent, bias, inner) -> _Course:
    """Do the same for a GRU."""
    seen = tf.tensordot(frames, kernel, axes=1) + bias
    units = cell.units

    def tick(state, seen):
        hidden = state[0]
        update, reset, message = tf.split(seen, 3, axis=1)
        own = tf.split(tf.matmul(hidden, recurrent) + inner, 3, axis=1)
        update = cell.recurrent_activation(update + own[0])
        reset = cell.recurrent_activation(reset + own[1])
        if cell.reset_after:
            message += reset * own[2]
        else:
            message += tf.matmul(reset * hidden, recurrent[:, 2 * units :])
        kept, added = update * hidden, (1 - update) * cell.activation(message)
        return kept + added, kept, added, message, reset

    start = tf.zeros((tf.shape(frames)[1], units))
    hidden, kept, added, message, reset = tf.scan(tick, seen, (start,) * 5)
    before = tf.concat([start[None], hidden[:-1]], axis=0)
    return _Course(before, kept, added, hidden, message, reset)


def _backward_gru(course, arriving, recurrent, epsilon, reset_after):
    """Do the same for a GRU."""

    def tick(state, now):
        own, before, kept, added, total, message, reset = now
        rate = divided(state[0] + own, total, epsilon)
        signal = divided(added * rate, message, epsilon)
        if reset_after:
            back = tf.matmul(signal * reset, recurrent, transpose_b=True)
        else:
            back = reset * tf.matmul(signal, recurrent, transpose_b=True)
        return kept * rate + before * back, signal

    start = tf.zeros_like(arriving[0])
    _, rates = tf.scan(tick, (arriving, *course), (start,) * 2, reverse=True)
    return rates


def _check(layer) -> None:
    if layer.stateful:
        raise XaiAudioError(
            f"Layer {layer.name!r} is stateful: its answer depends on what it heard before. Build "
            "it with stateful=False."
        )
    if activation_of(layer) not in PASSING:
        raise XaiAudioError(
            f"Layer {layer.name!r} has the activation {activation_of(layer)}, through which "
            f"relevance does not pass: only {', '.join(PASSING)} keep the sign of what they are "
            "given."
        )
    gate = getattr(layer.recurrent_activation, "__name__", repr(layer.recurrent_activation))
    if gate not in GATES:
        raise XaiAudioError(
            f"Layer {layer.name!r} has gates of the kind {gate}: relevance propagation treats "
            f"gates between 0 and 1 ({', '.join(GATES)})."
        )
