"""Where a training run stands, kept in a file."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from ...errors import DamagedError, XaiAudioError
from ...files import whole


class Checkpoint:
    """Where a training run stands, in one file, so that an interrupted run can go on.

    Parameters
    ----------
    folder : path-like or None
        None keeps nothing.
    settings : dict
        Everything that shapes the run, JSON values; a checkpoint of another run is refused.
    """

    def __init__(self, folder, settings: dict):
        self.path = None if folder is None else Path(folder) / "checkpoint.npz"
        self.settings = json.loads(json.dumps(settings))

    def save(self, groups: dict[str, list], state: dict) -> None:
        """Write lists of arrays by name, and a dict of JSON values."""
        if self.path is None:
            return
        arrays = {
            f"{name}/{number:04d}": array
            for name, group in groups.items()
            for number, array in enumerate(group)
        }
        about = json.dumps({"settings": self.settings, "state": state})
        with whole(self.path) as partial:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with open(partial, "wb") as file:
                np.savez(file, about=about, **arrays)

    def load(self) -> tuple[dict[str, list], dict] | None:
        """Return what :meth:`save` was given last, or None if there is nothing yet."""
        if self.path is None or not self.path.exists():
            return None
        try:
            with np.load(self.path, allow_pickle=False) as file:
                about = json.loads(str(file["about"]))
                groups: dict[str, list] = {}
                for key in sorted(set(file.files) - {"about"}):
                    groups.setdefault(key.split("/")[0], []).append(file[key])
        except Exception as error:  # zip, zlib, NumPy and JSON each have errors of their own
            raise DamagedError(
                f"The checkpoint {self.path} is damaged: delete it to start anew."
            ) from error
        if about["settings"] != self.settings:
            raise XaiAudioError(
                f"The checkpoint {self.path} belongs to a run with other clips or options: "
                "delete it, or give resume another folder."
            )
        return groups, about["state"]


def values(variables) -> list[np.ndarray]:
    """Return copies of Keras variables as arrays, in order."""
    return [np.array(variable.numpy()) for variable in variables]


def restore(variables, arrays) -> None:
    """Set Keras variables to arrays, in order."""
    for variable, array in zip(variables, arrays, strict=True):
        variable.assign(array)
