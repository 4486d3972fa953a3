"""Loudness is the level where a sound is no pause, and no gain clips."""

import numpy as np
import pytest

from xaiaudio.sonify.loudness import gain_to_match, loudness

RATE = 16_000


def noise(samples, level, seed=0):
    return level * np.random.default_rng(seed).normal(size=samples)


@pytest.mark.parametrize("samples", [1, 799, 1600, 16_000, 16_123])
def test_loudness_is_the_mean_power_of_the_pieces_that_are_no_pause(samples):
    wave = noise(samples, 0.1) * np.linspace(0, 1, samples) ** 4 + 1e-6
    powers = [np.mean(wave[i : i + 1600] ** 2) for i in range(0, samples, 1600)]
    loud = [power for power in powers if power >= np.mean(powers) / 10]  # the plain definition
    assert loudness(wave, RATE) == pytest.approx(10 * np.log10(np.mean(loud)))


def test_pauses_do_not_make_a_sound_less_loud():
    event = noise(8000, 0.1)
    with_pause = np.concatenate([event, np.zeros(72_000)])
    assert loudness(with_pause, RATE) == pytest.approx(loudness(event, RATE))
    assert loudness(np.zeros(100), RATE) == -np.inf


@pytest.mark.parametrize("level", [1e-4, 0.01, 0.3])
def test_the_gain_makes_it_as_loud_as_far_as_it_does_not_clip(level):
    other, wave = noise(16_000, 0.1, 1), noise(16_000, level)
    gain = gain_to_match(wave, other, RATE)
    louder = wave * 10 ** (gain / 20)
    assert np.abs(louder).max() <= 1 + 1e-9
    assert loudness(louder, RATE) == pytest.approx(loudness(other, RATE), abs=1e-6)
    click = np.zeros(16_000)
    click[100] = 0.5
    assert gain_to_match(click, other, RATE) == pytest.approx(20 * np.log10(2))


def test_silence_stays_silence():
    assert gain_to_match(np.zeros(100), np.ones(100), RATE) == 0.0
    assert gain_to_match(np.full(100, 1e-9), np.ones(100), RATE) == 0.0
