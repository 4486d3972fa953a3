"""Figures of stability: what they show is what they were given."""

import numpy as np
import pytest

from xaiaudio import LogMel, plots

FRONTEND = LogMel.vggish()
PATCH = np.random.default_rng(0).normal(size=(96, 64))


@pytest.mark.slow
@pytest.mark.parametrize("count", [1, 2, 3])
def test_named_segments_are_shares_on_one_scale(count):
    shares = {f"{number} samples": np.full((96, 64), number / 4) for number in range(count)}
    figure = plots.named_segments(PATCH, shares, FRONTEND)
    images = [ax.images[0] for ax in figure.axes[: count + 1]]
    assert all(image.get_clim() == (0, 1) for image in images[1:])
    assert images[count].get_array()[0, 0] == (count - 1) / 4


def test_settling_draws_each_patch_and_the_mean():
    values = [[0.3, 0.5], [0.9, 1.0]]
    figure = plots.settling([50, 100], {"7 x 7": values}, advised=(60, 90), chance={"7 x 7": 0.1})
    ax = figure.axes[0]
    drawn = [np.asarray(line.get_ydata(), float).tolist() for line in ax.lines]
    assert drawn[:3] == [[0.3, 0.9], [0.5, 1.0], pytest.approx([0.4, 0.95])]
    assert figure.data["7 x 7"].tolist() == values and ax.get_xscale() == "log"


def test_changes_leave_out_what_a_log_axis_has_no_place_for():
    values = [[0.1, 0.2, 0.4], [0.0, np.nan, 0.3], [0, 0, 0]]
    figure = plots.changes(["a", "b", "c"], values, reference=("input", 0.01))
    assert figure.data["medians"][:2].tolist() == [0.2, 0.3]
    assert np.isnan(figure.data["medians"][2]) and figure.data["reference"] == 0.01
    dots = figure.axes[0].lines[0].get_xdata()
    assert np.isfinite(dots).sum() == 4
