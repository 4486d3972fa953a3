"""Differences in differences, by hand and in the long run."""

import numpy as np
import pytest

from xaiaudio.errors import XaiAudioError
from xaiaudio.evaluate.experiments.provenance import double_difference


def test_what_both_sides_share_goes():
    rng = np.random.default_rng(0)
    full, touched = rng.random(50), np.arange(50) < 20
    assert double_difference(full, full + 0.3, touched).mean == pytest.approx(0)
    found = double_difference(full, full + 0.3 + 0.2 * touched, touched)
    assert found.ends == pytest.approx((0.2, 0.2, 0.2))


def test_against_the_plain_definition():
    rng = np.random.default_rng(1)
    full, without = rng.random((2, 30))
    touched = rng.random(30) < 0.4
    rises = [[], []]
    for before, after, side in zip(full, without, touched, strict=True):
        rises[int(side)].append(after - before)
    found = double_difference(full, without, touched)
    assert found.mean == pytest.approx(np.mean(rises[1]) - np.mean(rises[0]))
    assert found.low < found.mean < found.high


@pytest.mark.slow
def test_intervals_hold_zero_where_there_is_nothing():
    rng = np.random.default_rng(2)
    held = 0
    for _ in range(100):
        full, without = rng.random((2, 80))
        found = double_difference(full, without, np.arange(80) < 30)
        held += found.low <= 0 <= found.high
    assert 85 <= held <= 100


def test_both_sides_are_needed():
    with pytest.raises(XaiAudioError, match="and others"):
        double_difference([0, 1], [0, 1], [True, True])
    with pytest.raises(XaiAudioError, match="one each"):
        double_difference([0, 1], [0], [True, False])
    for level in (0.0, 1.5):
        with pytest.raises(XaiAudioError, match="between 0 and 1"):
            double_difference([0, 1], [0, 1], [True, False], level=level)
    with pytest.raises(XaiAudioError, match="NaN or infinite"):
        double_difference([0, np.nan], [0, 1], [True, False])
