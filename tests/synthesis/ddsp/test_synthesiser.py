"""The sound of controls: where its energy lies, how loud it is, and what is silent."""

import numpy as np
import pytest
from held_tones import held

from xaiaudio.synthesis.ddsp.controls import Controls
from xaiaudio.synthesis.ddsp.synthesiser import synthesise

RATE = 16_000


def test_ten_seconds_of_440_hertz_are_the_exact_sine():
    wave = synthesise(held(440, 1.0, frames=2500))
    exact = np.sin(2 * np.pi * 440 * np.arange(160_000) / RATE)
    assert np.abs(wave - exact).max() < 1e-5


@pytest.mark.parametrize("pitch", [110.0, 437.5, 1234.0])
def test_energy_lies_at_the_harmonics_alone(pitch):
    wave = synthesise(held(pitch, 0.5, np.ones(60)))[: 15 * 1024]
    power = np.abs(np.fft.rfft(wave * np.blackman(len(wave)))) ** 2
    hertz = np.fft.rfftfreq(len(wave), 1 / RATE)
    numbers = np.round(hertz / pitch)
    near = (np.abs(hertz - numbers * pitch) < 4) & (numbers >= 1) & (numbers * pitch < RATE / 2)
    assert power[~near].sum() < 1e-5 * power.sum()


def test_a_harmonic_that_cannot_be_heard_comes_back_nowhere():
    heights = np.zeros(60)
    heights[18:] = 1  # from 8,360 Hz on
    assert not synthesise(held(440, 0.5, heights)).any()
    many, few = (synthesise(held(440, 0.5, np.ones(count))) for count in (60, 18))
    assert np.allclose(many, few, atol=1e-6)


def test_the_peak_is_within_the_amplitude_and_no_amplitude_is_silence():
    rng = np.random.default_rng(1)
    for _ in range(5):
        wave = synthesise(held(rng.uniform(80, 2000), 0.3, rng.uniform(0, 1, 40), 50))
        assert np.abs(wave).max() <= 0.3 + 1e-6
    assert not synthesise(held(440, 0.0, np.ones(8))).any()


def hissing(magnitudes, frames=500):
    magnitudes = np.tile(np.asarray(magnitudes, float), (frames, 1))
    return Controls(np.full(frames, 440.0), np.zeros(frames), np.ones((frames, 1)), magnitudes)


def test_energy_goes_with_the_square_of_the_gain():
    row = np.random.default_rng(0).uniform(0, 0.1, 65)
    soft, loud = (synthesise(hissing(gain * row), seed=3) for gain in (1, 3))
    assert np.mean(loud**2) / np.mean(soft**2) == pytest.approx(9, rel=1e-4)
    assert np.array_equal(soft, synthesise(hissing(row), seed=3))
    assert not synthesise(hissing(np.zeros(65))).any()


def test_a_band_is_heard_where_it_lies():
    row = np.zeros(65)
    row[15:18] = 1  # 1,875 to 2,125 Hz
    wave = synthesise(hissing(row))
    power = np.abs(np.fft.rfft(wave)) ** 2
    hertz = np.fft.rfftfreq(len(wave), 1 / 16_000)
    inside = (hertz > 1500) & (hertz < 2500)
    assert power[inside].sum() > 0.98 * power.sum()
    assert (hertz * power).sum() / power.sum() == pytest.approx(2000, abs=40)
