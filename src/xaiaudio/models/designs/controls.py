"""Networks that should fail: made of a trained one in seconds, for those that train for minutes.

The heads on a frozen backbone are trained anew as controls, by their options and by
``train_design(..., shuffled=True)``. What learns its features from nothing would take minutes for
each. Here all but the last layer is taken as it is, or as chance has it, and the last layer alone
is fitted to what the parts then say.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import keras
import numpy as np

from ...errors import XaiAudioError
from ..training.steps import in_batches
from . import nmf
from .attention import Moments
from .base import LOGITS, PARTS, SelfExplaining
from .grounds import with_shuffled_weights
from .logistic import logistic
from .prototypes import Prototypes

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from ...patches import Patches
    from ..training.tables import PatchTable

# How freely the last layer is fitted to standardised sums; it has thousands of patches.
FREEDOM = 0.1


def refitted(
    model: SelfExplaining, table: PatchTable, *, shuffled: bool = False, seed: int = 0
) -> SelfExplaining:
    """Return a network with the same parts, whose last layer is fitted anew.

    Parameters
    ----------
    model : SelfExplaining
        Whose last layer has a bias.
    table : PatchTable
        To learn from.
    shuffled : bool
        True deals the labels out anew among the clips.
    seed : int
        Decides that.

    Raises
    ------
    XaiAudioError
        If the last layer has no bias, or a class has no clip.

    Notes
    -----
    A multinomial logistic regression on the sums of the parts, each standardised; the scaling is
    then part of the layer's weights, so that the logits are sums of parts as before.
    """
    kept, truth = table.voters, table.targets(model.labels)
    if shuffled:
        order = np.random.default_rng([seed, 78]).permutation(len(table.names))
        first = np.flatnonzero(np.diff(table.clip, prepend=-1))
        truth = truth[first][order][table.clip]
    if len(np.unique(truth[kept])) < len(model.labels):
        raise XaiAudioError("The last layer cannot be fitted: a class has no clip.")
    if model.design == "nmf":
        found = nmf.taken(model.logits_network, table.patches[kept])
    else:
        found = model.activations(table.patches[kept])
    sums = (found.sum(axis=1) if found.ndim == 3 else found).astype(float)
    mean, spread = sums.mean(axis=0), sums.std(axis=0)
    scale = np.divide(1, spread, out=np.zeros_like(spread), where=spread > 0)
    weights, bias = logistic((sums - mean) * scale, truth[kept], freedom=FREEDOM, rounds=500)
    weights = weights * scale[:, None]
    made = _with(model, _copy(model.logits_network), "softmax")
    last = made.logits_network.get_layer(LOGITS)
    if not last.use_bias:
        raise XaiAudioError(f"The last layer of {model.name} has no bias: it cannot be fitted so.")
    last.set_weights([weights, bias - mean @ weights])
    return made


def random_weights(model: SelfExplaining, seed: int = 0) -> SelfExplaining:
    """Return a network whose weights are shuffled, array by array; the last layer's too.

    Their sizes stay as they were, not their use.

    Parameters
    ----------
    model : SelfExplaining
    seed : int
    """
    return _with(model, with_shuffled_weights(model.logits_network, [seed, 80]))


def drawn_prototypes(
    model: SelfExplaining, patches: Patches | ArrayLike, seed: int = 0
) -> SelfExplaining:
    """Return a network whose prototypes are patches, or places of patches, drawn by lot.

    Parameters
    ----------
    model : SelfExplaining
        With a layer of prototypes. Its weights of bands, if it has any, are made even.
    patches : array_like of float, shape (n, frames, bands)
        To draw from.
    seed : int

    Raises
    ------
    XaiAudioError
        If it has no prototypes.
    """
    made = _with(model, _copy(model.logits_network))
    layer, rng = made.logits_network.get_layer(PARTS), np.random.default_rng([seed, 79])
    if not isinstance(layer, Prototypes):
        raise XaiAudioError(f"{model.name} has no prototypes that could be drawn.")
    patches = np.asarray(patches, np.float32)
    chosen = rng.integers(len(patches), size=layer.count)
    before = in_batches(keras.Model(made.logits_network.inputs, layer.input))
    vectors = before(np.asarray(made.as_input(patches[chosen])))
    if not layer.whole:
        vectors = vectors.reshape(layer.count, -1, vectors.shape[-1])
        vectors = vectors[np.arange(layer.count), rng.integers(vectors.shape[1], size=layer.count)]
    layer.prototypes.assign(vectors)
    if layer.bands is not None:
        layer.bands.assign(np.ones(layer.bands.shape))
    return made


def drawn_spectra(
    model: SelfExplaining, patches: Patches | ArrayLike, seed: int = 0
) -> SelfExplaining:
    """Return a network whose spectra are stretches of patches, drawn by lot.

    Parameters
    ----------
    model : SelfExplaining
        Of the design ``"nmf"``.
    patches : array_like of float, shape (n, frames, bands)
        To draw from, whatever class they are of.
    seed : int

    Raises
    ------
    XaiAudioError
        If it is of another design.
    """
    model.check_design("nmf")
    made = _with(model, _copy(model.logits_network))
    layer, rng = made.logits_network.get_layer("activations"), np.random.default_rng([seed, 81])
    patches = np.asarray(patches, np.float32)
    chosen = patches[rng.integers(len(patches), size=layer.count)]
    heights = nmf.magnitudes(chosen, model.frontend, model.options["exponent"])
    blocks = nmf.blocks_of(heights, layer.span)
    blocks = blocks[np.arange(layer.count), rng.integers(blocks.shape[1], size=layer.count)]
    spectra = blocks.reshape(layer.count, -1).T.astype(float)
    # All energy can be explained, as by those that are learnt; what is silent becomes even.
    spectra = spectra / np.maximum(spectra.sum(axis=0), 1e-12) + nmf.FLOOR / len(spectra)
    layer.spectra.assign(spectra / spectra.sum(axis=0))
    return made


def even_attention(model: SelfExplaining) -> SelfExplaining:
    """Return a network that attends to all moments alike; nothing else is changed.

    Parameters
    ----------
    model : SelfExplaining
        Of the design ``"attention"``.

    Raises
    ------
    XaiAudioError
        If it is of another.
    """
    made = _with(model, _copy(model.logits_network))
    layer = made.logits_network.get_layer(PARTS)
    if not isinstance(layer, Moments):
        raise XaiAudioError(f"{model.name} has no attention over moments that could be made even.")
    layer.questions.assign(np.zeros(layer.questions.shape))  # every moment answers them as well
    return made


def _copy(network) -> keras.Model:
    made = keras.models.clone_model(network)
    made.set_weights(network.get_weights())
    return made


def _with(model, network, activation=None) -> SelfExplaining:
    """Return the classifier with another network of the same shape."""
    return SelfExplaining.from_network(
        network,
        model.labels,
        model.frontend,
        model.parts,
        design=model.design,
        options=model.options,
        attribution=model.attribution,
        activation=activation or model.activation,
        name=model.name,
    )
