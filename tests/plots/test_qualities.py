"""Figures of qualities and of pairs: what they show is what they record."""

import numpy as np
import pytest

import xaiaudio as xa
from xaiaudio import plots


def test_bars_stand_in_the_order_of_the_names():
    figure = plots.quality_bars(
        {"first": [1, -2], "second": [0.5, 3]}, ["a", "b"], "logit", texts=["3 dB", "4 Hz"]
    )
    ax = figure.axes[0]
    assert [text.get_text() for text in ax.get_yticklabels()] == ["a (3 dB)", "b (4 Hz)"]
    widths = [[bar.get_width() for bar in group] for group in ax.containers]
    assert widths == [[1, -2], [0.5, 3]]
    assert ax.get_ylim()[0] > ax.get_ylim()[1]  # the first on top
    np.testing.assert_array_equal(figure.data["second"], [0.5, 3])


@pytest.mark.slow
def test_a_table_is_white_at_zero_and_says_its_numbers():
    figure = plots.signed_table([[1, -2], [0, 0.5]], ["a", "b"], ["x", "y"], "weight")
    ax = figure.axes[0]
    assert [text.get_text() for text in ax.texts] == ["1.0", "-2.0", "0.0", "0.5"]
    assert ax.images[0].get_clim() == (-2, 2)
    np.testing.assert_array_equal(figure.data["values"], [[1, -2], [0, 0.5]])


def test_wrong_shapes_are_told():
    frontend = xa.LogMel(frames=20, bands=12)
    side = np.zeros((20, 12))
    with pytest.raises(xa.XaiAudioError, match="frames and bands"):
        plots.pair(side, side, {"heat": side[:5]}, frontend)
    with pytest.raises(xa.XaiAudioError, match="one number for each quality"):
        plots.quality_bars({"a": [1]}, ["x", "y"], "")
    with pytest.raises(xa.XaiAudioError, match="2 columns"):
        plots.signed_table([[1]], ["a"], ["x", "y"], "")
