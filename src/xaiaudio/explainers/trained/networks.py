"""The networks of Listen to Interpret: from hidden layers to activations, and on to an answer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import keras
import numpy as np
from keras import layers

POOLINGS = ("attention", "max")

# Channels that each hidden layer becomes, that they become together, and of the attention.
WIDTH, JOINT, GATE = 24, 96, 64


@dataclass(frozen=True)
class Interpreter:
    """The two networks that are trained.

    Attributes
    ----------
    psi : keras.Model
        From a list of hidden feature maps (n, h, w, channels) to activations (n, frames, K), never
        negative.
    theta : keras.Model
        From activations to the pooled ones (n, K) and logits (n, classes).
    """

    psi: keras.Model
    theta: keras.Model

    @property
    def variables(self) -> list:
        """All that is trained."""
        return [*self.psi.trainable_variables, *self.theta.trainable_variables]

    def __call__(self, maps, training: bool = False) -> tuple:
        """Return activations (n, frames, K), pooled ones (n, K) and logits (n, classes)."""
        active = self.psi(list(maps), training=training)
        return active, *self.theta(active, training=training)


def build(
    shapes: Sequence[tuple[int, ...]],
    scales: Sequence[float],
    frames: int,
    components: int,
    classes: int,
    *,
    pooling: str = "attention",
    seed: int = 0,
) -> Interpreter:
    """Return the networks with random weights.

    Parameters
    ----------
    shapes : sequence of tuple
        Of the hidden feature maps: (h, w, channels).
    scales : sequence of float
        The maps are divided by these first.
    frames, components, classes : int
    pooling : {"attention", "max"}
    seed : int

    Returns
    -------
    Interpreter

    Examples
    --------
    >>> import numpy as np
    >>> from xaiaudio.explainers.trained.networks import build
    >>> made = build([(4, 2, 3)], [1.0], frames=8, components=5, classes=2)
    >>> [tuple(one.shape) for one in made([np.ones((1, 4, 2, 3), "float32")])]
    [(1, 8, 5), (1, 5), (1, 2)]
    """
    seeds = iter(range(100 * seed, 100 * seed + 100))
    psi = _psi(shapes, scales, frames, components, seeds)
    return Interpreter(psi, _theta(frames, components, classes, pooling, seeds))


def _psi(shapes, scales, frames, components, seeds) -> keras.Model:
    inputs = [layers.Input(shape, name=f"map{n}") for n, shape in enumerate(shapes)]
    parts = []
    for number, (tensor, shape, scale) in enumerate(zip(inputs, shapes, scales, strict=True)):
        height, *cells = shape
        # A step of a coarse map is several frames: each gets channels of its own.
        times = -(-frames // height)
        x = layers.Rescaling(1 / float(scale), name=f"scale{number}")(tensor)
        x = layers.Reshape((height, int(np.prod(cells))), name=f"rows{number}")(x)
        x = layers.Dense(
            times * WIDTH, "relu", kernel_initializer=_drawn(seeds), name=f"read{number}"
        )(x)
        x = layers.Reshape((height * times, WIDTH), name=f"frames{number}")(x)
        places = np.linspace(0, height * times - 1, frames).round().astype(int)
        parts.append(x if height * times == frames else keras.ops.take(x, places, axis=1))
    x = layers.Concatenate(name="joined")(parts) if len(parts) > 1 else parts[0]
    x = layers.Conv1D(
        JOINT, 3, padding="same", activation="relu", kernel_initializer=_drawn(seeds), name="joint"
    )(x)
    # A little above 0 at first, so that none of them is 0 everywhere and never learns.
    bias = keras.initializers.Constant(0.1)
    active = layers.Dense(
        components,
        "relu",
        kernel_initializer=_drawn(seeds),
        bias_initializer=bias,
        name="activations",
    )(x)
    return keras.Model(inputs, active, name="psi")


def _theta(frames, components, classes, pooling, seeds) -> keras.Model:
    active = layers.Input((frames, components), name="activations")
    if pooling == "max":
        pooled = layers.GlobalMaxPooling1D(name="pooled")(active)
    else:
        options = {"use_bias": False}
        tanh = layers.Dense(GATE, "tanh", kernel_initializer=_drawn(seeds), name="tanh", **options)(
            active
        )
        relu = layers.Dense(GATE, "relu", kernel_initializer=_drawn(seeds), name="relu", **options)(
            active
        )
        gated = layers.Multiply(name="gated")([tanh, relu])
        score = layers.Dense(1, kernel_initializer=_drawn(seeds), name="score", **options)(gated)
        share = layers.Softmax(axis=1, name="attention")(score)
        pooled = layers.Dot(1, name="pooled_columns")([share, active])
        pooled = layers.Reshape((components,), name="pooled")(pooled)
    logits = layers.Dense(
        classes, use_bias=False, kernel_initializer=_drawn(seeds), name="classes"
    )(pooled)
    return keras.Model(active, [pooled, logits], name="theta")


def _drawn(seeds):
    return keras.initializers.GlorotUniform(next(seeds))
