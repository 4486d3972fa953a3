import numpy as np
import pytest

from xaiaudio import plots
from xaiaudio.plots import canvas
from xaiaudio.plots.render import render


def test_bands_hold_lowest_mean_and_highest():
    curves = np.array([[3.0, 1.0, -1.0], [1.0, 0.0, -4.0], [2.0, 2.0, 2.0]])
    figure = plots.bands({"three seeds": curves}, x=[10, 20, 30], x_label="n", y_label="weight")
    assert figure.data["three seeds"].tolist() == [[1, 0, -4], [2, 1, -1], [3, 2, 2]]
    assert figure.data["x"].tolist() == [10, 20, 30]
    (line,) = [line for line in figure.axes[0].lines if line.get_label() == "three seeds"]
    assert line.get_ydata().tolist() == [2, 1, -1]


def test_bands_count_from_one():
    assert plots.bands({"a": np.zeros((2, 4))}).data["x"].tolist() == [1, 2, 3, 4]


def test_agreement_writes_each_number():
    figure = plots.agreement([[1, -0.25], [0.75, 1]], ["a", "b"])
    written = [text.get_text() for text in figure.axes[0].texts]
    assert written == ["1.00", "-0.25", "0.75", "1.00"]
    assert figure.data["matrix"].tolist() == [[1, -0.25], [0.75, 1]]


@pytest.mark.slow
@pytest.mark.parametrize("largest", [1.3e-4, 1.0, 1.3e5])
def test_colour_bar_labels_do_not_run_into_each_other(largest):
    figure, axes = canvas.grid(width=4.0)
    drawn = axes[0, 0].imshow([[-largest, largest]], vmin=-largest, vmax=largest)
    canvas.colour_bar(figure, drawn, axes, "relevance")
    render(figure)
    boxes = sorted(
        (label.get_window_extent().x0, label.get_window_extent().x1)
        for label in figure.axes[-1].get_xticklabels()
        if label.get_text()
    )
    assert len(boxes) > 2
    ends, starts = [box[1] for box in boxes[:-1]], [box[0] for box in boxes[1:]]
    low, high = figure.axes[-1].get_window_extent().intervalx
    inside = [low - 1 <= (a + b) / 2 <= high + 1 for a, b in boxes]
    pairs = [e < s for e, s, i, j in zip(ends, starts, inside, inside[1:], strict=False) if i and j]
    assert all(pairs)
