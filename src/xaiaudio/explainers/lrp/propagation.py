"""Relevance propagation as a call: compiled once per network and composite, in batches."""

from __future__ import annotations

import keras
import numpy as np
import tensorflow as tf

from ...errors import XaiAudioError
from ...models.caching import PerModel
from ...models.tracing import traced
from ..checks import checked
from .composites import composite as read_composite
from .plan import plan
from .pooling import POOLINGS
from .report import LayerShare, Relevance
from .rules import Situation, per_example

# Inputs in one pass: all tensors between the layers are kept at the same time.
BATCH = 32

_COMPILED = PerModel()


def relevance(
    network,
    inputs,
    targets,
    composite="epsilon-plus-flat",
    *,
    low=None,
    high=None,
    pooling="winner",
    report=False,
) -> Relevance:
    """Share the logit of a class out to the inputs, layer by layer.

    Parameters
    ----------
    network : keras.Model
        Flat, functional or Sequential, from one input of any shape to logits (n, classes).
    inputs : array_like of float, shape (n, ...)
    targets : array_like of int, shape (n,)
        The class whose logit is shared out.
    composite : str, Rule or mapping
        Which rule for which layer, see :func:`composite`.
    low, high : float, optional
        Bounds of the inputs for the box rule; by default each input's own smallest and largest
        value.
    pooling : {"winner", "proportional"}
        Who gets the relevance of a maximum: the first cell that has it, or all cells of its window
        in proportion to their values.
    report : bool
        Also report what became of the relevance at each layer.

    Returns
    -------
    Relevance

    Raises
    ------
    XaiAudioError
        For a network with a layer that cannot be treated right, named in the message; an unknown
        rule or composite; inputs or targets that do not fit.

    References
    ----------
    S. Bach et al., "On Pixel-Wise Explanations for Non-Linear Classifier Decisions by Layer-Wise
    Relevance Propagation", PLOS ONE 2015.

    Examples
    --------
    >>> import keras, numpy as np
    >>> x = keras.Input((6,))
    >>> hidden = keras.layers.Dense(4, activation="relu")(x)
    >>> network = keras.Model(x, keras.layers.Dense(2)(hidden))
    >>> relevance(network, np.ones((3, 6)), [0, 1, 1], "epsilon").inputs.shape
    (3, 6)
    """
    inputs, targets = checked(network, inputs, targets)
    if not len(inputs):
        raise XaiAudioError("There are no inputs to explain.")
    bounds = _bounds(inputs, low, high)
    run, steps = _compiled(network, read_composite(composite), pooling, bool(report))
    parts = []
    for start in range(0, len(inputs), BATCH):
        part = slice(start, start + BATCH)
        arguments = (inputs[part], targets[part], *(bound[part] for bound in bounds))
        parts.append(tf.nest.map_structure(np.asarray, run(*map(tf.constant, arguments))))
    maps = np.concatenate([part[0] for part in parts])
    logits = np.concatenate([part[1] for part in parts])
    layers: tuple[LayerShare, ...] = ()
    if report:
        accounts = np.concatenate([part[2] for part in parts], axis=-1)
        layers = tuple(
            LayerShare(step.layer.name, type(step.layer).__name__, str(step.rule or ""), *account)
            for step, account in zip(steps[1:], accounts[::-1], strict=True)
        )
    return Relevance(maps, logits, layers)


def _bounds(inputs, low, high) -> tuple[np.ndarray, np.ndarray]:
    """Return the bounds of each input: (n, 1, ..., 1)."""
    if None not in (low, high) and low >= high:
        raise XaiAudioError(f"low is {low:g} and high {high:g}: low must be below high.")
    axes = tuple(range(1, inputs.ndim))
    shape = (len(inputs), *[1] * len(axes))
    low = inputs.min(axis=axes, keepdims=True) if low is None else np.full(shape, low)
    high = inputs.max(axis=axes, keepdims=True) if high is None else np.full(shape, high)
    return low.astype(np.float32), high.astype(np.float32)


def _compiled(network, composite, pooling, report):
    """Return the compiled way there and back, and its steps."""
    if pooling not in POOLINGS:
        raise XaiAudioError(f"pooling is {pooling!r}: it must be one of {POOLINGS}.")

    def make(alive):
        steps, tensors = plan(alive(), composite, pooling)
        return _function(steps, tensors, report), steps

    return _COMPILED(network, (composite, pooling, report), make)


def _function(steps, tensors, report):
    # A model of its own, so that the cache does not keep the caller's network alive.
    forward = keras.Model(tensors[0], tensors, name="all_layers")
    specs = [tf.TensorSpec((None, *tensors[0].shape[1:]), tf.float32)]
    specs += [tf.TensorSpec((None,), tf.int32)]
    specs += [tf.TensorSpec((None, *[1] * (len(tensors[0].shape) - 1)), tf.float32)] * 2

    def run(inputs, targets, low, high):
        values = _values(forward, inputs)
        chosen = tf.one_hot(targets, values[-1].shape[-1])
        found, accounts = _back(
            steps, values, chosen * values[-1], _Push(steps, forward, low, high)
        )
        logits = tf.reduce_sum(chosen * values[-1], axis=-1)
        return (found, logits, tf.stack(accounts)) if report else (found, logits)

    return traced(run, specs)


def _values(forward, inputs) -> list:
    """Return the output of every step."""
    outputs = forward(inputs, training=False)
    return [tf.cast(value, tf.float32) for value in outputs]


class _Push:
    """The bounds and the support of the input, pushed forward to where a rule needs them."""

    def __init__(self, steps, forward, low, high):
        self.steps, self.forward, self.low, self.high = steps, forward, low, high
        self._pushed = {}

    def bounds(self, number, values, rule):
        """Return the lowest and highest values that the output of a step can have."""
        ends = (
            self.low if rule.low is None else rule.low,
            self.high if rule.high is None else rule.high,
        )
        key = (rule.low, rule.high)
        if key not in self._pushed:
            like = tf.ones_like(values[0])
            self._pushed[key] = [_values(self.forward, like * end) for end in ends]
        one, other = (values[number] for values in self._pushed[key])
        # A negative factor on the way turns the bounds around.
        return tf.minimum(one, other), tf.maximum(one, other)

    def support(self, number, values):
        """Return 1 for every value of a step's output that is not the zero of a padding layer."""
        step = self.steps[number]
        if step.kind == "moving":
            support = self.support(step.parents[0], values)
            return tf.cast(step.node.call(support), tf.float32)
        return tf.ones_like(values[number])


def _back(steps, values, relevance, push):
    """Carry the relevance of the last output back to the input."""
    arrived = {len(steps) - 1: relevance}
    accounts = []
    for number in range(len(steps) - 1, 0, -1):
        step = steps[number]
        if step.silent:
            accounts.append(tf.zeros((3, tf.shape(relevance)[0])))
            continue
        own = arrived.pop(number)
        inputs = [values[parent] for parent in step.parents]
        situation = _situation(step, inputs, values, push)
        passed = step.handler.function(step, inputs, situation, own)
        for parent, part in zip(step.parents, passed.inputs, strict=True):
            if steps[parent].silent:
                continue
            part = tf.reshape(part, tf.shape(values[parent]))
            arrived[parent] = arrived[parent] + part if parent in arrived else part
        accounts.append(_account(own, passed))
    return arrived[0], accounts


def _situation(step, inputs, values, push) -> Situation:
    """Collect what the step's rule may need; sums get their inputs stacked."""
    name = "" if step.rule is None else step.rule.name

    def stacked(parts):
        return parts[0] if len(parts) == 1 else tf.stack(parts)

    if name == "" or step.kind == "attention":
        return Situation(inputs[0], positive=step.positive)
    support = low = high = None
    if name in ("flat", "w2"):
        support = stacked([push.support(parent, values) for parent in step.parents])
    if name == "box":
        pairs = [push.bounds(parent, values, step.rule) for parent in step.parents]
        low, high = (stacked(side) for side in zip(*pairs, strict=True))
    return Situation(stacked(inputs), support, low, high, step.positive)


def _account(arrived, passed):
    """Return the sums (3, n) of what arrived, what went on and what stayed."""
    whole = per_example(arrived)
    went = tf.add_n([per_example(part) for part in passed.inputs])
    return tf.stack([whole, went, tf.zeros_like(whole) + passed.bias])
