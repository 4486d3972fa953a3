"""Figures of pairs: what they show is what they record."""

import numpy as np
import pytest

import xaiaudio as xa
from xaiaudio import plots


@pytest.mark.slow
def test_a_pair_is_drawn_on_one_scale_and_maps_on_their_own():
    frontend = xa.LogMel(frames=20, bands=12)
    left, right = np.random.default_rng(0).normal(size=(2, 20, 12))
    place = np.zeros((20, 12), bool)
    place[3:6, 2:4] = True
    figure = plots.pair(left, right, {"heat": 3 * abs(left)}, frontend, place=place)
    images = [ax.images[0] for ax in figure.axes]
    assert images[0].get_clim() == images[1].get_clim()
    assert images[2].get_clim() == pytest.approx((0, 3 * abs(left).max()))
    assert all(ax.collections for ax in figure.axes)  # the outline
    np.testing.assert_array_equal(figure.data["place"], place)
