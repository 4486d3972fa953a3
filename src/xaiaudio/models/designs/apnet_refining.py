"""Fewer prototypes for APNet: those that are nearly the same become one; then it learns again."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ...errors import XaiAudioError
from . import apnet
from .base import LOGITS, PARTS, SelfExplaining
from .lessons import lessons

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from ...datasets.base import ClipSet
    from ..training.tables import PatchTable


@dataclass(frozen=True, eq=False)
class Refinement:
    """What became of a network by merging prototypes.

    Attributes
    ----------
    merged : tuple of (int, int)
        Prototypes that are gone, and the one that each went into.
    closest : float
        The distance below which two were merged.
    before, pruned, model : SelfExplaining
        The network as it was, after merging, and after merging and training again.
    """

    merged: tuple[tuple[int, int], ...]
    closest: float
    before: SelfExplaining
    pruned: SelfExplaining
    model: SelfExplaining


def refine(
    model: SelfExplaining,
    clips: ClipSet | PatchTable,
    *,
    closest: float | None = None,
    epochs: int = 6,
    rate: float = 5e-4,
    progress: bool | None = None,
) -> Refinement:
    """Merge the prototypes of a class that are nearly the same, and train the network again.

    Of two of one class that are closer than `closest`, one goes, and its weights are added to the
    other's. Were the two equal, no answer would change. As they are not, all weights of the
    network are trained again: without that, many answers may be wrong.

    Parameters
    ----------
    model : SelfExplaining
        An APNet.
    clips : ClipSet or PatchTable
        Those that it was trained on.
    closest : float, optional
        A mean squared difference. By default the smallest distance of two prototypes plus half of
        their mean distance.
    epochs : int
        Of the second training.
    rate : float
        Its learning rate.
    progress : bool, optional

    Returns
    -------
    Refinement

    Raises
    ------
    XaiAudioError
        If the network is no APNet.

    Examples
    --------
    >>> import xaiaudio as xa
    >>> from xaiaudio.models.designs.apnet_refining import refine
    >>> train, test = xa.datasets.load("synthetic").split(5)  # doctest: +SKIP
    >>> found = refine(xa.models.train_design("apnet", train), train)  # doctest: +SKIP
    >>> xa.models.test(found.model, test).clip_accuracy > 0.9  # doctest: +SKIP
    True
    """
    if model.design != "apnet":
        raise XaiAudioError(
            f"{model.name} is {model.design!r}: only an APNet has prototypes to merge."
        )
    given = dict(model.options)
    before = given.pop("merged", 0)  # of one that was refined already
    options = apnet.Options(**given)
    taught = lessons(clips, model.frontend, seed=options.seed)
    layer = model.logits_network.get_layer(PARTS)
    found = distances(np.asarray(layer.prototypes))
    labels = [part.label for part in model.parts]
    if closest is None:
        off = found[~np.eye(len(found), dtype=bool)]
        closest = float(off.min() + off.mean() / 2)
    merged = duplicates(found, labels, closest)
    network = _without(model, merged, taught, options)
    told = {**model.options, "merged": before + len(merged)}
    pruned = apnet.described(network, taught, told, {})
    again = _without(model, merged, taught, options)
    anew = dataclasses.replace(options, epochs=epochs, rate=rate)
    history = apnet.fit(again, taught, anew, progress, "Training again")
    retrained = apnet.described(again, taught, told, history)
    return Refinement(merged, closest, model, pruned, retrained)


def distances(prototypes: ArrayLike) -> np.ndarray:
    """Return the mean squared differences of prototypes (count, ...) to each other."""
    flat = np.asarray(prototypes, float).reshape(len(np.asarray(prototypes)), -1)
    squares = (flat**2).sum(axis=1)
    return np.maximum(squares[:, None] + squares - 2 * flat @ flat.T, 0) / flat.shape[1]


def duplicates(
    found: ArrayLike, labels: list[str | None], closest: float
) -> tuple[tuple[int, int], ...]:
    """Return the pairs to merge, the closest first: which one goes, and where to.

    Parameters
    ----------
    found : array_like of float, shape (count, count)
        Distances.
    labels : list of str
        The prototypes' classes: those of different ones are never merged.
    closest : float
        Pairs at this distance or beyond stay.

    Examples
    --------
    >>> from xaiaudio.models.designs.apnet_refining import duplicates
    >>> duplicates([[0, 1, 2], [1, 0, 2], [2, 2, 0]], ["dog", "dog", "dog"], 1.5)
    ((1, 0),)
    """
    found = np.asarray(found, float)
    pairs = [
        (found[one, two], one, two)
        for one in range(len(found))
        for two in range(one + 1, len(found))
        if labels[one] == labels[two] and found[one, two] < closest
    ]
    gone: dict[int, int] = {}
    for _, one, two in sorted(pairs):
        if one not in gone and two not in gone:
            gone[two] = one
    return tuple(gone.items())


def _without(model, merged, taught, options):
    """Return a network of its own without the prototypes that are gone."""
    old = model.logits_network
    kept = np.setdiff1d(np.arange(len(model.parts)), [gone for gone, _ in merged])
    network = apnet.network_of(taught, options, apnet.limits_of(old), len(kept), False)
    for layer in old.layers:
        if layer.name.startswith("conv_"):
            network.get_layer(layer.name).set_weights(layer.get_weights())
    old_layer, layer = old.get_layer(PARTS), network.get_layer(PARTS)
    for name in ("prototypes", "bands"):
        getattr(layer, name).assign(np.asarray(getattr(old_layer, name))[kept])
    for one, other in zip(old_layer.decoder.steps, layer.decoder.steps, strict=True):
        other.set_weights(one.get_weights())
    weights = model.weights.copy()
    for gone, into in merged:
        while into not in kept:  # it went into another one itself
            into = dict(merged)[into]
        weights[into] += model.weights[gone]
    network.get_layer(LOGITS).set_weights([weights[kept], model.bias])
    return network
