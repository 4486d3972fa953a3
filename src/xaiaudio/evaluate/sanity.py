"""Would the map be the same for a network that has learnt nothing? Destroy it, and see.

An explanation of a network must change when the network is destroyed. Weights are destroyed by
shuffling the numbers of each array: their distribution stays, what was learnt is gone, and what has
to be positive (the variances of a batch normalisation) stays positive.
"""

from __future__ import annotations

from dataclasses import dataclass

import keras
import numpy as np

from ..errors import XaiAudioError
from ..explain.base import explain
from ..models.classifier import AudioClassifier

SIMILARITIES = ("spearman", "absolute", "ssim")


@dataclass(frozen=True)
class Randomisation:
    """How alike maps stay as a network is destroyed.

    Attributes
    ----------
    layers : tuple of str
        What was destroyed: in a cascade the layer that was added, from the top down.
    similarity : dict of str to ndarray of float, shape (k, n)
        For each of the k states and each patch, see :func:`similarity`.
    maps : ndarray of float32, shape (k + 1, n, frames, bands)
        The map of the whole network, then those of the k states.
    """

    layers: tuple[str, ...]
    similarity: dict[str, np.ndarray]
    maps: np.ndarray


def weighted_layers(model) -> list[str]:
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
    >>> from xaiaudio.evaluate.sanity import weighted_layers
    >>> weighted_layers(xa.load_model("lite"))[0]
    'logits'
    """
    return [layer.name for layer in reversed(model.logits_network.layers) if layer.weights]


def randomised(model, layers=None, *, seed: int = 0) -> AudioClassifier:
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
    >>> from xaiaudio.evaluate.sanity import randomised
    >>> model = xa.load_model("lite")
    >>> other = randomised(model, ["logits"])
    >>> bool(np.allclose(other.scores(np.zeros((1, 96, 64))), model.scores(np.zeros((1, 96, 64)))))
    False
    """
    copy = _copy(model)
    _forget(copy, _check(model, layers), seed)
    return copy


def cascade(model, patches, targets=None, method="gradcam", *, layers=None, seed=0, **options):
    """Destroy a network from the top down, and compare the maps at each step.

    Parameters
    ----------
    model : AudioClassifier
    patches : array_like of float, shape (n, frames, bands)
    targets : str, int, sequence of either, or None
        The classes explained, the same at each step; None takes what the whole network predicts.
    method : str
        A name from :func:`xaiaudio.methods`.
    layers : sequence of str, optional
        The layers to destroy, one after the other; by default all with weights, from the top.
    seed : int
    **options
        The method's own.

    Returns
    -------
    Randomisation
        A map that explains the network becomes unlike at once and stays so. One that stays alike
        shows the sound, not the network.

    Raises
    ------
    XaiAudioError
        As for :func:`xaiaudio.explain` and :func:`randomised`.

    References
    ----------
    Adebayo et al. 2018, Sanity checks for saliency maps: cascading randomisation.

    Examples
    --------
    >>> import numpy as np, xaiaudio as xa
    >>> from xaiaudio.evaluate.sanity import cascade
    >>> model = xa.load_model("lite")
    >>> cascade(model, np.zeros((1, 96, 64)), layers=["logits", "conv4_2"]).layers
    ('logits', 'conv4_2')
    """
    names = _check(model, layers)
    states = [names[: number + 1] for number in range(len(names))]
    return _compare(model, patches, targets, method, names, states, seed, options)


def each_layer(model, patches, targets=None, method="gradcam", *, layers=None, seed=0, **options):
    """Destroy one layer at a time, the others being whole.

    Parameters
    ----------
    model, patches, targets, method, layers, seed, **options
        As for :func:`cascade`.

    Returns
    -------
    Randomisation

    References
    ----------
    Adebayo et al. 2018, Sanity checks for saliency maps: independent randomisation.

    Examples
    --------
    >>> import numpy as np, xaiaudio as xa
    >>> from xaiaudio.evaluate.sanity import each_layer
    >>> model = xa.load_model("lite")
    >>> each_layer(model, np.zeros((1, 96, 64)), layers=["conv1"]).maps.shape
    (2, 1, 96, 64)
    """
    names = _check(model, layers)
    states = [[name] for name in names]
    return _compare(model, patches, targets, method, names, states, seed, options)


def random_logit(model, patches, targets=None, method="gradcam", *, seed=0, **options) -> dict:
    """Compare each map with that of another class, drawn at random.

    Parameters
    ----------
    model, patches, targets, method, seed, **options
        As for :func:`cascade`.

    Returns
    -------
    dict of str to ndarray of float, shape (n,)
        See :func:`similarity`. A map that depends on the class is unlike another class's.

    Raises
    ------
    XaiAudioError
        If the network knows one class only.

    References
    ----------
    Sixt, Granz and Landgraf 2020, When explanations lie: the random logit test.

    Examples
    --------
    >>> import numpy as np, xaiaudio as xa
    >>> from xaiaudio.evaluate.sanity import random_logit
    >>> sorted(random_logit(xa.load_model("lite"), np.zeros((1, 96, 64))))
    ['absolute', 'spearman', 'ssim']
    """
    classes = len(model.labels)
    if classes < 2:
        raise XaiAudioError(f"{model.name} has one class only: there is no other to compare with.")
    first = explain(model, patches, targets, method, **options)
    # Anything from 1 to classes - 1 further on is another class.
    steps = np.random.default_rng(seed).integers(1, classes, len(first))
    others = (first.targets + steps) % classes
    second = explain(model, first.patches, others.tolist(), method, **options)
    return similarity(first.maps, second.maps)


def similarity(first, second) -> dict[str, np.ndarray]:
    """Say how alike two sets of maps are.

    Parameters
    ----------
    first, second : array_like of float, shape (n, frames, bands)

    Returns
    -------
    dict of str to ndarray of float, shape (n,)
        ``"spearman"``: rank correlation, -1 to 1. ``"absolute"``: the same of the magnitudes, which
        does not mind a sign turned around. ``"ssim"``: structural similarity of the maps, each
        divided by its largest magnitude, in windows of 7 cells or less. A map that is the same
        everywhere has rank correlation 0 with all others.

    Raises
    ------
    XaiAudioError
        If the shapes differ or a map has less than 3 cells in a direction.

    References
    ----------
    Wang et al. 2004, Image quality assessment: from error visibility to structural similarity.

    Examples
    --------
    >>> import numpy as np
    >>> from xaiaudio.evaluate.sanity import similarity
    >>> maps = np.arange(63.0).reshape(1, 9, 7)
    >>> float(similarity(maps, -maps)["absolute"][0])
    1.0
    """
    first, second = (np.asarray(maps, np.float64) for maps in (first, second))
    if first.ndim != 3 or first.shape != second.shape or min(first.shape[1:]) < 3:
        raise XaiAudioError(
            f"The maps have the shapes {first.shape} and {second.shape}: both must be "
            "(n, frames, bands), with 3 cells or more in each direction."
        )
    return {
        "spearman": _rank_correlation(first, second),
        "absolute": _rank_correlation(np.abs(first), np.abs(second)),
        "ssim": _structural(first, second),
    }


def _compare(model, patches, targets, method, names, states, seed, options) -> Randomisation:
    whole = explain(model, patches, targets, method, **options)
    copy = _copy(model)
    maps = [whole.maps]
    # One copy serves all states: a method compiles for it once, and reads its weights each time.
    for state in states:
        copy.logits_network.set_weights(model.logits_network.get_weights())
        _forget(copy, state, seed)
        found = explain(copy, whole.patches, whole.targets.tolist(), method, **options)
        maps.append(found.maps)
    rows = [similarity(whole.maps, changed) for changed in maps[1:]]
    alike = {name: np.stack([row[name] for row in rows]) for name in SIMILARITIES}
    return Randomisation(tuple(names), alike, np.stack(maps))


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


def _copy(model) -> AudioClassifier:
    network = keras.models.clone_model(model.network)
    network.set_weights(model.network.get_weights())
    return AudioClassifier.from_keras(network, model.labels, model.frontend, name=model.name)


def _forget(model, layers, seed) -> None:
    """Shuffle the weights of some layers in place."""
    for number, layer in enumerate(model.logits_network.layers):
        if layer.name in layers:
            random = np.random.default_rng([seed, number])
            layer.set_weights(
                [random.permuted(w.ravel()).reshape(w.shape) for w in layer.get_weights()]
            )


def _rank_correlation(first, second) -> np.ndarray:
    from scipy.stats import rankdata

    ranks = [rankdata(maps.reshape(len(maps), -1), axis=1) for maps in (first, second)]
    first, second = (part - part.mean(axis=1, keepdims=True) for part in ranks)
    lengths = np.sqrt((first**2).sum(axis=1) * (second**2).sum(axis=1))
    products = (first * second).sum(axis=1)
    return np.divide(products, lengths, out=np.zeros_like(products), where=lengths > 0)


def _structural(first, second) -> np.ndarray:
    from skimage.metrics import structural_similarity

    scaled = [
        maps / np.maximum(np.abs(maps).max(axis=(1, 2), keepdims=True), np.finfo(float).tiny)
        for maps in (first, second)
    ]
    window = min(7, *first.shape[1:])
    window -= 1 - window % 2
    # The maps lie between -1 and 1. The patches are its channels: each is compared by itself.
    _, full = structural_similarity(
        *(np.moveaxis(maps, 0, -1) for maps in scaled),
        win_size=window,
        data_range=2.0,
        channel_axis=-1,
        full=True,
    )
    edge = window // 2
    return full[edge:-edge, edge:-edge].mean(axis=(0, 1))
