"""The layer of APNet's prototypes: how alike a sound is to each, and how each is decoded."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras

from .autoencoder import Decoder, Plan
from .prototypes import Prototypes

# No prototype is without any weight, whatever training does to its bands.
_LEAST = 1e-6


@keras.saving.register_keras_serializable("xaiaudio")
class DecodedPrototypes(Prototypes):
    """Likeness of latent tensors to prototypes that are latent tensors themselves.

    With a latent tensor z and a prototype p, each of t steps, f bands and c channels, the distance
    in a band is the mean of the squared differences over the steps and channels, and the likeness
    there is exp(-distance), from 0 to 1. The likeness to the prototype is the mean over the bands,
    each with a weight of the prototype's own. Its weights are not negative and sum to 1, so that
    z = p has the likeness 1.

    The layer also holds the decoder, which its answer does not need, so that the prototypes of a
    saved network can still be heard.

    Parameters
    ----------
    count : int
        Prototypes.
    widths, pools, kernels : sequence
        The plan of the encoder, see :class:`.autoencoder.Plan`.
    seed : int
    """

    def __init__(
        self,
        count: int,
        widths: Sequence[int],
        pools: Sequence[Sequence[int]],
        kernels: Sequence[int],
        seed: int = 0,
        **options: Any,
    ):
        super().__init__(count, pooling="frequency-weighted", **options)
        self.plan, self.seed = Plan.of(widths, pools, kernels), seed
        self.decoder = Decoder(self.plan, seed, name="decoder")

    def build(self, input_shape: tuple[int, ...]) -> None:
        """Make the weights; the shape is that of the latent tensors (n, t, f, channels)."""
        super().build(input_shape)
        self.decoder.build(input_shape)

    def weights_of_bands(self) -> Any:
        """Return the weight of each band for each prototype, (count, f): rows sum to 1."""
        weights = keras.ops.maximum(self.bands, 0) + _LEAST
        return weights / keras.ops.sum(weights, axis=-1, keepdims=True)

    def pool(self, similarities: Any) -> Any:
        """Return the weighted means (n, count) of similarities (n, f, count)."""
        weights = keras.ops.transpose(self.weights_of_bands())
        return keras.ops.sum(similarities * weights, axis=1)

    def get_config(self) -> dict[str, Any]:
        """Return what the constructor takes."""
        own = {"count": self.count, "seed": self.seed, **self.plan.to_config()}
        return {**keras.layers.Layer.get_config(self), **own}
