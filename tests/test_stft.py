"""The transform there and back against its definition, and masks on it."""

import numpy as np
import pytest
from heard_maps import FRONTEND, RATE

from xaiaudio import stft
from xaiaudio.errors import XaiAudioError
from xaiaudio.frontend import LogMel
from xaiaudio.stft import to_stft


@pytest.mark.parametrize(
    "frontend",
    [
        LogMel(),
        LogMel.yamnet(),
        LogMel(bands=128, fmin=0.0, fmax=8000.0),
        LogMel(sample_rate=22_050, window=1024, hop=512, fft=2048, bands=40, fmax=11_025.0),
    ],
)
def test_all_ones_stay_exactly_ones_and_masks_stay_in_range(frontend):
    ones = to_stft(np.ones((3, frontend.bands)), frontend)
    assert ones.shape == (3, frontend.fft // 2 + 1)
    assert (ones == 1).all()
    mask = np.random.default_rng(0).random((20, frontend.bands))
    bins = to_stft(mask, frontend)
    assert bins.min() >= 0 and bins.max() <= 1


def test_bins_outside_the_bands_take_the_nearest_band():
    mask = np.zeros((1, 64))
    mask[0, 0], mask[0, -1] = 0.25, 0.75
    bins = to_stft(mask, FRONTEND)[0]
    hertz = np.arange(257) * RATE / 512
    assert (bins[hertz < 125] == 0.25).all()
    assert (bins[hertz > 7500] == 0.75).all()
    # Bins that feed other bands only take nothing from these two.
    assert not bins[(hertz > 500) & (hertz < 6800)].any()


CENTRED = LogMel.librosa(sample_rate=8_000, fft=64, window=50, hop=13, bands=8, frames=6)
SMALL = LogMel(sample_rate=8_000, fft=64, window=40, hop=16, bands=8, fmin=100, fmax=3900, frames=6)


@pytest.mark.parametrize("frontend", [SMALL, CENTRED, stft.Windows(30, 7, 32, 11)])
@pytest.mark.parametrize("samples", [1, 15, 200])
def test_each_window_is_what_its_definition_says(frontend, samples):
    wave = np.random.default_rng(0).standard_normal(samples)
    found = stft.analyse(wave, frontend)
    window, hop, size = frontend.window, frontend.hop, frontend.fft
    for number, row in enumerate(found):
        # The sound's first sample lies so far behind the beginning of the first window.
        start = (number - stft.lead(frontend)) * hop - frontend.samples_before
        for k in (0, 3, size // 2):
            total = 0j
            for n in range(window):
                if 0 <= start + n < samples:
                    root = np.sqrt(0.5 - 0.5 * np.cos(2 * np.pi * n / window))
                    total += wave[start + n] * root * np.exp(-2j * np.pi * k * n / size)
            assert row[k] == pytest.approx(total, abs=1e-9)
    # One window less at either end would not reach the sound's first or last sample.
    assert len(found) == stft.windows(samples, frontend)
    assert (stft.covering(samples, frontend) > 1e-8).all()


@pytest.mark.parametrize("frontend", [SMALL, CENTRED, LogMel.vggish()])
@pytest.mark.parametrize("samples", [1, 399, 3000])
def test_there_and_back_is_the_sound(frontend, samples):
    wave = np.random.default_rng(0).standard_normal(samples)
    found = stft.synthesise(stft.analyse(wave, frontend), samples, frontend)
    np.testing.assert_allclose(found, wave, atol=1e-10)


def test_each_sample_lies_under_the_same_windows():
    """With a hop of half the window their squares sum to 1; with a quarter, to 2."""
    for hop, total in ((16, 1), (8, 2)):
        weight = stft.covering(100, stft.Windows(32, hop, 32, 3))
        np.testing.assert_allclose(weight, total)


def test_a_bin_takes_the_mean_of_the_bands_that_it_feeds():
    weights, mask = SMALL.mel_matrix(), np.random.default_rng(0).random((4, 8))
    hertz, centres = np.arange(33) * 125.0, SMALL.band_centres()
    found = to_stft(mask, SMALL)
    for k, row in enumerate(weights):
        if row.any():
            wanted = (mask * row).sum(axis=1) / row.sum()
        else:
            wanted = mask[:, np.abs(hertz[k] - centres).argmin()]
        np.testing.assert_allclose(found[:, k], wanted, rtol=1e-6)
    np.testing.assert_allclose(stft.band_shares(SMALL).sum(axis=1), 1)


def test_windows_take_the_row_of_their_frame_and_the_ends_the_nearest():
    frames = len(SMALL.spectrogram(np.zeros(400)))
    rows = stft.rows_of(400, frames, SMALL)
    assert len(rows) == stft.windows(400, SMALL)
    lead = stft.lead(SMALL)
    assert rows[: lead + 1].tolist() == [0] * (lead + 1)
    assert rows[lead : lead + frames].tolist() == list(range(frames))
    assert set(rows[lead + frames :]) == {frames - 1}


@pytest.mark.parametrize("mask", [np.ones((3, 7)), np.ones(8), np.ones((0, 8)), 1.0])
def test_masks_of_another_shape_are_refused(mask):
    with pytest.raises(XaiAudioError, match=r"but \(T, 8\) is needed"):
        to_stft(mask, SMALL)
