"""What figures of voices and rooms show is what they were given."""

import numpy as np
import pytest

import xaiaudio as xa


def test_a_mark_for_each_voice_and_method():
    figure = xa.plots.separated({"mixture": [0.0, 1.0], "estimate": [9.0, 8.0]}, ("one", "other"))
    lines = [line for line in figure.axes[0].lines if line.get_label() in ("one", "other")]
    assert [line.get_xdata().tolist() for line in lines] == [[0.0, 9.0], [1.0, 8.0]]
    assert figure.data["ratios"].tolist() == [[0.0, 1.0], [9.0, 8.0]]


def test_formants_lie_over_the_true_ones():
    found = {"a": np.full((4, 2), 510.0), "b": np.full((4, 2), 700.0)}
    true = {"a": np.full((4, 2), 500.0), "b": np.full((4, 2), 690.0)}
    figure = xa.plots.formants(np.arange(4), found, true)
    assert len(figure.axes) == 2 and figure.data["true"].shape == (2, 4, 2)
    drawn = [line.get_ydata()[0] for line in figure.axes[1].lines]
    assert drawn == [690, 690, 700, 700]


def test_a_wrong_pitch_is_drawn_beside_the_mixture():
    figure = xa.plots.sensitivity([-1, 0, 1], [2.0, 9.0, 1.0], 0.5, "the man")
    assert figure.axes[0].lines[0].get_ydata().tolist() == [2.0, 9.0, 1.0]
    assert figure.axes[0].lines[1].get_ydata()[0] == 0.5 == figure.data["before"]
    assert "the man" in figure.axes[0].get_xlabel()


@pytest.mark.slow
def test_each_room_has_a_line_and_a_point():
    missed = np.array([[0.01, 0.2], [0.01, 0.02]])
    figure = xa.plots.rooms([0.3, 0.9], [0.4, 1.0], [0.1, 1.0], missed, 0.04)
    left, right = figure.axes
    assert len(left.lines) == 3 and left.lines[-1].get_ydata()[0] == 0.04
    assert [line.get_ydata()[0] for line in right.lines[:2]] == [0.4, 1.0]
    assert figure.data["missed"].tolist() == missed.tolist()
