"""Prototypes of parts: places of feature maps, each the place of a training clip."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import keras

from ...errors import XaiAudioError
from ..training.fitting import Settings
from ..training.remembered import trained
from . import grounds
from .base import PARTS
from .heads_of_prototypes import Head, after, clustering, cross_entropy
from .options import PrototypeOptions
from .prototypes import Prototypes
from .registry import register

if TYPE_CHECKING:
    from typing import Any

    from ..backbones import Backbone
    from .base import SelfExplaining
    from .lessons import Lessons

# Weights of the costs, and of the sizes of the last layer's weights to other classes.
CLUSTER, SEPARATION, L1 = 0.8, 0.08, 1e-4
OTHERS = -0.5
EPOCHS, BATCH, RATE, PATIENCE = 25, 64, 3e-3, 5


@dataclass(frozen=True)
class MapOptions(PrototypeOptions):
    """Options of the designs whose prototypes are places of feature maps.

    Attributes
    ----------
    sees : float
        Share of a patch's frames that a place may see, in (0, 1]: the last layer of the backbone
        that keeps to it is the one they stand on.
    """

    sees: float = 0.5

    def __post_init__(self):
        super().__post_init__()
        if not 0 < self.sees <= 1:
            raise XaiAudioError(f"sees is {self.sees!r}: a number above 0 and up to 1 is needed.")


@dataclass(frozen=True)
class Options(MapOptions):
    """What the design takes.

    Attributes
    ----------
    channels : int
        Numbers in a prototype.
    """

    channels: int = 64

    def __post_init__(self):
        super().__post_init__()
        if isinstance(self.channels, bool) or not isinstance(self.channels, int):
            raise XaiAudioError(f"channels is {self.channels!r}: a whole number is needed.")
        if self.channels < 1:
            raise XaiAudioError(f"channels is {self.channels}: a number from 1 on is needed.")


@register(
    "protopnet",
    options=Options,
    summary="prototypes of parts: each is a place in the feature map of a training clip",
    paper="Chen et al., This looks like that: deep learning for interpretable image recognition, "
    "NeurIPS 2019",
)
def train(
    lessons: Lessons, backbone: Backbone, options: Options, progress: bool | None
) -> SelfExplaining:
    """Train prototypes of parts; see `xaiaudio.models.train_design`.

    As Chen et al. do, but for the backbone, which stays as it is: two 1 x 1 convolutions, of which
    the second ends in a sigmoid, and the prototypes are trained on the cross-entropy, the cluster
    cost and the separation cost, with the last layer fixed; each prototype is put on the nearest
    place of a training patch of its class; then the last layer is trained alone.
    """
    head = head_of(lessons, backbone, options)
    settings = Settings(EPOCHS, BATCH, RATE, PATIENCE, options.seed)
    found = head.draw(options.seed, own=options.prototypes == "trained")
    history = {}
    if options.prototypes == "trained":
        history = fit(head, settings, progress)
        found = head.project()
    history = {**history, **after(head.fit_last(settings, progress, l1=L1))}
    return head.model(head.evidence(found), backbone, "protopnet", asdict(options), history)


def head_of(lessons: Lessons, backbone: Backbone, options: Options, *, ball: bool = False) -> Head:
    """Return layers with random weights: two convolutions, prototypes, the last layer."""
    ground = grounds.feature_maps(
        backbone, options.sees, random=options.random_backbone, seed=options.seed
    )
    layer = Prototypes(
        options.per_class * len(lessons.labels),
        "mean-squared",
        "log-ratio",
        radius=0.0 if ball else None,
        scale=options.channels,  # the sum of the squares, as theirs
        name=PARTS,
    )
    before = [
        keras.layers.Conv2D(
            options.channels,
            1,
            activation=activation,
            kernel_initializer=keras.initializers.HeNormal(seed=options.seed + grounds.FIRST + k),
            name=f"add_on_{k + 1}",
        )
        for k, activation in enumerate(("relu", "sigmoid"))
    ]
    return Head(ground, lessons, layer, before, own=1.0, others=OTHERS)


def fit(head: Head, settings: Settings, progress: bool | None) -> dict[str, Any]:
    """Train the convolutions and the prototypes from where they are; return the course of it.

    A ball begins without a radius, so that ``"protoconcepts"`` begins with the very training of
    ``"protopnet"``: where both are asked for, it is done once.
    """
    layer, lessons = head.layer, head.lessons
    variables = [layer.prototypes, *head.before.trainable_variables]
    if layer.radii is not None and layer.radii.numpy().any():
        raise XaiAudioError("Balls have their radii when they were trained, not before.")
    return trained(
        lambda: head.fit(losses_of(head), variables, settings, progress, "Prototypes"),
        variables,
        [__name__, asdict(settings), layer.scale, layer.epsilon],
        [head.maps, lessons.targets, lessons.validation, head.last.kernel.numpy()],
    )


def losses_of(head: Head) -> Callable:
    """Return the losses of Chen et al., for :meth:`Head.fit`."""
    before = head.before

    def losses(maps, targets, training):
        nearest = head.layer.least(before(maps))
        logits = head.last(head.layer.alike(nearest))
        cluster, separation = clustering(nearest, targets, head.owner)
        return {
            "cross_entropy": cross_entropy(logits, targets),
            "cluster": CLUSTER * cluster,
            "separation": -SEPARATION * separation,
        }

    return losses
