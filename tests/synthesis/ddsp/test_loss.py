"""The spectral loss against its definition in loops, and what must hold for any two sounds."""

import numpy as np
import pytest
import tensorflow as tf

from xaiaudio.synthesis.ddsp.loss import SIZES, spectral_loss

RNG = np.random.default_rng(0)
ONE, OTHER = RNG.normal(0, 0.1, (2, 900))


def plain(one, other, sizes, log_weight):
    total = 0.0
    for size in sizes:
        hop, gaps, logs = size // 4, [], []
        for start in range(0, len(one), hop):
            heights = []
            for wave in (one, other):
                piece = list(wave[start : start + size])
                piece += [0.0] * (size - len(piece))
                row = []
                for bin_ in range(size // 2 + 1):
                    value = 0j
                    for n, sample in enumerate(piece):
                        window = 0.5 - 0.5 * np.cos(2 * np.pi * n / size)
                        value += sample * window * np.exp(-2j * np.pi * bin_ * n / size)
                    row.append(abs(value))
                heights.append(row)
            for a, b in zip(*heights, strict=True):
                gaps.append(abs(a - b))
                logs.append(abs(np.log(a + 1e-5) - np.log(b + 1e-5)))
        total += np.mean(gaps) + log_weight * np.mean(logs)
    return total


@pytest.mark.slow
@pytest.mark.parametrize("log_weight", [0.0, 1.0, 0.3])
def test_the_loss_is_what_its_definition_says(log_weight):
    one, other = ONE[:70], OTHER[:70]
    found = spectral_loss(one, other, sizes=(32, 16), log_weight=log_weight)
    assert float(found) == pytest.approx(plain(one, other, (32, 16), log_weight), rel=1e-10)


@pytest.mark.slow
def test_equal_sounds_have_no_loss_and_phases_do_not_count():
    assert SIZES == (2048, 1024, 512, 256, 128, 64)
    assert float(spectral_loss(ONE, ONE)) == 0 == float(spectral_loss(ONE, -ONE))
    assert float(spectral_loss(ONE, OTHER)) == float(spectral_loss(OTHER, ONE)) > 0


@pytest.mark.slow
def test_a_softer_sound_is_nearer_to_silence_down_to_nothing():
    """A logarithm that leaves tiny numbers alone would call 1e-20 less than nothing."""
    silence = np.zeros(900)
    losses = [float(spectral_loss(gain * ONE, silence)) for gain in 10.0 ** np.arange(0, -25, -2)]
    assert all(a > b for a, b in zip(losses[:8], losses[1:8], strict=False))
    assert all(a >= b for a, b in zip(losses, losses[1:], strict=False))
    assert losses[-1] < 1e-6


@pytest.mark.slow
@pytest.mark.parametrize("gain", [0.0, 1e-30, 1e-20, 1.0])
def test_gradients_are_finite_at_silence(gain):
    wave = tf.constant(gain * ONE, tf.float32)
    for other in (ONE, np.zeros(900)):
        with tf.GradientTape() as tape:
            tape.watch(wave)
            loss = spectral_loss(wave, other.astype(np.float32))
        gradient = tape.gradient(loss, wave).numpy()
        assert np.isfinite(gradient).all() and np.isfinite(float(loss))


@pytest.mark.slow
def test_the_gradient_is_that_of_a_difference():
    wave, step = tf.constant(ONE), np.zeros(900)
    step[321] = 1e-6
    with tf.GradientTape() as tape:
        tape.watch(wave)
        loss = spectral_loss(wave, OTHER)
    slope = float(spectral_loss(ONE + step, OTHER) - spectral_loss(ONE - step, OTHER)) / 2e-6
    assert float(tape.gradient(loss, wave)[321]) == pytest.approx(slope, rel=1e-4)
