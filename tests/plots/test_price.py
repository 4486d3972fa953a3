"""The picture of prices shows what it was given."""

import numpy as np

from xaiaudio import plots


def test_prices_stand_beside_what_a_decision_takes():
    accuracy = np.array([[0.7, 0.8, 0.9], [0.5, 0.6, 0.65], [0.95, 0.96, 0.97]])
    figure = plots.prices(
        ["nmf", "apnet", "plain"], accuracy, [5, 2.5, np.nan], references={"people": 0.957}
    )
    left, right = figure.axes
    np.testing.assert_array_equal(figure.data["accuracy"], accuracy)
    assert figure.data["needed"].tolist() == [5, 2.5, 0]
    drawn = [line.get_xdata() for line in left.lines]
    assert np.allclose(drawn[0], [80, 60, 96])
    assert any(np.allclose(line, 95.7) for line in drawn)
    assert [bar.get_width() for bar in right.patches] == [5, 2.5, 0]
    assert [text.get_text() for text in right.texts] == ["5", "2.5", "no parts"]
    assert [text.get_text() for text in left.get_yticklabels()] == ["nmf", "apnet", "plain"]


def test_no_references_no_legend():
    figure = plots.prices(["a"], [[0.1, 0.2, 0.3]], [1])
    assert "references" not in figure.data and not figure.legends
