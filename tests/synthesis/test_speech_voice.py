"""Source and filter against textbooks: resonators, the tract, pulses."""

import numpy as np
import pytest
from scipy.signal import lfilter

from xaiaudio.synthesis import speech_voice

RATE = speech_voice.RATE


def test_a_filter_that_stands_still_is_the_textbook_resonator():
    wave = np.random.default_rng(0).standard_normal(3000)
    hertz, width = 700.0, 90.0
    radius = np.exp(-np.pi * width / RATE)
    bottom = [1, -2 * radius * np.cos(2 * np.pi * hertz / RATE), radius**2]
    response = speech_voice._response(speech_voice._resonance(hertz, width))
    heard = speech_voice.through(wave, 1 / response)
    expected = lfilter([sum(bottom)], bottom, wave)
    np.testing.assert_allclose(heard, expected, atol=1e-3 * np.abs(expected).max())


def test_the_tract_resonates_at_its_formants_and_the_nose_takes_away():
    formants = np.array([[500.0, 1500.0, 2500.0], [300.0, 2100.0, 3000.0]])
    mouth = np.abs(speech_voice.tract(formants, np.zeros(2), 1.0))
    hertz = np.fft.rfftfreq(speech_voice.FFT, 1 / RATE)
    np.testing.assert_allclose(mouth[:, 0], 1)
    for row, places in zip(mouth, formants, strict=True):
        peaks = hertz[1:-1][(row[1:-1] > row[:-2]) & (row[1:-1] > row[2:])]
        for place in places:
            assert np.abs(peaks - place).min() < 35
    open_nose = np.abs(speech_voice.tract(formants, np.ones(2), 1.0))
    high = (hertz > 1000) & (hertz < 4000)
    assert (open_nose[:, high].mean(axis=1) < 0.7 * mouth[:, high].mean(axis=1)).all()


def test_pulses_come_once_a_turn_and_fold_nothing_back():
    phase = np.arange(16_000) * 123.4 / RATE
    still = speech_voice.pulses(
        np.random.default_rng(0), phase, np.ones(16_000), jitter=0, shimmer=0
    )
    power = np.abs(np.fft.rfft(still * np.hanning(16_000))) ** 2
    lines = np.zeros(len(power), bool)
    for harmonic in range(70):
        middle = round(harmonic * 123.4)
        lines[max(middle - 3, 0) : middle + 4] = True
    power, lines = power[:7000], lines[:7000]  # next to 8 kHz nothing can be that steep
    assert power[~lines].sum() < 1e-4 * power.sum()
    assert still.sum() == pytest.approx(123.4, abs=1.5)
