"""The chainsaw: what repeats of it, what does not, and how fast it can run."""

import numpy as np
import pytest

from xaiaudio.synthesis import dsp, engines

RATE = dsp.RATE


def _likeness(wave, low, high, rate):
    """How alike a band of the wave is to itself one period later, 0 to 1."""
    band = dsp.filtered(wave, lambda hertz: (hertz > low) & (hertz < high))
    power = np.abs(np.fft.rfft(band)) ** 2
    alike = np.fft.irfft(power) / power.mean()
    lag = round(RATE / rate)
    return alike[lag - 2 : lag + 3].max() / alike[0]


@pytest.mark.slow
@pytest.mark.parametrize("rate", [60.0, 110.0, 200.0])
def test_a_chainsaw_repeats_at_its_firing_rate_below_and_is_noise_above(rate, monkeypatch):
    # The speed is held: an engine that is revved repeats nothing for long.
    steady = np.full(dsp.SAMPLES, rate), np.ones(dsp.SAMPLES)
    monkeypatch.setattr(engines, "_throttle", lambda rng: steady)
    waves = [engines.chainsaw(np.random.default_rng(seed)) for seed in range(4)]
    low = [_likeness(wave, 60, 600, rate) for wave in waves]
    high = [_likeness(wave, 5000, 7800, rate) for wave in waves]
    assert np.median(low) > 0.5
    assert np.median(high) < 0.35 * np.median(low)


@pytest.mark.slow
def test_a_chainsaws_speed_stays_within_what_its_engine_can_do():
    for seed in range(20):
        rate, load = engines._throttle(np.random.default_rng(seed))
        assert rate.shape == load.shape == (dsp.SAMPLES,)
        assert 35 <= rate.min() <= rate.max() <= 240
        # Masses turn: no more than a third faster or slower within a tenth of a second.
        assert np.abs(np.diff(np.log(rate[::1600]))).max() < 0.6
        assert 0.5 <= load.min() <= load.max() <= 1.001
        times = engines._firings(np.random.default_rng(seed), rate)
        assert len(times) == pytest.approx(rate.sum() / RATE, abs=2)
