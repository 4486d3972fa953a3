"""The front end in TensorFlow against the front end."""

import dataclasses

import numpy as np
import pytest
import tensorflow as tf

from xaiaudio import LogMel
from xaiaudio.models import differentiable

RANDOM = np.random.default_rng(0)
FRONTENDS = [
    LogMel.vggish(overlap=0.75),
    LogMel.yamnet(),
    LogMel(window=333, hop=97, fft=600, bands=23, fmin=60, fmax=7000, frames=31, overlap=0.4),
    LogMel.librosa(sample_rate=16_000, fft=512, hop=128, bands=40, frames=50, overlap=0.3),
    LogMel.librosa(
        sample_rate=16_000,
        fft=600,
        window=400,
        ref="max",
        top_db=50.0,
        bands=30,
        pad_mode="reflect",
        frames=20,
    ).with_overlap(0.5),
    LogMel.librosa(sample_rate=16_000, fft=512, window=333, hop=128, frames=9, centred=False),
    LogMel(decibels=True, ref=2.0, amin=1e-4, top_db=None, centred=True, frames=20, scale=2.0),
]


def sounds(samples=24_321):
    """Return noise, a click in silence, and a tone that fades."""
    seconds = np.arange(samples) / 16_000
    click = np.zeros(samples)
    click[samples // 2] = 1
    tone = 0.1 * np.sin(2 * np.pi * 440 * seconds) * np.exp(-3 * seconds)
    return np.stack([RANDOM.normal(0, 0.1, samples), click, tone]).astype("float32")


@pytest.mark.slow
@pytest.mark.parametrize("frontend", FRONTENDS)
def test_it_gives_the_patches_of_the_front_end(frontend):
    waves = sounds()
    found = differentiable.patches(waves, frontend).numpy()
    expected = np.stack([frontend(wave) for wave in waves])
    np.testing.assert_allclose(found, expected, atol=1e-4)
    rows = np.stack([frontend.spectrogram(wave) for wave in waves])
    np.testing.assert_allclose(differentiable.spectrogram(waves, frontend), rows, atol=1e-4)


@pytest.mark.slow
def test_some_of_the_patches():
    frontend = FRONTENDS[0]
    waves = sounds()
    whole = differentiable.patches(waves, frontend).numpy()
    for first in range(4):
        some = differentiable.patches(waves, frontend, first, 4).numpy()
        np.testing.assert_array_equal(some, whole[:, first::4])


@pytest.mark.slow
def test_its_gradient_is_the_slope():
    rng = np.random.default_rng(6)  # its own: which tests ran before must not matter
    frontend = dataclasses.replace(FRONTENDS[2], frames=3, overlap=0.0)
    wave = rng.normal(0, 0.2, (1, frontend.min_samples)).astype("float32")
    way = rng.normal(size=wave.shape).astype("float32")
    weights = rng.normal(size=(1, 1, 3, frontend.bands)).astype("float32")
    with tf.GradientTape() as tape:
        given = tf.constant(wave)
        tape.watch(given)
        value = tf.reduce_sum(differentiable.patches(given, frontend) * weights)
    slope = float((tape.gradient(value, given).numpy() * way).sum())
    # In double precision, from the front end itself.
    ends = [
        (frontend((wave + h * way)[0]).values[None].astype(float) * weights).sum()
        for h in (2e-4, -2e-4)
    ]
    assert slope == pytest.approx((ends[0] - ends[1]) / 4e-4, rel=2e-2)


def test_silence_has_no_gradient_and_no_nan():
    frontend = FRONTENDS[0]
    with tf.GradientTape() as tape:
        given = tf.zeros((1, frontend.min_samples))
        tape.watch(given)
        value = tf.reduce_sum(differentiable.patches(given, frontend))
    np.testing.assert_array_equal(tape.gradient(value, given), 0)


@pytest.mark.slow
@pytest.mark.parametrize("frontend", FRONTENDS)
def test_magnitudes_are_those_of_the_windows(frontend):
    waves = sounds()
    found = differentiable.magnitudes(waves, frontend).numpy()
    window, hop = frontend.window, frontend.hop
    length = frontend.hann or window
    shape = np.zeros(window)
    first = (window - length) // 2
    shape[first : first + length] = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(length) / length)
    for wave, heights in zip(waves, found, strict=True):
        if frontend.centred:
            ends = (frontend.samples_before, window - frontend.samples_before)
            wave = np.pad(wave, ends, mode=frontend.pad_mode)
        for frame in (0, 7, len(heights) - 1):
            piece = wave[frame * hop : frame * hop + window] * shape
            expected = np.abs(np.fft.rfft(piece, frontend.fft))
            np.testing.assert_allclose(heights[frame], expected, atol=1e-4)
    rows = differentiable.log_mel(tf.constant(found), frontend)
    np.testing.assert_allclose(rows, differentiable.spectrogram(waves, frontend), atol=1e-5)
