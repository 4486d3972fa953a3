"""Networks that have forgotten what they learnt, and labels that mean nothing.

Weights are destroyed by shuffling the numbers of each array: their distribution stays, what was
learnt is gone, and what has to be positive (the variances of a batch normalisation) stays positive.
"""

from __future__ import annotations

import contextlib
import dataclasses
from typing import TYPE_CHECKING

import keras
import numpy as np

from ...errors import XaiAudioError
from ...models.classifier import AudioClassifier

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ...models.training.tables import PatchTable


def weighted_layers(model: AudioClassifier) -> list[str]:
    """Name the layers that have weights, from the output down.

    Parameters
    ----------
    model : AudioClassifier

    Returns
    -------
    list of str

    Examples
    --------
    >>> import xaiaudio as xa
    >>> from xaiaudio.evaluate.metrics.shuffling import weighted_layers
    >>> weighted_layers(xa.load_model("lite"))[0]
    'logits'
    """
    return [layer.name for layer in reversed(model.logits_network.layers) if layer.weights]


def blocks(model: AudioClassifier, count: int = 5) -> list[list[str]]:
    """Divide the layers with weights into groups that are destroyed one after the other.

    Parameters
    ----------
    model : AudioClassifier
    count : int
        How many groups, fewer if there are not so many layers.

    Returns
    -------
    list of list of str
        From the output down. The first layer and the last are groups of their own, the others
        are shared out evenly.

    Examples
    --------
    >>> import xaiaudio as xa
    >>> from xaiaudio.evaluate.metrics.shuffling import blocks
    >>> blocks(xa.load_model("lite"), 3)[::2]
    [['logits'], ['conv1']]
    """
    if count < 2:
        raise XaiAudioError(f"count is {count!r}: there must be 2 groups at least.")
    names = weighted_layers(model)
    if len(names) <= count:
        return [[name] for name in names]
    between = np.array_split(np.array(names[1:-1], object), count - 2) if count > 2 else []
    rest = [part.tolist() for part in between]
    return [names[:1], *rest, names[-1:]] if rest else [names[:-1], names[-1:]]


def groups_of(
    model: AudioClassifier, layers: Sequence[str | Sequence[str]] | None
) -> list[list[str]]:
    """Return groups of layers by name, each known; None takes every layer by itself."""
    parts = _check(model, None) if layers is None else layers
    groups = [[part] if isinstance(part, str) else list(part) for part in parts]
    _check(model, sum(groups, []))
    return groups


def randomised(
    model: AudioClassifier, layers: Sequence[str] | None = None, *, seed: int = 0
) -> AudioClassifier:
    """Return a copy of a network in which some layers have forgotten everything.

    Parameters
    ----------
    model : AudioClassifier
        Stays as it is.
    layers : sequence of str, optional
        The layers whose weights are shuffled; all by default.
    seed : int
        Decides the order. A layer is shuffled the same way whatever else is shuffled.

    Returns
    -------
    AudioClassifier

    Raises
    ------
    XaiAudioError
        If the network has no layer of that name, or one without weights.

    References
    ----------
    Adebayo et al. 2018, Sanity checks for saliency maps.

    Examples
    --------
    >>> import numpy as np, xaiaudio as xa
    >>> from xaiaudio.evaluate.metrics.shuffling import randomised
    >>> model = xa.load_model("lite")
    >>> other = randomised(model, ["logits"])
    >>> bool(np.allclose(other.scores(np.zeros((1, 96, 64))), model.scores(np.zeros((1, 96, 64)))))
    False
    """
    names = _check(model, layers)
    network = keras.models.clone_model(model.network)
    network.set_weights(model.network.get_weights())
    copy = AudioClassifier.from_keras(
        network, model.labels, model.frontend, name=model.name, outputs=model.outputs
    )
    _forget(copy, names, seed)
    return copy


@contextlib.contextmanager
def forgetting(
    model: AudioClassifier, layers: Sequence[str] | None = None, *, seed: int = 0
) -> Iterator[None]:
    """Let some layers of a network forget everything for a while.

    Unlike :func:`randomised` this needs no second network: whatever was compiled for this one
    serves on. Afterwards all weights are what they were.

    Parameters
    ----------
    model, layers, seed
        As for :func:`randomised`.

    Examples
    --------
    >>> import numpy as np, xaiaudio as xa
    >>> from xaiaudio.evaluate.metrics.shuffling import forgetting
    >>> model, patch = xa.load_model("lite"), np.zeros((1, 96, 64))
    >>> before = model.scores(patch)
    >>> with forgetting(model):
    ...     during = model.scores(patch)
    >>> bool((model.scores(patch) == before).all()), bool((during == before).all())
    (True, False)
    """
    names = _check(model, layers)
    weights = model.logits_network.get_weights()
    try:
        _forget(model, names, seed)
        yield
    finally:
        model.logits_network.set_weights(weights)


def shuffled_labels(table: PatchTable, *, seed: int = 0) -> PatchTable:
    """Give the clips of a table each other's labels, so that there is nothing to learn but noise.

    Parameters
    ----------
    table : PatchTable
        As `models.patch_table` makes it.
    seed : int
        Decides the order.

    Returns
    -------
    PatchTable
        The same patches; each label as often as before. A network trained on it can only learn
        by heart.

    References
    ----------
    Adebayo et al. 2018, Sanity checks for saliency maps: the data randomisation test.

    Examples
    --------
    >>> import numpy as np
    >>> from xaiaudio.evaluate.metrics.shuffling import shuffled_labels
    >>> from xaiaudio.models.training.tables import PatchTable
    >>> table = PatchTable(np.zeros((3, 2, 2)), np.arange(3), tuple("abc"), tuple("xyz"), ())
    >>> sorted(shuffled_labels(table).truth)
    ['x', 'y', 'z']
    """
    order = np.random.default_rng(seed).permutation(len(table.truth))
    return dataclasses.replace(table, truth=tuple(table.truth[index] for index in order))


def _check(model, layers) -> list[str]:
    known = weighted_layers(model)
    names = known if layers is None else list(layers)
    for name in names:
        if name not in known:
            raise XaiAudioError(
                f"{model.name} has no layer {name!r} with weights: it has {', '.join(known)}."
            )
    if not names:
        raise XaiAudioError("No layer is named: there is nothing to randomise.")
    return names


def _forget(model, layers, seed) -> None:
    """Shuffle the weights of some layers in place."""
    for number, layer in enumerate(model.logits_network.layers):
        if layer.name in layers:
            random = np.random.default_rng([seed, number])
            layer.set_weights(
                [random.permuted(w.ravel()).reshape(w.shape) for w in layer.get_weights()]
            )
