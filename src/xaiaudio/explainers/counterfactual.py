"""Counterfactual sounds: the smallest change of one control after which a network hears otherwise.

A saliency map says where a network looks. A counterfactual says what would have to be different,
in hertz or decibels, and can be played. The sound has controls (:mod:`xaiaudio.synthesis.recipes`
makes one, :mod:`xaiaudio.synthesis.edits` gives a recording some), and the network is only asked.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ..errors import XaiAudioError
from ..synthesis.controls import Control, Recipe
from .changes import Change, Counterfactuals, Curve, Together
from .engines.settings import Asker, check, question, with_original

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..models.classifier import AudioClassifier


def counterfactuals(
    model: AudioClassifier,
    recipe: Recipe,
    target: str | int | None = None,
    *,
    controls: Sequence[str] | None = None,
    grid: int = 25,
    tolerance: float = 0.1,
    overlap: float | None = None,
) -> Counterfactuals:
    """Find, for each control of a sound, the smallest change that changes a network's answer.

    The control goes through a grid over its range. From the sound as it is outwards, on both
    sides, the first value that flips and its neighbour that does not are bisected. Answers need
    not be monotone: the flip nearest on the grid counts, whatever comes after it. What is
    returned was asked again, alone: a change that the network does not confirm is not reported.

    Parameters
    ----------
    model : AudioClassifier
        Only asked. Its answer to a sound is that of `predict_clip`; of a network that can hear
        several classes at once, the class that is the most probable in any patch.
    recipe : Recipe
        The sound and its controls.
    target : str or int, optional
        The class that is to be heard; by default any other than now.
    controls : sequence of str, optional
        Those to move; all by default.
    grid : int
        Values over the range of a control, at equal steps; at least 3.
    tolerance : float
        Steps to which the smallest change is found, above 0.
    overlap : float, optional
        Of the patches; by default the front end's own.

    Returns
    -------
    Counterfactuals

    Raises
    ------
    XaiAudioError
        If the target is heard already, the sound is silent, or an option makes no sense; and as
        the recipe.

    References
    ----------
    .. [1] S. Wachter, B. Mittelstadt, C. Russell, "Counterfactual Explanations without Opening the
       Black Box", Harvard Journal of Law & Technology 31(2), 2018.

    Examples
    --------
    >>> import numpy as np, xaiaudio as xa
    >>> from xaiaudio.explainers.counterfactual import counterfactuals
    >>> from xaiaudio.synthesis.recipes import clock
    >>> def loud(waves):
    ...     peaks = np.abs(waves).max(axis=1)
    ...     return np.stack([peaks > 0.5, peaks <= 0.5], axis=1)
    >>> model = xa.AudioClassifier.from_function(loud, ["loud", "soft"], 16_000, seconds=5)
    >>> found = counterfactuals(model, clock(), controls=["level"])
    >>> round(found.changes["level"].values[0])  # from -12 dB
    -6
    """
    asker = Asker(model, recipe, overlap)
    check(grid, tolerance, recipe.names if controls is None else controls)
    names = recipe.names if controls is None else tuple(controls)
    before, flips = question(asker, target)
    chosen = [recipe.index(name) for name in names]
    curves = _curves(asker, chosen, grid)
    brackets = [
        found
        for number, curve in zip(chosen, curves, strict=True)
        for found in _brackets(number, curve, flips)
    ]
    _bisect(asker, brackets, flips, tolerance)
    named = "" if target is None else model.labels[model.index(target)]
    changes: dict[str, Change | None] = dict.fromkeys(names)
    for found in sorted(brackets, key=lambda found: -found.steps):  # the smallest one is the last
        control = recipe.controls[found.number]
        setting = recipe.setting(**{control.name: float(control.at(found.flips))})
        change = asker.change(setting, found.width, flips, named)
        changes[control.name] = change or changes[control.name]
    return Counterfactuals(
        recipe=recipe,
        labels=model.labels,
        original=recipe(recipe.original[None])[0],
        answer=before,
        target=named,
        changes=changes,
        curves=dict(zip(names, curves, strict=True)),
        spacing={
            name: float(np.ptp(control.places([control.low, control.high])) / (grid - 1))
            for name, control in ((name, recipe.controls[recipe.index(name)]) for name in names)
        },
        asked=asker.asked,
    )


def together(
    model: AudioClassifier,
    recipe: Recipe,
    names: tuple[str, str],
    target: str | int | None = None,
    *,
    grid: int = 11,
    tolerance: float = 0.1,
    overlap: float | None = None,
) -> Together:
    """Find a small change of two controls at once that changes a network's answer.

    Of all settings of a grid in which *both* are moved, the one of fewest steps that flips is
    taken, and then each control in turn is moved back as far as the answer lets it. So neither
    alone can be moved back further; that nothing else is smaller is not promised. Where one of them
    turns out to be enough, the other is moved back for good.

    Parameters
    ----------
    model, recipe, target, tolerance, overlap
        As of :func:`counterfactuals`.
    names : (str, str)
        Two controls.
    grid : int
        Values over the range of each.

    Returns
    -------
    Together

    Raises
    ------
    XaiAudioError
        As :func:`counterfactuals`.
    """
    asker = Asker(model, recipe, overlap)
    check(grid, tolerance, names)
    if len(names) != 2 or names[0] == names[1]:
        raise XaiAudioError(f"names is {names!r}: two different controls are needed.")
    _, flips = question(asker, target)
    numbers = [recipe.index(name) for name in names]
    pair = (recipe.controls[numbers[0]], recipe.controls[numbers[1]])
    values = tuple(with_original(control, grid) for control in pair)
    settings = np.tile(recipe.original, (len(values[0]), len(values[1]), 1))
    settings[..., numbers[0]], settings[..., numbers[1]] = values[0][:, None], values[1]
    answers, probabilities = asker(settings.reshape(-1, len(recipe.controls)))
    answers = answers.reshape(settings.shape[:2])
    far = [control.distance(value) for control, value in zip(pair, values, strict=True)]
    steps = np.add.outer(*far)
    steps[~flips(answers) | np.logical_or.outer(far[0] == 0, far[1] == 0)] = np.inf
    change = None
    if np.isfinite(steps).any():
        setting = settings[np.unravel_index(steps.argmin(), steps.shape)]
        setting, within = _moved_back(asker, setting, numbers, flips, tolerance)
        named = "" if target is None else model.labels[model.index(target)]
        change = asker.change(setting, within, flips, named)
    shape = (*answers.shape, len(model.labels))
    return Together(pair, values, answers, probabilities.reshape(shape), model.labels, change)


def _curves(asker, numbers, grid) -> list[Curve]:
    """Ask about the grids of all controls at once."""
    recipe = asker.recipe
    values = [with_original(recipe.controls[number], grid) for number in numbers]
    rows = np.concatenate([np.full(len(one), k) for k, one in enumerate(values)])
    settings = np.tile(recipe.original, (len(rows), 1))
    settings[np.arange(len(rows)), np.asarray(numbers)[rows]] = np.concatenate(values)
    answers, probabilities = asker(settings)
    return [
        Curve(recipe.controls[number], one, answers[rows == k], probabilities[rows == k])
        for k, (number, one) in enumerate(zip(numbers, values, strict=True))
    ]


@dataclass
class _Bracket:
    """Two places on the scale of a control: one stays, one flips."""

    number: int
    control: Control
    stays: float
    flips: float

    @property
    def steps(self) -> float:
        return abs(self.flips - float(self.control.places(self.control.value)))

    @property
    def width(self) -> float:
        return abs(self.flips - self.stays)


def _brackets(number, curve, flips) -> list[_Bracket]:
    """Find the first flip on each side, from the sound as it is outwards."""
    flipped, places = flips(curve.answers), curve.control.places(curve.values)
    here = int(np.flatnonzero(curve.values == curve.control.value)[0])
    found = []
    for side, way in ((slice(None, here), -1), (slice(here + 1, None), 1)):
        on_this_side = flipped[side][::way]
        if on_this_side.any():
            one = here + way * (1 + int(on_this_side.argmax()))
            ends = float(places[one - way]), float(places[one])
            found.append(_Bracket(number, curve.control, *ends))
    return found


def _bisect(asker, brackets, flips, tolerance) -> None:
    """Halve all brackets at once until each is as narrow as asked."""
    while wide := [found for found in brackets if found.width > tolerance]:
        middles = [(found.stays + found.flips) / 2 for found in wide]
        settings = np.tile(asker.recipe.original, (len(wide), 1))
        for setting, found, middle in zip(settings, wide, middles, strict=True):
            setting[found.number] = found.control.at(middle)
        flipped = flips(asker(settings)[0])
        for found, middle, flip in zip(wide, middles, flipped, strict=True):
            if flip:
                found.flips = middle
            else:
                found.stays = middle


def _moved_back(asker, setting, numbers, flips, tolerance) -> tuple[np.ndarray, float]:
    """Move each control back as far as it still flips, and say how near it then stays."""
    recipe, setting, within = asker.recipe, setting.copy(), 0.0
    for number in (*numbers, *numbers):
        control = recipe.controls[number]
        stays, flipping = control.places([control.value, setting[number]])
        back = setting.copy()
        back[number] = control.value
        if flips(asker(back[None])[0])[0]:  # the other one is enough
            setting = back
            continue
        while abs(flipping - stays) > tolerance:
            back[number] = control.at((stays + flipping) / 2)
            if flips(asker(back[None])[0])[0]:
                flipping = (stays + flipping) / 2
                setting[number] = back[number]
            else:
                stays = (stays + flipping) / 2
        within = max(within, abs(float(flipping - stays)))
    return setting, within
