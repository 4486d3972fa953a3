"""What every training run shares: one compiled step, outputs in batches."""

from __future__ import annotations

import numpy as np
import tensorflow as tf

from ..tracing import traced


def compiled_step(logits_network, optimizer):
    """Return one training step as a compiled function.

    Parameters
    ----------
    logits_network : keras.Model
    optimizer : keras.optimizers.Optimizer

    Returns
    -------
    tf.function
        From inputs and target distributions (n, classes) to the mean cross-entropy and the share
        of inputs whose highest logit is the target's highest entry.
    """
    weights = logits_network.trainable_variables
    optimizer.build(weights)

    # Not XLA: on a CPU its convolutions take nearly twice as long as oneDNN's.
    @tf.function(reduce_retracing=True, autograph=False)
    def step(inputs, targets):
        with tf.GradientTape() as tape:
            logits = logits_network(inputs, training=True)
            loss = tf.reduce_mean(tf.nn.softmax_cross_entropy_with_logits(targets, logits))
        optimizer.apply(tape.gradient(loss, weights), weights)
        hits = tf.equal(tf.argmax(logits, axis=1), tf.argmax(targets, axis=1))
        return loss, tf.reduce_mean(tf.cast(hits, tf.float32))

    return step


def in_batches(network, size: int = 128):
    """Return a function that gives a network's outputs for any number of inputs.

    It is compiled once; inputs and outputs are arrays (n, ...).
    """
    shape = (None, *network.inputs[0].shape[1:])
    run = traced(lambda part: network(part, training=False), [tf.TensorSpec(shape, tf.float32)])

    def all_of(inputs) -> np.ndarray:
        parts = [inputs[start : start + size] for start in range(0, len(inputs), size)]
        return np.concatenate([run(tf.constant(part, tf.float32)).numpy() for part in parts])

    return all_of


def loss_and_accuracy(logits, targets) -> tuple[float, float]:
    """Mean cross-entropy and share of right answers; `targets` are class indices (n,)."""
    logits = np.asarray(logits, np.float64)
    logits = logits - logits.max(axis=1, keepdims=True)
    losses = np.log(np.exp(logits).sum(axis=1)) - logits[np.arange(len(logits)), targets]
    return float(losses.mean()), float(np.mean(logits.argmax(axis=1) == targets))
