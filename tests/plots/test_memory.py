import numpy as np
import pytest

from xaiaudio import LogMel, plots


@pytest.mark.slow
def test_sounds_stand_above_their_nearest_on_one_scale():
    patches = np.random.default_rng(0).normal(size=(3, 96, 64))
    figure = plots.beside_nearest(
        patches, patches - 5, [0.9, 0.5, 0.1], LogMel.vggish(), titles=["a", "b", "c"]
    )
    images = [ax.images[0] for ax in figure.axes[:6]]
    assert len({image.get_clim() for image in images}) == 1
    assert [ax.get_title() for ax in figure.axes[3:6]] == [
        "nearest: 0.90",
        "nearest: 0.50",
        "nearest: 0.10",
    ]
    np.testing.assert_array_equal(figure.data["nearest"], patches - 5)


@pytest.mark.slow
def test_alarms_are_recorded_on_a_grid():
    curve = ([0.0, 0.0, 0.5, 1.0], [0.0, 0.5, 1.0, 1.0])
    figure = plots.alarms({kind: {"mel": curve} for kind in ("a", "b", "c")})
    found = figure.data["c, mel"]
    assert found[0] == 0.5 and found[49] == 0.5 and found[50] == 1.0
    assert not figure.axes[3].axison


def test_shares_are_drawn_over_their_counts():
    panels = {
        "seconds": (
            [10, 40],
            {"generator": [[0.8, 0.9, 1.0], [0.1, 0.2, 0.3]], "null": [0.0, 0.1]},
        ),
        "copies": ([1, 4], {"generator": [np.nan, 0.5]}),
    }
    figure = plots.shares(panels)
    assert figure.data["seconds, generator"].shape == (2, 3)
    assert figure.data["copies, generator"].tolist() == [0.0, 0.5]
    assert {text.get_text() for text in figure.legends[0].texts} == {"generator", "null"}
    assert len(figure.legends[0].texts) == 2


def test_what_was_told_stands_against_what_is():
    figure = plots.against_refits([1.0, 2.0], {"influence": [1.0, 2.0], "likeness": [0.3, 0.1]})
    assert [ax.get_xlabel() for ax in figure.axes] == ["influence", "likeness"]
    line = figure.axes[1].lines[-1]
    assert line.get_xdata().tolist() == [0.3, 0.1] and line.get_ydata().tolist() == [1.0, 2.0]
