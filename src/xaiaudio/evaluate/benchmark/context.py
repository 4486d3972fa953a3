"""What makes maps, and one run of it: what the measures are handed."""

from __future__ import annotations

import dataclasses
import functools
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from ...errors import XaiAudioError
from ...explainers.base import Explainer
from ...explainers.explanation import Explanation
from ...patches import without_padding
from .samples import Cases

if TYPE_CHECKING:
    from ...models.classifier import AudioClassifier


REFERENCES = ("chance", "uniform", "centre", "energy", "oracle")

# Patches that the measures which explain again and again are taken on. Each is explained four times
# more: for 80 clips, that is a sixth of the time that the leaderboard takes.
FEW = 6


@dataclass(frozen=True)
class Reference:
    """A map that asks no network, to compare methods with.

    Attributes
    ----------
    name : {"chance", "uniform", "centre", "energy", "oracle"}
        Random numbers; the same everywhere; highest in the middle; the patch above silence; the
        true event mask.
    """

    name: str

    @property
    def seeded(self) -> bool:
        """Whether the maps depend on a seed."""
        return self.name == "chance"

    @property
    def settings(self) -> dict:
        """No reference has options."""
        return {}

    def __call__(self, model, cases: Cases, seed: int = 0) -> Explanation:
        """Make the maps of some cases."""
        sound = getattr(cases.patches, "sound", None)
        maps = without_padding(np.asarray(self._maps(model, cases, seed), np.float32), sound)
        return Explanation(
            maps=maps,
            raw=maps,
            patches=np.asarray(cases.patches),
            targets=cases.targets,
            scores=model.scores(cases.patches),
            labels=tuple(model.labels),
            method=self.name,
            options={},
            upsample="bilinear",
            frontend=model.frontend,
            starts=getattr(cases.patches, "starts", None),
            length=getattr(cases.patches, "length", None),
            waves=getattr(cases.patches, "waves", None),
            sound=sound,
        )

    def _maps(self, model, cases, seed) -> np.ndarray:
        shape = cases.patches.shape[1:]
        if self.name == "chance":
            return np.stack([_luck(name, seed, shape) for name in cases.names])
        if self.name == "uniform":
            return np.ones(cases.patches.shape)
        if self.name == "centre":
            return np.tile(_centre(shape), (len(cases), 1, 1))
        if self.name == "energy":
            return np.asarray(cases.patches) - model.frontend.silence
        if cases.truth is None:
            raise XaiAudioError("It is unknown where the events are in these clips.")
        return cases.truth


def explain_cases(row: Explainer | Reference, model, cases: Cases, seed: int = 0) -> Explanation:
    """Make the maps of some cases, by a method or a reference.

    Parameters
    ----------
    row : Explainer or Reference
    model : AudioClassifier
    cases : Cases
    seed : int
        For whatever draws at random.

    Returns
    -------
    Explanation
    """
    if isinstance(row, Reference):
        return row(model, cases, seed)
    patches = cases.known(model.frontend) if row.sounds else cases.patches
    return row.with_seed(seed)(model, patches, cases.targets)


def _luck(name, seed, shape) -> np.ndarray:
    """Draw a map that belongs to a clip: it is the same whichever clips are asked with it."""
    return np.random.default_rng([seed, zlib.crc32(name.encode())]).random(shape)


def _centre(shape) -> np.ndarray:
    """Make a bell over the middle of a patch, a quarter of each side wide."""
    frames, bands = (np.exp(-8 * (np.linspace(-1, 1, size) ** 2)) for size in shape)
    return np.outer(frames, bands)


@dataclass(frozen=True)
class Context:
    """One row's maps, and all that a measure may need besides.

    Attributes
    ----------
    model : AudioClassifier
    cases : Cases
    row : Explainer or Reference
        What made the maps.
    result : Explanation
        The maps of all cases.
    seed : int
    few : int
        Cases that the measures which explain anew are taken on.
    shared : dict
        What the rows of one leaderboard have in common, see :meth:`once`.
    precision : {"float32", "bfloat16"}
        Numbers in which measures ask about many changed patches.
    """

    model: AudioClassifier
    cases: Cases
    row: Explainer | Reference
    result: Explanation
    seed: int = 0
    few: int = FEW
    shared: dict = field(default_factory=dict)
    precision: str = "float32"

    def once(self, name: str, make: Callable):
        """Return what depends on no map: made for the first row that asks, kept for the others."""
        if name not in self.shared:
            self.shared[name] = make()
        return self.shared[name]

    @property
    def maps(self) -> np.ndarray:
        """The maps of all cases."""
        return self.result.maps

    @property
    def truth(self) -> np.ndarray | None:
        """The true events, where they are known."""
        return self.cases.truth

    @property
    def is_reference(self) -> bool:
        """Whether the maps ask no network."""
        return isinstance(self.row, Reference)

    @property
    def is_random(self) -> bool:
        """Whether the maps are random numbers, which depend on nothing that could be changed."""
        return self.is_reference and self.row.seeded

    @functools.cached_property
    def subset(self) -> np.ndarray:
        """Numbers of the few cases: spread evenly over all."""
        count = min(self.few, len(self.cases))
        return np.unique(np.linspace(0, len(self.cases) - 1, count).round().astype(int))

    @property
    def subset_maps(self) -> np.ndarray:
        """The few cases' maps, as measured."""
        return self.result.maps[self.subset]

    def re_explain(self, model=None, seed=None, patches=None) -> np.ndarray:
        """Explain the few cases anew, with another network, seed or patches; return the maps."""
        model = self.model if model is None else model
        seed = self.seed if seed is None else seed
        cases = self.cases.part(self.subset)
        if patches is not None:
            cases = dataclasses.replace(cases, patches=patches, sounds=None)
        return explain_cases(self.row, model, cases, seed).maps

    def scatter(self, values) -> np.ndarray:
        """Return the values of the few cases as an array over all, NaN elsewhere."""
        everywhere = np.full(len(self.cases), np.nan)
        everywhere[self.subset] = values
        return everywhere

    def missing(self) -> np.ndarray:
        """Return no answer for any case."""
        return np.full(len(self.cases), np.nan)

    @functools.cached_property
    def faithful(self) -> dict[str, np.ndarray]:
        """The measures that keep or remove what the map shows; one set of passes serves all."""
        from ..metrics.faithfulness import faithfulness

        return faithfulness(self.model, self.result)
