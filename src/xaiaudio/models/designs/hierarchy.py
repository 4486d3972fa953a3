"""Prototypes in a tree: a network that answers at every level, from the leaf to its family."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import keras
import numpy as np
import tensorflow as tf
from scipy.special import softmax

from ...errors import XaiAudioError
from ..training.fitting import Settings, check_weights, check_whole
from ..training.steps import in_batches
from . import grounds
from .base import PARTS
from .heads_of_prototypes import Head, cross_entropy
from .prototypes import Prototypes
from .registry import register
from .trees import KINDS, Tree, tree_of

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from ...patches import Patches
    from ..backbones import Backbone
    from .base import SelfExplaining
    from .lessons import Lessons

EPOCHS, BATCH, RATE, PATIENCE = 40, 256, 1e-2, 6
# How far apart, about, the projection puts two embeddings of length one at first.
SPREAD = 4.0
# Patches that are named for each prototype.
NEAREST = 3
# The layer that comes after the backbone.
LENGTH_ONE = "length_one"


@dataclass(frozen=True)
class Options:
    """What the design takes.

    Attributes
    ----------
    seed : int
        Decides what is drawn.
    overlap : float
        Share of a patch that the next one repeats, in [0, 1).
    tree : {"sources", "data", "random", "flat"}
        See :func:`.trees.tree_of`. ``"random"`` and ``"flat"`` are controls.
    alpha : float
        The loss of a level counts ``exp(-alpha h)``, where h is its height above the leaves.
    dimensions : int
        Of the space that the distances are taken in.
    random_backbone : bool
        True shuffles the backbone's weights: a control.
    """

    seed: int = 0
    overlap: float = 0.5
    tree: str = "sources"
    alpha: float = 0.75
    dimensions: int = 32
    random_backbone: bool = False

    def __post_init__(self):
        Settings(seed=self.seed)
        check_whole(self, "dimensions")
        check_weights(self, "alpha")
        if not 0 <= self.overlap < 1:
            raise XaiAudioError(
                f"overlap is {self.overlap!r}: a number from 0 to below 1 is needed."
            )
        if self.tree not in KINDS:
            raise XaiAudioError(f"tree is {self.tree!r}: it must be one of {', '.join(KINDS)}.")


@register(
    "hierarchy",
    options=Options,
    summary="one prototype a class, in a tree: answers at every level, from the same distances",
    paper="Flores Garcia et al., Leveraging hierarchical structures for few-shot musical "
    "instrument recognition, ISMIR 2021",
)
def train(
    lessons: Lessons, backbone: Backbone, options: Options, progress: bool | None
) -> SelfExplaining:
    """Train a projection of embeddings by the prototypical loss of each level.

    The embeddings are brought to length one. The prototype of a class is the mean of its training
    patches, that of a parent the mean of its children's; so the projection is all that is learnt.
    """
    ground = grounds.embedding(backbone, random=options.random_backbone, seed=options.seed)
    layer = Prototypes(
        len(lessons.labels), similarity="negative", scale=options.dimensions, name=PARTS
    )
    projection = keras.layers.Dense(options.dimensions, use_bias=False, name="projection")
    length_one = keras.layers.UnitNormalization(name=LENGTH_ONE)
    head = Head(ground, lessons, layer, [length_one, projection])
    rng = np.random.default_rng([options.seed, grounds.FIRST])
    first = rng.normal(0, SPREAD / np.sqrt(options.dimensions), projection.kernel.shape)
    projection.kernel.assign(first)
    vectors = in_batches(keras.Sequential([keras.Input(head.maps.shape[1:]), length_one]))(
        head.maps
    )
    means = np.stack([
        vectors[(lessons.targets == number) & ~lessons.validation].mean(axis=0)
        for number in range(len(lessons.labels))
    ])  # fmt: skip
    tree = tree_of(lessons.labels, options.tree, means, options.seed)
    history = head.fit(
        _losses(projection, means, tree, options.alpha),
        [projection.kernel],
        Settings(EPOCHS, BATCH, RATE, PATIENCE, options.seed),
        progress,
        "Projection",
        vectors,
    )
    layer.prototypes.assign(means @ projection.kernel.numpy())
    told = {**asdict(options), "levels": [list(level) for level in tree.levels]}
    return head.model(head.evidence(head.nearest(NEAREST)), backbone, "hierarchy", told, history)


def _losses(projection, means, tree, alpha):
    levels = [
        (
            float(np.exp(-alpha * height)),
            tf.constant(tree.means(height) @ means, tf.float32),  # of each group, (groups, d)
            tf.constant(tree.members(height).argmax(axis=0), tf.int32),  # the group of each class
        )
        for height in range(tree.heights)
    ]

    def losses(vectors, targets, training):
        points = vectors @ projection.kernel
        terms = {}
        for height, (weight, centres, group) in enumerate(levels):
            # The mean of projected children is the projection of their mean.
            distances = _squared(points, centres @ projection.kernel)
            terms[f"level {height}"] = weight * cross_entropy(-distances, tf.gather(group, targets))
        return terms

    return losses


def _squared(points, centres):
    """Return the squared distances of points (n, d) to centres (m, d), float (n, m)."""
    dots = points @ tf.transpose(centres)
    return tf.reduce_sum(points**2, 1)[:, None] - 2 * dots + tf.reduce_sum(centres**2, 1)


def tree(model: SelfExplaining) -> Tree:
    """Return the tree of a network of the design ``"hierarchy"``.

    Raises
    ------
    XaiAudioError
        If it is of another.
    """
    model.check_design("hierarchy")
    return Tree(model.labels, tuple(map(tuple, model.options["levels"])))


def answers(
    model: SelfExplaining, patches: Patches | ArrayLike, of: Tree | None = None
) -> list[np.ndarray]:
    """Return what a network answers at each level, by the distances to the prototypes there.

    A parent needs no distances of its own. Its prototype is a mean, with weights a, of the leaves'
    prototypes p; so its distance is the mean of theirs, less how far they lie from their mean:
    the parent's logit is the mean of its leaves' parts, plus a number that is the same for all
    sounds.

    Parameters
    ----------
    model : SelfExplaining
        Of the design ``"hierarchy"``.
    patches : array_like of float, shape (n, frames, bands)
    of : Tree, optional
        Another tree over the same classes; by default the network's own.

    Returns
    -------
    list of ndarray of float64, each (n, groups)
        Probabilities, the leaves first.

    Raises
    ------
    XaiAudioError
        If the network is of another design, or the tree is of other classes.
    """
    own = tree(model) if of is None else of
    model.check_design("hierarchy")
    if own.labels != model.labels:
        raise XaiAudioError(f"The tree is of other classes than {model.name}.")
    parts = model.activations(patches).astype(float)
    points = model._layer(PARTS).prototypes.numpy().astype(float)
    found = []
    for height in range(own.heights):
        weights = own.means(height)
        spread = weights @ np.square(points).sum(axis=1)
        spread -= np.square(weights @ points).sum(axis=1)
        found.append(softmax(parts @ weights.T + spread, axis=1))
    return found


def scores_on(model: SelfExplaining, backbone: Backbone, patches: ArrayLike) -> np.ndarray:
    """Return a network's probabilities, where several on one backbone are asked the same.

    The backbone is asked once for each patch, and remembered; see :mod:`.training.remembered`.

    Parameters
    ----------
    model : SelfExplaining
        Of the design ``"hierarchy"``.
    backbone : Backbone
        What it stands on.
    patches : array_like of float, shape (n, frames, bands)

    Returns
    -------
    ndarray of float32, shape (n, classes)
        Those of ``model.scores(patches)``, to rounding.

    Raises
    ------
    XaiAudioError
        If the network is of another design, or stands on other weights.
    """
    model.check_design("hierarchy")
    own = model.network.get_weights()
    if not all(map(np.array_equal, backbone.network.get_weights(), own)):
        raise XaiAudioError(f"{model.name} does not stand on {backbone.name} as it is.")
    first = model.network.get_layer(LENGTH_ONE)
    answer = in_batches(keras.Model(first.input, model.logits_network.outputs[0]))
    return softmax(answer(grounds.embedding(backbone).maps(patches)), axis=1)


def summed(tree: Tree, scores: ArrayLike) -> list[np.ndarray]:
    """Return the probabilities of the leaves, summed over each group of each level.

    Parameters
    ----------
    tree : Tree
    scores : array_like of float, shape (n, leaves)

    Returns
    -------
    list of ndarray of float64, each (n, groups)
        The leaves first.

    Examples
    --------
    >>> from xaiaudio.models.designs.hierarchy import summed
    >>> from xaiaudio.models.designs.trees import Tree
    >>> of_three = Tree(("dog", "cat", "saw"), (("animal", "animal", "machine"),))
    >>> summed(of_three, [[0.25, 0.5, 0.25]])[1].tolist()
    [[0.75, 0.25]]
    """
    scores = np.asarray(scores, float)
    return [scores @ tree.members(height).T for height in range(tree.heights)]


def severity(tree: Tree, truth: ArrayLike, named: ArrayLike) -> np.ndarray:
    """Return how severe each mistake is: how many levels up truth and answer meet.

    Parameters
    ----------
    tree : Tree
    truth, named : array_like of int, shape (n,)
        Numbers of leaves.

    Returns
    -------
    ndarray of int, shape (mistakes,)
        1 for a sibling, more for what is less akin; nothing for what is right.
    """
    truth, named = np.asarray(truth, int), np.asarray(named, int)
    return tree.distances()[truth, named][truth != named]
