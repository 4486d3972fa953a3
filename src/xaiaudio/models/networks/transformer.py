"""A small transformer over patches of the spectrogram, by the plan of AST.

The log-mel patch is cut into tiles of 16 frames by 16 bands. Each becomes a token: a linear map of
its cells, and a vector learnt for its place. A learnt token in front, which stands for no tile,
collects what the others have to say; the class is read from it. All layers are Keras's own, so that
a saved network is loaded like any other.

Y. Gong, Y.-A. Chung and J. Glass, "AST: Audio Spectrogram Transformer", Interspeech 2021. That one
has 12 layers, tiles that overlap, and was trained on millions of pictures and sounds before.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass

import keras
import numpy as np
import tensorflow as tf

from ...errors import XaiAudioError
from ...frontend import LogMel
from ..classifier import AudioClassifier
from ..designs.augmentation import Augmentation
from ..designs.lessons import Lessons
from ..training import fitting
from ..transformer_block import block

POOLINGS = ("token", "mean")


@dataclass(frozen=True)
class Options:
    """Options of the transformer and its training.

    Attributes
    ----------
    tile : (int, int)
        Frames and bands of a tile; whole numbers of them must fill the patch.
    size : int
        Width of a token.
    heads, layers : int
    pooling : {"token", "mean"}
        What the class is read from: the token in front, or the mean over the tiles' tokens.
    epochs, batch, rate, seed
        As in :class:`xaiaudio.models.training.fitting.Settings`.
    """

    tile: tuple[int, int] = (16, 16)
    size: int = 64
    heads: int = 4
    layers: int = 2
    pooling: str = "token"
    epochs: int = 30
    batch: int = 32
    rate: float = 2e-3
    seed: int = 0

    def __post_init__(self):
        fitting.Settings(self.epochs, self.batch, self.rate, self.epochs, self.seed)
        fitting.check_whole(self, "size", "heads", "layers")
        if self.size % self.heads:
            raise XaiAudioError(
                f"size is {self.size} and heads {self.heads}: each head takes an equal part, so "
                "that size must be a multiple of heads."
            )
        if self.pooling not in POOLINGS:
            raise XaiAudioError(f"pooling is {self.pooling!r}: it must be one of {POOLINGS}.")


def train(
    lessons: Lessons, options: Options | None = None, progress: bool | None = None
) -> AudioClassifier:
    """Train a transformer from nothing; the weights that were best on the validation are kept.

    Parameters
    ----------
    lessons : Lessons
        Patches of the clips to learn from, and their classes.
    options : Options, optional
    progress : bool, optional
        None shows a bar on a terminal and in a notebook.

    Returns
    -------
    AudioClassifier
        With the course of its training in ``history``.

    Raises
    ------
    XaiAudioError
        If the tiles do not fill the patch, or there is nothing to learn from.
    """
    options = options or Options()
    mean, spread = float(lessons.patches.mean()), float(lessons.patches.std())
    classes = len(lessons.labels)
    network = build(lessons.frontend, classes, options, mean, spread)
    altered = Augmentation(lessons.frontend, options.seed)

    def losses(patches, targets, training):
        wanted = tf.one_hot(targets, classes)
        if training:
            patches, wanted = altered(patches, wanted)
        logits = network(patches[..., None], training=training)
        costs = tf.nn.softmax_cross_entropy_with_logits(wanted, logits)
        return {"class": tf.reduce_mean(costs)}

    settings = fitting.Settings(
        options.epochs, options.batch, options.rate, options.epochs, options.seed
    )
    course = fitting.train(
        losses,
        network.trainable_variables,
        *lessons.split(lessons.patches, lessons.targets),
        settings,
        progress=progress,
        title="Training a transformer",
    )
    made = AudioClassifier.from_keras(network, lessons.labels, lessons.frontend)
    made.history = {
        "course": {name: np.asarray(value).tolist() for name, value in course.items()},
        "options": {**asdict(options), "tile": list(options.tile)},
    }
    return made


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

    Returns
    -------
    keras.Model
        Its layers of attention are called ``attention1``, ``attention2``...

    Raises
    ------
    XaiAudioError
        If the tiles do not fill the patch.

    Examples
    --------
    >>> import xaiaudio as xa
    >>> network = build(xa.LogMel.vggish(), 10, Options(layers=1))
    >>> network.get_layer("embedded").output.shape  # 6 times 4 tiles, and the token in front
    (None, 25, 64)
    """
    layers, seeds = keras.layers, iter(range(options.seed, options.seed + 1000))
    (frames, bands), (long, high) = frontend.patch_shape, options.tile
    if frames % long or bands % high:
        raise XaiAudioError(
            f"Tiles of {long} frames by {high} bands do not fill a patch of {frames} by {bands}."
        )
    rows, columns = frames // long, bands // high
    patch = keras.Input((frames, bands, 1), name="patch")
    tensor = layers.Rescaling(1 / spread, -mean / spread, name="rescaled")(patch)
    tensor = layers.Reshape((rows, long, columns, high), name="cut")(tensor)
    tensor = layers.Permute((1, 3, 2, 4), name="sorted")(tensor)
    tensor = layers.Reshape((rows * columns, long * high), name="tiles")(tensor)
    tokens = rows * columns
    if options.pooling == "token":
        # A tile of zeros has no cells: what is left of its token is the vector for its place.
        tensor = layers.ZeroPadding1D((1, 0), name="in_front")(tensor)
        tokens += 1
    tensor = layers.EinsumDense(
        "btc,cd->btd",
        (tokens, options.size),
        bias_axes="td",  # a vector for each place
        kernel_initializer=keras.initializers.GlorotUniform(next(seeds)),
        bias_initializer=keras.initializers.RandomNormal(stddev=0.5, seed=next(seeds)),
        name="embedded",
    )(tensor)
    for number in range(1, options.layers + 1):
        tensor = block(tensor, options, f"{{}}{number}", seeds)
    tensor = layers.LayerNormalization(name="described")(tensor)
    if options.pooling == "token":
        tensor = tensor[:, 0]
    else:
        tensor = layers.GlobalAveragePooling1D(name="mean")(tensor)
    first = keras.initializers.GlorotUniform(next(seeds))
    logits = layers.Dense(classes, kernel_initializer=first, name="logits")(tensor)
    return keras.Model(patch, logits, name="transformer")
