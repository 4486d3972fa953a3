"""APNet: prototypes in the latent space of an autoencoder, which decodes them to sound.

Zinemanas, Rocamora, Miron, Font and Serra, "An interpretable deep learning model for automatic
sound classification", Electronics 10:850, 2021. What differs here: means in place of sums in the
distance, so that the likeness does not vanish; weights over frequency that are not negative and
sum to 1 for each prototype; a smaller encoder, which pools time more than frequency.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING

import keras
import numpy as np

from ...errors import XaiAudioError
from ..training import fitting
from ..training.adam import Adam
from ..training.augmenting import Alterations
from ..training.steps import in_batches
from . import autoencoder, quick
from .apnet_layer import DecodedPrototypes
from .base import LOGITS, PARTS, SelfExplaining
from .evidence import Evidence
from .registry import register

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from numpy.typing import ArrayLike

    from ..backbones import Backbone
    from .lessons import Lessons

# Weights of the three losses: the class, the sound that is decoded, the prototypes.
CLASS, SOUND, PROTOTYPES = 10.0, 5.0, 1.0

# A prototype's first weight for its own class, and against each other class.
FIRST_WEIGHT = 4.0

# The autoencoder pools time more than frequency: the same sound a little later is the same sound.
POOLS, KERNELS = ((4, 2), (4, 2), (3, 1)), (5, 5, 5, 3)


@dataclass(frozen=True)
class Options(fitting.Settings):
    """How APNet is built and trained.

    Attributes
    ----------
    epochs, batch, rate, patience, seed
        See :class:`~xaiaudio.models.training.fitting.Settings`. The seed also decides first
        weights, what is drawn, and which clips are set aside.
    overlap : float
        Of the patches that are learnt from.
    per_class : int
        Prototypes of each class.
    filters : int
        Of the first two convolutions; the third has twice as many.
    channels : int
        Of the latent tensors.
    mixup : float
        See :class:`~xaiaudio.models.training.augmenting.Alterations`.
    """

    epochs: int = 8
    batch: int = 32
    rate: float = 4e-3
    patience: int = 8
    overlap: float = 0.5
    per_class: int = 5
    filters: int = 16
    channels: int = 16
    mixup: float = 0.2

    def __post_init__(self):
        super().__post_init__()
        fitting.check_whole(self, "per_class", "filters", "channels")
        fitting.check_weights(self, "mixup")


@register(
    "apnet",
    options=Options,
    summary="prototypes in the latent space of an autoencoder, which are decoded to sound",
    paper="Zinemanas et al., Electronics 10:850, 2021",
)
def train(
    lessons: Lessons, backbone: Backbone, options: Options, progress: bool | None = None
) -> SelfExplaining:
    """Train APNet from nothing; of the backbone it uses the front end alone."""
    count = options.per_class * len(lessons.labels)
    limits = autoencoder.limits(lessons.patches)
    body, whole = (
        network_of(lessons, options, limits, count, normalise) for normalise in (True, False)
    )
    _start(body, lessons, options)
    history = fit(body, lessons, options, progress)
    autoencoder.folded(body, whole)
    for name in (PARTS, LOGITS):
        whole.get_layer(name).set_weights(body.get_layer(name).get_weights())
    return described(whole, lessons, dataclasses.asdict(options), history)


def plan_of(filters: int) -> autoencoder.Plan:
    """Return the plan of the autoencoder: two steps of a latent tensor are a patch of 96 frames."""
    return autoencoder.Plan((filters, filters, 2 * filters), POOLS, KERNELS)


def network_of(
    lessons: Lessons, options: Options, limits: Sequence[float], count: int, normalise: bool
) -> keras.Model:
    """Return the network from patches to logits."""
    plan = plan_of(options.filters)
    body = autoencoder.encoder(
        lessons.frontend.patch_shape,
        limits,
        plan,
        options.channels,
        normalise=normalise,
        seed=options.seed,
    )
    layer = DecodedPrototypes(count, **plan.to_config(), seed=options.seed, name=PARTS)
    logits = keras.layers.Dense(len(lessons.labels), name=LOGITS)
    return keras.Model(body.inputs[0], logits(layer(body.outputs[0])), name="apnet")


def _start(network, lessons, options) -> None:
    """Take latent tensors of training patches, some of each class, as the first prototypes."""
    rng = np.random.default_rng([options.seed, 5])
    classes = range(len(lessons.labels))
    usable = [np.flatnonzero((lessons.targets == label) & ~lessons.validation) for label in classes]
    chosen = np.concatenate(
        [rng.choice(those, options.per_class, replace=len(those) < options.per_class)
         for those in usable]
    )  # fmt: skip
    encoder = autoencoder.watched(network)
    latent = encoder(np.asarray(lessons.patches[chosen], np.float32)[..., None], training=True)[1]
    network.get_layer(PARTS).prototypes.assign(latent)
    own = np.repeat(classes, options.per_class)[:, None] == np.arange(len(classes))
    weights = np.where(own, FIRST_WEIGHT, -FIRST_WEIGHT) + rng.uniform(-0.05, 0.05, own.shape)
    network.get_layer(LOGITS).kernel.assign(weights)


def fit(
    network: keras.Model,
    lessons: Lessons,
    options: Options,
    progress: bool | None = None,
    title: str = "Training APNet",
) -> dict[str, Any]:
    """Train a network in place; return the course of it."""
    losses = _losses(network, lessons, options)
    one_hot = np.eye(len(lessons.labels), dtype=np.float32)[lessons.targets]
    learnt, checked = lessons.split(lessons.patches, one_hot)
    with quick.fitted(network):
        told = fitting.train(
            losses,
            network.trainable_variables,
            learnt,
            checked,
            options,
            beside=[
                weight for weight in network.non_trainable_variables if "moving" in weight.name
            ],
            optimizer=Adam,
            progress=progress,
            title=title,
        )
    return {name: np.asarray(values).tolist() for name, values in told.items() if name != "seconds"}


def _losses(network, lessons, options):
    """Return the function from a batch to the three losses."""
    body, layer = autoencoder.watched(network), network.get_layer(PARTS)
    dense = network.get_layer(LOGITS)
    alter = Alterations(lessons.frontend, mixup=options.mixup, seed=options.seed)

    def losses(patches, targets, training):
        if training:
            patches, targets = alter(patches, targets)
        scaled, latent, *befores = body(patches[..., None], training=training)
        distances = layer.distances(latent)
        logits = dense(layer.pool(layer.alike(distances)))
        wrong = keras.losses.categorical_crossentropy(targets, logits, from_logits=True)
        decoded = layer.decoder(latent, autoencoder.masks_of(befores, layer.plan.pools))
        return {
            "class": CLASS * keras.ops.mean(wrong),
            "sound": SOUND * keras.ops.mean(keras.ops.square(decoded - scaled)),
            "prototypes": PROTOTYPES * _apart(keras.ops.mean(distances, axis=1)),
        }

    return losses


def _apart(distances):
    """Return how far prototypes are from sounds, and sounds from prototypes, of (n, count)."""
    nearest_sound = keras.ops.min(distances, axis=0)
    nearest_prototype = keras.ops.min(distances, axis=1)
    return keras.ops.mean(nearest_sound) + keras.ops.mean(nearest_prototype)


def described(
    network: keras.Model,
    lessons: Lessons,
    options: Mapping[str, Any],
    history: Mapping[str, Any],
) -> SelfExplaining:
    """Decode the prototypes, and say from which sound each has its masks."""
    lender, distance = _nearest(network, lessons)
    classes = _classes(network)
    # A thousandth is nothing in a picture, and the file holds them all as text.
    pictures = np.round(decoded(network, masks(network, lessons.patches[lender])), 3)
    parts = [
        Evidence(
            f"prototype {number}, its masks from {lessons.place(one).clip}",
            lessons.labels[label],
            (lessons.place(one),),
            picture=picture,
        )
        for number, (one, label, picture) in enumerate(zip(lender, classes, pictures, strict=True))
    ]
    history = {**history, "lent": distance.tolist()}
    return SelfExplaining.from_network(
        network,
        lessons.labels,
        lessons.frontend,
        parts,
        design="apnet",
        options=options,
        history=history,
    )


def _nearest(network, lessons) -> tuple[np.ndarray, np.ndarray]:
    """Return for each prototype the training patch that is closest, and its distance."""
    layer, usable = network.get_layer(PARTS), np.flatnonzero(~lessons.validation)
    means = keras.ops.mean(layer.distances(network.get_layer("latent").output), axis=1)
    run = in_batches(keras.Model(network.inputs[0], means))
    found = run(np.asarray(lessons.patches[usable], np.float32)[..., None])
    return usable[found.argmin(axis=0)], found.min(axis=0)


def _classes(network) -> np.ndarray:
    """Return the class that the network gives to each prototype itself."""
    layer = network.get_layer(PARTS)
    logits = network.get_layer(LOGITS)(layer(layer.prototypes))
    return np.asarray(keras.ops.argmax(logits, axis=-1))


def masks(network: keras.Model | SelfExplaining, patches: ArrayLike) -> list[np.ndarray]:
    """Return the masks of a network's poolings for some patches.

    Parameters
    ----------
    network : SelfExplaining or keras.Model
        An APNet.
    patches : array_like of float, shape (n, frames, bands)

    Returns
    -------
    list of ndarray of float32, each (n, t, f, channels)
        1 for the largest cell of each block.
    """
    network = _whole(network)
    body, layer = autoencoder.watched(network), network.get_layer(PARTS)
    _, _, *befores = body(np.asarray(patches, np.float32)[..., None], training=False)
    return [np.asarray(mask) for mask in autoencoder.masks_of(befores, layer.plan.pools)]


def random_masks(network: keras.Model | SelfExplaining, count: int, seed: int = 0) -> list:
    """Return masks that no sound has lent: in each block one cell, drawn at random.

    Parameters
    ----------
    network : SelfExplaining or keras.Model
        An APNet.
    count : int
        How many sets of masks.
    seed : int
    """
    network, rng = _whole(network), np.random.default_rng(seed)
    body, layer = autoencoder.watched(network), network.get_layer(PARTS)
    drawn = [rng.random((count, *output.shape[1:])) for output in body.outputs[2:]]
    return [np.asarray(mask) for mask in autoencoder.masks_of(drawn, layer.plan.pools)]


def decoded(
    network: keras.Model | SelfExplaining,
    lent: list[np.ndarray],
    prototypes: ArrayLike | None = None,
) -> np.ndarray:
    """Return the pictures of prototypes, decoded with the masks that are given.

    Parameters
    ----------
    network : SelfExplaining or keras.Model
        An APNet.
    lent : list of ndarray, each (n, t, f, channels)
        Of :func:`masks` or :func:`random_masks`, one set for each picture.
    prototypes : array_like of int, shape (n,), optional
        Numbers of the prototypes; all by default.

    Returns
    -------
    ndarray of float32, shape (n, frames, bands)
        In the units of the front end.

    Examples
    --------
    >>> import xaiaudio as xa
    >>> from xaiaudio.models.designs import apnet
    >>> model = xa.models.train_design("apnet", clips)  # doctest: +SKIP
    >>> patch = model.frontend(clips[0].load()).loudest().values[None]  # doctest: +SKIP
    >>> apnet.decoded(model, apnet.masks(model, patch), [0]).shape  # doctest: +SKIP
    (1, 96, 64)
    """
    network = _whole(network)
    layer = network.get_layer(PARTS)
    latent = np.asarray(layer.prototypes)
    if prototypes is not None:
        latent = latent[np.asarray(prototypes, int)]
    if any(len(mask) != len(latent) for mask in lent):
        raise XaiAudioError(
            f"There are masks of {len(lent[0])} sounds for {len(latent)} prototypes: as many are "
            "needed."
        )
    found = np.asarray(layer.decoder(latent, lent))[..., 0]
    frames, bands = network.input_shape[1:3]
    stretch = network.get_layer("stretched")
    return (found[:, :frames, :bands] - stretch.offset) / stretch.scale


def limits_of(network: keras.Model) -> tuple[float, float]:
    """Return what the network stretches to -1 and to 1."""
    stretch = network.get_layer("stretched")
    return tuple((end - stretch.offset) / stretch.scale for end in (-1, 1))


def _whole(network) -> keras.Model:
    return network.logits_network if isinstance(network, SelfExplaining) else network
