"""Sounds of patches and of spectra."""

import numpy as np
import pytest

from xaiaudio.frontend import LogMel
from xaiaudio.models.designs.inversion import (
    magnitudes_of_patch,
    sound_of_patch,
    sound_of_spectrum,
)

FRONTENDS = {
    "vggish": LogMel.vggish(),
    "librosa": LogMel.librosa(sample_rate=8_000, fft=256, hop=100, bands=32, frames=40, ref=1.0),
}


@pytest.fixture(params=FRONTENDS, scope="module")
def frontend(request):
    return FRONTENDS[request.param]


def sound(frontend):
    count = frontend.min_samples + 3 * frontend.hop
    times = np.arange(count) / frontend.sample_rate
    chirp = np.sin(2 * np.pi * (300 * times + 900 * times**2))
    return (0.3 * chirp + 0.01 * np.random.default_rng(0).normal(size=count)).astype("float32")


@pytest.mark.slow
def test_magnitudes_have_the_sums_of_the_patch(frontend):
    patch = frontend(sound(frontend)).values[0]
    found = magnitudes_of_patch(patch, frontend)
    assert (found >= 0).all()
    again = frontend.compress(found**frontend.power @ frontend.mel_matrix())
    assert np.median(np.abs(again - patch)) < 0.05 * patch.std()


@pytest.mark.slow
def test_the_patch_of_its_sound_is_like_the_patch(frontend):
    patch = frontend(sound(frontend)).values[0]
    made = sound_of_patch(patch, frontend, seed=1)
    assert np.abs(made).max() <= 1
    again = frontend(made).values[0]
    assert np.corrcoef(again.ravel(), patch.ravel())[0, 1] > 0.9
    assert np.array_equal(made, sound_of_patch(patch, frontend, seed=1))


def test_noise_has_the_spectrum(frontend):
    wanted = np.zeros(frontend.bands)
    wanted[frontend.bands // 2] = 1.0
    made = sound_of_spectrum(wanted, frontend, seconds=0.5)
    assert len(made) == frontend.sample_rate // 2
    assert np.abs(made).max() == pytest.approx(0.5)
    powers = np.square(np.abs(np.fft.rfft(made)))
    hertz = np.fft.rfftfreq(len(made), 1 / frontend.sample_rate)
    centres = frontend.band_centres()
    middle = frontend.bands // 2
    inside = (hertz > centres[middle - 2]) & (hertz < centres[middle + 2])
    assert powers[inside].sum() > 0.9 * powers.sum()


def test_no_spectrum_is_silence(frontend):
    assert not sound_of_spectrum(np.zeros(frontend.bands), frontend).any()
