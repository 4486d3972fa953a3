"""Products of what a network computes: the signal takes all, or the factors share alike.

Where one factor is a gate (it ends in a sigmoid or softmax) it only decides how much of the other
passes, and gets nothing, as in `recurrent`. Otherwise each of k factors gets one k-th: AttnLRP's
rule for products, R. Achtibat et al., ICML 2024.
"""

from __future__ import annotations

import tensorflow as tf
from keras import layers

from ...errors import XaiAudioError
from .activations import gates_of
from .plan import handles
from .rules import EPSILON, Passed, divided


@handles(layers.Multiply, "Multiply")
def multiplied(step, inputs, situation, relevance) -> Passed:
    """Give all to the signal, or equal parts to the factors; a constant gets nothing."""
    gates = gates_of(step.node)
    signals = len(inputs) - len(gates)
    return Passed(
        [
            tf.zeros_like(x) if number in gates else _gathered(relevance / signals, x)
            for number, x in enumerate(inputs)
        ]
    )


@handles("Matmul", layers.Dot, kind="passing")
def matrix_product(step, inputs, situation, relevance) -> Passed:
    """Share between both matrices: each product of two numbers gives half to each."""
    if getattr(step.layer, "normalize", False):
        raise XaiAudioError(
            f"Layer {step.layer.name!r} is a cosine (normalize=True), which relevance propagation "
            "has no rule for."
        )
    inputs = [tf.identity(x) for x in inputs]
    with tf.GradientTape(watch_accessed_variables=False) as tape:
        tape.watch(inputs)
        outputs = tf.cast(step.node.call(*inputs), tf.float32)
    rates = divided(relevance / len(inputs), outputs, EPSILON)
    gradients = tape.gradient(outputs, inputs, output_gradients=rates)
    return Passed([x * gradient for x, gradient in zip(inputs, gradients, strict=True)])


def _gathered(relevance, x):
    """Sum over the axes along which a smaller factor was repeated."""
    extra = len(relevance.shape) - len(x.shape)
    axes = [*range(1, 1 + extra)]
    axes += [k for k in range(1 + extra, len(relevance.shape)) if x.shape[k - extra] == 1]
    return tf.reshape(tf.reduce_sum(relevance, axis=axes), tf.shape(x)) if axes else relevance
