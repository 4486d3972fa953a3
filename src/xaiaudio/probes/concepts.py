"""Concept activation vectors: which way a layer moves for a concept, and what the logits then do.

A vector is the normal of a linear classifier that tells sounds of a concept from random sounds, in
the activations of a layer. Each random draw takes *new* sounds, of the concept and of the random
ones, so that draws are independent. If the concept's sounds are none but random sounds, the two
sides of a draw can be exchanged: this turns the vector round, and a score s into 1 - s. So the
test needs no random concepts beside it: it asks how often signs thrown at random give scores as
far on one side. With few draws all throws can be counted, and the test is exact.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import stats

from ..errors import XaiAudioError
from ..models.training.tables import patch_table
from .concept_vectors import answers, vectors
from .sensitivities import sensitivities
from .significance import holm, sign_flips

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..datasets.base import ClipSet
    from ..models.classifier import AudioClassifier
    from .concept_sounds import Sounds

DRAWS = 20
#: Most sounds on each side of a draw: more make a steadier vector and the same number of draws.
SIZE = 10


@dataclass(frozen=True, eq=False)
class Tested:
    """What a test of concepts found.

    Attributes
    ----------
    concepts, layers, classes : tuple of str
        The axes of the arrays, in this order.
    accuracy : ndarray of float, shape (concepts, layers)
        Share of sounds that a vector puts on the right side, of those that it was not made of; the
        mean over draws. Chance is 0.5.
    least : ndarray of float, shape (concepts,)
        An accuracy above it is 3 standard errors above chance: below, the layer does not hold the
        concept, and its scores mean nothing.
    scores : ndarray of float, shape (concepts, layers, classes, draws)
        Share of the class's patches whose logit rises along the vector.
    ties : ndarray of float, the same shape
        Share whose logit does not change at all: they neither rise nor fall.
    effects : ndarray of float, shape (concepts, layers, classes)
        By how much the logit changes, to first order, if the layer moves along the vector as far
        as the concept's sounds lie from random ones; the mean over patches and draws.
    p, corrected : ndarray of float, shape (concepts, layers, classes)
        Two-sided, and after Holm's correction over all of them.
    patches : ndarray of int, shape (classes,)
        Patches that the scores are shares of.
    size : ndarray of int, shape (concepts,)
        Sounds on each side of a draw.
    level : float
        At which `found` is told.
    """

    concepts: tuple[str, ...]
    layers: tuple[str, ...]
    classes: tuple[str, ...]
    accuracy: np.ndarray
    least: np.ndarray
    scores: np.ndarray
    ties: np.ndarray
    effects: np.ndarray
    p: np.ndarray
    corrected: np.ndarray
    patches: np.ndarray
    size: np.ndarray
    level: float

    @property
    def held(self) -> np.ndarray:
        """Whether a layer holds a concept: bool (concepts, layers)."""
        return self.accuracy > self.least[:, None]

    @property
    def found(self) -> np.ndarray:
        """Whether the layer holds the concept and the score is significant, bool."""
        return self.held[:, :, None] & (self.corrected < self.level)

    @property
    def intervals(self) -> np.ndarray:
        """Lower end, mean and upper end of scores over draws, at 95 %: (..., 3), in [0, 1]."""
        mean, draws = self.scores.mean(axis=-1), self.scores.shape[-1]
        error = self.scores.std(axis=-1, ddof=1) / np.sqrt(draws)
        half = stats.t.ppf(0.975, draws - 1) * error
        return np.clip(np.stack([mean - half, mean, mean + half], axis=-1), 0, 1)

    def at(self, concept: str, layer: str, label: str) -> tuple[int, int, int]:
        """Return the place of a concept, a layer and a class in the arrays."""
        axes = zip(
            (concept, layer, label),
            (self.concepts, self.layers, self.classes),
            ("concept", "layer", "class"),
            strict=True,
        )
        for name, known, what in axes:
            if name not in known:
                raise XaiAudioError(f"No {what} {name!r} was tested: there are {', '.join(known)}.")
        return (
            self.concepts.index(concept),
            self.layers.index(layer),
            self.classes.index(label),
        )

    def table(self) -> list[dict]:
        """Return a row for each concept, layer and class, ready for pandas."""
        low, mean, high = np.moveaxis(self.intervals, -1, 0)
        return [
            {
                "concept": concept,
                "layer": layer,
                "class": label,
                "accuracy": float(self.accuracy[i, j]),
                "held": bool(self.held[i, j]),
                "score": float(mean[i, j, k]),
                "low": float(low[i, j, k]),
                "high": float(high[i, j, k]),
                "ties": float(self.ties[i, j, k].mean()),
                "effect": float(self.effects[i, j, k]),
                "p": float(self.p[i, j, k]),
                "corrected": float(self.corrected[i, j, k]),
                "found": bool(self.found[i, j, k]),
            }
            for i, concept in enumerate(self.concepts)
            for j, layer in enumerate(self.layers)
            for k, label in enumerate(self.classes)
        ]


def test(
    model: AudioClassifier,
    layers: Sequence[str],
    concepts: Mapping[str, Sounds],
    random: Sounds,
    clips: ClipSet,
    *,
    draws: int = DRAWS,
    level: float = 0.05,
) -> Tested:
    """Test whether the logits of classes depend on concepts, layer by layer.

    Parameters
    ----------
    model : AudioClassifier
        Of patches.
    layers : sequence of str
        Names of layers. Where nothing but a linear layer follows, each score is 0 or 1.
    concepts : mapping of str to Sounds
        Sounds that show each concept, see :mod:`.concept_sounds`.
    random : Sounds
        Sounds that do not, or no more than any sounds.
    clips : ClipSet
        Of the classes asked about: none of them may be among the sounds above.
    draws : int
        Vectors of each concept, 20 at least. Each is made of sounds of its own, so there must be
        as many of the concept, and of the random ones.
    level : float
        Of significance, after correction.

    Returns
    -------
    Tested

    Raises
    ------
    XaiAudioError
        If there are too few sounds or draws, a clip is on both sides, a class is none of the
        model's, there is no such layer, or all sounds are alike.

    References
    ----------
    Kim et al. 2018, Interpretability beyond feature attribution: quantitative testing with concept
    activation vectors. There the classifier is another, and a t-test compares with random
    concepts; Holm 1979, A simple sequentially rejective multiple test procedure.

    Examples
    --------
    >>> import xaiaudio as xa
    >>> from xaiaudio.probes import concepts
    >>> from xaiaudio.probes.concept_sounds import from_clips, made
    >>> book = xa.profile("mini")  # doctest: +SKIP
    >>> model, (train, unseen) = book.classifier(), book.split()  # doctest: +SKIP
    >>> sounds = from_clips(train, model.frontend)  # doctest: +SKIP
    >>> tone = made("tone", model.frontend, beds=sounds[:160])  # doctest: +SKIP
    >>> result = concepts.test(
    ...     model, ["conv3_2"], {"tone": tone}, sounds[160:], unseen
    ... )  # doctest: +SKIP
    >>> result.table()[0]["score"]  # doctest: +SKIP
    0.61
    """
    _check(model, concepts, random, draws, level)
    _check_apart(concepts, random, clips)
    table = patch_table(clips, model.frontend.with_overlap(0))
    heard, targets = table.voters, table.targets(model.labels)
    patches, targets = table.patches[heard], targets[heard]
    classes = np.unique(targets)
    asked = sensitivities(model, layers, patches, targets)
    of_random = _values(model, layers, random)
    found = []
    for name, sounds in concepts.items():
        of_concept = _values(model, layers, sounds)
        size = min(SIZE, len(sounds) // draws, len(random) // draws)
        rows = []
        for layer in layers:
            dealt = (_dealt(one[layer], draws, size) for one in (of_concept, of_random))
            told = vectors(*dealt)
            if not told.directions.any(axis=1).all():
                raise XaiAudioError(
                    f"The layer {layer!r} is the same for sounds of {name!r} and random ones: give "
                    "other sounds, or a layer that hears them."
                )
            rows.append((told.accuracy, *answers(told, asked[layer].gradients, targets, classes)))
        found.append((size, [np.stack(column) for column in zip(*rows, strict=True)]))
    sizes = np.array([size for size, _ in found])
    accuracy, rising, falling, effects = (
        np.stack([arrays[number] for _, arrays in found]) for number in range(4)
    )
    counts = np.bincount(targets, minlength=len(model.labels))[classes]
    p = np.apply_along_axis(sign_flips, -1, rising - falling)
    shares = counts[:, None].astype(float)
    return Tested(
        concepts=tuple(concepts),
        layers=tuple(layers),
        classes=tuple(model.labels[k] for k in classes),
        accuracy=accuracy,
        least=0.5 + 3 * np.sqrt(0.25 / (2 * sizes * draws)),
        scores=rising / shares,
        ties=1 - (rising + falling) / shares,
        effects=effects,
        p=p,
        corrected=holm(p),
        patches=counts,
        size=sizes,
        level=float(level),
    )


def _values(model, layers, sounds) -> dict[str, np.ndarray]:
    found = sensitivities(model, layers, sounds.patches, np.zeros(len(sounds), int))
    return {layer: one.values for layer, one in found.items()}


def _dealt(values, draws, size) -> np.ndarray:
    """Deal rows out to draws, none twice: (draws, size, channels)."""
    return values[: draws * size].reshape(draws, size, -1)


def _check(model, concepts, random, draws, level) -> None:
    if not concepts:
        raise XaiAudioError("There is no concept to test: give one at least, name to sounds.")
    if draws < DRAWS:
        raise XaiAudioError(
            f"draws is {draws}: {DRAWS} at least are needed, or no score could be significant "
            "after correction."
        )
    if not 0 < level < 1:
        raise XaiAudioError(
            f"level is {level!r}: a number between 0 and 1 is needed, such as 0.05."
        )
    for name, sounds in {"the random sounds": random, **concepts}.items():
        if len(sounds) < draws:
            raise XaiAudioError(
                f"There are {len(sounds)} sounds of {name!r}, but {draws} draws take one new sound "
                "each at least: add some."
            )
        if sounds.frontend.with_overlap(0) != model.frontend.with_overlap(0):
            raise XaiAudioError(
                f"The sounds of {name!r} were cut for another front end: give the model's own, "
                "model.frontend."
            )


def _check_apart(concepts, random, clips) -> None:
    """Raise XaiAudioError if a clip serves twice: on both sides of a draw, or to be asked about."""
    drawn = {name for name in random.names if name}
    asked = {str(clip.path) for clip in clips}
    for name, sounds in {"the random sounds": random, **concepts}.items():
        if twice := set(sounds.names) & asked:
            raise XaiAudioError(
                f"{min(twice)} is among the sounds of {name!r} and is asked about too: ask about "
                "clips of another fold."
            )
    for name, sounds in concepts.items():
        if twice := set(sounds.names) & drawn:
            raise XaiAudioError(
                f"{min(twice)} is among the sounds of {name!r} and among the random ones: give "
                "clips that no other set has."
            )
