"""Changes of a sound as data: the smallest comes first, and what flips nothing last."""

from types import SimpleNamespace

import numpy as np
import pytest
from tone_recipes import tones

from xaiaudio.explainers.changes import Change, Counterfactuals
from xaiaudio.synthesis.controls import Control, Recipe

PITCH, HEIGHT = tones().controls
WIDTH = Control("width", "ms", 1, 9, 5, 1)
ORIGINAL = np.zeros(4, "float32")


def change(controls, values, steps, label):
    sound = np.full(4, steps, "float32")
    answer = SimpleNamespace(label=label)
    return Change(controls, values, steps, 0.1, np.zeros(3), sound, answer)


@pytest.fixture
def found():
    recipe = Recipe("tone", (PITCH, HEIGHT, WIDTH), tones().make, 8_000, 4)
    changes = {
        "pitch": change((PITCH,), (707.10678,), 6.0, "high"),
        "height": None,
        "width": change((WIDTH,), (7.0,), 2.0, "loud"),
    }
    answer = SimpleNamespace(label="low")
    return Counterfactuals(
        recipe, ("low", "high", "loud"), ORIGINAL, answer, "", changes, {}, {}, 99
    )


def test_a_change_says_what_becomes_of_each_control():
    one = change((PITCH, WIDTH), (707.10678, 7.0), 8.0, "high")
    assert str(one) == "pitch from 500 to 707.1 Hz, width from 5 to 7 ms"


def test_the_best_change_has_the_fewest_steps(found):
    assert found.best is found.changes["width"]
    nothing = Counterfactuals(
        found.recipe, found.labels, ORIGINAL, found.answer, "", {"pitch": None}, {}, {}, 9
    )
    assert nothing.best is None and list(nothing.sounds()) == ["as it is"]


def test_rows_stand_in_the_order_of_their_steps_and_what_flips_nothing_is_last(found):
    rows = found.table()
    assert [row["control"] for row in rows] == ["width", "pitch", "height"]
    assert rows[0] == {
        "control": "width",
        "unit": "ms",
        "from": 5,
        "to": 7.0,
        "steps": 2.0,
        "within": 0.1,
        "heard": "loud",
    }
    assert {rows[2][name] for name in ("to", "steps", "within", "heard")} == {None}
    assert rows[2]["from"] == HEIGHT.value


def test_each_counterfactual_is_a_sound_under_the_name_of_its_change(found):
    sounds = found.sounds()
    assert list(sounds) == ["as it is", "pitch from 500 to 707.1 Hz", "width from 5 to 7 ms"]
    assert sounds["as it is"] is ORIGINAL and sounds["width from 5 to 7 ms"][0] == 2
