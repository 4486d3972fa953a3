"""How simple a map is, against the definitions."""

import math

import numpy as np
import pytest

import xaiaudio as xa
from xaiaudio.evaluate.metrics.complexity import complexity, sparseness


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
