"""Figures of decoders: what they show is what they record."""

import numpy as np
import pytest

import xaiaudio as xa
from xaiaudio import plots

RANDOM = np.random.default_rng(0)


@pytest.mark.slow
def test_masks_share_one_scale_and_the_axes_of_the_bins():
    heights, mask = RANDOM.exponential(size=(96, 257)), 0.2 * RANDOM.random((96, 257))
    figure = plots.bin_masks(heights, {"one": mask, "two": mask / 2}, xa.LogMel.vggish(), start=1.0)
    np.testing.assert_allclose(figure.data["one"], mask)
    expected = 20 * np.log10(heights / heights.max())
    np.testing.assert_allclose(figure.data["decibels"], np.maximum(expected, -60))
    panels = [ax.images[0] for ax in figure.axes if ax.images][:3]
    for panel in panels:
        assert panel.get_extent()[2:] == [0, 8000]
        assert panel.get_extent()[:2] == pytest.approx([1.0, 1.96])
    assert {panel.get_clim() for panel in panels[1:]} == {(0, 1)}


def test_masks_of_silence_and_of_the_wrong_shape():
    silence = np.zeros((96, 257))
    figure = plots.bin_masks(silence, {"none": silence}, xa.LogMel.vggish())
    assert np.isfinite(figure.data["decibels"]).all()
    with pytest.raises(xa.XaiAudioError, match="shape of the magnitudes"):
        plots.bin_masks(silence, {"mel": np.zeros((96, 64))}, xa.LogMel.vggish())
    with pytest.raises(xa.XaiAudioError, match="one at least"):
        plots.bin_masks(silence, {}, xa.LogMel.vggish())


def test_codes_that_are_used_are_written_beside_their_bars():
    figure = plots.code_use([3, 0], [102, 103], ["Rain", "Dog"])
    assert [text.get_text() for text in figure.axes[0].texts] == ["3", "0"]
    np.testing.assert_array_equal(figure.data["used"], [3, 0])


def test_a_term_has_one_colour_in_all_panels():
    figure = plots.loss_terms({"first": {"a": [2, 1], "b": [1, 1]}, "second": {"b": [3], "c": [0]}})
    colours = {}
    for ax in figure.axes:
        for line in ax.get_lines()[:-1]:
            colours.setdefault(line.get_label(), set()).add(line.get_color())
    assert {name: len(found) for name, found in colours.items()} == {"a": 1, "b": 1, "c": 1}
    np.testing.assert_array_equal(figure.data["second: b"], [3])
