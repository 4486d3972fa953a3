"""The entries of a card, each read from one network, its clips and their leaderboard."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import metadata
from numbers import Real
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ... import __version__, cache
from ...errors import XaiAudioError
from ...explainers.registry import find
from ..metrics.registry import FAITHFUL, TRUTH, measures
from .board import ENOUGH
from .context import REFERENCES
from .findings import findings

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ...models.classifier import AudioClassifier
    from .board import Leaderboard
    from .samples import Cases

# What else decides the numbers, beside the package itself.
_LIBRARIES = ("tensorflow", "keras", "numpy")

_UNKNOWN = "unknown"


@dataclass(frozen=True)
class Entries:
    """What a card is filled in from.

    Attributes
    ----------
    model : AudioClassifier
    cases : Cases
    board : Leaderboard
    hide : bool
        Whether clips are named by fingerprints.
    marks : tuple of str
        What each clip is called.
    """

    model: AudioClassifier
    cases: Cases
    board: Leaderboard
    hide: bool
    marks: tuple[str, ...] = field(init=False)

    def __post_init__(self):
        object.__setattr__(self, "marks", tuple(map(self._mark, range(len(self.cases)))))

    @property
    def rows(self) -> list[str]:
        """The rows of methods, those included that could not treat the network."""
        return [row.name for row in self.board.rows if not row.reference]

    @property
    def recordings(self) -> int:
        """How many recordings the clips are of."""
        return len(set(self.cases.groups)) if self.cases.groups else len(self.cases)

    def _mark(self, number) -> str:
        """Return what a clip is called on the card."""
        if not self.hide:
            return self.cases.names[number]
        path = self.cases.clips[number].path if self.cases.clips else Path(self.cases.names[number])
        if path.is_file():
            return cache.sum_of(path)[:12]
        return cache.sum_of_arrays([np.asarray(self.cases.patches[number])])[:12]

    def _said(self, text: str) -> str:
        """Return a message, without the paths of clips if they are to be hidden."""
        if self.hide:
            for clip, mark in zip(self.cases.clips, self.marks, strict=bool(self.cases.clips)):
                text = text.replace(str(clip.path), mark)
        return text

    def model_facts(self, file, tested) -> dict[str, str]:
        """Say which network it is, what it takes, and how often it is right."""
        model, facts = self.model, {"name": self.model.name}
        if file is not None:
            facts |= {"file": Path(file).name, "SHA-256 of the file": cache.sum_of(file)}
        network = _network(model)
        if network is not None:
            weights = network.get_weights()
            facts["SHA-256 of its weights"] = cache.sum_of_arrays(weights)
            facts["weights"] = f"{sum(array.size for array in weights):,}"
        front = model.frontend.to_config()
        facts["front end"] = ", ".join(f"{name} {value}" for name, value in front.items())
        facts["classes"] = ", ".join(model.labels)
        facts["accuracy"] = _accuracy(model, tested) or _UNKNOWN
        facts["owed to"] = " ".join(model.attribution.split()) or _UNKNOWN
        return facts

    def data_facts(self) -> dict[str, str]:
        """Say how many clips of what were measured on."""
        cases, clips = self.cases, self.cases.clips
        classes = Counter(self.model.labels[target] for target in cases.targets)
        facts = {
            "set": cases.dataset,
            "clips": f"{len(cases)}, one patch of each",
            "recordings": str(self.recordings),
            "classes": _counts(classes),
            "folds": _counts(Counter(str(clip.fold) for clip in clips)) or _UNKNOWN,
            "licences": _counts(Counter(_licence(clip) for clip in clips)) or _UNKNOWN,
            "where the events are": "known" if cases.truth is not None else "not known",
            "left out, misclassified": str(cases.left_out),
            "left out, not usable": str(len(cases.unusable)),
        }
        facts["SHA-256 of the patches"] = cache.sum_of_arrays([np.asarray(cases.patches)])
        return facts

    def clip_facts(self) -> tuple[dict[str, str], ...]:
        """Say what is known of each clip."""
        clips = self.cases.clips or (None,) * len(self.cases)
        return tuple(
            {
                "clip": mark,
                "class": self.model.labels[target],
                "fold": str(getattr(clip, "fold", None) or "–"),
                "licence": _licence(clip),
                "author": "" if self.hide else getattr(clip, "author", ""),
                "source": "" if self.hide else getattr(clip, "source", ""),
            }
            for mark, target, clip in zip(self.marks, self.cases.targets, clips, strict=True)
        )

    def method_facts(self, name) -> dict[str, str]:
        """Say what a method does, by the registry, and with which options it did it."""
        row = self.board.row(name)
        method = find(row.method or name)
        facts = {"method": method.name, "what it does": method.summary, "it asks": method.needs}
        facts["paper"] = method.paper or _UNKNOWN
        facts |= {option: str(value) for option, value in row.settings.items()}
        if row.error:
            facts["no maps"] = self._said(row.error)
        return facts

    def run_facts(self) -> dict[str, str]:
        """Say what else the numbers depend on."""
        versions = [f"xaiaudio {__version__}"]
        versions += [f"{name} {metadata.version(name)}" for name in _LIBRARIES]
        return {
            "seed": str(self.board.seed),
            "numbers": self.board.precision,
            "versions": ", ".join(versions),
            "intervals": f"95 %, bootstrap over {self.recordings} recordings",
            "beside": ", ".join(row.name for row in self.board.rows if row.reference) or "nothing",
        }

    def silent(self) -> Iterator[tuple[str, str, str]]:
        """Name the measures without an answer: method, measure, and why."""
        for name in self.rows:
            row = self.board.row(name)
            for one in self.board.measures:
                if not np.isfinite(self.board.mean(name, one.name)):
                    why = row.error or row.notes.get(one.name) or one.silent
                    yield name, one.name, self._said(why or "it gives no number here")

    def not_shown(self, tested) -> Iterator[str]:
        """Say what this run leaves open, a sentence each."""
        yield from self._not_asked()
        yield from self._not_heard()
        if _accuracy(self.model, tested) is None:
            yield "How often the network is right on sounds that it has not learnt from."
        yield f"Another training of the network, and other seeds than {self.board.seed}."

    def _not_asked(self):
        """Say which measures and comparisons are missing, and what the clips cannot decide."""
        asked = {one.name for one in self.board.measures}
        missing = [name for name in measures() if name not in asked]
        if missing:
            yield f"What these measures would say: {', '.join(missing)}."
        here = {row.name for row in self.board.rows}
        beside = [name for name in REFERENCES if name not in here]
        if beside:
            yield f"How maps that ask no network do: {', '.join(beside)}."
        found = list(findings(self.board))
        if self.recordings < ENOUGH:
            yield f"Any difference: fewer than {ENOUGH} recordings decide nothing."
        level = [f"{one.method} by {one.measure}" for one in found if one.verdict == "undecided"]
        if level:
            yield f"That the maps are better than random ones: {', '.join(level)}."
        needless = [f"{one.method} by {one.measure}" for one in found if _blind_as_good(one)]
        if needless:
            yield (
                "That the network had to be asked: a map that did not does as well on average, or "
                f"better, than {', '.join(needless)}."
            )
        few = sorted({one.measure for one in found if one.found.n < self.recordings})
        if few:
            yield f"What all recordings would say: only some were asked for {', '.join(few)}."
        compared = sum(one.verdict in ("better", "worse", "undecided") for one in found)
        if compared:
            yield (
                f"That no verdict is luck: of {compared} comparisons at 95 %, "
                f"{0.05 * compared:.1f} would be wrong on average if there were no difference."
            )

    def _not_heard(self):
        """Say which sounds the maps were not asked about."""
        cases, labels = self.cases, self.model.labels
        absent = [label for k, label in enumerate(labels) if k not in set(cases.targets.tolist())]
        if absent:
            yield f"Classes without a clip: {', '.join(absent)}."
        if cases.left_out:
            yield f"Maps where the network is wrong (clips left out for that: {cases.left_out})."
        if cases.unusable and self.hide:
            yield f"Sounds that could not be used: {len(cases.unusable)}."
        elif cases.unusable:
            yield f"Sounds that could not be used: {' '.join(cases.unusable)}"
        if cases.truth is None:
            yield "Whether the maps show where the event is: nobody knows where it is."
        if any(_licence(clip) == _UNKNOWN for clip in cases.clips):
            yield "Under which licence all of the sounds are."


def _network(model):
    """Return the Keras network, or None where a function answers."""
    try:
        return getattr(model, "wave_network", None) or model.network
    except XaiAudioError:
        return None


def _accuracy(model, tested) -> str | None:
    """Say how often the network is right; None if nothing is known of it."""
    history = model.history
    if tested is not None:
        rates = f"{tested.clip_accuracy:.1%} of clips, {tested.patch_accuracy:.1%} of patches"
        return f"{rates}, on {len(tested.true)} held-out clips"
    clips, patches = (history.get(f"test_{what}_accuracy") for what in ("clip", "patch"))
    if _rates(clips, patches):
        return f"{clips:.1%} of held-out clips, {patches:.1%} of patches (as its file says)"
    best = history.get("best")
    if isinstance(best, Mapping) and _rates(best.get("accuracy")):
        return f"{best['accuracy']:.1%} of held-out patches (as its file says)"
    return None


def _rates(*values) -> bool:
    """Tell whether all are numbers: a history is read from the network's file."""
    return all(isinstance(value, Real) for value in values)


def _blind_as_good(one) -> bool:
    """Tell whether a map that asked no network does as well as a method, where that is a fault."""
    if not one.blind or one.family not in (FAITHFUL, TRUTH):
        return False
    ahead = one.blind_mean - one.found.mean
    return bool(ahead >= 0 if one.better == "higher" else ahead <= 0)


def _licence(clip) -> str:
    return getattr(clip, "licence", "") or _UNKNOWN


def _counts(found) -> str:
    return ", ".join(f"{name} ({count})" for name, count in sorted(found.items()))
