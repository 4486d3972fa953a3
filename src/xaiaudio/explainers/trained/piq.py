"""PIQ: the network's hidden layer in a code that each class has a part of, decoded to a mask."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import keras
import numpy as np
import tensorflow as tf

from ...errors import XaiAudioError
from ...models.training.fitting import Settings, check_whole, is_number, train
from .. import registry
from .decoding import LOUD, cross_entropy, decoder, energy_mask, to_bands
from .features import BATCH, features, hidden, hidden_values
from .quantise import commitments, nearest, owners, straight_through
from .weights import arrays_of, check_model, restore, signed, told

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import ArrayLike

    from ...datasets.base import ClipSet
    from ...models.classifier import AudioClassifier
    from .features import Features

_CODEBOOK = "codebook"


@dataclass(frozen=True)
class Options(Settings):
    """Options of PIQ, beside those of :class:`.training.fitting.Settings`.

    The seed also decides the first weights and codes, and the clips for validation.

    Attributes
    ----------
    codes : int
        In the codebook, shared out between the classes.
    depth : int
        Numbers in a code.
    block : int
        Which hidden layer is coded: the last of a resolution, counted from the end.
    loud : float
        The decoder's target: cells above this share of the loudest in the patch, both as
        log(1 + magnitude).
    overlap : float
        Of the patches that it learns from.
    width : int
        Channels of the decoder at the size of a patch.
    """

    codes: int = 1024
    depth: int = 64
    block: int = 1
    loud: float = LOUD
    overlap: float = 0.0
    width: int = 8
    epochs: int = 8
    rate: float = 2e-3

    def __post_init__(self):
        super().__post_init__()
        check_whole(self, "codes", "depth", "block", "width")
        if not is_number(self.loud) or not 0 < self.loud < 1:
            raise XaiAudioError(f"loud is {self.loud!r}: a share between 0 and 1 is needed.")


class Coder:
    """The trained parts of PIQ: an adapter, a codebook and a decoder."""

    def __init__(self, model: AudioClassifier, options: Options):
        layers = hidden(model, options.block)
        self.hidden = keras.Model(layers.inputs, layers.outputs[0])
        self.owner = owners(options.codes, len(model.labels))
        height, width, channels = self.hidden.output_shape[1:]
        self.adapter = _adapter((height, width, channels), options)
        shape = (height, width, options.depth)
        self.decoder = decoder([shape], model.frontend, width=options.width, seed=options.seed + 10)
        rng = np.random.default_rng(options.seed)
        first = rng.uniform(-1, 1, (options.codes, options.depth)) / options.codes
        self.codebook = keras.Variable(first.astype(np.float32), name=_CODEBOOK)

    def code(self, maps: tf.Tensor, classes: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
        """Return adapted maps, the numbers of the codes and the codes themselves."""
        values = self.adapter(maps)
        chosen = nearest(values, self.codebook.value, self.owner, classes)
        return values, chosen, tf.gather(self.codebook.value, chosen)

    def losses(
        self, maps: tf.Tensor, heights: tf.Tensor, classes: tf.Tensor, loud: float
    ) -> dict[str, tf.Tensor]:
        """Return the three losses of a batch, each with the weight 1."""
        values, _, codes = self.code(maps, classes)
        logits = self.decoder([straight_through(values, codes)])
        mask = tf.reduce_mean(cross_entropy(logits, energy_mask(heights, loud)))
        return {"mask": mask, **commitments(values, codes)}

    @property
    def variables(self) -> list:
        """What is trained."""
        return [
            *self.adapter.trainable_variables,
            *self.decoder.trainable_variables,
            self.codebook,
        ]

    def arrays(self) -> dict[str, np.ndarray]:
        """Return what was learnt, by name."""
        return {
            **arrays_of(self.adapter, "adapter"),
            **arrays_of(self.decoder, "decoder"),
            _CODEBOOK: self.codebook.numpy(),
        }

    def restore(self, weights: Mapping[str, np.ndarray]) -> Coder:
        """Take what was learnt; return self."""
        restore(self.adapter, "adapter", weights)
        restore(self.decoder, "decoder", weights)
        if np.shape(weights.get(_CODEBOOK)) != tuple(self.codebook.shape):
            raise XaiAudioError(
                "This PIQ has another codebook than its options say: train it anew."
            )
        self.codebook.assign(weights[_CODEBOOK])
        return self

    def run(self, maps: ArrayLike, classes: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
        """Return masks (n, frames, bins) and code numbers (n, h, w) of hidden maps."""

        def step(part, whose):
            _, chosen, codes = self.code(part, whose)
            return tf.sigmoid(self.decoder([codes])), chosen

        found = [
            step(
                tf.constant(maps[start : start + BATCH], tf.float32),
                tf.constant(classes[start : start + BATCH], tf.int64),
            )
            for start in range(0, len(maps), BATCH)
        ]
        masks, chosen = zip(*found, strict=True)
        return np.concatenate(masks), np.concatenate(chosen)


def _adapter(shape, options) -> keras.Model:
    """Return what brings the hidden layer's channels to the depth of a code, cell by cell."""
    seeds = (options.seed, options.seed + 1, options.seed + 2)
    first, second, third = (
        keras.layers.Conv2D(
            options.depth,
            1,
            activation=activation,
            kernel_initializer=keras.initializers.GlorotUniform(seed=seed),
            name=name,
        )
        for name, activation, seed in zip(
            ("narrow", "bend", "back"), (None, "relu", None), seeds, strict=True
        )
    )
    inputs = keras.Input(shape, name="map")
    narrow = first(inputs)
    return keras.Model(inputs, narrow + third(second(narrow)), name="adapter")


def fit(
    model: AudioClassifier, clips: ClipSet | Features, options: Options
) -> dict[str, np.ndarray]:
    """Train PIQ on the network's hidden layer for some clips, and on its own answers.

    Parameters
    ----------
    model : AudioClassifier
    clips : ClipSet or Features
        To learn from, see :func:`.features.features`.
    options : Options

    Returns
    -------
    dict of str to ndarray
        Weights, the course of the training, and a report: what share of the codes the clips for
        validation use, and how the masks agree with the energy masks that they were trained on.
    """
    data = features(model, clips, overlap=options.overlap, seed=options.seed)
    coder = Coder(model, options)
    (maps,) = hidden_values(model, coder.hidden, data.patches)
    own = model.scores(data.patches).argmax(axis=1)

    def losses(part, heights, classes, training):
        return coder.losses(part, heights, classes, options.loud)

    learnt, checked = data.split(maps, data.magnitudes, own)
    history = train(losses, coder.variables, learnt, checked, options, title="PIQ")
    masks, chosen = coder.run(checked[0], checked[2])
    loud = energy_mask(checked[1], options.loud).numpy() > 0
    report = {
        "codes used": len(np.unique(chosen)) / options.codes,
        "loud cells found": float((masks > 0.5)[loud].mean()) if loud.any() else 0.0,
        "mask-mean": float(masks.mean()),
        "patches": len(learnt[0]),
    }
    return signed(model, {**coder.arrays(), **told(report, history)})


def coded(
    model: AudioClassifier,
    patches: ArrayLike,
    classes: ArrayLike,
    options: Options,
    weights: Mapping[str, np.ndarray],
) -> tuple[np.ndarray, np.ndarray]:
    """Return masks and codes of patches.

    Parameters
    ----------
    model : AudioClassifier
        The one that it was trained for.
    patches : array_like of float, shape (n, frames, bands)
    classes : array_like of int, shape (n,)
        Whose codes are taken.
    options : Options
    weights : mapping of str to ndarray
        What :func:`fit` returned.

    Returns
    -------
    masks : ndarray of float32, shape (n, frames, bins)
    codes : ndarray of int32, shape (n, h, w)
        Numbers of the codes; all in the part of the codebook that the class owns.

    Raises
    ------
    XaiAudioError
        If it was trained for another network.
    """
    check_model("piq", model, weights)
    coder = Coder(model, options).restore(weights)
    (maps,) = hidden_values(model, coder.hidden, patches)
    return coder.run(maps, np.asarray(classes))


@registry.register(
    "piq",
    options=Options,
    summary="a hidden layer in a code that each class has a part of, decoded to a mask",
    paper="Paissan, Subakan and Ravanelli, Posthoc interpretation via quantization, 2023",
    needs="a convolution",
    fit=fit,
)
def _explain(model, patches, targets, options, weights):
    masks, codes = coded(model, patches, targets, options, weights)
    used = [len(np.unique(one)) for one in codes]
    report = {"mask-mean": masks.mean(axis=(1, 2)), "codes": np.array(used)}
    return registry.Found(to_bands(masks, model.frontend), report)
