"""Figures of parts: what they show is what they record."""

import numpy as np
import pytest

import xaiaudio as xa
from xaiaudio import plots
from xaiaudio.datasets.timed import Event

RANDOM = np.random.default_rng(0)


@pytest.mark.slow
def test_rows_of_patches_share_one_scale():
    rows = {name: RANDOM.normal(size=(3, 96, 64)) for name in ("one", "two")}
    figure = plots.pictures(rows, xa.LogMel.vggish(), ["a", "b", "c"])
    panels = [ax.images[0] for ax in figure.axes if ax.images]
    assert len({panel.get_clim() for panel in panels}) == 1
    np.testing.assert_array_equal(figure.data["two"], rows["two"])
    with pytest.raises(xa.XaiAudioError, match="as many patches"):
        plots.pictures({"one": rows["one"], "two": rows["two"][:2]}, xa.LogMel.vggish())
    with pytest.raises(xa.XaiAudioError, match="2 titles"):
        plots.pictures(rows, xa.LogMel.vggish(), ["a", "b"])


def test_additions_sum_to_the_logit():
    figure = plots.additions([2.0, -0.5], ["bark", "rest"], 0.25, "Dog bark")
    assert figure.data["logit"] == pytest.approx(1.75)
    bars = [bar.get_width() for bar in figure.axes[0].patches]
    assert bars == pytest.approx([2.0, -0.5, 0.25, 1.75])
    with pytest.raises(xa.XaiAudioError, match="1 names"):
        plots.additions([2.0, -0.5], ["bark"], 0, "Dog bark")


def test_cells_are_drawn_on_a_scale_around_zero():
    cells = RANDOM.normal(size=(12, 16))
    figure = plots.cell_additions(np.zeros((96, 64)), {"dog": cells}, xa.LogMel.vggish())
    panel = figure.axes[1].images[0]
    assert panel.get_clim()[0] == -panel.get_clim()[1]
    np.testing.assert_array_equal(figure.data["maps"], [cells])
    assert figure.data["classes"] == ["dog"]
    fine = np.asarray(panel.get_array()).T
    assert fine[8, 4] == pytest.approx(cells[1, 1])
    with pytest.raises(xa.XaiAudioError, match="one map"):
        plots.cell_additions(np.zeros((96, 64)), {}, xa.LogMel.vggish())


def test_a_timeline_has_a_bar_for_each_event():
    truth = [Event("dog", 0.2, 0.9), Event("cat", 0.0, 0.5)]
    figure = plots.timeline(
        truth, truth[:1], RANDOM.random((4, 2)), np.arange(5) / 4, ["cat", "dog"]
    )
    lines = [line.get_xdata().tolist() for line in figure.axes[0].get_lines()]
    assert lines == [[0.2, 0.9], [0.0, 0.5], [0.2, 0.9]]
    np.testing.assert_allclose(figure.data["truth"], [[1, 0.2, 0.9], [0, 0, 0.5]])
    empty = plots.timeline(truth, [], RANDOM.random((4, 2)), np.arange(5) / 4, ["cat", "dog"])
    assert empty.data["found"].shape == (0, 3)
    with pytest.raises(xa.XaiAudioError, match=r"\(4, 1\)"):
        plots.timeline([], [], RANDOM.random((4, 2)), np.arange(5) / 4, ["cat"])
