"""Pictures of prototypes."""

import numpy as np
import pytest

import xaiaudio as xa
from xaiaudio import plots
from xaiaudio.models.designs.matching import Match, View

FRONTEND = xa.LogMel(frames=20, bands=12)


def _views():
    rng = np.random.default_rng(0)
    return [View(rng.normal(size=(20, 12)), 0.5 * k, (2, 9), (1, 6)) for k in range(4)]


def _boxes(ax):
    return [(*box.get_xy(), box.get_width(), box.get_height()) for box in ax.patches]


@pytest.mark.slow
def test_places_are_outlined():
    found = [Match(0, 1.5, 0.9, (3, 8), (2, 5)), Match(1, 0.25, 0.8, (0, 20), (0, 12))]
    figure = plots.alike(np.zeros((20, 12)), found, _views()[:2], FRONTEND, ["one", "two"])
    axes = figure.axes
    step = FRONTEND.hop / FRONTEND.sample_rate
    assert _boxes(axes[0])[0] == pytest.approx((3 * step, 2, 5 * step, 3))
    assert _boxes(axes[3])[0] == pytest.approx((0.5 + 2 * step, 1, 7 * step, 5))
    assert "1.50" in axes[0].get_title() and "one" in axes[1].get_title()
    assert figure.data["boxes"].shape == (2, 2, 4)
    assert figure.data["added"].tolist() == [1.5, 0.25]


@pytest.mark.slow
def test_several_places():
    figure = plots.together(_views(), FRONTEND, list("abcd"))
    assert [ax.get_title() for ax in figure.axes[:4]] == list("abcd")
    assert figure.data["boxes"].tolist() == [[2, 9, 1, 6]] * 4


def test_sums_end_where_the_logit_is():
    figure = plots.sums({"one": 2.0, "two": -0.5}, 1.5)
    bars = figure.axes[0].patches
    assert [(bar.get_x(), bar.get_width()) for bar in bars] == [(0, 2.0), (2.0, -0.5), (0, 1.5)]
    assert figure.data["total"] == 1.5


def test_radii():
    figure = plots.radius([0.5, 1, 2], [1, 5, 9], [1, 0.9, 0.5])
    left, right = figure.axes
    assert left.lines[0].get_ydata().tolist() == [1, 5, 9]
    assert right.lines[0].get_ydata() == pytest.approx([100, 90, 50])
