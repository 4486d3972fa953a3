"""The figure of a tree has a box for each node."""

import numpy as np
import pytest

from xaiaudio import XaiAudioError, plots
from xaiaudio.models.designs.hierarchy import summed
from xaiaudio.models.designs.trees import SOURCES, tree_of


def test_family_tree():
    tree = tree_of(tuple(SOURCES))
    scores = np.random.default_rng(0).dirichlet(np.ones(10), 1)
    sums = [one[0] for one in summed(tree, scores)]
    figure = plots.family_tree(tree, sums, sums)
    texts = [text.get_text() for text in figure.axes[0].texts]
    assert len(texts) == 10 + 4 + 2 and len(figure.axes[0].lines) == 10 + 4
    for height, values in enumerate(sums):
        np.testing.assert_array_equal(figure.data[f"level {height}"], values)
        for name, value in zip(tree.groups(height), values, strict=True):
            assert f"{name}  {value:.0%} ({value:.0%})" in texts
    with pytest.raises(XaiAudioError, match=r"\[10, 4, 2\] groups"):
        plots.family_tree(tree, sums[:2], sums)
