"""Turning the knob: move a hidden layer along what a linear probe reads, with the probe watching.

After J. Koo et al., "SMITIN: self-monitored inference-time intervention for generative music
transformers", IEEE Open Journal of Signal Processing, 2025.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import tensorflow as tf
from scipy.special import expit

from ..errors import XaiAudioError
from ..models.graph import graph_of, run
from ..models.tracing import traced
from .activations import BATCH, stages
from .fitting import PENALTY, check_penalty, standardised
from .sensitivities import asked_for, checked

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from ..models.classifier import AudioClassifier
    from ..models.generative import Generator
    from ..patches import Patches

_ROUNDS = 1000


@dataclass(frozen=True, eq=False)
class Direction:
    """A linear probe of a trait, and the way to more of it.

    Attributes
    ----------
    weights : ndarray of float64, shape (channels,)
        Of the probe, for activations as they are.
    bias : float
    way : ndarray of float64, shape (channels,)
        Where to move, of length 1: see :func:`direction`.
    spread : float
        Standard deviation of the activations along it: the unit of strengths.
    """

    weights: np.ndarray
    bias: float
    way: np.ndarray
    spread: float

    @property
    def step(self) -> np.ndarray:
        """What a strength of 1 adds to the activations, float32 (channels,)."""
        return (self.spread * self.way).astype(np.float32)

    def read(self, values: ArrayLike) -> np.ndarray:
        """Return the probability that the trait is there, of activations (n, channels)."""
        return expit(np.asarray(values, float) @ self.weights + self.bias)

    def accuracy(self, values: ArrayLike, present: ArrayLike) -> float:
        """Return the share of activations (n, channels) read rightly."""
        return float(((self.read(values) > 0.5) == np.asarray(present, bool)).mean())

    def at_random(self, seed: int = 0) -> Direction:
        """Return a control: the same length of step, in a direction drawn at random."""
        way = np.random.default_rng(seed).normal(size=self.way.shape)
        return replace(self, way=way / np.linalg.norm(way))


def direction(
    values: ArrayLike, present: ArrayLike, *, along: str = "means", penalty: float = PENALTY
) -> Direction:
    """Fit a linear probe of a trait: logistic regression on standardised activations.

    Parameters
    ----------
    values : array_like of float, shape (n, channels)
    present : array_like of bool, shape (n,)
        Whether each sound has the trait: some have, some have not.
    along : {"means", "weights"}
        Where to move: from the mean of the sounds without the trait to the mean of those with it,
        or along the probe's weights, the shortest way to another reading.
    penalty : float
        Above 0; scikit-learn's C is 1 / penalty.

    Returns
    -------
    Direction

    Raises
    ------
    XaiAudioError
        If all sounds have the trait, or none has, or there is no such way.

    Examples
    --------
    >>> import numpy as np
    >>> from xaiaudio.probes import steering
    >>> values = np.random.default_rng(0).normal(size=(50, 3))
    >>> found = steering.direction(values, values[:, 1] > 0)
    >>> int(np.abs(found.way).argmax())
    1
    """
    from sklearn.linear_model import LogisticRegression

    values, present = np.asarray(values, float), np.asarray(present, bool)
    check_penalty(penalty)
    if values.ndim != 2 or present.shape != (len(values),):
        raise XaiAudioError(
            f"The activations have the shape {values.shape}, and there are {present.size} answers "
            "whether the trait is there: (n, channels), and one for each, are needed."
        )
    if present.all() or not present.any():
        raise XaiAudioError("Sounds with the trait and sounds without it are needed.")
    if along not in ("means", "weights"):
        raise XaiAudioError(f"along is {along!r}: it must be 'means' or 'weights'.")
    scaled, _ = standardised(values, values)
    probe = LogisticRegression(C=1 / penalty, max_iter=_ROUNDS).fit(scaled, present)
    # Of columns that do not vary the probe knows nothing: standardised they are 0.
    centre, width = values.mean(axis=0), values.std(axis=0)
    weights = np.where(np.abs(scaled).max(axis=0) > 0, probe.coef_[0] / np.maximum(width, 1e-12), 0)
    apart = values[present].mean(axis=0) - values[~present].mean(axis=0)
    way = apart if along == "means" else weights
    way = way / max(np.linalg.norm(way), 1e-12)
    bias = float(probe.intercept_[0] - centre @ weights)
    return Direction(weights, bias, way, float((values @ way).std()))


class Knob:
    """A classifier whose hidden layer can be moved.

    Parameters
    ----------
    model : AudioClassifier
    layer : str
        Which to move, see :func:`xaiaudio.probes.activations.stages`.
    watched : sequence of str
        Layers whose activations are to be seen, pooled over time and frequency.

    Raises
    ------
    XaiAudioError
        If there is no such layer, or a watched one does not change with it.

    Examples
    --------
    >>> import numpy as np, xaiaudio as xa
    >>> from xaiaudio.probes.steering import Knob
    >>> model = xa.load_model("lite")
    >>> knob = Knob(model, "conv3_1")
    >>> patch = np.zeros((1, 96, 64), "float32")
    >>> logits, _ = knob.turned(patch, np.ones(64), [0.0, 2.0])
    >>> logits.shape, bool((logits[0] == logits[1]).all())
    ((2, 1, 10), False)
    """

    def __init__(self, model: AudioClassifier, layer: str, watched: Sequence[str] = ()):
        graph = graph_of(model.logits_network)
        known = stages(graph)
        for name in (layer, *watched):
            if name not in known:
                raise XaiAudioError(f"There is no layer {name!r}: there are {', '.join(known)}.")
        moved = known[layer]
        behind, beside = _parted(graph, moved)
        if any(known[name] not in behind for name in watched):
            raise XaiAudioError(f"Only layers from {layer!r} on change when it is moved.")
        self.model, self.layer, self.watched = model, layer, tuple(watched)
        self.channels = int(moved.output.shape[-1])
        entry = next(node for node in graph.nodes if not node.parents)
        kept = [moved, *beside]
        wanted = [graph.output, *(known[name] for name in watched)]

        def before(inputs):
            return [tf.cast(value, tf.float32) for value in run(graph, {entry: inputs}, kept)]

        def onward(hidden, others, nodes):
            return run(graph, dict(zip(kept, [hidden, *others], strict=True)), nodes)

        def after(values, step):
            hidden, *others = values
            logits, *seen = onward(hidden + step, others, wanted)
            return tf.cast(logits, tf.float32), [_pooled(value) for value in seen]

        def slope(values, way, chosen):
            hidden, *others = values
            with tf.GradientTape() as tape:
                tape.watch(hidden)
                logits = onward(hidden, others, [graph.output])[0]
                total = tf.reduce_sum(tf.cast(logits, tf.float32) * chosen)
            along = tape.gradient(total, hidden) * way
            return tf.reduce_sum(along, axis=list(range(1, along.shape.rank)))

        signature = [tf.TensorSpec((None, *node.output.shape[1:]), tf.float32) for node in kept]
        vector = tf.TensorSpec((self.channels,), tf.float32)
        classes = tf.TensorSpec((None, len(model.labels)), tf.float32)
        self._before = traced(before, [tf.TensorSpec((None, *entry.output.shape[1:]), tf.float32)])
        self._after = traced(after, [signature, vector])
        self._slope = traced(slope, [signature, vector, classes])

    def turned(
        self, patches: Patches | ArrayLike, step: ArrayLike, strengths: ArrayLike
    ) -> tuple[np.ndarray, dict[str, np.ndarray]]:
        """Move the layer by several strengths, and see what the network makes of it.

        Parameters
        ----------
        patches : array_like of float, shape (n, frames, bands)
        step : array_like of float, shape (channels,)
            What a strength of 1 adds to each channel, at all times and frequencies.
        strengths : array_like of float, shape (m,)

        Returns
        -------
        logits : ndarray of float32, shape (m, n, classes)
            At a strength of 0, what the network says when it is left alone.
        seen : dict of str to ndarray of float32, shape (m, n, channels)
            The watched layers, pooled.

        Raises
        ------
        XaiAudioError
            If the patches are none of the model's, the step has another shape, or there is no
            strength.
        """
        step, strengths = self._checked(step), np.asarray(strengths, np.float32)
        if strengths.ndim != 1 or not len(strengths):
            raise XaiAudioError("The strengths are a list of numbers, one at least.")
        found: list[list] = [[] for _ in range(1 + len(self.watched))]
        for values in self._hidden(patches):
            rows = [self._after(values, tf.constant(s * step)) for s in strengths]
            for part, column in zip(
                found, zip(*((row[0], *row[1]) for row in rows), strict=True), strict=True
            ):
                part.append(np.stack([value.numpy() for value in column]))
        logits, *seen = (np.concatenate(part, axis=1) for part in found)
        return logits, dict(zip(self.watched, seen, strict=True))

    def slope(
        self, patches: Patches | ArrayLike, step: ArrayLike, targets: ArrayLike
    ) -> np.ndarray:
        """Return how fast the logit of each target rises with the strength at 0, float32 (n,).

        The gradient of the logit by the layer, times the step, summed over the layer.
        """
        step = tf.constant(self._checked(step))
        numbers = asked_for(self.model, targets, len(np.asarray(patches)))
        chosen = np.eye(len(self.model.labels), dtype=np.float32)[numbers]
        parts, start = [], 0
        for values in self._hidden(patches):
            rows = tf.constant(chosen[start : start + len(values[0])])
            parts.append(self._slope(values, step, rows).numpy())
            start += len(rows)
        return np.concatenate(parts)

    def _hidden(self, patches):
        """Yield the layer's values, and those beside it, batch by batch."""
        inputs = np.asarray(self.model.as_input(checked(self.model, patches)))
        for start in range(0, len(inputs), BATCH):
            yield self._before(tf.constant(inputs[start : start + BATCH]))

    def _checked(self, step) -> np.ndarray:
        step = np.asarray(step, np.float32)
        if step.shape != (self.channels,):
            raise XaiAudioError(
                f"The step has the shape {step.shape}, but {self.layer!r} has {self.channels} "
                "channels."
            )
        return step


def _parted(graph, moved) -> tuple[set, list]:
    """Return the nodes that change with one, and the others that these read beside it.

    Of a layer inside a residual branch, what goes around the branch is such another.
    """
    behind, beside = {moved}, []
    for node in graph.nodes:
        if node is not moved and behind.intersection(node.parents):
            behind.add(node)
            beside += [parent for parent in node.parents if parent not in behind]
    return behind, list(dict.fromkeys(beside))


def _pooled(value):
    value = tf.cast(value, tf.float32)
    return (
        tf.reduce_mean(value, list(range(1, value.shape.rank - 1)))
        if value.shape.rank > 2
        else value
    )


def until(read: ArrayLike, strengths: ArrayLike, goal: float = 0.5) -> np.ndarray:
    """Return the least strength at which a watching probe reads the trait, float64 (n,).

    Parameters
    ----------
    read : array_like of float, shape (m, n)
        What the probe reads at each strength.
    strengths : array_like of float, shape (m,)
        Rising.
    goal : float
        The probability at which to stop.

    Returns
    -------
    ndarray of float64, shape (n,)
        NaN where no strength is enough.

    Examples
    --------
    >>> from xaiaudio.probes import steering
    >>> steering.until([[0.1, 0.9], [0.6, 0.9]], [0, 1]).tolist()
    [1.0, 0.0]
    """
    there = np.asarray(read, float) >= goal
    chosen = np.asarray(strengths, float)[there.argmax(axis=0)]
    return np.where(there.any(axis=0), chosen, np.nan)


def of_generator(
    made: Generator,
    latents: ArrayLike,
    targets: ArrayLike,
    present: ArrayLike,
    *,
    along: str = "means",
    steps: int = 40,
    every: int = 4,
    seed: int = 0,
) -> list[Direction]:
    """Fit a probe of a trait at each step of a generator's way.

    Parameters
    ----------
    made : Generator
    latents : array_like of float, shape (n, dims)
        Seconds of sound.
    targets : array_like of int, shape (n,)
        Their classes.
    present : array_like of bool, shape (n,)
        Whether each has the trait.
    along : {"means", "weights"}
        See :func:`direction`.
    steps : int
        Of the way.
    every : int
        A probe is fitted at the middle of so many steps, and serves for them.
    seed : int
        Decides the noise that the seconds are brought back to.

    Returns
    -------
    list of Direction
        One for each step.
    """
    found = []
    for start in range(0, steps, every):
        time = min(steps, start + every / 2) / steps
        noise = made.noise(len(np.asarray(latents)), seed)
        middle = made.middle((1 - time) * noise + time * np.asarray(latents), time, targets)
        found.append(direction(middle, present, along=along))
    return [found[step // every] for step in range(steps)]


def gated(
    directions: Sequence[Direction],
    strength: float,
    *,
    watching: bool = True,
    seen: Sequence[Direction] | None = None,
) -> Callable[[np.ndarray, int], np.ndarray]:
    """Return what moves a generator's middle along a trait, at each step.

    With the probe watching, the strength at a step is multiplied by the probability that the trait
    is *not* there yet (for a strength below 0: that it is still there).

    Parameters
    ----------
    directions : sequence of Direction
        One for each step, see :func:`of_generator`.
    strength : float
        In standard deviations of the activations along the direction; below 0 for less of it.
    watching : bool
        False moves by the whole strength at every step.
    seen : sequence of Direction, optional
        The probes that watch, where the directions are controls; by default the directions' own.

    Returns
    -------
    callable
        For `Generator.sample`'s `steer`.
    """
    watchers = directions if seen is None else seen

    def steer(middle, step):
        share = np.ones(len(middle))
        if watching:
            there = watchers[step].read(middle)
            share = 1 - there if strength > 0 else there
        return middle + (strength * share)[:, None].astype(np.float32) * directions[step].step

    return steer
