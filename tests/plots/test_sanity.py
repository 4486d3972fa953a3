"""Figures of sanity checks: what they show is what they were given."""

import numpy as np
import pytest

from xaiaudio import LogMel, plots

FRONTEND = LogMel.vggish()


PATCH = np.random.default_rng(0).normal(size=(96, 64))


@pytest.mark.slow
def test_forgetting_scales_each_map_by_itself():
    maps = {name: {"whole": 5 * PATCH, "all": np.zeros((96, 64))} for name in ("a", "b")}
    figure = plots.forgetting(PATCH, maps, FRONTEND)
    assert np.abs(figure.data["whole"]).max(axis=(1, 2)) == pytest.approx([1, 1])
    assert not figure.data["all"].any()
    assert [ax.get_title() for ax in figure.axes[:2]] == ["a", "b"]


def test_curves_begin_with_the_whole_network():
    curves = {"a": {"spearman": [0.5, 0.1]}, "b": {"spearman": [0.9, 0.8]}}
    figure = plots.likeness_curves(["logits", "all"], curves)
    assert figure.data["spearman"].tolist() == [[1, 0.5, 0.1], [1, 0.9, 0.8]]
    lines = {line.get_label(): list(line.get_ydata()) for line in figure.axes[0].lines}
    assert lines["b"] == [1, 0.9, 0.8]


def test_a_table_frames_what_reaches_the_threshold():
    values = [[0.9, 0.2, 0.1], [0.5, 0.49, -0.5]]
    figure = plots.likeness_table(["a", "b"], ["x", "y", "z"], values, [0.2, 0.5])
    ax = figure.axes[0]
    frames = {tuple(np.round(np.add(patch.get_xy(), (0.46, 0.42)))) for patch in ax.patches}
    assert frames == {(1, 0), (2, 0), (1, 1)}
    assert [text.get_text() for text in ax.texts][:4] == ["0.20", "0.90", "0.20", "0.10"]


def test_dots_and_bars_stand_where_they_should():
    rows = {"one": [[0.1, 0.2, 0.4]], "two": [[-0.3, 0.0, 0.1]]}
    figure = plots.likeness_dots(["LIME"], rows, spans=[[-0.1, 0.3]], span_label="span")
    ax = figure.axes[0]
    bar = ax.patches[0]
    assert (bar.get_x(), bar.get_width()) == pytest.approx((-0.1, 0.4))
    dots = [line.get_xdata()[0] for line in ax.lines if line.get_marker() in "os"]
    assert dots == [0.2, 0.0] and np.array_equal(figure.data["two"], rows["two"])
    assert "spans" not in plots.likeness_dots(["LIME"], rows).data
