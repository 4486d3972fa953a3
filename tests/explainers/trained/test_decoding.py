"""Decoders to masks, energy masks, and masks over bins on mel bands."""

import dataclasses

import numpy as np
import pytest
import tensorflow as tf
from heard_tones import FRONTEND

import xaiaudio as xa
from xaiaudio.explainers.trained.decoding import (
    cross_entropy,
    decoder,
    energy_mask,
    patches_of,
    to_bands,
)
from xaiaudio.models.differentiable import magnitudes

RANDOM = np.random.default_rng(0)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("shapes", "frontend"),
    [
        ([(24, 16, 6), (12, 8, 5), (3, 2, 9)], xa.LogMel.vggish()),
        ([(7, 3, 4)], FRONTEND),
        ([(16, 12, 2), (5, 5, 3)], FRONTEND),
    ],
)
def test_any_maps_become_masks_over_bins(shapes, frontend):
    network = decoder(shapes, frontend, width=2)
    maps = [RANDOM.normal(size=(3, *shape)).astype("float32") for shape in shapes]
    assert network(maps).shape == (3, frontend.frames, frontend.fft // 2 + 1)
    # Each of the maps has a say.
    with tf.GradientTape() as tape:
        given = [tf.constant(one) for one in maps]
        tape.watch(given)
        total = tf.reduce_sum(network(given) ** 2)
    assert all(np.abs(one).max() > 0 for one in tape.gradient(total, given))


@pytest.mark.slow
def test_the_seed_decides_the_first_weights():
    first, same, other = (decoder([(4, 3, 2)], FRONTEND, seed=seed) for seed in (0, 0, 1))
    for one, two in zip(first.get_weights(), same.get_weights(), strict=True):
        np.testing.assert_array_equal(one, two)
    assert any(
        not np.array_equal(one, two)
        for one, two in zip(first.get_weights(), other.get_weights(), strict=True)
    )
    assert [one.path for one in first.weights] == [one.path for one in same.weights]


def test_the_energy_mask_holds_what_is_above_a_share_of_the_loudest():
    heights = RANDOM.exponential(3.0, (4, 5, 6))
    heights[3] = 0
    found = energy_mask(heights, 0.35).numpy()
    for one, mask in zip(heights, found, strict=True):
        top = max(np.log(1 + value) for value in one.ravel())
        for value, kept in zip(one.ravel(), mask.ravel(), strict=True):
            assert kept == float(np.log(1 + value) > 0.35 * top)
    assert found[3].max() == 0


@pytest.mark.parametrize(
    "frontend",
    [xa.LogMel.vggish(), FRONTEND, xa.LogMel(bands=64, fft=256, window=256, fmin=20.0)],
)
def test_a_band_takes_the_mean_of_its_bins(frontend):
    masks = RANDOM.random((2, 3, frontend.fft // 2 + 1))
    found = to_bands(masks, frontend)
    weights = frontend.mel_matrix()
    for band in range(frontend.bands):
        share = weights[:, band]
        if share.sum() == 0:  # narrower than the step between bins
            hertz = np.arange(len(share)) * frontend.sample_rate / frontend.fft
            nearest = np.abs(hertz - frontend.band_centres()[band]).argmin()
            share = np.arange(len(share)) == nearest
        expected = sum(masks[..., k] * share[k] for k in range(len(share))) / share.sum()
        np.testing.assert_allclose(found[..., band], expected, rtol=1e-5)
    np.testing.assert_array_equal(to_bands(np.ones_like(masks), frontend), 1)


def test_the_cross_entropy_of_a_mask():
    logits = RANDOM.normal(size=(3, 4, 5)).astype("float32")
    wanted = (RANDOM.random((3, 4, 5)) < 0.3).astype("float32")
    mask = 1 / (1 + np.exp(-logits.astype(float)))
    expected = -(wanted * np.log(mask) + (1 - wanted) * np.log(1 - mask)).mean(axis=(1, 2))
    np.testing.assert_allclose(cross_entropy(logits, wanted), expected, rtol=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize("settings", [{}, {"power": 1, "ref": 0.1}])
def test_magnitudes_make_the_patches_of_decibels(settings):
    frontend = xa.LogMel.librosa(
        sample_rate=8_000, fft=256, hop=128, bands=12, frames=8, **settings
    )
    wave = RANDOM.normal(0, 0.1, 8_000).astype("float32")
    heights = magnitudes(wave[None], frontend)
    with pytest.raises(xa.XaiAudioError, match="loudest"):
        patches_of(heights, frontend)
    frontend = dataclasses.replace(frontend, top_db=None)
    np.testing.assert_allclose(
        patches_of(heights, frontend)[0], frontend.spectrogram(wave), atol=1e-2
    )
    plain = magnitudes(wave[None], FRONTEND)
    np.testing.assert_allclose(
        patches_of(plain, FRONTEND)[0], FRONTEND.spectrogram(wave), atol=1e-4
    )
