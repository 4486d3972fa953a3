"""Finished rows of a leaderboard on disk, so that an interrupted run goes on."""

from __future__ import annotations

import inspect
import json
from pathlib import Path

import numpy as np

from ... import cache
from ...explainers import registry
from ...files import whole
from .context import Reference
from .rows import Row


class RowCache:
    """A folder of finished rows, each named after everything that it depends on.

    Parameters
    ----------
    folder : path-like
    model : AudioClassifier
    cases : Cases
    measures : sequence of Measure
    few, seed : int
        See `leaderboard`.
    precision : {"float32", "bfloat16"}
    """

    def __init__(self, folder, model, cases, measures, few, seed, precision="float32"):
        self.folder = Path(folder)
        truth = [] if cases.truth is None else [cases.truth]
        # Of a classifier of sounds: its network takes samples, and they are part of the cases.
        graph, weights = _network_of(model)
        waves = getattr(cases.patches, "waves", None)
        arrays = [cases.patches, cases.targets, *truth, *weights]
        arrays += [sounds for sounds in (waves, cases.sounds) if sounds is not None]
        self._common = cache.key(
            [[measure.name for measure in measures], few, seed, precision],
            [list(cases.names), cases.dataset, list(model.labels)],
            [graph, model.frontend.to_config()],
            cache.sum_of_arrays(arrays),
            [_code(measure.function) for measure in measures],
            modules=[
                *(_module(measure.function) for measure in measures),
                *(_module(type(part)) for part in (model, model.frontend, cases)),
                "evaluate.benchmark.context",
            ],
        )

    def find(self, subject) -> Row | None:
        """Return a finished row, or None."""
        try:
            with np.load(self._path(subject), allow_pickle=False) as file:
                arrays = {name: file[name] for name in file.files}
            about = json.loads(str(arrays.pop("about")))
            values = {name.partition(":")[2]: values for name, values in arrays.items()}
            return Row(subject.name, isinstance(subject, Reference), values, **about)
        except Exception:
            # Missing, cut off, damaged or not ours: measured anew. Zip, NumPy and JSON each have
            # errors of their own.
            return None

    def keep(self, subject, row: Row) -> None:
        """Write a row, whole or not at all."""
        about = json.dumps({"seconds": row.seconds, "error": row.error, "notes": row.notes})
        # With a colon before, so that no measure can take the name `about`.
        arrays = {f"value:{name}": values for name, values in row.values.items()}
        with whole(self._path(subject)) as partial:
            self.folder.mkdir(parents=True, exist_ok=True)
            with open(partial, "wb") as file:
                np.savez(file, about=about, **arrays)

    def _path(self, subject) -> Path:
        reference = isinstance(subject, Reference)
        parts, modules = [subject.name, reference, _plain(subject.settings)], []
        if not reference:
            function = registry.find(subject.name).function
            parts += [_code(function), subject.weights_sum]
            modules.append(_module(function))
        name = "".join(letter if letter.isalnum() else "-" for letter in subject.name)
        return self.folder / f"{name}-{cache.key(self._common, parts, modules=modules)}.npz"


def _network_of(model) -> tuple[str, list]:
    """Return a network's graph and its weights; of another library's file, what identifies it."""
    if model.identity:
        return model.identity, []
    network = getattr(model, "wave_network", None) or model.network
    return network.to_json(), network.get_weights()


def _plain(settings: dict) -> list:
    """Return options as text: they may hold anything."""
    return [f"{name}={value!r}" for name, value in sorted(settings.items())]


def _module(thing) -> str:
    """Return the module of a function or class, by its name within the package."""
    return thing.__module__.removeprefix(f"{cache.ROOT.name}.")


def _code(function) -> str:
    """Return a function's source: it may come from outside the package."""
    try:
        return inspect.getsource(function)
    except (OSError, TypeError):
        return getattr(function, "__qualname__", repr(type(function)))
