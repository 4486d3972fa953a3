"""The panels of what a network knows show what they were given."""

import numpy as np
import pytest

import xaiaudio as xa
from xaiaudio import plots


def curve(layers, seed):
    return np.sort(np.random.default_rng(seed).random((layers, 3)), axis=1)


@pytest.mark.slow
def test_each_property_has_a_panel_with_a_curve_and_a_band_for_each_network():
    panels = {
        name: {"trained": curve(5, k), "random": curve(5, 10 + k)}
        for k, name in enumerate(("pitch", "level", "room", "noise"))
    }
    figure = plots.known_by_layer(panels, label="R2", chance={"pitch": 0.0})
    assert len(figure.axes) == 6
    for ax, (name, of) in zip(figure.axes, panels.items(), strict=False):
        assert ax.get_title() == name
        for line, band, values in zip(ax.lines, ax.collections, of.values(), strict=False):
            np.testing.assert_array_equal(line.get_ydata(), values[:, 1])
            corners = band.get_paths()[0].vertices[:, 1]
            assert corners.min() == values[:, 0].min() and corners.max() == values[:, 2].max()
        assert len(ax.lines) == 2 + (name == "pitch")
    np.testing.assert_array_equal(figure.data["room, random"], panels["room"]["random"])
    labelled = [ax.get_xlabel() != "" for ax in figure.axes]
    assert labelled == [False, True, True, True, False, False]


def test_a_single_panel_is_drawn():
    figure = plots.known_by_layer({"class": {"trained": curve(3, 0)}}, label="accuracy")
    assert len(figure.axes) == 1 and figure.axes[0].get_xlabel() and figure.axes[0].get_ylabel()


def test_curves_without_ends_are_refused():
    with pytest.raises(xa.XaiAudioError, match="lower end"):
        plots.known_by_layer({"pitch": {"trained": [0.1, 0.2]}}, label="R2")
    with pytest.raises(xa.XaiAudioError, match="lower end"):
        plots.known_by_layer({}, label="R2")
