"""Test maps by the cause of a wrong answer, where we made the cause.

An attack (:mod:`.adversarial`) changes a sound until the network misnames it. The cause of the
wrong answer is known then: it is the change. A true explanation must lie on it. Two kinds of
questions are asked: does the map lie on the cells that changed (mass, rank, correlation), and does
it name the changes that matter (put them back, or carry them over, and ask the network)?
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ...errors import XaiAudioError
from ...explainers.engines.masks import Ranks
from ...explainers.engines.perturbation import engine_of
from ..metrics import localisation
from ..metrics.deletion import ranks

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike

    from ...models.classifier import AudioClassifier
    from .adversarial import Attack

# The most changed cells: this share of a patch.
SHARE = 0.1


@dataclass(frozen=True)
class Pairs:
    """Patches before and after an attack, where the attack turned the answer.

    Attributes
    ----------
    clean, changed : ndarray of float32, shape (n, frames, bands)
    answers, targets : ndarray of int, shape (n,)
        What the network calls `clean`, and `changed`.
    clips : ndarray of int, shape (n,)
        The number of each pair's clip in the attack.
    places : ndarray of int, shape (n,)
        The number of the patch in its clip.
    """

    clean: np.ndarray
    changed: np.ndarray
    answers: np.ndarray
    targets: np.ndarray
    clips: np.ndarray
    places: np.ndarray

    def __len__(self) -> int:
        return len(self.clean)

    @property
    def change(self) -> np.ndarray:
        """What the attack added to each cell, (n, frames, bands)."""
        return self.changed - self.clean

    def part(self, chosen: slice | ArrayLike) -> Pairs:
        """Return some of the pairs, by a slice, a mask or a list of indices."""
        return Pairs(
            *(
                getattr(self, name)[chosen]
                for name in ("clean", "changed", "answers", "targets", "clips", "places")
            )
        )


def pairs_of(model: AudioClassifier, attack: Attack) -> Pairs:
    """Cut an attack's sounds into patches, and keep those whose answer it turned.

    Parameters
    ----------
    model : AudioClassifier
        The network attacked.
    attack : Attack
        From :func:`xaiaudio.evaluate.experiments.adversarial.attack`.

    Returns
    -------
    Pairs
        Patches that had the clip's answer before and have its target now.

    Raises
    ------
    XaiAudioError
        If there is none.

    Examples
    --------
    >>> from xaiaudio.evaluate.experiments import adversarial, veracity
    >>> found = adversarial.attack(model, waves, "Rooster")  # doctest: +SKIP
    >>> pairs = veracity.pairs_of(model, found)  # doctest: +SKIP
    """
    frontend = model.frontend.with_overlap(attack.overlap)
    clean = [frontend(wave) for wave in attack.waves]
    changed = np.concatenate([frontend(wave) for wave in attack.changed])
    clips = np.repeat(np.arange(len(clean)), [len(part) for part in clean])
    places = np.concatenate([np.arange(len(part)) for part in clean])
    clean = np.concatenate(clean)
    before, after = (model.scores(part).argmax(axis=1) for part in (clean, changed))
    answers, targets = attack.answers[clips], attack.targets[clips]
    turned = (before == answers) & (after == targets)
    if not turned.any():
        raise XaiAudioError(
            "The attack turned no patch from its clip's answer to the target: allow a higher "
            "level_db or more rounds."
        )
    return Pairs(clean, changed, answers, targets, clips, places).part(turned)


def most_changed(pairs: Pairs, share: float = SHARE) -> np.ndarray:
    """Return the cells that changed most, whichever way.

    Parameters
    ----------
    pairs : Pairs
    share : float
        Of a patch's cells, above 0 and below 1.

    Returns
    -------
    ndarray of bool, shape (n, frames, bands)
        As many in each patch.

    Examples
    --------
    >>> import numpy as np
    >>> from xaiaudio.evaluate.experiments.veracity import Pairs, most_changed
    >>> one = np.zeros(1, int)
    >>> most_changed(Pairs(np.zeros((1, 1, 4)), np.array([[[0, -3, 1, 0]]]), *[one] * 4), 0.25)
    array([[[False,  True, False, False]]])
    """
    if not 0 < share < 1:
        raise XaiAudioError(f"share is {share!r}: it must be between 0 and 1, such as 0.1.")
    places = ranks(np.abs(pairs.change))
    return places < max(1, round(share * places[0].size))


def agreement(maps: ArrayLike, pairs: Pairs, share: float = SHARE) -> dict[str, np.ndarray]:
    """Say how far maps lie on the change.

    Parameters
    ----------
    maps : array_like of float, shape (n, frames, bands)
        Of the targets, for the changed patches. Positive cells speak for the wrong answer.
    pairs : Pairs
    share : float
        Of the cells that count as changed, see :func:`most_changed`.

    Returns
    -------
    dict of str to ndarray of float, shape (n,)
        ``"mass"``, share of the positive relevance on the cells that changed most; ``"rank"``,
        share of these cells among the map's highest, as many; for both, a map that knows nothing
        has `share`. ``"correlation"``, of the ranks of the map's positive part and of the size of
        the change over all cells: such a map has 0.

    Raises
    ------
    XaiAudioError
        If the shapes differ.

    References
    ----------
    Praher et al. 2021, On the veracity of local, model-agnostic explanations in audio
    classification.

    Examples
    --------
    >>> import numpy as np
    >>> from xaiaudio.evaluate.experiments.veracity import Pairs, agreement
    >>> one, change = np.zeros(1, int), np.arange(63.0).reshape(1, 9, 7)
    >>> pairs = Pairs(np.zeros_like(change), change, *[one] * 4)
    >>> float(agreement(change, pairs)["rank"][0])
    1.0
    """
    from ..metrics.similarity import similarity

    maps = _maps(maps, pairs)
    truth = most_changed(pairs, share)
    positive = np.maximum(maps, 0)
    return {
        "mass": localisation.relevance_mass(maps, truth),
        "rank": localisation.relevance_rank(maps, truth),
        "correlation": similarity(positive, np.abs(pairs.change))["spearman"],
    }


def restored(
    model: AudioClassifier, maps: ArrayLike, pairs: Pairs, shares: Sequence[float]
) -> np.ndarray:
    """Put the clean cells back where a map points, and tell where the right answer comes back.

    If the map names the cells that made the wrong answer, few are enough.

    Parameters
    ----------
    model : AudioClassifier
    maps : array_like of float, shape (n, frames, bands)
        Their highest cells are put back first.
    pairs : Pairs
    shares : sequence of float
        Of a patch's cells, 0 to 1.

    Returns
    -------
    ndarray of bool, shape (n, shares)
        Whether the answer is what it was before the attack.

    Raises
    ------
    XaiAudioError
        If the shapes differ, or a share is not between 0 and 1.

    Examples
    --------
    >>> from xaiaudio.evaluate.experiments.veracity import restored
    >>> restored(model, result.maps, pairs, [0.01, 0.1])  # doctest: +SKIP
    """
    answers = _asked(model, maps, pairs, pairs.changed, pairs.clean, shares)
    return answers == pairs.answers[:, None]


def carried_over(
    model: AudioClassifier, maps: ArrayLike, pairs: Pairs, shares: Sequence[float]
) -> np.ndarray:
    """Change only the cells where a map points, and tell where that makes the wrong answer.

    Parameters
    ----------
    model, maps, pairs, shares
        As for :func:`restored`; the cells go from the changed patch to the clean one.

    Returns
    -------
    ndarray of bool, shape (n, shares)
        Whether the answer is the attack's target.

    Examples
    --------
    >>> from xaiaudio.evaluate.experiments.veracity import carried_over
    >>> carried_over(model, result.maps, pairs, [0.01, 0.1])  # doctest: +SKIP
    """
    answers = _asked(model, maps, pairs, pairs.clean, pairs.changed, shares)
    return answers == pairs.targets[:, None]


def share_needed(happened: np.ndarray, shares: Sequence[float]) -> np.ndarray:
    """Return the smallest share that was enough for each patch, float (n,).

    Parameters
    ----------
    happened : ndarray of bool, shape (n, shares)
        From :func:`restored` or :func:`carried_over`.
    shares : sequence of float
        Rising.

    Returns
    -------
    ndarray of float, shape (n,)
        1 where none was.

    Examples
    --------
    >>> import numpy as np
    >>> from xaiaudio.evaluate.experiments.veracity import share_needed
    >>> share_needed(np.array([[False, True], [False, False]]), [0.1, 0.2])
    array([0.2, 1. ])
    """
    happened, shares = np.asarray(happened, bool), np.asarray(shares, float)
    return np.where(happened.any(axis=1), shares[happened.argmax(axis=1)], 1.0)


def exact(model: AudioClassifier, pairs: Pairs, *, tolerance: float = 0.05) -> np.ndarray:
    """Return what each cell's change did to the answer, exactly.

    These are the integrated gradients of the target's logit on the straight way from the clean to
    the changed patch, less those of the former answer's logit. They add up to how far the target
    gained on that answer, so that no change is missed. They need the clean patch, which is
    not at hand for those who see only the wrong answer: they are a reference, no explanation.

    Parameters
    ----------
    model : AudioClassifier
    pairs : Pairs
    tolerance : float
        How far each of the two sums may be from the difference of its logits, as a share of it.

    Returns
    -------
    ndarray of float32, shape (n, frames, bands)

    References
    ----------
    Sundararajan, Taly and Yan 2017, Axiomatic attribution for deep networks.

    Examples
    --------
    >>> from xaiaudio.evaluate.experiments.veracity import exact
    >>> exact(model, pairs)  # doctest: +SKIP
    """
    from ...explainers.gradients import integrated_gradients

    changed, clean = (model.as_input(part) for part in (pairs.changed, pairs.clean))
    gained, lost = (
        integrated_gradients(
            model.logits_network, changed, classes, clean, steps=8, tolerance=tolerance
        )
        for classes in (pairs.targets, pairs.answers)
    )
    return (gained - lost).reshape(pairs.changed.shape)


def _asked(model, maps, pairs, patches, others, shares) -> np.ndarray:
    """Return the answers (n, shares) once a map's first cells hold what `others` have there."""
    maps, shares = _maps(maps, pairs), np.asarray(shares, float)
    if shares.ndim != 1 or not len(shares) or not ((shares >= 0) & (shares <= 1)).all():
        raise XaiAudioError(
            f"The shares are {shares.tolist()}: a list of shares, 0 to 1, is needed."
        )
    counts = np.round(shares * maps[0].size).astype(int)
    bounds = np.stack([np.zeros_like(counts), counts], axis=1)
    scores = engine_of(model)(patches, others, Ranks(ranks(maps), bounds))
    return scores.argmax(axis=2)


def _maps(maps, pairs) -> np.ndarray:
    maps = np.asarray(maps, np.float64)
    if maps.shape != pairs.changed.shape:
        raise XaiAudioError(
            f"The maps have the shape {maps.shape}, but the pairs {pairs.changed.shape}: explain "
            "pairs.changed."
        )
    return maps
