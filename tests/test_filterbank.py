"""Mel scales, triangles and windows against librosa and against their plain definitions."""

import librosa
import numpy as np
import pytest
from scipy import signal

from xaiaudio.filterbank import hann, hertz, mel, mel_matrix, mel_points
from xaiaudio.frontend import LogMel

HERTZ = np.array([0.0, 20.0, 440.0, 999.9, 1000.0, 1000.1, 4000.0, 11_025.0, 24_000.0])
SETTINGS = [
    {"fft": 1024, "bands": 40, "fmin": 0.0, "fmax": 8000.0},
    {"sample_rate": 22_050, "fft": 2048, "bands": 128, "fmin": 0.0, "fmax": 11_025.0},
    {"sample_rate": 44_100, "fft": 2048, "bands": 80, "fmin": 30.0, "fmax": 15_000.0},
    {"fft": 512, "bands": 96, "fmin": 0.0, "fmax": 8000.0},  # some bands hold no bin
]


@pytest.mark.parametrize("htk", [True, False])
def test_scales_are_librosas(htk):
    # HTK's factor is rounded to 2595 there and to 1127 in TensorFlow: a constant ratio apart.
    factor = 1127 * np.log(10) / 2595 if htk else 1
    scale = "htk" if htk else "slaney"
    expected = factor * librosa.hz_to_mel(HERTZ, htk=htk)
    np.testing.assert_allclose(mel(HERTZ, scale), expected, rtol=1e-9)
    np.testing.assert_allclose(hertz(mel(HERTZ, scale), scale), HERTZ, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("settings", SETTINGS)
@pytest.mark.parametrize("scale", ["htk", "slaney"])
@pytest.mark.parametrize("norm", [None, "slaney"])
@pytest.mark.filterwarnings("ignore:Empty filters")
def test_triangles_over_hertz_are_librosas(settings, scale, norm):
    frontend = LogMel(**settings, mel_scale=scale, norm=norm, triangles="hertz", hop=512)
    expected = librosa.filters.mel(
        sr=frontend.sample_rate,
        n_fft=frontend.fft,
        n_mels=frontend.bands,
        fmin=frontend.fmin,
        fmax=frontend.fmax,
        htk=scale == "htk",
        norm=norm,
        dtype=np.float64,
    )
    found = frontend.mel_matrix()
    np.testing.assert_allclose(found, expected.T, rtol=0, atol=1e-6 * expected.max())
    centres = librosa.mel_frequencies(
        frontend.bands + 2, fmin=frontend.fmin, fmax=frontend.fmax, htk=scale == "htk"
    )[1:-1]
    np.testing.assert_allclose(frontend.band_centres(), centres, rtol=1e-9)


@pytest.mark.slow
@pytest.mark.parametrize("scale", ["htk", "slaney"])
@pytest.mark.parametrize("norm", [None, "slaney"])
@pytest.mark.parametrize("triangles", ["mel", "hertz"])
def test_triangles_are_the_plain_definition(scale, norm, triangles):
    frontend = LogMel(mel_scale=scale, norm=norm, triangles=triangles, bands=30, fft=600)
    points = np.asarray(mel_points(frontend), float)
    expected = np.zeros((301, 30))
    for band in range(30):
        low, peak, high = points[band : band + 3]
        ends = hertz([low, high], scale)
        if triangles == "hertz":
            low, peak, high = hertz([low, peak, high], scale)
        for number in range(301):
            place = number * 16_000 / 600
            place = place if triangles == "hertz" else float(mel(place, scale))
            if low < place <= peak:
                expected[number, band] = (place - low) / (peak - low)
            elif peak < place < high:
                expected[number, band] = (high - place) / (high - peak)
        if norm:
            expected[:, band] *= 2 / (ends[1] - ends[0])
    np.testing.assert_allclose(mel_matrix(frontend), expected, rtol=0, atol=2e-5 * expected.max())


@pytest.mark.parametrize("length", [4, 333, 400, 2048])
def test_windows_are_periodic(length):
    expected = signal.windows.hann(length, sym=False)
    np.testing.assert_allclose(hann(length, "float64"), expected, atol=1e-12)
    np.testing.assert_allclose(hann(length), expected, atol=3e-7)
    assert hann(length).dtype == np.float32
