"""Patches that networks are tried with: silence, noise that grows, a tone."""

import keras
import numpy as np
import pytest

from xaiaudio import LogMel
from xaiaudio.models.probing import answers, trial_patches

FRONTENDS = [
    LogMel.vggish(),
    LogMel(frames=7, bands=12, window=333, hop=97, fft=600),
    LogMel.librosa(frames=20, bands=16),
]


@pytest.mark.parametrize("frontend", FRONTENDS)
def test_silence_noise_and_a_tone(frontend):
    patches = trial_patches(frontend)
    assert patches.shape == (6, *frontend.patch_shape)
    assert np.isfinite(patches).all()
    np.testing.assert_array_equal(patches, trial_patches(frontend))
    np.testing.assert_allclose(patches[0], frontend.silence, atol=1e-4)
    loudness = patches[:5].mean(axis=(1, 2))
    if frontend.top_db is None or not frontend.decibels:
        assert (np.diff(loudness) > 0).all()
    # The tone lies in the band whose middle is nearest to a twentieth of the rate.
    centres = frontend.band_centres()
    nearest = np.abs(centres - 0.05 * frontend.sample_rate).argmin()
    assert abs(patches[5].mean(axis=0).argmax() - nearest) <= 1


@pytest.mark.slow
@pytest.mark.parametrize("channels", [True, False])
def test_answers_are_the_networks_own_in_use(channels):
    frontend = FRONTENDS[1]
    shape = (*frontend.patch_shape, 1) if channels else frontend.patch_shape
    x = start = keras.Input(shape)
    x = keras.layers.Dropout(0.9)(keras.layers.Flatten()(x))  # must not be at work
    network = keras.Model(start, keras.layers.Dense(3, dtype="float16")(x))
    found = answers(network, frontend)
    given = trial_patches(frontend)
    wanted = network(given[..., None] if channels else given, training=False)
    assert found.dtype == np.float32 and found.shape == (6, 3)
    np.testing.assert_array_equal(found, np.asarray(wanted).astype(np.float32))
