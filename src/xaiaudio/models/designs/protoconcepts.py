"""Prototypes that are balls: each is several training places, which all count the same."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import numpy as np

from ...errors import XaiAudioError
from ..backbones import backbone as find_backbone
from ..training.fitting import Settings
from . import protopnet
from .heads_of_prototypes import after
from .lessons import lessons
from .registry import register

if TYPE_CHECKING:
    from ...datasets.base import ClipSet
    from ..backbones import Backbone
    from ..training.tables import PatchTable
    from .base import SelfExplaining
    from .lessons import Lessons

OWN, OTHERS = 1.0, -0.5


@dataclass(frozen=True)
class Options(protopnet.Options):
    """What the design takes.

    Attributes
    ----------
    members : int
        Clips of its own class that a ball reaches to.
    radius : float, optional
        Of all balls, instead of that.
    """

    members: int = 5
    radius: float | None = None

    def __post_init__(self):
        super().__post_init__()
        if isinstance(self.members, bool) or not isinstance(self.members, int) or self.members < 1:
            raise XaiAudioError(f"members is {self.members!r}: a whole number from 1 on is needed.")
        if self.radius is not None and not self.radius >= 0:
            raise XaiAudioError(f"radius is {self.radius!r}: a number from 0 on is needed.")


@register(
    "protoconcepts",
    options=Options,
    summary="prototypes that are balls: each is several training places that count the same",
    paper="Ma et al., This looks like those: illuminating prototypical concepts using multiple "
    "visualizations, NeurIPS 2023",
)
def train(
    lessons: Lessons, backbone: Backbone, options: Options, progress: bool | None
) -> SelfExplaining:
    """Train prototypes that are balls; see `xaiaudio.models.train_design`.

    The centres are trained as the prototypes of ``"protopnet"``, and stay where they were learnt.
    The radius of each is the distance at which the nearest places of `members` clips of its class
    lie inside; Ma et al. train it with the rest. Then the last layer is trained with the balls.
    """
    head = protopnet.head_of(lessons, backbone, options, ball=True)
    settings = _settings(options)
    history = {}
    head.draw(options.seed, own=options.prototypes == "trained")
    if options.prototypes == "trained":
        history = protopnet.fit(head, settings, progress)
    return _grown(head, backbone, options, history, progress)


def grown(
    model: SelfExplaining,
    clips: ClipSet | PatchTable,
    backbone: Backbone | str = "lite",
    *,
    members: int = 5,
    radius: float | None = None,
    progress: bool | None = None,
) -> SelfExplaining:
    """Return the same centres with balls of another size, and a last layer of their own.

    It is the network that training from the beginning with these options gives, without learning
    the centres a second time.

    Parameters
    ----------
    model : SelfExplaining
        Of the design ``"protoconcepts"``.
    clips : ClipSet or PatchTable
        Those that it was trained on.
    backbone : Backbone or str
        That it stands on.
    members, radius
        See :class:`Options`.
    progress : bool, optional
        None shows a bar on a terminal and in a notebook.

    Raises
    ------
    XaiAudioError
        If it is of another design.

    Examples
    --------
    >>> import xaiaudio as xa
    >>> from xaiaudio.models.designs.protoconcepts import grown
    >>> train, test = xa.datasets.load("synthetic").split(5)  # doctest: +SKIP
    >>> model = xa.models.train_design("protoconcepts", train)  # doctest: +SKIP
    >>> xa.models.test(grown(model, train, members=15), test).clip_accuracy  # doctest: +SKIP
    0.95
    """
    model.check_design("protoconcepts")
    options = Options(**{**model.options, "members": members, "radius": radius})
    base = find_backbone(backbone)
    taught = lessons(clips, model.frontend, seed=options.seed)
    head = protopnet.head_of(taught, base, options, ball=True)
    for layer in head.layers[:-1]:
        layer.set_weights(model.logits_network.get_layer(layer.name).get_weights())
    return _grown(head, base, options, {}, progress)


def _settings(options) -> Settings:
    return Settings(
        protopnet.EPOCHS, protopnet.BATCH, protopnet.RATE, protopnet.PATIENCE, options.seed
    )


def _grown(head, backbone, options, history, progress) -> SelfExplaining:
    """Grow the balls around the centres, and train the last layer."""
    found = head.nearest(options.members, own=options.prototypes == "trained")
    if options.radius is None:
        reach = np.where(np.isfinite(found.distance), found.distance, 0).max(axis=1)
        # The last member is at this distance but for rounding: it must lie inside.
        head.layer.radii.assign(reach * (1 + 1e-4) + 1e-6)
    else:
        head.layer.radii.assign(np.full(head.layer.count, options.radius, np.float32))
    told = head.fit_last(_settings(options), progress, l1=protopnet.L1)
    evidence = head.evidence(found, "ball")
    return head.model(
        evidence, backbone, "protoconcepts", asdict(options), {**history, **after(told)}
    )
