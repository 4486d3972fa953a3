"""Explanations by parts: do the best parts alone make the class, and how many share the weight."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ...errors import XaiAudioError
from ...explainers.engines.switching import is_count
from ...models.hearing import hear, voting

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike

    from ...explainers.parts import PartsExplanation
    from ...models.classifier import AudioClassifier


@dataclass(frozen=True)
class TopParts:
    """How often a few parts alone leave the network's answer as it was.

    Attributes
    ----------
    counts : tuple of int
        How many parts were kept.
    unchanged : ndarray of float, shape (n, counts)
        For each sound 1 if the network gives its best parts the class that it gives the whole, 0 if
        not; NaN where fewer parts speak for the class.
    chance : ndarray of float, shape (n, counts)
        The same for as many of its positive parts drawn at random: the mean over the draws.
    anything : ndarray of float, shape (n, counts)
        The same for as many parts of any sign drawn at random.
    """

    counts: tuple[int, ...]
    unchanged: np.ndarray
    chance: np.ndarray
    anything: np.ndarray

    def table(self) -> list[dict]:
        """Return a row for each count: shares of the sounds that count, and how many these are."""
        rows = []
        for place, count in enumerate(self.counts):
            used = np.isfinite(self.unchanged[:, place])
            means = [
                float(values[used, place].mean()) if used.any() else float("nan")
                for values in (self.unchanged, self.chance, self.anything)
            ]
            rows.append(
                {
                    "parts": count,
                    "unchanged": means[0],
                    "chance": means[1],
                    "anything": means[2],
                    "sounds": int(used.sum()),
                    "dropped": int((~used).sum()),
                }
            )
        return rows


def top_parts(
    model: AudioClassifier,
    explanations: Sequence[PartsExplanation],
    counts: Sequence[int] = (1, 3, 5),
    *,
    draws: int = 8,
    seed: int = 0,
) -> TopParts:
    """Keep only the best parts of each sound, and see whether the network's class is the same.

    Everything else goes, the residual too. A sound of which fewer parts speak for the class is left
    out at that count, and counted.

    Parameters
    ----------
    model : AudioClassifier
    explanations : sequence of PartsExplanation
        Of the class that the network gives each sound.
    counts : sequence of int
        How many of the positive parts to keep.
    draws : int
        Random choices of as many parts.
    seed : int

    Returns
    -------
    TopParts

    Raises
    ------
    XaiAudioError
        If there is nothing to keep or to draw.

    References
    ----------
    V. Haunschmid, E. Manilow and G. Widmer, "audioLIME: Listenable explanations using source
    separation", MML 2020, with the random choices beside it.

    Examples
    --------
    >>> import numpy as np, xaiaudio as xa
    >>> from xaiaudio.evaluate.metrics.parts import top_parts
    >>> from xaiaudio.explainers.engines.components import Components
    >>> model, wave = xa.load_model("lite"), np.random.default_rng(0).normal(0, 0.1, 16_000)
    >>> found = top_parts(model, [xa.explain_parts(model, Components.in_time(wave, 4))], [1, 2])
    >>> found.unchanged.shape
    (1, 2)
    """
    if not explanations:
        raise XaiAudioError("There is no explanation to measure: give one at least.")
    if not (is_count(draws, 1) and len(counts) and all(is_count(one, 1) for one in counts)):
        raise XaiAudioError(
            f"counts is {tuple(counts)} and draws {draws}: numbers from 1 on are needed."
        )
    rng = np.random.default_rng(seed)
    shape = len(explanations), len(counts)
    unchanged, chance, anything = (np.full(shape, np.nan) for _ in range(3))
    for row, one in enumerate(explanations):
        usable = [place for place, count in enumerate(counts) if (one.weights > 0).sum() >= count]
        if not usable:
            continue
        chosen = [_chosen(one, counts[place], draws, rng) for place in usable]
        same = _same_class(model, one, np.concatenate(chosen))
        same = same.reshape(len(usable), 1 + 2 * draws)
        unchanged[row, usable] = same[:, 0]
        chance[row, usable] = same[:, 1 : 1 + draws].mean(axis=1)
        anything[row, usable] = same[:, 1 + draws :].mean(axis=1)
    return TopParts(tuple(counts), unchanged, chance, anything)


def _chosen(one, count, draws, rng) -> np.ndarray:
    """Return the best parts, random positive ones, and random ones: bool (1 + 2 draws, parts)."""
    rows = np.zeros((1 + 2 * draws, len(one.weights)), bool)
    rows[0] = one.chosen(count)
    positive = np.flatnonzero(one.weights > 0)
    for draw in range(draws):
        rows[1 + draw, rng.choice(positive, count, replace=False)] = True
        rows[1 + draws + draw, rng.choice(len(one.weights), count, replace=False)] = True
    return rows


def _same_class(model, one, rows) -> np.ndarray:
    """Tell of each choice of parts whether the network gives it the class of the whole."""
    distinct, places = np.unique(rows, axis=0, return_inverse=True)
    waves = distinct.astype(np.float32) @ one.components.parts
    voted = voting(model, one.components.whole, one.overlap)
    scores = np.concatenate(
        [
            hear(model, waves[start : start + 32], overlap=one.overlap, voted=voted)
            for start in range(0, len(waves), 32)
        ]
    )
    return (scores.argmax(axis=1) == one.scores.argmax())[places.ravel()]


def spread(weights: ArrayLike) -> float:
    """Return over how many of the parts an explanation spreads: the entropy of their magnitudes.

    Parameters
    ----------
    weights : array_like of float, shape (k,)

    Returns
    -------
    float
        0 if one part has all the weight, 1 if all have the same, whatever their number. Of one part
        alone 0; NaN if all weights are 0, for there is nothing to spread.

    Examples
    --------
    >>> spread([3.0, 0.0, 0.0]), round(spread([1.0, -1.0]), 6), spread([2.0]), spread([0.0, 0.0])
    (0.0, 1.0, 0.0, nan)
    """
    sizes = np.abs(np.asarray(weights, np.float64))
    total = sizes.sum()
    if not total > 0:
        return float("nan")
    if len(sizes) == 1:
        return 0.0
    share = sizes[sizes > 0] / total
    return max(0.0, float(-(share * np.log(share)).sum() / np.log(len(sizes))))
