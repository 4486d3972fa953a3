"""Figures of chance show what they were given."""

import numpy as np
import pytest

from xaiaudio import plots
from xaiaudio.explainers.engines.designs import draw


def test_designs_show_coalitions_and_how_parts_go_together():
    drawn = {name: draw(20, 65, 1, name).present for name in ("independent", "orthogonal")}
    figure = plots.designs(drawn, rows=10)
    for name, present in drawn.items():
        np.testing.assert_array_equal(figure.data[name], present[:10])
        expected = np.corrcoef(present, rowvar=False)
        np.testing.assert_allclose(figure.data[f"{name}, together"], expected, atol=1e-9)
    off = ~np.eye(20, dtype=bool)
    assert np.abs(figure.data["orthogonal, together"][off]).max() < 0.02
    assert np.abs(figure.data["independent, together"][off]).max() > 0.2
    assert [ax.get_title() for ax in figure.axes[:2]] == list(drawn)


def test_a_part_that_never_changes_goes_with_nothing():
    figure = plots.designs({"one": [[1, 1], [1, 0]]})
    assert figure.data["one, together"].tolist() == [[0, 0], [0, 1]]


def test_errors_are_medians_and_quartiles():
    values = np.random.default_rng(0).uniform(0.05, 1, (3, 9))
    figure = plots.errors([10, 20, 40], {"a": values, "b": values / 2})
    np.testing.assert_allclose(figure.data["a"][1], np.median(values, axis=1))
    np.testing.assert_allclose(figure.data["b"][2], np.quantile(values, 0.75, axis=1) / 2)
    lines = {line.get_label(): line.get_ydata() for line in figure.axes[0].lines}
    np.testing.assert_allclose(lines["a"], np.median(values, axis=1))


def test_weights_stand_beside_each_other_with_their_errors():
    figure = plots.part_weights(
        ["x", "y"],
        {"LIME": [1, -1], "Shapley": [2, 0]},
        errors={"LIME": [0.5, 0], "Shapley": [0, 1]},
    )
    assert figure.data["LIME"].tolist() == [[0.5, 1, 1.5], [-1, -1, -1]]
    assert figure.data["Shapley"][1].tolist() == [-1, 0, 1]
    assert [text.get_text() for text in figure.axes[0].get_yticklabels()] == ["x", "y"]
    assert figure.axes[0].get_xlim()[0] < -1 and figure.axes[0].get_xlim()[1] == pytest.approx(
        2.15, abs=0.2
    )
