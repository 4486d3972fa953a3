"""Would the map be the same for a network that has learnt nothing? Destroy it, and see.

An explanation of a network must change when the network is destroyed, see `shuffling`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ...errors import XaiAudioError
from ...explainers.base import Explainer
from ...models.classifier import AudioClassifier
from .registry import TRUST, register
from .shuffling import blocks as blocks
from .shuffling import forgetting as forgetting
from .shuffling import groups_of
from .shuffling import randomised as randomised
from .shuffling import shuffled_labels as shuffled_labels
from .shuffling import weighted_layers as weighted_layers
from .similarity import SIMILARITIES, similarity

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike

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
        The layers, or groups of layers as :func:`.shuffling.blocks` makes them, to destroy one
        after the other; by default all with weights, from the top.
    seed : int

    Returns
    -------
    Randomisation
        A map that explains the network becomes unlike at once and stays so. One that stays alike
        shows the sound, not the network.

    Raises
    ------
    XaiAudioError
        As for :func:`xaiaudio.explain` and :func:`.shuffling.randomised`.

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
    groups = groups_of(model, layers)
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
    groups = groups_of(model, layers)
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
