"""The tone against its definition in loops, and what must hold for any tone."""

import math

import numpy as np
import pytest
import tensorflow as tf

from xaiaudio.synthesis.ddsp import harmonic

RATE = 16_000


def plain(pitch, amplitude, weights, hop):
    """The tone, sample by sample: overlapping Hann windows, and a phase that is summed up."""
    frames, count = weights.shape
    pitch, amplitude = [*pitch, pitch[-1]], [*amplitude, amplitude[-1]]
    rows = [list(row) for row in weights] + [list(weights[-1])]
    heights = []
    for f0, loud, row in zip(pitch, amplitude, rows, strict=True):
        heard = [w if (k + 1) * f0 < RATE / 2 else 0.0 for k, w in enumerate(row)]
        total = sum(heard)
        heights.append([loud * w / total if total else 0.0 for w in heard])
    wave, phase = [], 0.0
    for n in range(frames * hop):
        value, frame, share = 0.0, n // hop, (n % hop) / hop
        now = pitch[frame] * (1 - share) + pitch[frame + 1] * share
        for k in range(count):
            height = 0.0
            for frame in range(frames + 1):
                off = n - frame * hop
                if -hop < off < hop:  # a Hann window around the frame
                    height += heights[frame][k] * (0.5 + 0.5 * math.cos(math.pi * off / hop))
            if (k + 1) * now < RATE / 2:
                value += height * math.sin((k + 1) * phase)
        wave.append(value)
        phase += 2 * math.pi * now / RATE
    return np.array(wave)


@pytest.mark.slow
def test_the_tone_is_what_its_definition_says():
    rng = np.random.default_rng(0)
    pitch, amplitude = rng.uniform(300, 2500, 6), rng.uniform(0, 1, 6)
    weights = rng.uniform(0, 1, (6, 7))
    found = harmonic.tone(*(tf.constant(x) for x in (pitch, amplitude, weights)), hop=16)
    assert np.allclose(found, plain(pitch, amplitude, weights, 16), atol=1e-11)


def test_exp_sigmoid_has_the_values_of_the_paper():
    wanted = [2 * (1 / (1 + math.exp(-x))) ** math.log(10) + 1e-7 for x in (-5, 0, 3)]
    found = harmonic.exp_sigmoid(tf.constant([-5.0, 0.0, 3.0], tf.float64)).numpy()
    assert np.allclose(found, wanted, rtol=1e-12)
    assert found[1] == pytest.approx(0.405399, abs=1e-6)
    assert found[0] == pytest.approx(1.979e-5, abs=1e-8)
    assert float(harmonic.exp_sigmoid(tf.constant(200.0))) == pytest.approx(2, abs=1e-6)
    assert float(harmonic.exp_sigmoid(tf.constant(-200.0))) > 0


def test_eighteen_harmonics_of_440_hertz_are_heard_and_sum_to_one():
    weights = tf.random.stateless_uniform((3, 60), [0, 0])
    shares = harmonic.distribution(weights, tf.fill([3], 440.0))
    assert ((shares.numpy() > 0).sum(axis=1) == 18).all()
    assert np.allclose(shares.numpy().sum(axis=1), 1)
    silent = harmonic.distribution(tf.ones((1, 4)), tf.constant([9000.0]))
    assert not silent.numpy().any()  # and no number that is none


@pytest.mark.parametrize("frames", [2, 5])
def test_a_harmonic_that_glides_past_half_the_rate_is_silent_from_there(frames):
    pitch = tf.constant(np.linspace(3000.0, 5000.0, frames))
    waves = harmonic.oscillators(pitch, 2, hop=64).numpy()
    hertz = 2 * np.interp(np.arange(frames * 64), 64 * np.arange(frames), pitch)
    heard, second = waves[..., 1].ravel(), hertz < RATE / 2
    phase = 2 * np.pi * np.cumsum(np.r_[0, hertz[:-1]]) / RATE
    assert np.allclose(heard[second], np.sin(phase[second]), atol=1e-9)
    assert not second.all() and not heard[~second].any()
    assert np.abs(waves[..., 0]).max() > 0.9  # the fundamental goes on
    back = harmonic.oscillators(pitch[::-1], 2, hop=64).numpy()[..., 1].ravel()
    assert not back[:32].any() and back[-64:].any()


def test_summed_up_in_float32_the_phase_would_go_wrong():
    step = np.float32(2 * np.pi * 440 / RATE)
    naive = np.cumsum(np.full(160_000, step), dtype=np.float32)
    error = np.abs(naive - 2 * np.pi * 440 * np.arange(1, 160_001) / RATE)
    assert error[64_000] > 1 and error[-1] > 10
    ours = harmonic.turns(tf.fill([2500], 440.0)).numpy().ravel()
    off = ours - (440 * np.arange(160_000) / RATE) % 1
    assert np.abs(off - np.round(off)).max() * 2 * np.pi < 1e-6


@pytest.mark.slow
def test_gradients_reach_all_controls_and_are_finite():
    values = [tf.fill([8], 440.0), tf.zeros([8]), tf.zeros((8, 30))]
    with tf.GradientTape() as tape:
        tape.watch(values)
        wave = harmonic.tone(*values)
        loss = tf.reduce_sum(wave * tf.sin(tf.range(512, dtype=tf.float32)))
    for gradient in tape.gradient(loss, values):
        assert np.isfinite(gradient).all()


def test_the_gradient_of_the_pitch_is_that_of_a_difference():
    other = tf.sin(tf.range(512, dtype=tf.float64) / 3)

    def loss(pitch):
        amplitude, weights = tf.ones([8], tf.float64), tf.ones((8, 3), tf.float64)
        return tf.reduce_sum(harmonic.tone(pitch, amplitude, weights) * other)

    pitch = tf.constant(np.linspace(400, 450, 8))
    with tf.GradientTape() as tape:
        tape.watch(pitch)
        value = loss(pitch)
    step = np.zeros(8)
    step[3] = 1e-4
    slope = float(loss(pitch + step) - loss(pitch - step)) / 2e-4
    assert float(tape.gradient(value, pitch)[3]) == pytest.approx(slope, rel=1e-5)
