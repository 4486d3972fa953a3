"""The engine of counterfactual sounds: a network is asked about settings of a sound's controls."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from ...errors import XaiAudioError
from ...models.votes import majority, voters
from ...patches import joined
from ...synthesis.controls import Control, Recipe
from ..answers import Answer, Several, ask, one_of_all
from ..changes import Change
from .switching import is_count

# Sounds that the network is asked about at a time: a sound is many patches.
BATCH = 32

#: The number of the answer to a sound that is silent: it is no class.
NOTHING = -1

# Steps below which a value is the control's own: rounding on the way to the scale and back.
NEAR = 1e-6


class Asker:
    """Asks a network about settings of a recipe, and counts."""

    def __init__(self, model, recipe, overlap):
        if not isinstance(recipe, Recipe):
            raise XaiAudioError(
                f"This is no sound with controls, but {type(recipe).__name__}: take one of "
                "xaiaudio.synthesis.recipes, or xaiaudio.synthesis.edits.recording(wave, rate)."
            )
        if recipe.sample_rate != model.frontend.sample_rate:
            raise XaiAudioError(
                f"{recipe.name} is made at {recipe.sample_rate} Hz, but {model.name} takes "
                f"{model.frontend.sample_rate} Hz: resample the sound first."
            )
        self.model, self.recipe, self.overlap, self.asked = model, recipe, overlap, 0
        self.alone = one_of_all(model, recipe(recipe.original[None])[0], overlap)

    def __call__(self, settings) -> tuple[np.ndarray, np.ndarray]:
        """Return the classes heard, int (n,), and the probabilities, float32 (n, classes)."""
        found = [
            self._heard(self.recipe(settings[start : start + BATCH]))
            for start in range(0, len(settings), BATCH)
        ]
        self.asked += len(settings)
        answers, probabilities = zip(*found, strict=True)
        return np.concatenate(answers), np.concatenate(probabilities)

    def _heard(self, waves) -> tuple[np.ndarray, np.ndarray]:
        """Name sounds as :func:`.ask` does, all in one forward pass.

        So the class is that of most patches; of a network that can hear several at once, the most
        probable of any patch.
        """
        cut = [self.model.frontend(wave, overlap=self.overlap, pad=True) for wave in waves]
        scores = self.model.scores(joined(cut)).reshape(len(cut), -1, len(self.model.labels))
        answers = np.full(len(cut), NOTHING)
        means = np.zeros((len(cut), len(self.model.labels)), np.float32)
        for row, patches in enumerate(cut):
            voted = voters(patches.levels)
            if voted.any():
                heard = scores[row, voted]
                answers[row] = majority(heard) if self.alone else heard.max(axis=0).argmax()
                means[row] = scores[row, voted].mean(axis=0, dtype=np.float64)
        return answers, means

    def change(
        self, setting: np.ndarray, within: float, flips: Callable, named: str
    ) -> Change | None:
        """Return a change with its sound, if the network asked again says that it flips.

        `named` is the class that is wanted; empty for any other.
        """
        sound = self.recipe(setting[None])[0]
        self.asked += 1
        if not flips(self._heard(sound[None])[0])[0]:
            return None
        moved = np.flatnonzero(setting != self.recipe.original)
        controls = tuple(self.recipe.controls[number] for number in moved)
        values = tuple(float(setting[number]) for number in moved)
        steps = sum(
            float(control.distance(value)) for control, value in zip(controls, values, strict=True)
        )
        wanted = [named] if named else []
        answer = ask(self.model, "changed", sound, wanted, overlap=self.overlap)
        return Change(controls, values, steps, float(within), setting, sound, answer)


def check(grid: int, tolerance: float, names: Sequence[str]) -> None:
    """Raise XaiAudioError for options of a search that make no sense."""
    if not is_count(grid, 3):
        raise XaiAudioError(f"grid is {grid!r}: a whole number of at least 3 is needed.")
    if not isinstance(tolerance, (int, float)) or not NEAR < tolerance < np.inf:
        raise XaiAudioError(
            f"tolerance is {tolerance!r}: a number of steps above {NEAR} is needed."
        )
    if isinstance(names, str) or not names:
        raise XaiAudioError(f"The controls are {names!r}: a list of at least one name is needed.")


def question(asker: Asker, target: str | int | None) -> tuple[Answer | Several, Callable]:
    """Return the answer to the sound as it is, and what is a flip of it."""
    recipe, model = asker.recipe, asker.model
    wave = recipe(recipe.original[None])[0]
    before = int(asker(recipe.original[None])[0][0])
    if before == NOTHING:
        raise XaiAudioError(f"{recipe.name} is silent as it is: there is no answer to change.")
    answer = ask(model, "as it is", wave, [], overlap=asker.overlap)
    if target is None:
        return answer, lambda answers: (answers != before) & (answers != NOTHING)
    wanted = model.index(target)
    if wanted == before:
        raise XaiAudioError(
            f"{model.name} hears {model.labels[wanted]!r} already: name another class, or none."
        )
    return answer, lambda answers: answers == wanted


def with_original(control: Control, grid: int) -> np.ndarray:
    """Return the values of a grid, the sound as it is among them and no other as good as it."""
    values = control.grid(grid)
    return np.union1d(values[control.distance(values) > NEAR], [control.value])
