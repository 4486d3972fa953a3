"""The sounds that go on, each with the physics of its class."""

import numpy as np
import pytest
from made_sounds import Fixed, centroid, smooth
from scipy.signal import hilbert

from xaiaudio.synthesis import beds, dsp


def _envelope_lines(wave, low, high):
    """Frequencies and strengths of the loudness's own periodicity."""
    loud = np.abs(hilbert(wave)) ** 0.5
    loud = np.interp(np.arange(0, len(wave), 160), np.arange(len(wave)), smooth(loud, 160))
    lines = np.abs(np.fft.rfft((loud - loud.mean()) * np.hanning(len(loud)), 8192))
    hertz = np.fft.rfftfreq(8192, 0.01)
    inside = (hertz >= low) & (hertz <= high)
    return hertz[inside], lines[inside]


@pytest.mark.slow
@pytest.mark.parametrize("rate", [9.0, 14.0, 19.0])
def test_a_helicopters_loudness_beats_at_its_blade_rate(rate):
    wave = beds.helicopter(Fixed(1, uniform=[rate]))
    hertz, lines = _envelope_lines(wave, 6, 25)
    assert hertz[lines.argmax()] == pytest.approx(rate, rel=0.08)  # Doppler moves it by up to 6 %


@pytest.mark.slow
def test_crackles_come_at_random_and_waves_come_slowly():
    def burstiness(wave):
        loud = np.sqrt(np.square(wave).reshape(-1, 160).mean(axis=1))
        return loud.max() / np.median(loud)

    fire = [burstiness(beds.fire_crackling(np.random.default_rng(seed))) for seed in range(6)]
    sea = [burstiness(beds.sea_waves(np.random.default_rng(seed))) for seed in range(6)]
    assert min(fire) > max(sea)
    gaps = np.diff(dsp.poisson_times(np.random.default_rng(0), 50, 100))
    assert gaps.std() == pytest.approx(gaps.mean(), rel=0.1)  # as for any Poisson process


@pytest.mark.slow
def test_rain_is_brighter_than_helicopters_and_the_sea():
    centre = {
        make: np.median([centroid(make(np.random.default_rng(seed))) for seed in range(7)])
        for make in (beds.rain, beds.sea_waves, beds.helicopter)
    }
    assert centre[beds.rain] > 1.5 * centre[beds.sea_waves]
    assert centre[beds.sea_waves] > centre[beds.helicopter]
