"""The one engine behind every method that follows the network backwards to its input.

A run is n inputs times m variants of each: noisy copies, or points on a path. The engine walks
through the n * m combinations in batches; making the variant, the forward and the backward pass and
the sum over an input's variants happen inside one compiled graph.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import tensorflow as tf

from ...errors import XaiAudioError
from ...models.caching import PerModel
from ...models.graph import graph_of, run
from ...models.grouped import is_grouped
from ...models.tracing import traced
from ...progress import bar
from ..checks import check_answers, check_network

if TYPE_CHECKING:
    from collections.abc import Callable

    import keras
    from numpy.typing import ArrayLike

# Inputs in one forward and backward pass, which keeps all that lies between input and output: a
# full-width VGGish takes half a gigabyte.
BATCH = 32

_ENGINES = PerModel()


class Backward:
    """A network that answers with gradients, batch by batch.

    Parameters
    ----------
    forward : callable
        Takes a tensor (batch, ...) and returns logits (batch, classes). It is traced once.
    shape : tuple of int or None
        Of one input.
    batch : int
        Inputs in a pass; only the last one of a run may be smaller.

    Examples
    --------
    >>> import numpy as np, tensorflow as tf
    >>> engine = Backward(lambda x: tf.stack([x[:, 0] ** 2, x[:, 1]], axis=1), (2,))
    >>> inputs = np.array([[3.0, 1.0]])
    >>> engine(inputs, np.array([0])).tolist()
    [[6.0, 0.0]]
    """

    def __init__(self, forward, shape, batch: int = BATCH):
        self.batch, self._forward = batch, forward
        self._inputs = tf.TensorSpec((None, *shape), tf.float32)
        self._whole = tf.TensorSpec((None,), tf.int32)

    @cached_property
    def _step(self):
        # A direction may be one number an input, a factor one number a variant.
        loose = tf.TensorSpec((None, *[None] * (len(self._inputs.shape) - 1)), tf.float32)
        specs = [tf.TensorSpec((), tf.int32), self._inputs, self._whole, loose, loose]
        return traced(_step_of(self._forward, self.batch), specs)

    @cached_property
    def _scores(self):
        def scores(inputs, targets):
            return _chosen(self._forward(inputs), targets)

        return traced(scores, [self._inputs, self._whole])

    def __call__(self, inputs, targets, directions=None, factors=None, *, progress=None):
        """Return the gradient of each target's logit, averaged over variants of each input.

        Variant j of input i is ``inputs[i] + directions[i] * factors[j]``.

        Parameters
        ----------
        inputs : ndarray of float, shape (n, ...)
        targets : ndarray of int, shape (n,)
        directions : ndarray of float, shape (n, ...), optional
            With the inputs' axes; an axis may have the length 1.
        factors : ndarray of float, shape (m, ...), optional
            Likewise. Left out, there is one variant: the input itself.
        progress : bool or None
            Show a progress bar on stderr; None shows one on a terminal only.

        Returns
        -------
        ndarray of float64, shape (n, ...)
        """
        inputs = np.asarray(inputs, np.float32)
        ones = [1] * (inputs.ndim - 1)
        directions = np.zeros((len(inputs), *ones)) if directions is None else directions
        factors = np.zeros((1, *ones)) if factors is None else factors
        arguments = [
            tf.constant(inputs),
            tf.constant(targets, tf.int32),
            tf.constant(directions, tf.float32),
            tf.constant(factors, tf.float32),
        ]
        sums = np.zeros(inputs.shape)
        total = len(inputs) * len(factors)
        with bar(-(-total // self.batch), progress) as advance:
            for start in range(0, total, self.batch):
                part = self._step(tf.constant(start), *arguments).numpy()
                first = start // len(factors)
                sums[first : first + len(part)] += part
                advance()
        return sums / len(factors)

    def scores(self, inputs: ArrayLike, targets: ArrayLike) -> np.ndarray:
        """Return each target's logit, float64 (n,)."""
        parts = [np.zeros(0)]
        for start in range(0, len(inputs), self.batch):
            part = slice(start, start + self.batch)
            found = self._scores(
                tf.constant(inputs[part], tf.float32), tf.constant(targets[part], tf.int32)
            )
            parts.append(found.numpy())
        return np.concatenate(parts).astype(np.float64)


def _step_of(forward, batch):
    def step(start, inputs, targets, directions, factors):
        """Sum the gradients of combinations start to start + batch, input by input."""
        count = tf.shape(factors)[0]
        index = tf.range(start, tf.minimum(start + batch, tf.shape(inputs)[0] * count))
        whose, which = index // count, index % count
        moved = tf.gather(directions, whose) * tf.gather(factors, which)
        variants = tf.gather(inputs, whose) + moved
        variants.set_shape((None, *inputs.shape[1:]))
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(variants)
            scores = _chosen(forward(variants), tf.gather(targets, whose))
        gradients = tape.gradient(scores, variants)
        if gradients is None:
            raise XaiAudioError(
                "No gradient comes back to the input: some layer of the network is not "
                "differentiable. Use a method that only asks for scores, such as occlusion."
            )
        return tf.math.segment_sum(gradients, whose - whose[0])

    return step


def _chosen(logits, targets):
    return tf.gather(tf.cast(logits, tf.float32), targets, batch_dims=1)


def plain(network: keras.Model, inputs: tf.Tensor) -> tf.Tensor:
    """Run a network as it is; convolutions in groups so that they have a gradient."""
    graph = graph_of(network)
    if not any(is_grouped(node.operation) for node in graph.nodes):
        return network(inputs, training=False)
    return run(graph, {graph.nodes[0]: inputs}, [graph.output])[0]


def engine_of(network: keras.Model, forward: Callable = plain) -> Backward:
    """Return the network's engine; it is built once and goes when the network goes.

    Parameters
    ----------
    network : keras.Model
        One input, one output (n, classes).
    forward : callable
        ``(network, inputs) -> logits``, one of this package's functions.
    """

    def make(alive):
        check_network(network)
        check_answers(network)
        shape = tuple(network.inputs[0].shape)[1:]
        return Backward(lambda inputs: forward(alive(), inputs), shape)

    return _ENGINES(network, forward, make)
