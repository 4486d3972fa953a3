"""Qualities of sounds whose truth is known, because they are generated here."""

import librosa
import numpy as np
import pytest

from xaiaudio.errors import XaiAudioError
from xaiaudio.frontend import LogMel
from xaiaudio.models.designs import qualities
from xaiaudio.synthesis import dsp

RATE = 16_000
TIME = np.arange(RATE) / RATE


def measured(wave, name):
    return float(qualities.measure(wave, RATE)[0, qualities.find(name)])


def noise(seed=0, gain=None):
    return 0.1 * dsp.noise(np.random.default_rng(seed), RATE, gain)


def harmonic(pitch):
    return dsp.harmonics(np.random.default_rng(0), np.full(RATE, float(pitch)), np.ones_like) / 10


@pytest.mark.slow
def test_a_tone_is_tonal_and_noise_is_not():
    tone = np.sin(2 * np.pi * 1000 * TIME)
    assert measured(tone, "tonality") > 40
    assert measured(noise(), "tonality") < 5
    mixed = [measured(tone + 10 ** (-snr / 20) * noise() / 0.1, "tonality") for snr in (30, 20, 0)]
    assert mixed == sorted(mixed, reverse=True)


@pytest.mark.slow
def test_the_spectrum_has_the_shape_that_librosa_measures():
    waves = np.stack([noise(), 1e-3 * np.sin(2 * np.pi * 700 * TIME), 0 * TIME, harmonic(200)])
    heights = np.abs(librosa.stft(waves.astype("float32"), n_fft=1024, center=False))
    even = np.full((4, heights.shape[2]), 1 / heights.shape[2])
    found = qualities._spectral(heights, even, RATE, 1024)
    about = {"S": heights, "sr": RATE, "n_fft": 1024}
    flat = librosa.feature.spectral_flatness(S=heights, amin=1e-10)
    wanted = [
        librosa.feature.spectral_centroid(**about),
        librosa.feature.spectral_bandwidth(**about),
        -10 * np.log10(flat),
    ]
    for one, two in zip(found, wanted, strict=True):
        np.testing.assert_allclose(one, two[:, 0].mean(axis=1), rtol=1e-4, atol=2e-3)


@pytest.mark.slow
@pytest.mark.parametrize("pitch", [90, 220, 500])
def test_a_voice_has_its_pitch_and_noise_has_none(pitch):
    assert measured(harmonic(pitch), "pitch") == pytest.approx(pitch, rel=0.03)
    assert measured(np.sin(2 * np.pi * pitch * TIME), "pitch") == pytest.approx(pitch, rel=0.03)
    assert measured(harmonic(pitch), "pitch salience") > 90
    assert measured(noise(), "pitch salience") < 25
    low = noise(gain=dsp.slope(-6))  # brown noise repeats nothing, however low it is
    assert measured(low, "pitch salience") < 40


def test_brightness_bass_and_hiss_follow_the_spectrum():
    tones = {hertz: np.sin(2 * np.pi * hertz * TIME) for hertz in (150, 1000, 6000)}
    for hertz, tone in tones.items():
        assert measured(tone, "brightness") == pytest.approx(hertz, rel=0.05)
        assert measured(tone, "bass") == pytest.approx(100 * (hertz < 300), abs=1)
        assert measured(tone, "hiss") == pytest.approx(100 * (hertz > 4000), abs=1)
    assert measured(noise(), "brightness") == pytest.approx(4000, rel=0.05)
    assert measured(noise(), "bass") == pytest.approx(100 * 300 / 8000, abs=1)
    assert measured(noise(), "hiss") == pytest.approx(50, abs=2)


def test_bandwidth_grows_with_the_band_of_the_noise():
    widths = [
        measured(noise(gain=dsp.product(dsp.high_pass(low, 8), dsp.low_pass(high, 8))), "bandwidth")
        for low, high in ((1900, 2100), (1500, 2500), (500, 6000))
    ]
    assert widths == sorted(widths)
    # A flat spectrum between 0 and 8 kHz has the spread of a uniform distribution.
    assert measured(noise(), "bandwidth") == pytest.approx(8000 / np.sqrt(12), rel=0.05)


@pytest.mark.parametrize(("name", "rate"), [("pulse", 5.0), ("roughness", 70.0)])
def test_a_modulation_has_its_depth_where_it_is(name, rate):
    carrier = np.sin(2 * np.pi * 2000 * TIME)
    for depth in (0.2, 0.6, 1.0):
        wave = (1 + depth * np.sin(2 * np.pi * rate * TIME)) * carrier
        # The envelope is taken over 2.5 ms, which rounds off the quickest dips.
        assert measured(wave, name) == pytest.approx(100 * depth, rel=0.15)
        other = "roughness" if name == "pulse" else "pulse"
        assert measured(wave, other) < 10
    if name == "pulse":
        assert measured(wave, "pulse rate") == pytest.approx(rate, abs=1)


def test_noise_that_is_modulated_has_the_rate_of_its_modulation():
    for rate in (4.0, 8.0, 15.0):
        wave = noise() * (1 + 0.9 * np.sin(2 * np.pi * rate * TIME))
        assert measured(wave, "pulse rate") == pytest.approx(rate, abs=1)


def test_the_quicker_the_rise_the_steeper_the_attack():
    def rising(seconds):
        silence = RATE // 5
        return np.concatenate([np.zeros(silence), dsp.swell(RATE - silence, seconds, 0.1)])

    found = [measured(noise() * rising(seconds), "attack") for seconds in (0.01, 0.1, 0.5)]
    assert found == sorted(found, reverse=True)
    assert found[0] > 2 * found[2]


def test_fullness_is_the_share_of_time_that_sounds():
    for share in (0.25, 0.5, 1.0):
        wave = noise() * (share > TIME)
        assert measured(wave, "fullness") == pytest.approx(100 * share, abs=6)


def test_loudness_is_no_quality():
    for wave in (noise() * dsp.swell(RATE, 0.1, 0.2), harmonic(220)):
        assert np.allclose(
            qualities.measure(wave, RATE), qualities.measure(0.1 * wave, RATE), rtol=1e-2, atol=0.2
        )


def test_several_sounds_are_measured_as_each_by_itself():
    waves = np.stack([noise(1), harmonic(300), np.zeros(RATE)])
    found = qualities.measure(waves, RATE)
    assert np.isfinite(found).all()
    for wave, row in zip(waves, found, strict=True):
        assert np.allclose(qualities.measure(wave, RATE)[0], row, rtol=1e-4, atol=2e-3)


def test_patches_are_measured_where_they_lie():
    frontend = LogMel.vggish()
    wave = np.concatenate([noise(), harmonic(220)[: RATE // 2]]).astype(np.float32)
    first = np.array([0, 30])
    found = qualities.measure_patches(wave, first, frontend)
    size = frontend.min_samples
    for row, start in zip(found, first * frontend.hop, strict=True):
        assert np.allclose(row, qualities.measure(wave[start : start + size], RATE)[0], rtol=1e-4)


def test_scales_lead_there_and_back():
    values = qualities.measure(np.stack([noise(), harmonic(200)]), RATE)
    assert np.allclose(qualities.from_scale(qualities.to_scale(values)), values)


def test_what_cannot_be_measured_is_told():
    with pytest.raises(XaiAudioError, match="half a second"):
        qualities.measure(np.zeros(1000), RATE)
    with pytest.raises(XaiAudioError, match="NaN"):
        qualities.measure(np.full(RATE, np.nan), RATE)
    with pytest.raises(XaiAudioError, match="No quality is called 'warmth'"):
        qualities.find("warmth")
