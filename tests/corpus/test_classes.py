"""What a class's maps have in common: means, intervals, typical and odd clips, differing bands."""

import numpy as np
import pytest

from xaiaudio.corpus import classes, spectral


def test_means_and_intervals_by_frequency():
    rng = np.random.default_rng(0)
    relevance = rng.normal(size=(50, 4)) + [3, 0, 0, 1]
    mean, low, high = classes.by_frequency(relevance)
    shares = [row / sum(abs(value) for value in row) for row in relevance]
    np.testing.assert_allclose(mean, np.mean(shares, axis=0))
    # The bootstrap's interval is about that of the normal distribution.
    error = np.std(shares, axis=0) / np.sqrt(50)
    np.testing.assert_allclose(high - mean, 1.96 * error, rtol=0.25)
    np.testing.assert_allclose(mean - low, 1.96 * error, rtol=0.25)


@pytest.mark.slow
def test_intervals_hold_the_true_mean_about_as_often_as_they_say():
    hits = []
    for seed in range(100):
        drawn = np.random.default_rng(seed).uniform(0, 1, (40, 1))
        relevance = np.concatenate([drawn, 1 - drawn], axis=1)
        _, low, high = classes.by_frequency(relevance, seed=seed, draws=300)
        hits.append(low[0] <= 0.5 <= high[0])
    assert 0.87 <= np.mean(hits) <= 1.0


def test_silent_maps_have_no_share_and_no_distance():
    assert (classes.by_frequency(np.zeros((3, 2)))[0] == 0).all()
    points = np.array([[1.0, 0], [0, 0], [0, 1.0], [1.0, 0]])
    distance = classes.from_the_mean(points)
    assert np.isnan(distance[1]) and distance[2] > distance[0] == distance[3]


def test_the_band_in_which_a_group_differs():
    rng = np.random.default_rng(0)
    maps = np.abs(rng.normal(size=(40, 4, 64)))
    maps[:15, :, 50:52] += 9
    groups = spectral.groups_of(maps, draws=39)
    edges = np.linspace(0, 6400, 65)
    others, mark = classes.differing(groups, spectral.GRID, edges)
    assert (mark.low, mark.high) == (5000, 5200)
    size = np.abs(spectral.pooled(maps, (1, 32)))
    share = (size / size.sum(axis=1, keepdims=True))[:, 25]
    assert mark.share == pytest.approx(share[:15].mean())
    assert mark.others == pytest.approx(share[15:].mean())
    assert others.share > others.others
