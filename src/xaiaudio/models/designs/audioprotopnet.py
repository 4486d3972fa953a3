"""Prototypes of parts by their cosine, on frozen feature maps, that only ever speak for a class."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import tensorflow as tf

from ..training.fitting import Settings
from . import grounds
from .base import PARTS
from .heads_of_prototypes import Head, after, cross_entropy
from .protopnet import MapOptions
from .prototypes import Prototypes
from .registry import register

if TYPE_CHECKING:
    from ..backbones import Backbone
    from .base import SelfExplaining
    from .lessons import Lessons

# A cosine is 1 at most, and a logit has to move by several.
FIRST_WEIGHT = 10.0
# How much the prototypes of a class are kept apart.
APART = 0.1
EPOCHS, BATCH, RATE, PATIENCE = 25, 64, 1e-2, 5


@dataclass(frozen=True)
class Options(MapOptions):
    """What the design takes.

    Attributes
    ----------
    per_class, sees
        As above, but with other defaults: on the last feature map, which sees most of a patch, the
        cosine tells classes apart better, and what only adds needs more prototypes.
    """

    per_class: int = 10
    sees: float = 1.0


@register(
    "audioprotopnet",
    options=Options,
    summary="prototypes of parts by cosine: their evidence only adds to their own class",
    paper="Heinrich et al., AudioProtoPNet: an interpretable deep learning model for bird sound "
    "classification, Ecological Informatics 2025",
)
def train(
    lessons: Lessons, backbone: Backbone, options: Options, progress: bool | None
) -> SelfExplaining:
    """Train prototypes whose evidence only adds; see `xaiaudio.models.train_design`.

    Similarity is the cosine where it is above 0, and a prototype has one weight, to its own class,
    that is 0 or above. The prototypes and the weights are trained on the cross-entropy, and the
    prototypes of a class are kept apart by how far the table of their cosines is from that of
    vectors at right angles. At the end each prototype is put on the nearest place of a training
    patch of its class, and the weights are trained again.
    """
    ground = grounds.feature_maps(
        backbone, options.sees, random=options.random_backbone, seed=options.seed
    )
    layer = Prototypes(options.per_class * len(lessons.labels), "cosine", "relu-cosine", name=PARTS)
    head = Head(ground, lessons, layer, own=FIRST_WEIGHT)
    settings = Settings(EPOCHS, BATCH, RATE, PATIENCE, options.seed)
    found = head.draw(options.seed, own=options.prototypes == "trained")
    history = {}
    if options.prototypes == "trained":
        # A cosine is a product of vectors of length one.
        maps = grounds.of_length_one(head.maps)
        history = head.fit(
            _losses(head), [layer.prototypes], settings, progress, "Prototypes", maps
        )
        found = head.project()
    history = {**history, **after(head.fit_last(settings, progress, positive=True))}
    return head.model(head.evidence(found), backbone, "audioprotopnet", asdict(options), history)


def _losses(head):
    """Return the losses, of maps whose places are vectors of length one."""
    classes, layer = len(head.lessons.labels), head.layer

    def losses(maps, targets, training):
        size = maps.shape[-1]
        vectors = tf.math.l2_normalize(layer.prototypes.value, axis=-1)
        cosines = tf.matmul(tf.reshape(maps, (-1, size)), vectors, transpose_b=True)
        cosines = tf.reshape(cosines, (-1, maps.shape[1] * maps.shape[2], layer.count))
        logits = head.last(tf.nn.relu(tf.reduce_max(cosines, axis=1)))
        return {
            "cross_entropy": cross_entropy(logits, targets),
            "apart": APART * apart(tf.reshape(vectors, (classes, -1, size))),
        }

    return losses


def apart(directions: Any) -> Any:
    """Return how far vectors of length one are from right angles, 0 if all are at such.

    Parameters
    ----------
    directions : tensor, shape (classes, each, d)

    Returns
    -------
    tensor
        The mean over classes of the Frobenius norm of their table of cosines less the identity,
        over their number.
    """
    cosines = tf.matmul(directions, directions, transpose_b=True)
    each = directions.shape[1]
    off = cosines - tf.eye(each)
    # The root has no slope at 0.
    norms = tf.sqrt(tf.reduce_sum(tf.square(off), axis=(1, 2)) + 1e-12)
    return tf.reduce_mean(norms) / each
