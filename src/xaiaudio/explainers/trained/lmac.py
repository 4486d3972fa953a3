"""L-MAC: a decoder of hidden layers to a mask, trained so that the network answers as before."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import tensorflow as tf

from ...errors import XaiAudioError
from ...models.training.fitting import Settings, check_weights, check_whole, is_number, train
from .. import registry
from ..engines.backward import plain
from .decoding import LOUD, cross_entropy, decoder, energy_mask, patches_of, per_patch, to_bands
from .features import BATCH, features, hidden
from .weights import arrays_of, check_model, restore, signed, told

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import ArrayLike

    from ...datasets.base import ClipSet
    from ...frontend import LogMel
    from ...models.classifier import AudioClassifier
    from .features import Features


@dataclass(frozen=True)
class Options(Settings):
    """Options of L-MAC, beside those of :class:`.training.fitting.Settings`.

    The seed also decides the first weights and the clips for validation.

    Attributes
    ----------
    kept, removed : float
        Weights of the cross-entropy of what is kept, and of what is removed. The second counts
        until the class is as probable as by chance.
    sparsity : float
        Weight of the mean of the mask, over the cells of each patch. The authors' 0.4 is multiplied
        by the number of clips in their batches, 16, because their code sums over the batch.
    variation : float
        Weight of the total variation of the mask.
    guide : float
        Weight of the cross-entropy with the energy mask, in tuning.
    similar : float
        In tuning, patches whose kept magnitudes are as like the whole (cosine of their logarithms)
        are guided, the others stay sparse.
    tuned : bool
        Whether the masks are those of the decoder that was tuned for listening.
    blocks : int
        Hidden layers that are decoded: the last of so many resolutions.
    overlap : float
        Of the patches that it learns from.
    width : int
        Channels of the decoder at the size of a patch.
    tuning : int
        Epochs of tuning, at most, at a fifth of the rate.
    """

    kept: float = 4.0
    removed: float = 0.2
    sparsity: float = 6.4
    variation: float = 0.0
    guide: float = 4.0
    similar: float = 0.6
    tuned: bool = False
    blocks: int = 4
    overlap: float = 0.0
    width: int = 8
    tuning: int = 2
    epochs: int = 4
    batch: int = 16
    rate: float = 2e-3

    def __post_init__(self):
        super().__post_init__()
        check_weights(self, "kept", "removed", "sparsity", "variation", "guide")
        check_whole(self, "blocks", "width", "tuning")
        if not is_number(self.similar) or not np.isfinite(self.similar):
            raise XaiAudioError(f"similar is {self.similar!r}: a cosine, from -1 to 1, is needed.")


def log_probabilities(model: AudioClassifier) -> Callable:
    """Return a function from patches to the logarithms of a network's probabilities.

    Parameters
    ----------
    model : AudioClassifier
        With softmax or with sigmoids.

    Returns
    -------
    callable
        From a tensor (n, frames, bands) to float32 (n, classes), with gradients. The network is run
        as it is in use: its batch normalisations stay.
    """
    noise = np.random.default_rng(0).normal(size=(4, *model.frontend.patch_shape))
    softmax = np.allclose(model.scores(noise).sum(axis=1), 1, atol=1e-3) and len(model.labels) > 1
    turned = tf.nn.log_softmax if softmax else tf.math.log_sigmoid

    def ask(patches):
        logits = plain(model.logits_network, model.as_input(patches))
        return turned(tf.cast(logits, tf.float32))

    return ask


def kept_loss(answers: tf.Tensor, classes: tf.Tensor) -> tf.Tensor:
    """Return the cross-entropy of each answer with the network's own, (n,).

    Parameters
    ----------
    answers : tensor of float32, shape (n, classes)
        Logarithms of probabilities, of what a mask keeps.
    classes : tensor of int, shape (n,)
        What the network answers to the whole.
    """
    return -tf.gather(answers, classes, batch_dims=1)


def removed_loss(answers: tf.Tensor, classes: tf.Tensor) -> tf.Tensor:
    """Return how well what is removed is still recognised, (n,): from -log(classes) up.

    The negative cross-entropy, which would fall without bound, stops where the class is as probable
    as by chance.

    Parameters
    ----------
    answers, classes
        As :func:`kept_loss` takes them, of what a mask removes.
    """
    return -tf.minimum(kept_loss(answers, classes), np.log(answers.shape[1]))


def variation(masks: tf.Tensor) -> tf.Tensor:
    """Return the mean step between neighbours in time, plus that in frequency, of each mask."""
    in_time = tf.abs(masks[:, 1:] - masks[:, :-1])
    in_frequency = tf.abs(masks[:, :, 1:] - masks[:, :, :-1])
    return per_patch(in_time) + per_patch(in_frequency)


def likeness(masks: tf.Tensor, heights: tf.Tensor) -> tf.Tensor:
    """Return how like what a mask keeps is to the whole, (n,): 0 to 1, and 0 for silence.

    The cosine of log(1 + magnitude) of both, without their means.
    """
    kept, whole = tf.math.log1p(masks * heights), tf.math.log1p(heights)
    kept -= tf.reduce_mean(kept, axis=(1, 2), keepdims=True)
    whole -= tf.reduce_mean(whole, axis=(1, 2), keepdims=True)
    norms = per_patch(tf.square(kept)) * per_patch(tf.square(whole))
    return per_patch(kept * whole) / tf.sqrt(norms + 1e-12)


def losses(
    logits: tf.Tensor,
    heights: tf.Tensor,
    classes: tf.Tensor,
    ask: Callable,
    frontend: LogMel,
    options: Options,
    tuning: bool = False,
) -> dict[str, tf.Tensor]:
    """Return the weighted losses of a batch of masks, each the mean over the patches.

    Parameters
    ----------
    logits : tensor of float32, shape (n, frames, bins)
        Of the masks.
    heights : tensor of float32, of the same shape
        The magnitudes that are masked.
    classes : tensor of int, shape (n,)
        What the network answers to the whole patches.
    ask : callable
        See :func:`log_probabilities`.
    frontend : LogMel
    options : Options
    tuning : bool
        Guide the masks of patches that are `similar` enough by the energy mask instead of making
        them sparse.

    Returns
    -------
    dict of str to scalar tensor
        kept, removed, sparsity, and where their weights are not 0 variation and guide.
    """
    masks = tf.sigmoid(logits)
    both = tf.concat([masks * heights, (1 - masks) * heights], axis=0)
    kept, removed = tf.split(ask(patches_of(both, frontend)), 2)
    sparse = options.sparsity * per_patch(masks)
    found = {
        "kept": options.kept * kept_loss(kept, classes),
        "removed": options.removed * removed_loss(removed, classes),
    }
    if tuning:
        # A gate, not a loss: it has no gradient.
        guided = tf.stop_gradient(likeness(masks, heights)) >= options.similar
        entropy = options.guide * cross_entropy(logits, energy_mask(heights, LOUD))
        found["guide"] = tf.where(guided, entropy, 0.0)
        sparse = tf.where(guided, 0.0, sparse)
    found["sparsity"] = sparse
    if options.variation:
        found["variation"] = options.variation * variation(masks)
    return {name: tf.reduce_mean(values) for name, values in found.items()}


class Masker:
    """A network's hidden layers and a decoder of them."""

    def __init__(self, model: AudioClassifier, options: Options):
        self.model = model
        self.hidden = hidden(model, options.blocks)
        shapes = [tuple(output.shape[1:]) for output in self.hidden.outputs]
        self.decoder = decoder(shapes, model.frontend, width=options.width, seed=options.seed)

    def logits(self, patches: tf.Tensor) -> tf.Tensor:
        """Return the logits of the masks (n, frames, bins) of patches (n, frames, bands)."""
        maps = self.hidden(self.model.as_input(patches), training=False)
        return self.decoder(maps if isinstance(maps, (list, tuple)) else [maps])

    def run(self, patches: ArrayLike) -> np.ndarray:
        """Return masks, float32 (n, frames, bins)."""
        patches = np.asarray(patches, np.float32)
        starts = range(0, len(patches), BATCH)
        # Few batches as a rule: compiling would take longer than it saves.
        found = [tf.sigmoid(self.logits(tf.constant(patches[i : i + BATCH]))) for i in starts]
        return np.concatenate(found)


def fit(
    model: AudioClassifier, clips: ClipSet | Features, options: Options
) -> dict[str, np.ndarray]:
    """Train L-MAC, then tune a second decoder for listening, beginning with the first.

    Parameters
    ----------
    model : AudioClassifier
        Its weights stay.
    clips : ClipSet or Features
        To learn from, see :func:`.features.features`.
    options : Options

    Returns
    -------
    dict of str to ndarray
        Weights of both decoders, the course of the training, and a report on the clips for
        validation: how often the network answers to what is kept as to the whole, and the mean of
        the masks.
    """
    data = features(model, clips, overlap=options.overlap, seed=options.seed)
    masker, ask = Masker(model, options), log_probabilities(model)
    own = model.scores(data.patches).argmax(axis=1)
    learnt, checked = data.split(data.patches, data.magnitudes, own)
    weights: dict[str, np.ndarray] = {}
    report = {"patches": float(len(learnt[0]))}
    for name, epochs, rate in (
        ("decoder", options.epochs, options.rate),
        ("tuned", options.tuning, options.rate / 5),
    ):
        tuning = name == "tuned"

        def judged(patches, heights, classes, training, tuning=tuning):
            logits = masker.logits(patches)
            return losses(logits, heights, classes, ask, model.frontend, options, tuning)

        settings = dataclasses.replace(options, epochs=epochs, rate=rate)
        variables = masker.decoder.trainable_variables
        history = train(judged, variables, learnt, checked, settings, title="L-MAC")
        weights |= arrays_of(masker.decoder, name)
        weights |= told({}, {f"{name}/{key}": values for key, values in history.items()})
        report |= {f"{name} {key}": value for key, value in _judged(masker, checked).items()}
    return signed(model, {**weights, **told(report, {})})


def _judged(masker, checked) -> dict[str, float]:
    """Return what the masks of held-out patches are worth."""
    patches, heights, own = checked
    masks = masker.run(patches)
    kept = masker.model.scores(patches_of(masks * heights, masker.model.frontend).numpy())
    return {
        "fidelity": float((kept.argmax(axis=1) == own).mean()),
        "mask-mean": float(masks.mean()),
    }


def masked(
    model: AudioClassifier,
    patches: ArrayLike,
    options: Options,
    weights: Mapping[str, np.ndarray],
    *,
    strange: bool = False,
) -> np.ndarray:
    """Return the masks of patches, for the network's own answers.

    Parameters
    ----------
    model : AudioClassifier
        The one that it was trained for.
    patches : array_like of float, shape (n, frames, bands)
    options : Options
    weights : mapping of str to ndarray
        What :func:`fit` returned.
    strange : bool
        True takes another network of the same plan, such as one whose weights are random: what then
        comes out is no explanation, but shows what the decoder takes from the network.

    Returns
    -------
    ndarray of float32, shape (n, frames, bins)

    Raises
    ------
    XaiAudioError
        If it was trained for another network.
    """
    if not strange:
        check_model("lmac", model, weights)
    masker = Masker(model, options)
    restore(masker.decoder, "tuned" if options.tuned else "decoder", weights)
    return masker.run(patches)


@registry.register(
    "lmac",
    options=Options,
    summary="a decoder of hidden layers to a mask, trained so that the network answers as before",
    paper="Paissan, Ravanelli and Subakan, Listenable maps for audio classifiers, ICML 2024",
    needs="a convolution",
    fit=fit,
)
def _explain(model, patches, targets, options, weights):
    own = model.scores(patches).argmax(axis=1)
    other = np.flatnonzero(own != targets)
    if len(other):
        raise XaiAudioError(
            f"L-MAC explains the network's own answer, which is {model.labels[own[other[0]]]} for "
            f"patch {other[0]}, not {model.labels[targets[other[0]]]}: leave targets out, or take "
            "another method."
        )
    masks = masked(model, patches, options, weights)
    return registry.Found(to_bands(masks, model.frontend), {"mask-mean": masks.mean(axis=(1, 2))})
