"""A row of the leaderboard: its own values and notes, which nobody changes afterwards."""

import dataclasses

import numpy as np
import pytest

from xaiaudio.evaluate.benchmark.rows import Row


def test_a_row_that_could_not_be_measured_says_why_and_took_no_time():
    row = Row("gradcam", False, {}, error="It needs a convolution.")
    assert np.isnan(row.seconds) and row.error and not row.values and row.method == ""


def test_rows_do_not_share_their_notes_and_settings():
    one, other = Row("a", False, {}), Row("b", False, {})
    one.notes["mass"] = "the truth is not known"
    one.settings["seed"] = 3
    assert other.notes == {} and other.settings == {}


def test_a_row_is_not_changed_but_replaced():
    row = Row("a", False, {"m": np.ones(2)})
    with pytest.raises(dataclasses.FrozenInstanceError):
        row.name = "b"
    assert dataclasses.replace(row, name="b").values is row.values
