"""One layer of prototypes: how near an input lies to each, and what that nearness counts.

The families differ in four choices only, which are the layer's arguments: the distance, the
similarity that is made of it, how the places of a feature map are pooled, and whether a prototype
is a point or a ball.
"""

from __future__ import annotations

from typing import Any

import keras
import tensorflow as tf

from ...errors import XaiAudioError, meant

ops = keras.ops

DISTANCES = ("mean-squared", "cosine")
SIMILARITIES = ("exp", "log-ratio", "relu-cosine", "negative")
POOLINGS = ("max", "mean", "frequency-weighted")

# A vector of zeros has no direction: its cosine is 0.
_TINY = 1e-12


@keras.saving.register_keras_serializable("xaiaudio")
class Prototypes(keras.layers.Layer):
    """Similarities of an input to prototypes, one number each.

    Parameters
    ----------
    count : int
        Prototypes.
    distance : {"mean-squared", "cosine"}
        Mean of the squared differences over the numbers of a vector, or one minus the cosine.
    similarity : {"exp", "log-ratio", "relu-cosine", "negative"}
        Of a distance d: ``exp(-d)``; ``log((d + 1) / (d + epsilon))``; the cosine where it is
        above 0, for the distance ``"cosine"``; or ``-d``.
    pooling : {"max", "mean", "frequency-weighted"}
        What is done with the places of a feature map: the best counts, or the mean; or each
        prototype is as large as the map, is compared band by band, and the bands have weights.
    radius : float, optional
        A prototype is a ball: what lies nearer counts as if it lay on the sphere. The radii are
        weights of the layer, one a prototype, that begin with this distance and are not trained.
    scale : float
        Factor of the distance.
    epsilon : float
        Of the similarity ``"log-ratio"``: what keeps it finite at the distance 0.
    **options
        Of `keras.layers.Layer`.

    Raises
    ------
    XaiAudioError
        For an argument that is none of these.

    Notes
    -----
    Its input is ``(n, d)`` or ``(n, h, w, d)``, its output ``(n, count)``. The similarity of
    Chen et al., "This looks like that", NeurIPS 2019, is ``"log-ratio"``; that of Zinemanas et al.,
    "An interpretable deep learning model for automatic sound classification", Electronics 2021, is
    ``"exp"`` with the frequency weights.

    Examples
    --------
    >>> import numpy as np
    >>> from xaiaudio.models.designs.prototypes import Prototypes
    >>> layer = Prototypes(2, similarity="exp")
    >>> layer.build((None, 3))
    >>> layer.prototypes.assign(np.array([[0, 0, 0], [1, 2, 2]]))  # doctest: +ELLIPSIS
    <...>
    >>> np.asarray(layer(np.zeros((1, 3), "float32")), float).round(4).tolist()  # exp(0), exp(-3)
    [[1.0, 0.0498]]
    """

    def __init__(
        self,
        count: int,
        distance: str = "mean-squared",
        similarity: str = "exp",
        pooling: str = "max",
        radius: float | None = None,
        scale: float = 1.0,
        epsilon: float = 1e-4,
        **options: Any,
    ):
        super().__init__(**options)
        _check("distance", distance, DISTANCES)
        _check("similarity", similarity, SIMILARITIES)
        _check("pooling", pooling, POOLINGS)
        if isinstance(count, bool) or not isinstance(count, int) or count < 1:
            raise XaiAudioError(f"count is {count!r}: a whole number from 1 on is needed.")
        if similarity == "relu-cosine" and distance != "cosine":
            raise XaiAudioError('The similarity "relu-cosine" is of the distance "cosine" only.')
        if (radius is not None and radius < 0) or scale <= 0 or epsilon <= 0:
            raise XaiAudioError("A radius is 0 or more; scale and epsilon are above 0.")
        self.count, self.distance = count, distance
        self.similarity, self.pooling = similarity, pooling
        self.radius, self.scale, self.epsilon = radius, float(scale), float(epsilon)

    @property
    def whole(self) -> bool:
        """Whether a prototype is as large as the feature map."""
        return self.pooling == "frequency-weighted"

    def build(self, input_shape: tuple[int, ...]) -> None:
        """Make the prototypes, the weights of their bands and their radii."""
        if len(input_shape) != 4 and (self.whole or len(input_shape) != 2):
            raise XaiAudioError(
                f"Prototypes with the pooling {self.pooling!r} take (n, h, w, d), or without bands "
                f"(n, d): this is {tuple(input_shape)}."
            )
        each: tuple[int, ...] = input_shape[1:] if self.whole else input_shape[-1:]
        self.prototypes = self.add_weight(
            shape=(self.count, *each), initializer="random_uniform", name="prototypes"
        )
        self.bands: Any = None
        self.radii: Any = None
        if self.whole:
            bands = each[1]
            self.bands = self.add_weight(
                shape=(self.count, bands),
                initializer=keras.initializers.Constant(1 / bands),
                constraint=keras.constraints.NonNeg(),
                name="bands",
            )
        if self.radius is not None:
            self.radii = self.add_weight(
                shape=(self.count,),
                initializer=keras.initializers.Constant(self.radius),
                trainable=False,
                name="radii",
            )
        self.built = True

    def distances(self, inputs: Any) -> Any:
        """Return how far each place lies from each prototype.

        Parameters
        ----------
        inputs : tensor, shape (n, d) or (n, h, w, d)

        Returns
        -------
        tensor, shape (n, count), (n, h, w, count), or (n, w, count) with frequency weights
        """
        vectors = self.prototypes
        if self.whole:
            inputs, vectors = _by_bands(inputs), _by_bands(vectors)  # (..., frames * channels)
        if self.distance != "cosine":
            # |z - p|^2 without a tensor of all differences. In single precision, what three large
            # numbers leave would be off by more than a similarity's epsilon.
            inputs, vectors = (ops.cast(some, "float64") for some in (inputs, vectors))
        squares = ops.transpose(ops.sum(ops.square(vectors), axis=-1))
        if self.whole:
            dots = ops.einsum("nfd,pfd->nfp", inputs, vectors)
        else:
            dots = ops.matmul(inputs, ops.transpose(vectors))
        own = ops.sum(ops.square(inputs), axis=-1, keepdims=True)
        if self.distance == "cosine":
            lengths = ops.sqrt(ops.maximum(own, _TINY) * ops.maximum(squares, _TINY))
            return self.scale * (1 - dots / lengths)
        # Rounding may leave it just below 0.
        summed = ops.cast(ops.relu(own - 2 * dots + squares), self.compute_dtype)
        return self.scale * summed / inputs.shape[-1]

    def least(self, inputs: Any) -> Any:
        """Return how far each prototype lies from the nearest place, (n, count), for training.

        The nearest place of a map is looked for in single precision; how far it is, is exact. Only
        places that were found hand on a gradient: a table of all distances would cost several times
        as much.
        """
        if len(inputs.shape) == 2 or self.distance == "cosine":
            return _least(self.distances(inputs))
        size, vectors = inputs.shape[-1], self.prototypes.value
        places = tf.reshape(inputs, (-1, inputs.shape[1] * inputs.shape[2], size))
        rows = tf.stop_gradient(places)
        dots = tf.matmul(tf.reshape(rows, (-1, size)), vectors, transpose_b=True)
        # What is the same for all places of a patch need not be added.
        far = tf.reduce_sum(tf.square(rows), axis=-1, keepdims=True)
        far -= 2 * tf.reshape(dots, (-1, places.shape[1], self.count))
        found = tf.gather(places, tf.argmin(far, axis=1), batch_dims=1)
        return self.scale * tf.reduce_mean(tf.square(found - vectors), axis=-1)

    def similarities(self, inputs: Any) -> Any:
        """Return how alike each place and each prototype are, in the shape of :meth:`distances`."""
        return self.alike(self.distances(inputs))

    def alike(self, distances: Any) -> Any:
        """Return what distances (..., count) count for."""
        if self.radii is not None:
            distances = ops.maximum(distances, self.radii)
        if self.similarity == "exp":
            return ops.exp(-distances)
        if self.similarity == "log-ratio":
            return ops.log((distances + 1) / (distances + self.epsilon))
        if self.similarity == "negative":
            return -distances
        return ops.relu(1 - distances / self.scale)

    def pool(self, similarities: Any) -> Any:
        """Return one number a prototype, of similarities of all places: (n, count)."""
        if self.whole:
            return ops.sum(similarities * ops.transpose(self.bands), axis=1)
        if len(similarities.shape) == 2:
            return similarities
        pool = ops.max if self.pooling == "max" else ops.mean
        return pool(similarities, axis=(1, 2))

    def call(self, inputs: Any) -> Any:
        """Return similarities, pooled over places: (n, count)."""
        if self.pooling == "max":  # the nearest place is the most alike, whatever the similarity
            return self.alike(_least(self.distances(inputs)))
        return self.pool(self.similarities(inputs))

    def compute_output_shape(self, input_shape: tuple) -> tuple:
        """Return (n, count)."""
        return (input_shape[0], self.count)

    def get_config(self) -> dict[str, Any]:
        """Return the arguments."""
        names = ("count", "distance", "similarity", "pooling", "radius", "scale", "epsilon")
        return {**super().get_config(), **{name: getattr(self, name) for name in names}}


def _least(distances):
    """Return the least distance over the places: (n, count)."""
    return distances if len(distances.shape) == 2 else ops.min(distances, axis=(1, 2))


def _by_bands(maps):
    """Put what a band of a map holds in one row: (n, h, w, d) becomes (n, w, h * d)."""
    turned = ops.transpose(maps, (0, 2, 1, 3))
    return ops.reshape(turned, (-1, turned.shape[1], turned.shape[2] * turned.shape[3]))


def _check(name: str, value, known) -> None:
    if value not in known:
        raise XaiAudioError(
            f"There is no {name} {value!r}{meant(str(value), known)}: it is one of "
            f"{', '.join(known)}."
        )
