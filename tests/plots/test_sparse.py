"""Figures of sparse features show what they are given."""

import numpy as np
import pytest

import xaiaudio as xa
from xaiaudio import plots


def test_values_are_ranked_over_their_share():
    figure = plots.ranked({"a": [0.1, 0.5, 0.3], "b": [0.2]}, "cosine", reference=("none", 0.0))
    assert figure.data["a"].tolist() == [0.5, 0.3, 0.1]
    lines = figure.axes[0].lines
    np.testing.assert_allclose(lines[0].get_xdata(), [100 / 6, 50, 500 / 6])
    assert lines[1].get_xdata().tolist() == [50] and len(lines) == 3


@pytest.mark.slow
def test_what_is_left_is_drawn_in_percent():
    rows = [[0.8, 0.9, 1.0], [0.1, 0.2, 0.3]]
    figure = plots.taken_out([0, 8], {"class": rows}, "still named")
    np.testing.assert_allclose(figure.axes[0].lines[0].get_ydata(), [90, 20])
    assert [text.get_text() for text in figure.axes[0].get_xticklabels()] == ["0", "8"]
    assert figure.data["counts"].tolist() == [0, 8]


def test_places_are_outlined():
    frontend = xa.LogMel.vggish()
    place = (np.random.default_rng(0).normal(size=(96, 64)), (10, 40), (0, 32), "Rain")
    figure = plots.firing_places({"one": [place, place], "two": [place, place]}, frontend)
    assert figure.data["patches"].shape == (2, 2, 96, 64)
    outline = figure.axes[0].patches[0]
    assert (
        outline.get_xy() == (0.1, 0) and outline.get_width() == 0.3 and outline.get_height() == 32
    )
    assert figure.axes[0].get_title() == "Rain"
