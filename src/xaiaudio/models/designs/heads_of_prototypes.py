"""Training of layers of prototypes on a frozen ground: losses, projection, the last layer."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import keras
import numpy as np
import tensorflow as tf
from sklearn.cluster import KMeans

from ...errors import XaiAudioError
from ..training import fitting
from ..training.steps import in_batches
from . import grounds
from .base import LOGITS, SelfExplaining
from .evidence import Evidence
from .prototypes import Prototypes

if TYPE_CHECKING:
    from typing import Any

    from ..backbones import Backbone
    from .grounds import Ground
    from .lessons import Lessons


# Farther than any distance that is met.
FAR = 1e9
# An epoch has at least so many steps, as long as a batch has so many patches.
LEAST_STEPS, LEAST_BATCH = 8, 8
# Numbers in one table of distances while the nearest are looked for.
_AT_ONCE = 1 << 24


@dataclass(frozen=True, eq=False)
class Nearest:
    """The place of the training patches that lies nearest to each prototype.

    Attributes
    ----------
    number : ndarray of int, shape (count, k)
        Of the patches among the lessons, the nearest first, each of a clip of its own; -1 where
        there are no more.
    cell : ndarray of int, shape (count, k)
        Which cell of the map, counted row by row; 0 for embeddings.
    distance : ndarray of float32, shape (count, k)
    """

    number: np.ndarray
    cell: np.ndarray
    distance: np.ndarray


class Head:
    """Layers from a ground to logits, while they are trained.

    Parameters
    ----------
    ground : Ground
    lessons : Lessons
    layer : Prototypes
        Called ``"parts"``.
    before : sequence of keras.layers.Layer
        Between the ground and the prototypes.
    use_bias : bool
        Of the last layer.
    own, others : float
        What its weights begin with, to a prototype's own class and to the others.
    """

    def __init__(
        self,
        ground: Ground,
        lessons: Lessons,
        layer: Prototypes,
        before: Sequence[keras.layers.Layer] = (),
        *,
        use_bias: bool = False,
        own: float = 1.0,
        others: float = 0.0,
    ):
        classes = len(lessons.labels)
        if layer.count % classes:
            raise XaiAudioError(f"{layer.count} prototypes cannot be shared by {classes} classes.")
        self.ground, self.lessons, self.layer = ground, lessons, layer
        self.owner = np.repeat(np.arange(classes), layer.count // classes)
        self.own = np.eye(classes, dtype=np.float32)[self.owner]  # (count, classes)
        self.last = keras.layers.Dense(classes, use_bias=use_bias, name=LOGITS)
        self.layers = [*before, layer, self.last]
        self.network = ground.with_head(self.layers)
        self.last.kernel.assign(own * self.own + others * (1 - self.own))
        self.maps = ground.maps(lessons.patches)
        self._before = list(before)

    @property
    def before(self) -> keras.Model:
        """From the ground's output to what the prototypes are compared with."""
        inputs = tensor = keras.Input(self.ground.network.output_shape[1:])
        for layer in self._before:
            tensor = layer(tensor)
        return keras.Model(inputs, tensor)

    def compared(self) -> np.ndarray:
        """Return what the prototypes are compared with, of all lessons: (n, h, w, d) or (n, d)."""
        return in_batches(self.before)(self.maps) if self._before else self.maps

    def nearest(self, k: int = 1, *, own: bool = True) -> Nearest:
        """Return the places that lie nearest to each prototype.

        Parameters
        ----------
        k : int
            How many, each of another clip.
        own : bool
            True takes those of the prototype's own class only.
        """
        best, cells = self._best()
        if own:
            best = np.where(self.lessons.targets[:, None] == self.owner, best, np.inf)
        return nearest_of(best, cells, self.lessons.clip, k)

    def _best(self) -> tuple[np.ndarray, np.ndarray]:
        """Return each patch's least distance to each prototype, and in which cell: both (n, count).

        Patches that are validated on are never near: what a prototype is was learnt from.
        """
        compared = self.compared()
        count = self.layer.count
        at_once = max(1, _AT_ONCE // (count * int(np.prod(compared.shape[1:-1]))))
        best, cells = [], []
        for start in range(0, len(compared), at_once):
            found = np.asarray(self.layer.distances(compared[start : start + at_once]))
            found = found.reshape(len(found), -1, count)
            cells.append(found.argmin(axis=1))
            best.append(found.min(axis=1))
        nearness = np.concatenate(best)
        nearness[self.lessons.validation] = np.inf
        return nearness, np.concatenate(cells)

    def draw(self, seed: int, *, own: bool = True) -> Nearest:
        """Put the prototypes on places drawn at random; return which.

        Parameters
        ----------
        seed : int
        own : bool
            True draws them from the patches of their own class.
        """
        rng = np.random.default_rng([seed, grounds.RANDOM_PLACES])
        pool = np.flatnonzero(~self.lessons.validation)
        targets = self.lessons.targets
        numbers = np.array(
            [rng.choice(pool[targets[pool] == owner] if own else pool) for owner in self.owner]
        )
        cells = int(np.prod(self.ground.network.output_shape[1:-1]))
        cell = rng.integers(cells, size=len(numbers))
        self._put(numbers, cell)
        zeros = np.zeros((len(numbers), 1), np.float32)
        return Nearest(numbers[:, None], cell[:, None], zeros)

    def project(self) -> Nearest:
        """Put each prototype on the nearest place of its own class; return which.

        Two prototypes of a class are put on places of different clips, as far as there are clips.
        """
        best, cells = self._best()
        numbers = distinct(best, self.lessons.targets, self.lessons.clip, self.owner)
        cell = cells[numbers, np.arange(self.layer.count)]
        self._put(numbers, cell)
        zeros = np.zeros((len(numbers), 1), np.float32)
        return Nearest(numbers[:, None], cell[:, None], zeros)

    def cluster(self, seed: int) -> None:
        """Put the prototypes of each class on the centres of its vectors, by k-means."""
        compared, targets = self.compared(), self.lessons.targets
        each = self.layer.count // len(self.lessons.labels)
        centres = []
        for label in range(len(self.lessons.labels)):
            chosen = compared[(targets == label) & ~self.lessons.validation]
            vectors = chosen.reshape(-1, chosen.shape[-1])
            chosen = vectors[:: max(1, len(vectors) // 4000)]
            fitted = KMeans(
                min(each, len(chosen)), n_init=2, random_state=seed + grounds.CLUSTERS
            ).fit(chosen)
            centres.append(np.resize(fitted.cluster_centers_, (each, chosen.shape[-1])))
        self.layer.prototypes.assign(np.concatenate(centres))

    def _put(self, numbers, cells) -> None:
        """Make the prototypes what the network computes at these cells of these patches."""
        maps = self.compared()[numbers]
        vectors = maps.reshape(len(numbers), -1, maps.shape[-1])
        self.layer.prototypes.assign(vectors[np.arange(len(numbers)), cells])

    def fit(
        self,
        losses: Callable,
        variables: Sequence[keras.Variable],
        settings: fitting.Settings,
        progress: bool | None,
        title: str,
        arrays: np.ndarray | None = None,
    ) -> dict[str, Any]:
        """Train some weights, see :func:`xaiaudio.models.training.fitting.train`.

        Parameters
        ----------
        losses : callable
            ``(maps, targets, training) -> dict`` of scalar tensors by name.
        variables : sequence of keras.Variable
        settings : fitting.Settings
        progress : bool or None
        title : str
        arrays : ndarray, optional
            What `losses` is given instead of the maps.
        """
        arrays = (self.maps if arrays is None else arrays, self.lessons.targets)
        learnt, checked = self.lessons.split(*arrays)
        # Of few patches, smaller batches: an epoch of one step would be none.
        size = min(settings.batch, max(LEAST_BATCH, len(learnt[0]) // LEAST_STEPS))
        settings = replace(settings, batch=size)
        return fitting.train(
            losses, variables, learnt, checked, settings, progress=progress, title=title
        )

    def fit_last(
        self,
        settings: fitting.Settings,
        progress: bool | None,
        *,
        l1: float = 0.0,
        positive: bool = False,
    ) -> dict[str, Any]:
        """Train the last layer alone, on the similarities as they are.

        Parameters
        ----------
        settings : fitting.Settings
        progress : bool or None
        l1 : float
            Weight of the sum of the sizes of the weights to other classes.
        positive : bool
            True keeps the weights to other classes at 0 and the others at 0 or above.
        """
        parts = self.similarities()
        own = tf.constant(self.own)
        # How much a similarity varies says how fast its weights must move.
        scale = float(1 / max(parts.std(), 1e-6))
        settings = replace(settings, rate=float(min(1.0, settings.rate * scale)))
        raw = keras.Variable(np.sum(self.last.kernel.numpy() * self.own, axis=1))
        kernel = self.last.kernel

        def losses(similarities, targets, training):
            weights = tf.nn.relu(raw.value)[:, None] * own if positive else kernel.value
            logits = similarities @ weights
            if self.last.use_bias:
                logits = logits + self.last.bias
            terms = {"cross_entropy": cross_entropy(logits, targets)}
            if l1:
                terms["l1"] = l1 * tf.reduce_sum(tf.abs(kernel.value * (1 - own)))
            return terms

        variables = [raw] if positive else [kernel]
        variables += [self.last.bias] if self.last.use_bias else []
        told = self.fit(losses, variables, settings, progress, "Last layer", parts)
        if positive:
            kernel.assign(np.maximum(raw.numpy(), 0)[:, None] * self.own)
        return told

    def similarities(self) -> np.ndarray:
        """Return the similarities of all lessons to all prototypes, float32 (n, count)."""
        inputs = keras.Input(self.ground.network.output_shape[1:])
        tensor = inputs
        for layer in self.layers[:-1]:
            tensor = layer(tensor)
        return in_batches(keras.Model(inputs, tensor))(self.maps)

    def evidence(self, found: Nearest, word: str = "prototype") -> list[Evidence]:
        """Return what each prototype is: the places that were found."""
        labels, each = self.lessons.labels, self.layer.count // len(self.lessons.labels)
        fields = self.ground.fields
        made = []
        for part, owner in enumerate(self.owner):
            places = []
            for number, cell in zip(found.number[part], found.cell[part], strict=True):
                if number >= 0:
                    box = (None, None) if fields is None else fields.of(cell)
                    places.append(self.lessons.place(int(number), *box))
            name = f"{labels[owner]}, {word} {part % each + 1}"
            made.append(Evidence(name, labels[owner], tuple(places)))
        return made

    def model(
        self,
        evidence: Sequence[Evidence],
        backbone: Backbone,
        design: str,
        options: dict,
        history: dict,
    ) -> SelfExplaining:
        """Return the trained network with its evidence."""
        return SelfExplaining.from_network(
            self.network,
            self.lessons.labels,
            self.lessons.frontend,
            evidence,
            design=design,
            options=options,
            attribution=backbone.attribution,
            history={name: np.asarray(values).tolist() for name, values in history.items()},
        )


def after(history: dict) -> dict:
    """Name the course of a second training apart from the first's."""
    return {f"last layer, {name}": values for name, values in history.items()}


def cross_entropy(logits: Any, targets: Any) -> Any:
    """Return the mean cross-entropy of logits (n, classes) and class indices (n,)."""
    return tf.reduce_mean(
        tf.nn.sparse_softmax_cross_entropy_with_logits(labels=targets, logits=logits)
    )


def least(distances: Any) -> Any:
    """Return the least distance over the places: (n, count)."""
    return distances if len(distances.shape) == 2 else tf.reduce_min(distances, axis=(1, 2))


def clustering(nearest: Any, targets: Any, owner: np.ndarray) -> tuple[Any, Any]:
    """Return how far the patches lie from the nearest prototype of their class, and of others.

    Parameters
    ----------
    nearest : tensor, shape (n, count)
    targets : tensor of int, shape (n,)
    owner : ndarray of int, shape (count,)

    Returns
    -------
    cluster, separation : tensor
        The means over the patches. The first is to be small, the second large.

    Notes
    -----
    Distances to prototypes that do not count are put out of the way before the minimum is taken:
    a factor of 0 would make them the nearest of all.
    """
    mine = tf.cast(targets, tf.int32)[:, None] == tf.constant(owner, tf.int32)
    to_own = tf.reduce_min(tf.where(mine, nearest, FAR), axis=1)
    to_others = tf.reduce_min(tf.where(mine, FAR, nearest), axis=1)
    return tf.reduce_mean(to_own), tf.reduce_mean(to_others)


def distinct(
    best: np.ndarray, targets: np.ndarray, clips: np.ndarray, owner: np.ndarray
) -> np.ndarray:
    """Return the nearest patch of its class for each prototype, no clip twice in a class.

    Parameters
    ----------
    best : ndarray of float, shape (n, count)
        Distances; infinite where a patch must not be taken.
    targets, clips : ndarray of int, shape (n,)
        Class and clip of the patches.
    owner : ndarray of int, shape (count,)

    Returns
    -------
    ndarray of int, shape (count,)
        The prototypes of a class choose in the order of their distances.

    Raises
    ------
    XaiAudioError
        If a class has no patch.
    """
    chosen = np.full(len(owner), -1)
    for label in np.unique(owner):
        those = np.flatnonzero(owner == label)
        distances = np.where((targets == label)[:, None], best[:, those], np.inf)
        if np.isinf(distances).all():
            raise XaiAudioError(
                "A class has no patch that a prototype could be: all of its clips are kept for "
                "validation. Give more clips of it."
            )
        left, waiting = distances.copy(), set(range(len(those)))
        while waiting:
            columns = sorted(waiting)
            if np.isinf(left).all():  # more prototypes than clips
                left = distances.copy()
            patch, column = np.unravel_index(left[:, columns].argmin(), (len(left), len(columns)))
            chosen[those[columns[column]]] = patch
            waiting.remove(columns[column])
            left[clips == clips[patch]] = np.inf
    return chosen


def nearest_of(best: np.ndarray, cells: np.ndarray, clips: np.ndarray, k: int) -> Nearest:
    """Return the k nearest patches of each prototype, each of another clip.

    Parameters
    ----------
    best, cells : ndarray, shape (n, count)
        Distances, infinite where a patch must not be taken, and where in the patch they are.
    clips : ndarray of int, shape (n,)
    k : int
    """
    count = best.shape[1]
    numbers = np.full((count, k), -1)
    distances = np.full((count, k), np.inf, np.float32)
    for part in range(count):
        order = np.argsort(best[:, part], kind="stable")
        order = order[np.isfinite(best[order, part])]
        _, first = np.unique(clips[order], return_index=True)
        taken = order[np.sort(first)[:k]]
        numbers[part, : len(taken)] = taken
        distances[part, : len(taken)] = best[taken, part]
    cell = np.where(numbers >= 0, cells[numbers, np.arange(count)[:, None]], 0)
    return Nearest(numbers, cell, distances)
