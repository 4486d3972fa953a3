import dataclasses

import numpy as np
import pytest

from xaiaudio import LogMel, WaveFrontend, XaiAudioError
from xaiaudio.wave_frontend import from_config

RATE, SAMPLES = 8_000, 8_000
FRONTEND = WaveFrontend.of(RATE, 1)


def noise(n, samples, seed=0):
    return np.random.default_rng(seed).normal(0, 0.2, (n, samples)).astype("float32")


def test_segments_are_the_samples_under_their_pictures():
    wave = noise(1, 3 * SAMPLES + 50)[0]
    found = FRONTEND(wave, overlap=0.5)
    assert found.waves.shape == (len(found), SAMPLES)
    for start, samples, picture in zip(found.starts, found.waves, found.values, strict=True):
        first = start * FRONTEND.hop
        here = wave[first : first + SAMPLES]
        np.testing.assert_array_equal(samples[: len(here)], here)
        assert not samples[len(here) :].any()
        assert SAMPLES - len(here) < FRONTEND.hop
        np.testing.assert_allclose(picture, FRONTEND.spectrogram(samples), atol=1e-4)
    np.testing.assert_array_equal(found[1:3].waves, found.waves[1:3])
    assert len(FRONTEND(wave[:SAMPLES])) == 1


def test_a_picture_is_what_the_front_end_of_patches_makes():
    wave = noise(1, 2 * SAMPLES)[0]
    plain = {key: value for key, value in FRONTEND.to_config().items() if key != "samples"}
    np.testing.assert_array_equal(FRONTEND(wave).values, LogMel(**plain)(wave).values)
    assert from_config(FRONTEND.to_config()) == FRONTEND
    assert from_config(LogMel().to_config()) == LogMel()


@pytest.mark.parametrize("rate", [1_000, 4_000, 8_000, 16_000, 22_050, 44_100, 48_000])
def test_every_band_of_a_picture_hears_something(rate):
    frontend = WaveFrontend.of(rate, 0.5)
    assert (frontend.mel_matrix().sum(axis=0) > 0).all()
    assert frontend.samples == round(rate / 2)
    assert 0.016 < frontend.window / rate < 0.065


def test_a_short_sound_is_refused_or_padded():
    with pytest.raises(XaiAudioError, match=r"lasts 0.999 s, but one patch takes 1.000 s"):
        FRONTEND(noise(1, SAMPLES - 10)[0])
    short = noise(1, 100)[0]
    found = FRONTEND(short, pad=True)
    np.testing.assert_array_equal(found.waves[0, :100], short)
    assert not found.waves[0, 100:].any()


def test_a_picture_that_no_filter_can_follow_is_refused():
    for option in ({"power": 2}, {"decibels": True}, {"centred": True}):
        with pytest.raises(XaiAudioError, match="the logarithm of magnitudes, not centred"):
            dataclasses.replace(FRONTEND, **option)


@pytest.mark.parametrize("length", [{"seconds": 1e9}, {"samples": 1 << 40}])
def test_a_segment_that_fills_the_memory_is_refused(length):
    with pytest.raises(XaiAudioError, match="more than 268435456 samples"):
        WaveFrontend.of(8_000, **length)
