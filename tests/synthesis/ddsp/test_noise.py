"""The noise against its definition in loops, and what must hold for any noise."""

import numpy as np
import pytest
import tensorflow as tf

from xaiaudio.synthesis.ddsp import noise
from xaiaudio.synthesis.ddsp.controls import Controls
from xaiaudio.synthesis.ddsp.synthesiser import synthesise


def plain(wave, magnitudes, hop):
    """Each sample starts its frame's filter, tap by tap."""
    bands = magnitudes.shape[1]
    size = 2 * (bands - 1)
    out = np.zeros(len(wave))
    for n, value in enumerate(wave):
        row = magnitudes[n // hop]
        for tap in range(-size // 2, size // 2):
            answer = row[0] + row[-1] * np.cos(np.pi * tap)
            for band in range(1, bands - 1):
                answer += 2 * row[band] * np.cos(2 * np.pi * band * tap / size)
            answer *= (0.5 + 0.5 * np.cos(2 * np.pi * tap / size)) / size
            if 0 <= n + tap < len(out):
                out[n + tap] += value * answer
    return out


def test_filtered_noise_is_what_its_definition_says():
    rng = np.random.default_rng(0)
    wave, magnitudes = rng.uniform(-1, 1, 80), rng.uniform(0, 1, (5, 9))
    found = noise.shaped(tf.constant(wave), tf.constant(magnitudes), hop=16)
    assert np.allclose(found, plain(wave, magnitudes, 16), atol=1e-12)


def test_noise_is_seeded_and_white():
    one, two = (noise.white(160_000, [seed, 0]).numpy() for seed in (0, 1))
    assert np.array_equal(one, noise.white(160_000, [0, 0])) and not np.array_equal(one, two)
    assert np.abs(one).max() <= 1 and np.mean(one**2) == pytest.approx(1 / 3, rel=0.02)
    assert abs(np.mean(one[1:] * one[:-1])) < 0.01


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
