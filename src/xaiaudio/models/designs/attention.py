"""A tagger that pays attention to moments, and whose answer is an exact sum over them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import keras
import numpy as np
import tensorflow as tf

from ...errors import XaiAudioError
from ..training import fitting
from ..training.adam import Adam
from ..transformer_block import block
from . import quick
from .augmentation import Augmentation
from .base import SelfExplaining
from .evidence import Evidence
from .registry import register

if TYPE_CHECKING:
    from typing import Any

    from numpy.typing import ArrayLike

    from ...frontend import LogMel
    from ..backbones import Backbone
    from .lessons import Lessons

# Channels of the convolutions in front; each halves the frequencies, the first two the time.
CHANNELS = (24, 32, 48, 64)
# Frames of a patch that become one moment.
STEP = 4


@dataclass(frozen=True)
class Options:
    """How to build and train it.

    Attributes
    ----------
    size : int
        Numbers that a moment is described by; a multiple of `heads`.
    heads : int
        Of each attention layer.
    layers : int
        Layers of self-attention before the last attention.
    epochs, batch : int
    rate : float
        Adam's learning rate.
    augment : bool
        Whether patches are altered while it learns, see `Augmentation`.
    overlap : float
        Of the patches.
    seed : int
    """

    size: int = 64
    heads: int = 4
    layers: int = 1
    epochs: int = 9
    batch: int = 32
    rate: float = 2e-3
    augment: bool = True
    overlap: float = 0.5
    seed: int = 0

    def __post_init__(self):
        for name, least in (("size", 1), ("heads", 1), ("layers", 0), ("seed", 0)):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int) or value < least:
                raise XaiAudioError(
                    f"{name} is {value!r}: a whole number from {least} on is needed."
                )
        if self.size % self.heads:
            raise XaiAudioError(f"size is {self.size}: it must be a multiple of heads.")
        if not 0 <= self.overlap < 1:
            raise XaiAudioError(f"overlap is {self.overlap!r}: it must be from 0 to below 1.")
        fitting.Settings(self.epochs, self.batch, self.rate)


@keras.saving.register_keras_serializable("xaiaudio")
class Positions(keras.layers.Layer):
    """Adds to each moment (n, count, size) a vector of its place, which is trained.

    Parameters
    ----------
    count : int
        Moments.
    """

    def __init__(self, count: int, **options: Any):
        super().__init__(**options)
        self.count = count

    def build(self, input_shape: tuple) -> None:
        """Begin with sines and cosines, slower and slower from one number to the next."""
        size = input_shape[-1]
        self.places = self.add_weight(shape=(self.count, size), name="places")
        pace = 1e-3 ** (np.arange(size) // 2 * 2 / size)
        angles = np.arange(self.count)[:, None] * pace + np.arange(size) % 2 * np.pi / 2
        self.places.assign(0.1 * np.sin(angles))

    def call(self, inputs: Any) -> Any:
        """Return the sums."""
        return inputs + self.places

    def get_config(self) -> dict[str, Any]:
        """Return the parameters."""
        return {**super().get_config(), "count": self.count}


@keras.saving.register_keras_serializable("xaiaudio")
class Moments(keras.layers.Layer):
    """One question to all moments, and what each moment answers, times the attention it gets.

    From (n, T, size) to (n, T, size). Each head has a trained question and a matrix of values; a
    softmax over the moments makes attention of how well they match the question. What the heads
    bring from a moment stands side by side. Nothing is added and nothing comes behind: the sum over
    the moments is all that the last layer sees.

    Parameters
    ----------
    count : int
        Heads.
    seed : int
        Of the first weights.
    """

    def __init__(self, count: int, seed: int = 0, **options: Any):
        super().__init__(**options)
        self.count, self.seed = count, seed

    def build(self, input_shape: tuple) -> None:
        """Make the questions (size, heads) and the values (size, size)."""
        size, first = input_shape[-1], keras.initializers.GlorotUniform
        self.questions = self.add_weight(
            shape=(size, self.count), name="questions", initializer=first(self.seed)
        )
        self.answers = self.add_weight(
            shape=(size, size), name="answers", initializer=first(self.seed + 1)
        )

    def attention(self, inputs: Any) -> Any:
        """Return what each head pays: (n, T, heads), sums over T are 1."""
        scores = keras.ops.matmul(inputs, self.questions)
        return keras.ops.softmax(scores / float(inputs.shape[-1]) ** 0.5, axis=1)

    def values(self, inputs: Any) -> Any:
        """Return what the moments would answer if all attention were theirs: (n, T, size)."""
        return keras.ops.matmul(inputs, self.answers)

    def call(self, inputs: Any) -> Any:
        """Return the values times the attention of their head."""
        wide = inputs.shape[-1] // self.count
        return self.values(inputs) * keras.ops.repeat(self.attention(inputs), wide, axis=-1)

    def get_config(self) -> dict[str, Any]:
        """Return the parameters."""
        return {**super().get_config(), "count": self.count, "seed": self.seed}


@register(
    "attention",
    options=Options,
    summary="a tagger whose logit is a sum over moments, by the attention they get",
    paper="M. Won, S. Chun and X. Serra, 2019",
)
def train(
    lessons: Lessons, backbone: Backbone, options: Options, progress: bool | None = None
) -> SelfExplaining:
    """Train the network from nothing.

    Parameters
    ----------
    lessons : Lessons
    backbone : Backbone
        Not used: the front end of the lessons is all that it needs.
    options : Options
    progress : bool, optional
        None shows a bar on a terminal and in a notebook.
    """
    mean, spread = float(lessons.patches.mean()), float(lessons.patches.std())
    network = build(lessons.frontend, len(lessons.labels), options, mean, spread)
    altered = Augmentation(lessons.frontend, options.seed)
    classes = len(lessons.labels)

    def losses(patches, targets, training):
        wanted = tf.one_hot(targets, classes)
        if training and options.augment:
            patches, wanted = altered(patches, wanted)
        logits = network(patches[..., None], training=training)
        costs = tf.nn.softmax_cross_entropy_with_logits(wanted, logits)
        return {"class": tf.reduce_mean(costs)}

    settings = fitting.Settings(
        options.epochs, options.batch, options.rate, options.epochs, options.seed
    )
    with quick.fitted(network):
        history = fitting.train(
            losses,
            network.trainable_variables,
            *lessons.split(lessons.patches, lessons.targets),
            settings,
            optimizer=Adam,
            progress=progress,
            title="Training attention",
        )
    return SelfExplaining.from_network(
        network,
        lessons.labels,
        lessons.frontend,
        evidence(lessons.frontend),
        design="attention",
        options=vars(options),
        history={"course": {name: np.asarray(value).tolist() for name, value in history.items()}},
    )


def build(
    frontend: LogMel, classes: int, options: Options, mean: float = 0.0, spread: float = 1.0
) -> keras.Model:
    """Return the network from patches to logits, with random weights.

    Parameters
    ----------
    frontend : LogMel
    classes : int
    options : Options
    mean, spread : float
        Of the patches that it will learn from.
    """
    layers, seeds = keras.layers, iter(range(options.seed, options.seed + 1000))
    patch = keras.Input((*frontend.patch_shape, 1), name="patch")
    tensor = layers.Rescaling(1 / spread, -mean / spread, name="rescaled")(patch)
    for number, channels in enumerate(CHANNELS):
        tensor = layers.Conv2D(
            channels,
            3 if number else 5,
            (2 if number < 2 else 1, 2),  # steps in place of poolings: less than half of the work
            padding="same",
            kernel_initializer=keras.initializers.HeNormal(next(seeds)),
            name=f"conv{number + 1}",
        )(tensor)
        tensor = layers.LayerNormalization(name=f"norm{number + 1}")(tensor)
        tensor = layers.ReLU(name=f"relu{number + 1}")(tensor)
    moments = tensor.shape[1]
    tensor = layers.Reshape((moments, tensor.shape[2] * tensor.shape[3]), name="frames")(tensor)
    first = keras.initializers.GlorotUniform
    tensor = layers.Dense(options.size, kernel_initializer=first(next(seeds)), name="moments")(
        tensor
    )
    tensor = Positions(moments, name="positions")(tensor)
    for number in range(options.layers):
        tensor = block(tensor, options, f"layer{number + 1}_{{}}", seeds)
    tensor = layers.LayerNormalization(name="described")(tensor)
    # Far from the seeds of the other layers, which are counted up.
    parts = Moments(options.heads, options.seed + 1000, name="parts")(tensor)
    whole = keras.ops.sum(parts, axis=1)
    dense = layers.Dense(classes, kernel_initializer=first(next(seeds)), name="logits")
    return keras.Model(patch, dense(whole), name="attention")


def evidence(frontend: LogMel) -> list[Evidence]:
    """Return what the parts are: moments of the patch itself, by their seconds."""
    step = STEP * frontend.hop / frontend.sample_rate
    count = -(-frontend.frames // STEP)
    return [Evidence(f"{number * step:.2f} s") for number in range(count)]


def attention(model: SelfExplaining, patches: ArrayLike) -> np.ndarray:
    """Return what each head of the last layer pays to each moment.

    Parameters
    ----------
    model : SelfExplaining
        Of the design ``"attention"``.
    patches : array_like of float, shape (n, frames, bands)

    Returns
    -------
    ndarray of float32, shape (n, heads, moments)
        Each head's sum is 1.
    """
    layer, described = _described(model, patches)
    return np.swapaxes(np.asarray(layer.attention(described)), 1, 2)


def forced(model: SelfExplaining, patches: ArrayLike) -> np.ndarray:
    """Return the logits that a patch would get if all attention went to one moment.

    Parameters
    ----------
    model : SelfExplaining
        Of the design ``"attention"``.
    patches : array_like of float, shape (n, frames, bands)

    Returns
    -------
    ndarray of float32, shape (n, moments, classes)
        The bias is in them. With one head, attention times what stands above the bias is what the
        moment adds to the logit; with more, it is so head by head, see :func:`by_heads`.
    """
    layer, described = _described(model, patches)
    return np.asarray(layer.values(described)) @ model.weights + model.bias


def by_heads(model: SelfExplaining, patches: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    """Return what each head adds from each moment, and what it would if all attention went there.

    Returns
    -------
    added, forced : ndarray of float32, shape (n, heads, moments, classes)
        The first is the second times the attention. Sums over the heads are
        ``model.contributions(patches)``, and :func:`forced` without the bias.
    """
    layer, described = _described(model, patches)
    values = np.asarray(layer.values(described))
    split = values.reshape(*values.shape[:2], layer.count, -1)
    weights = model.weights.reshape(layer.count, -1, len(model.labels))
    answers = np.einsum("nthd,hdc->nhtc", split, weights)
    paid = np.swapaxes(np.asarray(layer.attention(described)), 1, 2)
    return paid[..., None] * answers, answers


def self_attention(model: SelfExplaining, patches: ArrayLike, layer: int = 1) -> np.ndarray:
    """Return how much each moment hears of each other one in a layer of self-attention.

    Parameters
    ----------
    model : SelfExplaining
        Of the design ``"attention"``.
    patches : array_like of float, shape (n, frames, bands)
    layer : int
        From 1 on.

    Returns
    -------
    ndarray of float32, shape (n, heads, moments, moments)
        Row by row, each with the sum 1.
    """
    model.check_design("attention")
    count = model.options["layers"]
    if not count:
        raise XaiAudioError(f"{model.name} has no layers of self-attention.")
    if not 1 <= layer <= count:
        raise XaiAudioError(
            f"{model.name} has no layer {layer} of self-attention: choose 1 to {count}."
        )
    network = model.logits_network
    before = network.get_layer(f"layer{layer}_before")
    normal = tf.constant(model.inner(before.name, lambda: before.output, patches))
    found = network.get_layer(f"layer{layer}_attention")(
        normal, normal, return_attention_scores=True
    )
    return np.asarray(found[1])


def _described(model, patches):
    model.check_design("attention")
    layer = model.logits_network.get_layer("parts")
    return layer, tf.constant(model.inner("described", lambda: layer.input, patches))
