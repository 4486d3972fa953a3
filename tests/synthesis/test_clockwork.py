"""The clock: its knocks, and how often it ticks."""

import numpy as np
import pytest
from made_sounds import Fixed, smooth

from xaiaudio.synthesis import animal_voices, clockwork, dsp

RATE = dsp.RATE


@pytest.mark.slow
def test_a_tick_is_three_knocks_and_gone_within_a_tenth_of_a_second():
    for seed in range(5):
        times, heights = clockwork._knocks(np.random.default_rng(seed))
        assert (np.diff(times) > 0).all()
        assert times[2] < 0.03
        assert heights.argmax() == 2
        wave = clockwork.clock_tick(Fixed(seed, choice=[1.0]))
        loud = smooth(wave**2, 160)
        assert (loud > 0.01 * loud.max()).mean() < 0.12


@pytest.mark.parametrize("rate", [1.0, 2.0, 4.0])
def test_a_clock_ticks_at_its_rate(rate):
    wave = animal_voices.clock_tick(Fixed(2, choice=[rate]))
    loud = smooth(wave**2, 800)
    quiet = 0.05 * loud.max()
    ticks = np.flatnonzero((loud[1:] > quiet) & (loud[:-1] <= quiet)) / RATE
    ticks = ticks[np.append(True, np.diff(ticks) > 0.12)]  # the second click of a tick
    assert np.diff(ticks).mean() == pytest.approx(1 / rate, rel=0.1)
