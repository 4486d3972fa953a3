"""Sounds with controls: scales, ranges, and that a control changes what its name says."""

import numpy as np
import pytest

from xaiaudio import XaiAudioError
from xaiaudio.synthesis import recipes
from xaiaudio.synthesis.controls import Control, Recipe

RATE = 16_000


@pytest.mark.parametrize("control", [
    Control("a", "dB", -40, 10, -3, 2.0),
    Control("b", "Hz", 100, 3000, 400, 2 ** (1 / 12), log=True),
])  # fmt: skip
def test_places_are_counted_in_steps(control):
    values = control.grid(9)
    assert values[0] == pytest.approx(control.low) and values[-1] == pytest.approx(control.high)
    assert ((values >= control.low) & (values <= control.high)).all()
    np.testing.assert_allclose(control.at(control.places(values)), values)
    np.testing.assert_allclose(np.diff(control.places(values), 2), 0, atol=1e-9)
    one_more = control.value * control.step if control.log else control.value + control.step
    assert control.distance(one_more) == pytest.approx(1)
    assert control.distance(control.value) == 0
    for far, end in ((1e9, control.high), (-1e9, control.low)):
        assert control.at(far) == pytest.approx(end)
        assert control.low <= control.at(far) <= control.high


@pytest.mark.parametrize("numbers, log, message", [
    ((0, 1, 2, 1), False, "must lie in it"),
    ((0, 1, np.nan, 1), False, "must lie in it"),
    ((0, 1, 0.5, 0), False, "a step above 0"),
    ((1, 2, 1, 1), True, "a step above 1"),
    ((0, 2, 1, 2), True, "must begin above 0"),
    ((1, 1, 1, 2), False, "more than one value"),
])  # fmt: skip
def test_a_control_makes_sense(numbers, log, message):
    with pytest.raises(XaiAudioError, match=message):
        Control("pitch", "Hz", *numbers, log=log)


@pytest.mark.parametrize("settings, message", [
    ([[1.0, 2.0]], "takes .n, 5.: rate, brightness"),
    ([2.0] * 5, "takes .n, 5."),
    (np.zeros((0, 5)), "one row at least"),
    ([[99.0, 5000, 6, -50, -12]], "rate is 99 /s, but clock takes 0.5 to 24"),
    ([[np.nan, 5000, 6, -50, -12]], "rate is nan /s"),
])  # fmt: skip
def test_wrong_settings(settings, message):
    with pytest.raises(XaiAudioError, match=message):
        recipes.clock()(settings)


def test_an_unknown_control_is_named():
    with pytest.raises(XaiAudioError, match=r"no control 'rat' \(did you mean 'rate'"):
        recipes.clock().setting(rat=3)


@pytest.mark.parametrize("make, message", [
    (lambda settings: np.zeros((len(settings), 99)), r"shape \(2, 99\) for 2 settings: \(2, 100\)"),
    (lambda settings: np.full((2, 100), np.nan), "made NaN or infinity at a 1"),
])  # fmt: skip
def test_a_recipe_that_breaks_its_promise(make, message):
    recipe = Recipe("broken", (Control("a", "dB", 0, 2, 1, 1.0),), make, RATE, 100)
    with pytest.raises(XaiAudioError, match=message):
        recipe([[1.0], [2.0]])
