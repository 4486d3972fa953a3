"""A piece is cut where it is loud, keeps its band, and begins and ends without a click."""

import numpy as np
import pytest

from xaiaudio.datasets import cutting
from xaiaudio.errors import XaiAudioError

RATE = 16_000


def tone(hertz, seconds=1.0):
    return np.sin(2 * np.pi * hertz * np.arange(round(seconds * RATE)) / RATE)


def test_a_band_keeps_what_is_inside_and_nothing_beyond_its_shoulders():
    inside, below, above = tone(1000), tone(400), tone(3000)
    kept = cutting.banded(inside + below + above, (500, 2000), RATE)
    np.testing.assert_allclose(kept, inside, atol=1e-6)
    everything = tone(1000) + tone(50)
    np.testing.assert_allclose(cutting.banded(everything, (0, 8000), RATE), everything, atol=1e-9)


def test_fades_rise_and_fall_by_the_sine():
    shape = cutting.fades(RATE, RATE)
    steps = round(cutting.FADE * RATE)
    rise = [np.sin(np.pi / 2 * (k + 0.5) / steps) ** 2 for k in range(steps)]
    np.testing.assert_allclose(shape[:steps], rise)
    np.testing.assert_array_equal(shape, shape[::-1])
    assert (shape[steps:-steps] == 1).all()


def test_the_cut_is_nearly_as_loud_as_the_loudest():
    wave = np.random.default_rng(0).normal(0, 0.01, 3 * RATE)
    wave[RATE : 2 * RATE] *= 20
    length = RATE // 2
    places = range(0, len(wave) - length + 1, 400)
    loudest = max(np.sum(wave[k : k + length] ** 2) for k in places)
    found = {cutting.loudest(wave, length, RATE, seed) for seed in range(20)}
    assert len(found) > 5
    assert all(np.sum(wave[k : k + length] ** 2) > 0.7 * loudest for k in found)


@pytest.mark.parametrize("band", [(500, 400), (0, 9000), (-1, 100), 500, ("low", "high")])
def test_bands_that_are_none(band):
    with pytest.raises(XaiAudioError, match="The band is"):
        cutting.check_band(band, RATE)
