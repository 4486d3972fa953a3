"""How simple a map is, against the definitions."""

import math

import numpy as np
import pytest

import xaiaudio as xa
from xaiaudio.evaluate.metrics.complexity import complexity, mask_mean, sparseness


def test_sparseness_is_the_gini_index():
    maps = np.random.default_rng(0).normal(size=(3, 4, 5))
    for found, one in zip(sparseness(maps), maps, strict=True):
        a = np.abs(one).ravel()
        pairs = sum(abs(x - y) for x in a for y in a)
        assert found == pytest.approx(pairs / (2 * len(a) ** 2 * a.mean()))
    one_hot = np.zeros((1, 4, 5))
    one_hot[0, 2, 3] = -7
    assert sparseness(one_hot) == pytest.approx(1 - 1 / 20)
    assert sparseness(np.ones((1, 4, 5))) == pytest.approx(0)
    assert sparseness(np.zeros((1, 4, 5))) == 0


def test_complexity_is_the_entropy_of_the_shares():
    maps = np.random.default_rng(0).normal(size=(3, 4, 5))
    for found, one in zip(complexity(maps), maps, strict=True):
        shares = np.abs(one).ravel() / np.abs(one).sum()
        assert found == pytest.approx(-sum(a * math.log(a) for a in shares))
    one_hot = np.zeros((1, 4, 5))
    one_hot[0, 2, 3] = 3
    assert complexity(one_hot) == 0
    assert complexity(np.full((1, 4, 5), -2.0)) == pytest.approx(math.log(20))
    assert complexity(np.zeros((1, 4, 5))) == pytest.approx(math.log(20))


def test_what_is_no_map_is_refused():
    with pytest.raises(xa.XaiAudioError, match="shape"):
        sparseness([])


def test_mask_mean_is_the_mean_of_the_positive_part_over_its_maximum():
    maps = np.random.default_rng(1).normal(size=(5, 4, 3))
    for found, one in zip(mask_mean(maps), maps, strict=True):
        values = [max(value, 0.0) for value in one.ravel()]
        assert found == pytest.approx(sum(values) / max(values) / 12)
    assert mask_mean(-np.ones((1, 4, 3))) == 0
    assert mask_mean(np.full((1, 4, 3), 7.0)) == 1


def test_of_masks_of_0_and_1_the_three_say_the_same():
    share = np.arange(1, 9) / 8
    masks = np.arange(8)[None, :] < 8 * share[:, None]
    np.testing.assert_allclose(sparseness(masks), 1 - share)
    np.testing.assert_allclose(complexity(masks), math.log(8) + np.log(share), atol=1e-12)
    np.testing.assert_allclose(mask_mean(masks), share)
