"""Figures of sounds show what the front end computes, at its times."""

import numpy as np
import pytest
from random_explanations import FRONTEND, explanation

from xaiaudio import plots


@pytest.fixture(scope="module")
def wave():
    return np.random.default_rng(1).normal(0, 0.1, 48_000).astype("float32")


def texts(figure):
    return [ax.get_title() for ax in figure.axes]


def test_spectrograms_mark_wrong_predictions():
    figure = plots.spectrograms(
        explanation(2).patches, FRONTEND, true=["Rain", "Rain"], predicted=["Rain", "Rooster"]
    )
    assert texts(figure)[:2] == ["Rain\n✓ Rain", "Rain\n✗ Rooster"]


def test_clip_spectrogram_marks_where_patches_start(wave):
    starts = plots.clip_spectrogram(wave, FRONTEND).data["starts"]
    assert len(starts) == len(FRONTEND(wave))
    np.testing.assert_allclose(np.diff(starts), FRONTEND.hop_seconds)


@pytest.mark.slow
def test_a_sound_shorter_than_a_patch_has_a_spectrogram_without_patches():
    figure = plots.clip_spectrogram(np.zeros(4000, "float32"), FRONTEND)
    assert len(figure.data["starts"]) == 0


def test_a_waveform_ends_after_its_seconds():
    figure = plots.waveform(np.zeros(12_000), 8_000, title="silence")
    (ax,) = figure.axes
    assert ax.get_xlim() == pytest.approx((0, 1.5)) and ax.get_title() == "silence"
    assert ax.lines[0].get_xdata()[4_000] == 0.5


def test_patches_that_overlap_are_staggered(wave):
    bars = plots.clip_spectrogram(wave, FRONTEND).axes[0].patches
    spans = [(bar.get_y(), bar.get_x(), bar.get_x() + bar.get_width()) for bar in bars]
    for height, start, end in spans:
        beside = [one for one in spans if one[0] == height and one[1] != start]
        assert all(other[1] > end - 1e-6 or other[2] < start + 1e-6 for other in beside)
    assert len({height for height, *_ in spans}) == 2


def test_sounds_one_above_the_other_share_a_scale(wave):
    figure = plots.clip_spectrograms({"loud": wave, "soft": wave / 10}, FRONTEND)
    drawn = [ax.images[0] for ax in figure.axes[:2]]
    assert drawn[0].get_clim() == drawn[1].get_clim()
    assert drawn[0].get_clim()[1] == pytest.approx(FRONTEND.spectrogram(wave).max())
    np.testing.assert_array_equal(figure.data["sound 2"], FRONTEND.spectrogram(wave / 10))
    assert figure.data["titles"].tolist() == ["loud", "soft"]


def test_each_filter_is_drawn_at_its_frequencies():
    figure = plots.filterbank(FRONTEND)
    lines, filters = figure.axes[0].lines, FRONTEND.mel_matrix()
    assert len(lines) == 64
    edges = FRONTEND.band_edges()
    for band in (0, 20, 63):
        np.testing.assert_array_equal(lines[band].get_ydata(), filters[:, band])
        heard = lines[band].get_xdata()[filters[:, band] > 0]
        # A filter reaches from the peak of the band before to that of the band after.
        low = edges[band - 1] if band else FRONTEND.fmin
        high = edges[band + 2] if band < 63 else FRONTEND.fmax
        assert low <= heard.min() <= heard.max() <= high
