"""What probes have read, as numbers and as rows of a table."""

import numpy as np
import pytest

from xaiaudio.evaluate.benchmark.bootstrap import Interval
from xaiaudio.probes.readings import Knowledge, Reading


def reading(low, mean, high, *, chance=0.25, majority=0.4, measure="accuracy"):
    score = Interval(mean, low, high, 12)
    return Reading(measure, score, chance, majority, np.array([mean]), np.zeros(3, int))


@pytest.mark.parametrize(
    ("low", "majority", "above"),
    [(0.5, 0.4, True), (0.3, 0.4, False), (0.4, 0.4, False), (0.3, 0.1, True), (0.2, 0.1, False)],
)
def test_the_whole_interval_must_exceed_both_ways_of_guessing(low, majority, above):
    assert reading(low, 0.6, 0.8, majority=majority).above_chance is above


def test_a_row_holds_plain_numbers():
    (row,) = reading(0.5, 0.6, 0.7).table()
    assert row == {
        "measure": "accuracy",
        "score": 0.6,
        "low": 0.5,
        "high": 0.7,
        "chance": 0.25,
        "majority": 0.4,
        "recordings": 12,
        "above_chance": True,
    }


@pytest.fixture
def knowledge():
    nothing = reading(np.nan, np.nan, np.nan, measure="R2")
    readings = {
        "label": (reading(0.1, 0.2, 0.3), reading(0.4, 0.5, 0.6), reading(0.3, 0.4, 0.9)),
        "pitch": (nothing, reading(-0.2, -0.1, 0.0, measure="R2"), nothing),
    }
    return Knowledge(("first", "second", "third"), readings)


def test_a_curve_has_lower_end_score_and_upper_end_by_layer(knowledge):
    np.testing.assert_array_equal(
        knowledge.curve("label"), [[0.1, 0.2, 0.3], [0.4, 0.5, 0.6], [0.3, 0.4, 0.9]]
    )


def test_the_best_layer_has_the_highest_score_and_not_the_highest_end(knowledge):
    assert knowledge.best("label") == 1
    assert knowledge.best("pitch") == 1  # the others have no score


def test_a_table_has_a_row_for_each_property_and_layer(knowledge):
    rows = knowledge.table()
    assert [(row["property"], row["layer"]) for row in rows] == [
        (name, layer) for name in ("label", "pitch") for layer in ("first", "second", "third")
    ]
    assert [row["score"] for row in rows[:3]] == [0.2, 0.5, 0.4] and rows[4]["measure"] == "R2"
