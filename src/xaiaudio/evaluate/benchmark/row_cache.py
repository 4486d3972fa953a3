"""Finished rows of a leaderboard on disk, so that an interrupted run goes on."""

from __future__ import annotations

import hashlib
import inspect
import json
from pathlib import Path

import numpy as np

from ...explainers import registry
from ...files import whole


class Store:
    """A folder of finished rows, each named after everything that shaped it.

    Parameters
    ----------
    folder : path-like or None
        None keeps nothing.
    model : AudioClassifier
    cases : Cases
    measures : sequence of Measure
    few, seed : int
        See `leaderboard`.
    """

    def __init__(self, folder, model, cases, measures, few, seed):
        self.folder = None if folder is None else Path(folder)
        if self.folder is None:
            return
        self._common = hashlib.sha256()
        names = [measure.name for measure in measures]
        self._tell([names, few, seed, cases.names, cases.dataset, model.labels])
        self._tell([model.network.to_json(), model.frontend.to_config()])
        truth = [] if cases.truth is None else [cases.truth]
        weights = model.network.get_weights()
        for array in (cases.patches, cases.targets, *truth, *weights):
            self._common.update(np.ascontiguousarray(array).tobytes())
        for file in _sources():
            self._common.update(file.read_bytes())
        for measure in measures:
            self._tell(_code(measure.function))

    def find(self, subject):
        """Return a finished row, or None."""
        if self.folder is None:
            return None
        from .leaderboard import Row

        path = self._path(subject)
        try:
            with np.load(path, allow_pickle=False) as file:
                arrays = {name: file[name] for name in file.files}
            about = json.loads(str(arrays.pop("about")))
            values = {name.partition(":")[2]: values for name, values in arrays.items()}
            return Row(subject.name, subject.reference, values, **about)
        except Exception:
            # Missing, cut off, damaged or not ours: measured anew. Zip, NumPy and JSON each have
            # errors of their own.
            return None

    def keep(self, subject, row) -> None:
        """Write a row, whole or not at all."""
        if self.folder is None:
            return
        path = self._path(subject)
        about = json.dumps({"seconds": row.seconds, "error": row.error, "notes": row.notes})
        # With a colon before, so that no measure can take the name `about`.
        arrays = {f"value:{name}": values for name, values in row.values.items()}
        with whole(path) as partial:
            self.folder.mkdir(parents=True, exist_ok=True)
            with open(partial, "wb") as file:
                np.savez(file, about=about, **arrays)

    def _tell(self, what) -> None:
        self._common.update(json.dumps(what, sort_keys=True, default=str).encode())

    def _path(self, subject) -> Path:
        digest = self._common.copy()
        told = [subject.name, subject.reference, subject.settings()]
        if not subject.reference:
            told.append(_code(registry.find(subject.name).function))
        digest.update(json.dumps(told, sort_keys=True, default=str).encode())
        name = "".join(letter if letter.isalnum() else "-" for letter in subject.name)
        return self.folder / f"{name}-{digest.hexdigest()[:16]}.npz"


def _sources() -> list[Path]:
    """List the package's code that a row depends on."""
    root = Path(__file__).parents[1]
    return sorted([*root.glob("explainers/**/*.py"), *root.glob("evaluate/**/*.py")])


def _code(function) -> str:
    """Return a function's source: it may come from outside the package."""
    try:
        return inspect.getsource(function)
    except (OSError, TypeError):
        return getattr(function, "__qualname__", repr(type(function)))
