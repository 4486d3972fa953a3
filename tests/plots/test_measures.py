"""Figures of measures hold what they show, and show it in the right place."""

import numpy as np
import pytest

from xaiaudio import LogMel, plots
from xaiaudio.datasets.mixtures import mix
from xaiaudio.evaluate.benchmark.leaderboard import Leaderboard, Row
from xaiaudio.evaluate.metrics.deletion import Curve
from xaiaudio.evaluate.metrics.registry import Measure
from xaiaudio.plots.render import render


@pytest.mark.slow
def test_a_mixture_is_drawn_with_its_parts_and_its_truth():
    rng = np.random.default_rng(0)
    tone = 0.1 * np.sin(np.arange(32_000) * 0.4)
    made = mix(tone, 0.01 * rng.normal(size=40_000), snr_db=10, at=1.0, seconds=0.5)
    figure = plots.mixture(made)
    frontend = LogMel.vggish()
    np.testing.assert_array_equal(figure.data["event"], frontend.spectrogram(made.event))
    np.testing.assert_array_equal(figure.data["mixture"], frontend.spectrogram(made.wave))
    np.testing.assert_array_equal(figure.data["truth"], made.events)
    # The outline lies where the event is, in the last panel only.
    lines = [part for ax in figure.axes[:3] for part in ax.collections]
    assert {part.axes for part in lines} == {figure.axes[2]} and len(lines) == 2
    times = np.concatenate([part.get_segments() for part in lines]).reshape(-1, 2)[:, 0]
    assert 0.95 < times.min() < 1.05 and 1.45 < times.max() < 1.55


def board_of(values):
    column = Measure("mass", "mass", "f", "u", "higher", 0, 1, "", "", None)
    rows = [
        Row(name, name in ("uniform", "oracle"), {"mass": np.array(found)})
        for name, found in values.items()
    ]
    sick = Row("sick", False, {}, error="no convolution")
    return Leaderboard("net", "set", 4, 0, (column,), (rows[0], sick, *rows[1:]))


@pytest.mark.slow
def test_a_breakdown_is_coloured_by_the_way_from_chance_to_one():
    board = board_of(
        {
            "good": [0.9, 0.7, 0.5, np.nan],
            "uniform": [0.2, 0.2, 0.5, 0.5],
            "oracle": [1.0, 1.0, 1.0, 1.0],
        }
    )
    parts = {"first two": board.part([0, 1]), "third": board.part([2]), "fourth": board.part([3])}
    figure = plots.breakdown(parts, "mass")
    data = figure.data
    assert data["rows"].tolist() == ["good", "uniform", "oracle"]
    np.testing.assert_allclose(data["means"], [[0.8, 0.5, np.nan], [0.2, 0.5, 0.5], [1, 1, 1]])
    np.testing.assert_allclose(data["chance"], [0.2, 0.5, 0.5])
    drawn = figure.axes[0].images[0].get_array()
    np.testing.assert_allclose(drawn[:, :2], [[0.75, 0], [0, 0], [1, 1]], atol=1e-12)
    assert drawn.mask.tolist() == [[False, False, True], [False] * 3, [False] * 3]
    texts = [text.get_text() for text in figure.axes[0].texts]
    assert texts[0] == "0.80\n0.70 to 0.90" and texts[1] == "0.50" and texts[2] == "–"
    assert len(render(figure)) > 1000


def test_many_conditions_are_split_into_panels():
    board = board_of({"good": [0.9] * 4, "uniform": [0.1] * 4})
    figure = plots.breakdown({f"c{k}": board for k in range(7)}, "mass", rows=["good"])
    shapes = [ax.images[0].get_array().shape for ax in figure.axes if ax.images]
    assert shapes == [(1, 4), (1, 3)]


def test_curves_are_means_over_patches():
    fractions = np.linspace(0, 1, 3)
    curve = Curve(fractions, np.array([[1.0, 0.5, 0.0], [0.5, 0.5, 0.4]]), np.zeros(2))
    figure = plots.curves({"deletion": {"a": curve, "b": curve}, "insertion": {"a": curve}})
    assert figure.data["deletion: b"] == pytest.approx([0.75, 0.5, 0.2])
    assert [len(ax.lines) for ax in figure.axes] == [2, 1]
    assert figure.axes[1].lines[0].get_ydata() == pytest.approx([0.75, 0.5, 0.2])
    styles = {(line.get_color(), line.get_linestyle()) for line in figure.axes[0].lines}
    assert len(styles) == 2


def test_orders_place_the_best_on_top():
    ways = {"silence": [0.1, 0.3, 0.2], "mean": [0.5, 0.2, 0.9]}
    figure = plots.orders(["a", "b", "c"], ways, better="lower")
    assert figure.data["places"].tolist() == [[1, 3, 2], [2, 1, 3]]
    assert plots.orders(["a", "b", "c"], ways).data["places"].tolist() == [[3, 1, 2], [2, 3, 1]]
    ax = figure.axes[0]
    assert [line.get_ydata().tolist() for line in ax.lines] == [[1, 2], [3, 1], [2, 3]]
    assert {text.get_text() for text in ax.texts} >= {"a  0.10", "0.50  a", "0.20  b"}
    # The first place is at the top.
    assert ax.get_ylim()[0] > ax.get_ylim()[1]


def test_names_of_a_large_table_do_not_overlap():
    names = [f"measure {k}" for k in range(8)]
    figure = plots.agreement(np.eye(8), names)
    assert {label.get_rotation() for label in figure.axes[0].get_xticklabels()} == {45.0}
