"""Prototypes in the embedding of a frozen backbone: whole patches, seconds to train."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import keras
import tensorflow as tf

from ...errors import XaiAudioError
from ..training.fitting import Settings
from . import grounds
from .base import PARTS
from .heads_of_prototypes import FAR, Head, after, cross_entropy, least
from .options import PrototypeOptions
from .prototypes import Prototypes
from .registry import register

if TYPE_CHECKING:
    from ..backbones import Backbone
    from .base import SelfExplaining
    from .lessons import Lessons

# A similarity moves by at most 1, and a logit has to move by several.
SHARPNESS = 10.0
EPOCHS, BATCH, RATE = 40, 256, 3e-3


@dataclass(frozen=True)
class Options(PrototypeOptions):
    """What the design takes.

    Attributes
    ----------
    alpha : float
        Share of the distance to the own class in the loss, in [0, 1); the rest is cross-entropy.
    width : float
        How near is near: the factor of the squared distance of two embeddings of length one, which
        is 0 to 2 for those of a network that ends in a ReLU.
    project : bool
        True puts each prototype, at the end, on the nearest patch of its class. False leaves it
        where it was learnt: then it is not quite the clip that is played for it.
    """

    alpha: float = 0.75
    width: float = 4.0
    project: bool = True

    def __post_init__(self):
        super().__post_init__()
        if not 0 <= self.alpha < 1:
            raise XaiAudioError(f"alpha is {self.alpha!r}: a number from 0 to below 1 is needed.")
        if not self.width > 0:
            raise XaiAudioError(f"width is {self.width!r}: a number above 0 is needed.")


@register(
    "pecmae",
    options=Options,
    summary="prototypes in a frozen embedding: each is the patch of a training clip",
    paper="Alonso-Jiménez et al., Leveraging pre-trained autoencoders for interpretable prototype "
    "learning of music audio, XAI-SA at ICASSP 2024",
)
def train(
    lessons: Lessons, backbone: Backbone, options: Options, progress: bool | None
) -> SelfExplaining:
    """Train prototypes on embeddings; see `xaiaudio.models.train_design`.

    The embeddings are brought to length one. The prototypes begin at the centres that k-means finds
    in each class, move by the two losses, and are put on the nearest training patches. The last
    layer begins with one weight each, to the own class.
    """
    ground = grounds.embedding(backbone, random=options.random_backbone, seed=options.seed)
    size = ground.network.output_shape[-1]
    layer = Prototypes(
        options.per_class * len(lessons.labels),
        "mean-squared",
        "exp",
        scale=options.width * size,
        name=PARTS,
    )
    length_one = keras.layers.UnitNormalization(name="length_one")
    head = Head(ground, lessons, layer, [length_one], use_bias=True, own=SHARPNESS)
    settings = Settings(EPOCHS, BATCH, RATE, seed=options.seed)
    if options.prototypes == "random":
        found = head.draw(options.seed, own=False)
        history = head.fit_last(settings, progress)
        return head.model(head.evidence(found), backbone, "pecmae", asdict(options), history)
    head.cluster(options.seed)
    variables = [layer.prototypes, *head.last.trainable_variables]
    vectors = head.compared()
    history = head.fit(
        _losses(head, options.alpha), variables, settings, progress, "Prototypes", vectors
    )
    if options.project:
        found = head.project()
        history = {**history, **after(head.fit_last(settings, progress))}
    else:
        found = head.nearest()
    return head.model(head.evidence(found), backbone, "pecmae", asdict(options), history)


def _losses(head, alpha):
    owner = tf.constant(head.owner, tf.int32)

    def losses(vectors, targets, training):
        distances = least(head.layer.distances(vectors))
        logits = head.last(head.layer.alike(distances))
        mine = tf.cast(targets, tf.int32)[:, None] == owner
        nearest = tf.reduce_min(tf.where(mine, distances, FAR), axis=0)
        present = tf.cast(tf.reduce_any(mine, axis=0), tf.float32)
        near = tf.reduce_sum(nearest * present) / tf.maximum(tf.reduce_sum(present), 1.0)
        return {
            "cross_entropy": (1 - alpha) * cross_entropy(logits, targets),
            "own_class": alpha * near,
        }

    return losses
