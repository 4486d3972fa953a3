"""The noise against its definition in loops, and what must hold for any noise."""

import numpy as np
import pytest
import tensorflow as tf

from xaiaudio.synthesis.ddsp import noise


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
