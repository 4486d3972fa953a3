import numpy as np
import pytest

from xaiaudio import XaiAudioError
from xaiaudio.evaluate.benchmark.bootstrap import interval


def test_a_clip_counts_once_however_many_patches_it_has():
    found = interval([0.0, 0.0, 0.0, 1.0], ["long", "long", "long", "short"])
    assert (found.mean, found.n) == (0.5, 2)
    assert (found.low, found.high) == (0.0, 1.0)


def test_its_ends_are_what_a_chart_of_intervals_draws():
    found = interval([0.0, 1.0, 1.0, 1.0])
    assert found.ends == (found.low, found.mean, found.high)


def test_missing_values_are_left_out():
    found = interval([1.0, np.nan, 3.0], ["a", "b", "c"])
    assert (found.mean, found.n) == (2.0, 2)
    nothing = interval([np.nan])
    assert nothing.n == 0 and np.isnan(nothing.mean) and np.isnan(nothing.low)


@pytest.mark.slow
def test_it_covers_the_true_mean_about_as_often_as_it_says():
    random = np.random.default_rng(0)
    covered = 0
    for trial in range(200):
        found = interval(random.exponential(size=40), level=0.9, seed=trial)
        covered += found.low <= 1 <= found.high
    assert 0.8 <= covered / 200 <= 0.95


def test_more_clips_make_it_narrower_and_the_seed_repeats_it():
    values = np.random.default_rng(1).normal(size=400)
    few, many = interval(values[:25]), interval(values)
    assert many.high - many.low < 0.5 * (few.high - few.low)
    assert interval(values, seed=3) == interval(values, seed=3) != interval(values, seed=4)
    assert str(many).startswith(f"{many.mean:.3g} [")


def test_bad_input_is_told():
    with pytest.raises(XaiAudioError, match="one"):
        interval([1.0, 2.0], ["a"])
    with pytest.raises(XaiAudioError, match="level is 95"):
        interval([1.0], level=95)
