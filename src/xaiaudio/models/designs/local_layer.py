"""The layer of local prototypes: where in a patch each one is heard."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras

from .autoencoder import SLOPE, Decoder, Plan


@keras.saving.register_keras_serializable("xaiaudio")
class LocalPrototypes(keras.layers.Layer):
    """Attention maps over time and frequency, one for each prototype.

    A prototype is one vector of a latent tensor: what a sound is like in one cell. Its map says how
    much of it there is in each cell, and is not negative. With maps a and prototypes p the latent
    tensor is rebuilt as the sum of a p. What is handed on are the maps' means over time: for each
    prototype a vector with a place of its own for each prototype and band, zero in the places of
    the others, so that the sum over the prototypes keeps them apart.

    The layer also holds the convolution that gives the latent tensor, and the decoder, which its
    answer does not need: they are what the prototypes were trained by.

    Parameters
    ----------
    count : int
        Prototypes.
    channels : int
        Of the latent tensor.
    widths, pools, kernels : sequence
        The plan of the encoder, see :class:`.autoencoder.Plan`.
    seed : int
    """

    def __init__(
        self,
        count: int,
        channels: int,
        widths: Sequence[int],
        pools: Sequence[Sequence[int]],
        kernels: Sequence[int],
        seed: int = 0,
        **options: Any,
    ):
        super().__init__(**options)
        self.count, self.channels, self.seed = count, channels, seed
        self.plan = Plan.of(widths, pools, kernels)
        self.decoder = Decoder(self.plan, seed, name="decoder")
        size = self.plan.kernels[-1]
        self.attend, self.encode = (
            keras.layers.Conv2D(
                filters,
                size,
                padding="same",
                kernel_initializer=keras.initializers.HeNormal(seed=seed + 50 + number),
                name=name,
            )
            for number, (name, filters) in enumerate((("attend", count), ("encode", channels)))
        )

    def build(self, shape: tuple[int, ...]) -> None:
        """Make the weights; `shape` is that of what the last pooling gives (n, t, f, channels)."""
        self.attend.build(shape)
        self.encode.build(shape)
        self.decoder.build((*shape[:-1], self.channels))
        self.prototypes = self.add_weight(
            shape=(self.count, self.channels),
            # Small, so that they grow to what they rebuild: large ones would empty the maps.
            initializer=keras.initializers.RandomNormal(stddev=0.1, seed=self.seed),
            name="prototypes",
        )
        self.built = True

    def maps(self, pooled: Any) -> Any:
        """Return how much of each prototype there is in each cell, (n, t, f, count)."""
        return keras.ops.relu(self.attend(pooled))

    def latent(self, pooled: Any) -> Any:
        """Return the latent tensors (n, t, f, channels)."""
        return keras.ops.leaky_relu(self.encode(pooled), SLOPE)

    def rebuilt(self, maps: Any) -> Any:
        """Return the latent tensors that maps and prototypes stand for."""
        return keras.ops.matmul(maps, self.prototypes)

    def call(self, pooled: Any) -> Any:
        """Return the means over time, (n, count, count * f): one vector a prototype."""
        means = keras.ops.transpose(keras.ops.mean(self.maps(pooled), axis=1), (0, 2, 1))
        apart = keras.ops.expand_dims(means, 2) * keras.ops.eye(self.count)[None, :, :, None]
        return keras.ops.reshape(apart, (-1, self.count, self.count * pooled.shape[2]))

    def compute_output_shape(self, shape: tuple) -> tuple:
        """Return the shape of the vectors."""
        return (shape[0], self.count, self.count * shape[2])

    def get_config(self) -> dict[str, Any]:
        """Return what the constructor takes."""
        about = {"count": self.count, "channels": self.channels, "seed": self.seed}
        return {**super().get_config(), **about, **self.plan.to_config()}
