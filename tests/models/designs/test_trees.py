"""Trees of classes, by their definitions."""

import numpy as np
import pytest
from small_trees import UNEVEN

from xaiaudio.errors import XaiAudioError
from xaiaudio.models.designs import trees
from xaiaudio.models.designs.trees import Tree


def test_distances_in_the_tree():
    found = UNEVEN.distances()
    assert found[0, 2] == 1 and found[0, 1] == 2 and found[0, 4] == 3
    np.testing.assert_array_equal(found, found.T)
    assert not found.diagonal().any()
    # An ultrametric: of three distances the two largest are the same.
    for i in range(5):
        for j in range(5):
            for k in range(5):
                assert found[i, j] <= max(found[i, k], found[k, j])


def test_means_sum_to_one_and_children_count_alike():
    for height in range(UNEVEN.heights):
        assert UNEVEN.means(height).sum(axis=1) == pytest.approx(1)
    assert UNEVEN.means(2)[0].tolist() == pytest.approx([1 / 6, 1 / 2, 1 / 6, 1 / 6, 0])
    assert UNEVEN.groups(2) == ("top", "other")


def test_a_random_tree_has_the_same_shape_and_a_tree_can_be_found_in_data():
    labels = tuple(trees.SOURCES)
    usual, drawn = trees.tree_of(labels), trees.tree_of(labels, "random", seed=1)
    assert drawn != usual and drawn == trees.tree_of(labels, "random", seed=1)
    for height in (1, 2):
        sizes = [sorted(tree.members(height).sum(axis=1)) for tree in (usual, drawn)]
        assert sizes[0] == sizes[1]
    assert trees.tree_of(labels, "flat").heights == 1
    points = np.array([[0.0], [10.0], [0.1], [10.1]])
    found = trees.tree_of("wxyz", "sources", points)
    assert found.distance(0, 2) == found.distance(1, 3) == 1 and found.distance(0, 1) == 2


@pytest.mark.parametrize("levels, message", [
    ((("x", "y"),), "Level 1 of the tree names 2 groups for 3"),
    ((("x", "x", "y"), ("u", "v", "v")), "Level 2 of the tree parts classes"),
])  # fmt: skip
def test_what_is_no_tree(levels, message):
    with pytest.raises(XaiAudioError, match=message):
        Tree(("a", "b", "c"), levels)


def test_trees_that_cannot_be_made():
    with pytest.raises(XaiAudioError, match="no tree is known"):
        trees.tree_of(["x", "y"])
    for labels, points in (("xy", [[0.0], [np.nan]]), ("x", [[0.0]])):
        with pytest.raises(XaiAudioError, match="no tree is known"):
            trees.tree_of(labels, "data", points)
    with pytest.raises(XaiAudioError, match="tree is 'oak'"):
        trees.tree_of(["x", "y"], "oak")
