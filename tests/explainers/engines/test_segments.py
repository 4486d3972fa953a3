import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from small_networks import random_patches

from xaiaudio import XaiAudioError
from xaiaudio.explainers.engines import segments

sizes = st.integers(1, 40)


@pytest.mark.slow
@settings(deadline=None)
@given(sizes, sizes, sizes, sizes)
def test_grid_has_all_segments_of_nearly_one_size(h, w, rows, columns):
    rows, columns = min(rows, h), min(columns, w)
    found = segments.grid((h, w), rows, columns)
    assert set(np.unique(found)) == set(range(rows * columns))
    for number in range(rows * columns):
        height, width = np.ptp(np.argwhere(found == number), axis=0) + 1
        assert height in (h // rows, -(-h // rows))
        assert width in (w // columns, -(-w // columns))
        assert (found == number).sum() == height * width


def test_grid_is_numbered_along_the_bands_first():
    expected = [[0, 0, 1, 1, 2], [0, 0, 1, 1, 2], [3, 3, 4, 4, 5]]
    np.testing.assert_array_equal(segments.grid((3, 5), 2, 3), expected)


@pytest.mark.parametrize("rows, columns", [(0, 1), (1, 0), (9, 1), (1, 6)])
def test_grid_that_does_not_fit(rows, columns):
    with pytest.raises(XaiAudioError, match="cannot be cut"):
        segments.grid((8, 5), rows, columns)


@pytest.mark.parametrize("shape", [(96, 64), (7, 31), (5, 5)])
def test_superpixels_number_without_gaps_and_repeat(shape):
    patch = random_patches(1, shape)[0]
    found = segments.superpixels(patch, 20)
    assert found.shape == shape
    assert set(np.unique(found)) == set(range(found.max() + 1))
    np.testing.assert_array_equal(found, segments.superpixels(patch, 20))


def test_superpixels_follow_a_tone():
    patch = np.full((96, 64), -4.0)
    patch[30:60, 20:32] = 1.0
    found = segments.superpixels(patch, 30)
    mixed = [np.ptp(patch[found == number]) > 0 for number in range(found.max() + 1)]
    assert found.max() > 10
    assert np.mean(mixed) < 0.05


def test_means_and_paint():
    patches = random_patches(2, (6, 5))
    numbers = np.random.default_rng(0).integers(0, 4, (2, 6, 5))
    found = segments.means(patches, numbers)
    for patch, mean, number in zip(patches, found, numbers, strict=True):
        for k in range(4):
            np.testing.assert_allclose(mean[number == k], patch[number == k].mean(), rtol=1e-5)
    values = np.random.default_rng(1).normal(size=(2, 3, 4))
    painted = segments.paint(values, numbers)
    for i, j, row, column in np.ndindex(painted.shape):
        assert painted[i, j, row, column] == values[i, j, numbers[i, row, column]]
