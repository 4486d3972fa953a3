"""Would the map be the same for a network that has learnt nothing? Destroy it, and see.

An explanation of a network must change when the network is destroyed. Weights are destroyed by
shuffling the numbers of each array: their distribution stays, what was learnt is gone, and what has
to be positive (the variances of a batch normalisation) stays positive.
"""

from __future__ import annotations

import contextlib
import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING

import keras
import numpy as np

from ...errors import XaiAudioError
from ...explainers.base import Explainer
from ...models.classifier import AudioClassifier
from .registry import TRUST, register
from .similarity import SIMILARITIES, similarity

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import ArrayLike

    from ...models.training.tables import PatchTable
    from ...patches import Patches
    from ...types import Targets


@dataclass(frozen=True)
class Randomisation:
    """How alike maps stay as a network is destroyed.

    Attributes
    ----------
    layers : tuple of str
        What was destroyed: in a cascade the layer that was added, from the top down, or the last
        one of the group.
    similarity : dict of str to ndarray of float, shape (k, n)
        For each of the k states and each patch, see :func:`.similarity.similarity`.
    maps : ndarray of float32, shape (k + 1, n, frames, bands)
        The map of the whole network, then those of the k states.
    repeated : ndarray of float32, shape (1, frames, bands), or None
        The first patch's map of the whole network, made a second time. One that is not the same
        is drawn at random, and changes whatever happens to the network.
    """

    layers: tuple[str, ...]
    similarity: dict[str, np.ndarray]
    maps: np.ndarray
    repeated: np.ndarray | None = None


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
    >>> from xaiaudio.evaluate.metrics.randomisation import weighted_layers
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
    >>> from xaiaudio.evaluate.metrics.randomisation import blocks
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
    >>> from xaiaudio.evaluate.metrics.randomisation import randomised
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
    >>> from xaiaudio.evaluate.metrics.randomisation import forgetting
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


def cascade(
    model: AudioClassifier,
    patches: Patches | ArrayLike,
    targets: Targets = None,
    explainer: str | Explainer = "gradcam",
    *,
    layers: Sequence[str | Sequence[str]] | None = None,
    seed: int = 0,
) -> Randomisation:
    """Destroy a network from the top down, and compare the maps at each step.

    Parameters
    ----------
    model : AudioClassifier
    patches : array_like of float, shape (n, frames, bands)
    targets : str, int, sequence of either, or None
        The classes explained, the same at each step; None takes what the whole network predicts.
    explainer : str or Explainer
        A method by its name, or with options.
    layers : sequence of str or of sequences of str, optional
        The layers, or groups of layers as :func:`blocks` makes them, to destroy one after the
        other; by default all with weights, from the top.
    seed : int

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
    >>> from xaiaudio.evaluate.metrics.randomisation import cascade
    >>> model = xa.load_model("lite")
    >>> cascade(model, np.zeros((1, 96, 64)), layers=["logits", "conv4_2"]).layers
    ('logits', 'conv4_2')
    """
    groups = _groups(model, layers)
    states = [sum(groups[: number + 1], []) for number in range(len(groups))]
    return _compare(model, patches, targets, explainer, groups, states, seed)


def each_layer(
    model: AudioClassifier,
    patches: Patches | ArrayLike,
    targets: Targets = None,
    explainer: str | Explainer = "gradcam",
    *,
    layers: Sequence[str | Sequence[str]] | None = None,
    seed: int = 0,
) -> Randomisation:
    """Destroy one layer (or group of layers) at a time, the others being whole.

    Parameters
    ----------
    model, patches, targets, explainer, layers, seed
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
    >>> from xaiaudio.evaluate.metrics.randomisation import each_layer
    >>> model = xa.load_model("lite")
    >>> each_layer(model, np.zeros((1, 96, 64)), layers=["conv1"]).maps.shape
    (2, 1, 96, 64)
    """
    groups = _groups(model, layers)
    return _compare(model, patches, targets, explainer, groups, groups, seed)


def random_logit(
    model: AudioClassifier,
    patches: Patches | ArrayLike,
    targets: Targets = None,
    explainer: str | Explainer = "gradcam",
    *,
    seed: int = 0,
) -> dict:
    """Compare each map with that of another class, drawn at random.

    Parameters
    ----------
    model, patches, targets, explainer, seed
        As for :func:`cascade`.

    Returns
    -------
    dict of str to ndarray of float, shape (n,)
        See :func:`.similarity.similarity`. A map that depends on the class is
        unlike another class's.

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
    >>> from xaiaudio.evaluate.metrics.randomisation import random_logit
    >>> sorted(random_logit(xa.load_model("lite"), np.zeros((1, 96, 64))))
    ['absolute', 'spearman', 'ssim']
    """
    classes = len(model.labels)
    if classes < 2:
        raise XaiAudioError(f"{model.name} has one class only: there is no other to compare with.")
    explainer = Explainer.of(explainer)
    first = explainer(model, patches, targets)
    # Anything from 1 to classes - 1 further on is another class.
    steps = np.random.default_rng(seed).integers(1, classes, len(first))
    others = (first.targets + steps) % classes
    second = explainer(model, first.inputs, others.tolist())
    return similarity(first.maps, second.maps)


def networks(
    model: AudioClassifier,
    other: AudioClassifier,
    patches: Patches | ArrayLike,
    targets: Targets = None,
    explainer: str | Explainer = "gradcam",
) -> Randomisation:
    """Compare the maps of two networks, for example of one that learnt shuffled labels.

    Parameters
    ----------
    model, other : AudioClassifier
        Of the same patches and the same number of classes.
    patches, targets, explainer
        As for :func:`cascade`: the same for both networks.

    Returns
    -------
    Randomisation
        With one state, called after `other`.

    Raises
    ------
    XaiAudioError
        If the networks have different labels.

    References
    ----------
    Adebayo et al. 2018, Sanity checks for saliency maps: the data randomisation test.

    Examples
    --------
    >>> import numpy as np, xaiaudio as xa
    >>> from xaiaudio.evaluate.metrics.randomisation import networks, randomised
    >>> model = xa.load_model("lite")
    >>> networks(model, randomised(model), np.zeros((1, 96, 64))).maps.shape
    (2, 1, 96, 64)
    """
    if model.labels != other.labels:
        raise XaiAudioError(
            f"{model.name} and {other.name} have different labels: there is no class to explain "
            "in both."
        )
    explainer = Explainer.of(explainer)
    first = explainer(model, patches, targets)
    second = explainer(other, first.inputs, first.targets.tolist())
    repeated = _repeated(model, first, explainer)
    return _randomisation([other.name], first.maps, [second.maps], repeated)


def shuffled_labels(table: PatchTable, *, seed: int = 0) -> PatchTable:
    """Give the clips of a table each other's labels, so that there is nothing to learn but noise.

    Parameters
    ----------
    table : PatchTable
        As `models.clips.patch_table` makes it.
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
    >>> from xaiaudio.evaluate.metrics.randomisation import shuffled_labels
    >>> from xaiaudio.models.training.tables import PatchTable
    >>> table = PatchTable(np.zeros((3, 2, 2)), np.arange(3), tuple("abc"), tuple("xyz"), ())
    >>> sorted(shuffled_labels(table).truth)
    ['x', 'y', 'z']
    """
    order = np.random.default_rng(seed).permutation(len(table.truth))
    return dataclasses.replace(table, truth=tuple(table.truth[index] for index in order))


def _compare(model, patches, targets, explainer, groups, states, seed) -> Randomisation:
    explainer = Explainer.of(explainer)
    whole = explainer(model, patches, targets)
    maps = []
    for state in states:
        # What a method compiled for the whole network serves all states: it reads the weights
        # each time.
        with forgetting(model, state, seed=seed):
            found = explainer(model, whole.inputs, whole.targets.tolist())
        maps.append(found.maps)
    repeated = _repeated(model, whole, explainer)
    return _randomisation([group[-1] for group in groups], whole.maps, maps, repeated)


def _repeated(model, found, explainer) -> np.ndarray:
    return explainer(model, found.inputs[:1], int(found.targets[0])).maps


def _randomisation(names, whole, changed, repeated) -> Randomisation:
    rows = [similarity(whole, maps) for maps in changed]
    alike = {name: np.stack([row[name] for row in rows]) for name in SIMILARITIES}
    return Randomisation(tuple(names), alike, np.stack([whole, *changed]), repeated)


def _groups(model, layers) -> list[list[str]]:
    parts = _check(model, None) if layers is None else layers
    groups = [[part] if isinstance(part, str) else list(part) for part in parts]
    _check(model, sum(groups, []))
    return groups


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


@register(
    "destroyed",
    title="destroyed",
    family=TRUST,
    unit="rank correlation",
    better="lower",
    low=-1,
    high=1,
    summary="similarity of the magnitudes to those for a network whose weights were all shuffled",
    source="Adebayo et al., Sanity checks for saliency maps, NeurIPS 2018",
    floor="worst",
)
def _destroyed(context):
    """Compare the magnitudes before and after all weights were shuffled."""
    if context.is_random:
        return context.missing()
    with forgetting(context.model, seed=context.seed):
        after = context.re_explain()
    before = context.subset_maps
    # A map that is flat before and after has no ranks; it is the same all the same.
    same = (before == after).all(axis=(1, 2))
    return context.scatter(np.where(same, 1.0, similarity(before, after)["absolute"]))
