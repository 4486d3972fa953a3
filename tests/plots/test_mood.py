import numpy as np

from xaiaudio import plots


def test_tables_share_a_scale_and_keep_their_numbers():
    tables = {"qualities": [[2.0, -0.5], [0.0, 1.0]], "moods": [[-1.0], [0.25]]}
    columns = {"qualities": ["minor", "dense"], "moods": ["sad"]}
    figure = plots.effects(tables, ["drums", "bass"], columns)
    for title, table in tables.items():
        np.testing.assert_array_equal(figure.data[title], table)
    images = [ax.images[0] for ax in figure.axes if ax.images]
    assert {image.get_clim() for image in images[:2]} == {(-2.0, 2.0)}
    texts = [text.get_text() for text in figure.axes[0].texts]
    assert texts == ["2.00", "-0.50", "0.00", "1.00"]
    assert [label.get_text() for label in figure.axes[1].get_xticklabels()] == ["sad"]


def test_sizes_begin_at_zero():
    figure = plots.effects({"sizes": [[0.5, 2.0]]}, ["drums"], {"sizes": ["a", "b"]})
    assert figure.axes[0].images[0].get_clim() == (0.0, 2.0)
