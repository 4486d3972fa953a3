"""Whoever makes maps, and one run of it: what the measures are handed."""

from __future__ import annotations

import dataclasses
import functools
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from ...errors import XaiAudioError
from ...explainers import registry
from ...explainers.base import Explanation, explain
from .samples import Cases

REFERENCES = ("chance", "uniform", "centre", "energy", "oracle")

# Patches that the measures which explain again and again are taken on: with more of them, the
# leaderboard of 80 clips would take more than five minutes on two cores.
FEW = 6


@dataclass(frozen=True)
class Subject:
    """A row of the leaderboard: a method with its options, or a reference.

    Attributes
    ----------
    name : str
    reference : bool
        True for a map that asks no network: ``"chance"``, random numbers; ``"uniform"``, the same
        everywhere; ``"centre"``, highest in the middle; ``"energy"``, the patch above silence;
        ``"oracle"``, the true event mask.
    options : dict
        The method's, where they are not its defaults.
    """

    name: str
    reference: bool = False
    options: dict = field(default_factory=dict)

    @property
    def seeded(self) -> bool:
        """Tell whether the maps hang on a seed."""
        if self.reference:
            return self.name == "chance"
        return any(one.name == "seed" for one in dataclasses.fields(self._method.options))

    @property
    def _method(self):
        return registry.find(self.name)

    def settings(self) -> dict:
        """Return all options, defaults included."""
        if self.reference:
            return {}
        return dataclasses.asdict(self._method.parse(self.options))

    def explain(self, model, cases: Cases, seed: int) -> Explanation:
        """Make the maps of some cases."""
        if self.reference:
            return _reference(self.name, model, cases, seed)
        options = {**self.options, **({"seed": seed} if self.seeded else {})}
        return explain(model, cases.patches, cases.targets, method=self.name, **options)


def _reference(name, model, cases, seed) -> Explanation:
    if name == "oracle" and cases.truth is None:
        raise XaiAudioError("Nobody knows where the events are in these clips.")
    shape = cases.patches.shape[1:]
    maps = {
        "chance": lambda: np.stack([_luck(name, seed, shape) for name in cases.names]),
        "uniform": lambda: np.ones(cases.patches.shape),
        "centre": lambda: np.tile(_centre(shape), (len(cases), 1, 1)),
        "energy": lambda: cases.patches - np.log(model.frontend.offset),
        "oracle": lambda: cases.truth,
    }[name]()
    maps = np.asarray(maps, np.float32)
    return Explanation(
        maps=maps,
        raw=maps,
        patches=cases.patches,
        targets=cases.targets,
        scores=model.scores(cases.patches),
        labels=tuple(model.labels),
        method=name,
        options={},
        upsample="bilinear",
        frontend=model.frontend,
    )


def _luck(name, seed, shape) -> np.ndarray:
    """Draw a map that belongs to a clip: it is the same whichever clips are asked with it."""
    return np.random.default_rng([seed, zlib.crc32(name.encode())]).random(shape)


def _centre(shape) -> np.ndarray:
    """Make a bell over the middle of a patch, a quarter of each side wide."""
    frames, bands = (np.exp(-8 * (np.linspace(-1, 1, size) ** 2)) for size in shape)
    return np.outer(frames, bands)


@dataclass(frozen=True)
class Trial:
    """One row's maps, and all that a measure may want to ask of them.

    Attributes
    ----------
    model : AudioClassifier
    cases : Cases
    subject : Subject
    result : Explanation
        The maps of all cases.
    seed : int
    few : int
        Cases that the measures which explain anew are taken on.
    shared : dict
        What the rows of one leaderboard have in common, see :meth:`once`.
    """

    model: object
    cases: Cases
    subject: Subject
    result: Explanation
    seed: int = 0
    few: int = FEW
    shared: dict = field(default_factory=dict)

    def once(self, name: str, make: Callable):
        """Return what hangs on no map: made for the first row that asks, kept for the others."""
        if name not in self.shared:
            self.shared[name] = make()
        return self.shared[name]

    @functools.cached_property
    def chosen(self) -> np.ndarray:
        """Numbers of the few cases: spread evenly over all."""
        count = min(self.few, len(self.cases))
        return np.unique(np.linspace(0, len(self.cases) - 1, count).round().astype(int))

    @property
    def first(self) -> np.ndarray:
        """The few cases' maps, as measured."""
        return self.result.maps[self.chosen]

    def again(self, model=None, seed=None, patches=None) -> np.ndarray:
        """Explain the few cases anew, with another network, seed or patches; return the maps."""
        model = self.model if model is None else model
        seed = self.seed if seed is None else seed
        cases = self.cases.part(self.chosen)
        if patches is not None:
            cases = dataclasses.replace(cases, patches=patches)
        return self.subject.explain(model, cases, seed).maps

    def spread(self, values) -> np.ndarray:
        """Return the values of the few cases as an array over all, NaN elsewhere."""
        everywhere = np.full(len(self.cases), np.nan)
        everywhere[self.chosen] = values
        return everywhere

    def unknown(self) -> np.ndarray:
        """Return no answer for any case."""
        return np.full(len(self.cases), np.nan)

    @functools.cached_property
    def faithful(self) -> dict[str, np.ndarray]:
        """The measures that keep or remove what the map shows; one set of passes serves all."""
        from ..metrics.faithfulness import faithfulness

        return faithfulness(self.model, self.result)
