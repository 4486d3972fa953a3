"""Noise that nobody hears, against loops and its level in decibels."""

import keras
import numpy as np
import pytest
from scipy.signal import stft

import xaiaudio as xa
from xaiaudio.evaluate.metrics import sensitivity

FRONTEND = xa.LogMel(frames=11, bands=10)


@pytest.fixture(scope="module")
def model():
    keras.utils.set_random_seed(2)
    layers = keras.layers
    network = keras.Sequential(
        [
            keras.Input((11, 10, 1)),
            layers.Conv2D(4, 3, activation="relu"),
            layers.Flatten(),
            layers.Dense(3, activation="softmax"),
        ]
    )
    return xa.AudioClassifier.from_keras(network, ["cat", "dog", "rain"], FRONTEND)


@pytest.fixture(scope="module")
def waves():
    random = np.random.default_rng(0)
    tone = np.sin(np.arange(FRONTEND.min_samples) / 3)
    tone[: FRONTEND.min_samples // 2] = 0
    return np.stack([tone, 0.1 * random.normal(size=len(tone))]).astype("float32")


@pytest.mark.parametrize("noise", sensitivity.NOISES)
@pytest.mark.parametrize("level", [20, 40.0, 55])
def test_noise_lies_as_far_below_the_sound_as_told(waves, noise, level):
    found = sensitivity.noisy(waves, level, draws=4, noise=noise, seed=3)
    assert found.shape == (4, *waves.shape) and found.dtype == np.float32
    for row in found:
        for wave, changed in zip(waves.astype(float), row.astype(float), strict=True):
            below = 10 * np.log10((wave**2).mean() / ((changed - wave) ** 2).mean())
            assert below == pytest.approx(level, abs=0.05)
    assert np.ptp(found, axis=0).max() > 0, "each draw is another noise"


def test_shaped_noise_hides_in_the_sound(waves):
    shaped, white = (
        sensitivity.noisy(waves[:1], 40, draws=1, noise=noise)[0, 0] - waves[0]
        for noise in ("shaped", "white")
    )
    quiet = slice(0, len(waves[0]) // 2 - 512)
    assert np.abs(shaped[quiet]).max() < 1e-3 * np.abs(white[quiet]).max()
    # Nearly all of it lies in the tone's own band.
    hertz, _, spectrum = stft(shaped, 16000, nperseg=512)
    near = np.abs(hertz - 16000 / (2 * np.pi * 3)) < 150
    power = (np.abs(spectrum) ** 2).sum(axis=1)
    assert power[near].sum() > 0.98 * power.sum()


def test_silence_stays_silent():
    assert not sensitivity.noisy(np.zeros((1, 4000))).any()


@pytest.mark.slow
@pytest.mark.parametrize("method", ["saliency", "occlusion", "lime"])
def test_the_largest_change_against_a_loop(model, waves, method):
    options = {"lime": {"samples": 50, "grid": (3, 3)}}.get(method, {})
    found = sensitivity.max_sensitivity(
        model,
        waves,
        None,
        xa.Explainer(method, **options),
        level=30,
        draws=3,
        noise="white",
        seed=4,
    )
    noisy = sensitivity.noisy(waves, 30, draws=3, noise="white", seed=4)
    np.testing.assert_array_equal(found.noisy, noisy)
    for patch, wave in enumerate(waves):
        clean = FRONTEND(wave)
        scores = model.scores(clean)[0]
        target = int(scores.argmax())
        before = xa.explain(model, clean, target, method, **options).maps[0].astype(float)
        for draw in range(3):
            changed = FRONTEND(noisy[draw, patch])
            after = xa.explain(model, changed, target, method, **options).maps[0]
            change = np.linalg.norm(after - before) / np.linalg.norm(before)
            assert found.changes[draw, patch] == pytest.approx(change, rel=1e-3)
            moved = abs(model.scores(changed)[0, target] - scores[target])
            assert found.scores[draw, patch] == pytest.approx(moved, abs=1e-6)
            loud = clean - np.log(FRONTEND.offset)
            inputs = np.linalg.norm(changed - clean) / np.linalg.norm(loud)
            assert found.inputs[draw, patch] == pytest.approx(inputs, rel=1e-4)
        assert found.largest[patch] == found.changes[:, patch].max()
        assert found.changes[found.worst[patch], patch] == found.largest[patch]


@pytest.mark.slow
def test_no_noise_no_change(model, waves):
    found = sensitivity.max_sensitivity(model, waves, level=300, draws=1)
    assert found.largest.max() < 1e-6 and found.scores.max() < 1e-6


def test_a_map_of_zeros_has_no_change_to_tell():
    zero = np.zeros((2, 2, 3, 3))
    assert np.isnan(sensitivity.relative(zero, zero[0])).all()


def test_a_stretch_gives_back_its_patch():
    wave = np.random.default_rng(0).normal(size=9000).astype("float32") / 10
    frontend = FRONTEND.with_overlap(0.6)
    patches = frontend(wave)
    for number in range(len(patches)):
        cut = sensitivity.stretch(wave, frontend, patches.starts[number])
        np.testing.assert_allclose(frontend(cut), patches[number], atol=1e-5)
    with pytest.raises(xa.XaiAudioError, match="no patch"):
        sensitivity.stretch(wave, frontend, patches.length)


def test_bad_input_is_told(model, waves):
    with pytest.raises(xa.XaiAudioError, match="length of one patch"):
        sensitivity.max_sensitivity(model, waves[:, 1:])
    with pytest.raises(xa.XaiAudioError, match="noise is 'pink'"):
        sensitivity.noisy(waves, noise="pink")
    with pytest.raises(xa.XaiAudioError, match="draws is 0"):
        sensitivity.noisy(waves, draws=0)
    with pytest.raises(xa.XaiAudioError, match="level is"):
        sensitivity.noisy(waves, float("nan"))
