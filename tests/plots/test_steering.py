import numpy as np

from xaiaudio import plots


def test_curves_and_what_random_directions_do_are_drawn_and_recorded():
    strengths = [-1.0, 0.0, 1.0]
    panels = {title: {"bright": [-1, 0, 2], "loud": [0, 0, 1]} for title in ("watched", "blind")}
    bands = {title: [[0, 0, 0.2], [-0.1, 0, 0.1]] for title in panels}
    figure = plots.turned(strengths, panels, bands=bands, y_label="change (sd)")
    assert [ax.get_title() for ax in figure.axes] == ["watched", "blind"]
    assert figure.data["blind, bright"].tolist() == [-1, 0, 2]
    np.testing.assert_allclose(figure.data["watched, random"], [[-0.1, 0, 0.1], [0, 0, 0.2]])
    names = [text.get_text() for text in figure.legends[0].texts]
    assert sorted(names) == ["bright", "loud", "random directions"]


def test_without_controls_there_is_no_band():
    figure = plots.turned([0, 1], {"probe": {"bright": [0, 1]}})
    assert not figure.axes[0].collections and "probe, random" not in figure.data
