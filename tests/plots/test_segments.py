"""Segments are drawn where they lie, with their weights."""

import numpy as np
from random_explanations import FRONTEND

from xaiaudio import plots


def test_segments_draw_a_line_at_every_border():
    numbers = np.repeat([0, 1], 48)[:, None] * np.ones((1, 64), int)
    figure = plots.segments(np.zeros((96, 64)), {"halves": numbers}, FRONTEND)
    upright = [c for c in figure.axes[0].collections if len(c.get_segments())]
    places = np.concatenate([line[:, 0] for c in upright for line in c.get_segments()])
    np.testing.assert_allclose(places, FRONTEND.times()[48])


def test_segments_of_a_whole_sound_lie_at_its_own_times():
    numbers = np.repeat(np.arange(498) * 10 // 498, 64).reshape(498, 64)
    figure = plots.segments(np.zeros((498, 64)), {"tenths": numbers}, FRONTEND)
    lines = [line for c in figure.axes[0].collections for line in c.get_segments()]
    found = np.unique([line[:, 0] for line in lines])
    # A frame is a hundredth of a second, the first one in the middle of a window of 25 ms.
    first = [np.flatnonzero(numbers[:, 0] == k)[0] for k in range(1, 10)]
    expected = 0.0075 + np.array(first) / 100
    np.testing.assert_allclose(found, expected)


def test_segments_can_show_weights():
    numbers = np.repeat([0, 1], 48)[:, None] * np.ones((1, 64), int)
    figure = plots.segments(
        np.zeros((96, 64)), {"halves": numbers}, FRONTEND, weights={"halves": [2.0, -1.0]}
    )
    assert figure.data["halves"][0, 0] == 2 and figure.data["halves"][-1, 0] == -1
