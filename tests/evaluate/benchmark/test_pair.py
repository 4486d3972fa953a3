"""Two rows are told apart where the whole interval lies on one side of 0."""

import numpy as np
import pytest
from made_boards import board_of_clips

from xaiaudio.evaluate.benchmark.bootstrap import Interval
from xaiaudio.evaluate.benchmark.pair import Pair


def test_a_pair_without_an_answer_is_not_decided():
    (pair,) = board_of_clips({"a": [1.0] * 6, "b": [np.nan] * 6}).pairs("m")
    assert not pair.decided and not pair.apart and pair.better == ""


@pytest.mark.parametrize(
    ("low", "high", "decided"),
    [(0.1, 2, True), (-2, -0.1, True), (-1, 2, False), (0, 2, False), (-np.inf, np.inf, False)],
)
def test_only_an_interval_without_zero_decides(low, high, decided):
    assert Pair("a", "b", Interval(1.0, low, high, 9), apart=False, better="").decided is decided
