"""Groups of maps: by their definition, planted ones, none, and nothing at all."""

import numpy as np
import pytest

import xaiaudio as xa
from xaiaudio.corpus import spectral

QUICK = {"draws": 39}


def cloud(n=40, seed=0, shape=(6, 32)):
    rng = np.random.default_rng(seed)
    return np.abs(rng.normal(size=(n, *shape))) + 2 * np.sin(np.arange(shape[1]) / 5) ** 2


def planted(n=40, share=0.5, seed=0, size=8.0):
    maps = cloud(n, seed)
    mark = np.random.default_rng(seed + 1).permutation(n) < share * n
    maps[mark, :, 26] += size
    return maps, mark


def test_pooling_by_its_definition():
    maps = np.random.default_rng(0).normal(size=(3, 7, 10))
    found = spectral.pooled(maps, (2, 4))
    for one, cells in zip(maps, found, strict=True):
        plain = []
        for top, bottom in ((0, 3), (3, 7)):
            for left, right in ((0, 2), (2, 5), (5, 7), (7, 10)):
                plain.append(max(one[top:bottom, left:right].mean(), 0))
        np.testing.assert_allclose(cells, plain / np.sqrt(np.square(plain).sum()))


def test_graph_and_laplacian_by_their_definition():
    points = np.random.default_rng(1).normal(size=(12, 5))
    near = [
        sorted(
            (j for j in range(12) if j != i), key=lambda j: ((points[i] - points[j]) ** 2).sum()
        )[:3]
        for i in range(12)
    ]
    weights = np.array(
        [[((j in near[i]) + (i in near[j])) / 2 for j in range(12)] for i in range(12)]
    )
    np.testing.assert_array_equal(spectral.affinity(points, 3), weights)
    degree = np.diag(weights.sum(axis=1))
    half = np.linalg.inv(np.sqrt(degree))
    plain = np.eye(12) - half @ weights @ half
    np.testing.assert_allclose(spectral.laplacian(weights), plain, atol=1e-12)
    # The same eigenvalues as those of D v = l (D - W) v, asked of a general matrix.
    values = np.sort(np.linalg.eigvals(np.linalg.inv(degree) @ (degree - weights)).real)
    np.testing.assert_allclose(
        spectral.spectrum(points, 3, 8)[0], np.maximum(values[:9], 0), atol=1e-7
    )
    assert (values > -1e-9).all() and (values < 2 + 1e-9).all()


def test_an_eigenvalue_of_zero_for_each_part_of_the_graph():
    rng = np.random.default_rng(0)
    points = np.concatenate([rng.normal(size=(10, 3)) + 100 * place for place in range(3)])
    values, _ = spectral.spectrum(points, 4, 6)
    assert (values[:3] < 1e-9).all() and values[3] > 0.05
    assert spectral.largest_gap(values) == (pytest.approx(values[3] - values[2]), 3)


def test_the_largest_gap_plainly():
    assert spectral.largest_gap(np.array([0, 0.5, 0.6, 0.9, 1.0])) == (pytest.approx(0.3), 3)
    # A step above the first eigenvalue says that there is one part.
    assert spectral.largest_gap(np.array([0, 0.5, 0.55]))[1] == 2
    assert spectral.largest_gap(np.array([0, 0.5])) == (0.0, 1)


@pytest.mark.slow
@pytest.mark.parametrize("share", [0.25, 0.5])
def test_a_planted_mark_is_found(share):
    maps, mark = planted(100, share)
    found = spectral.groups_of(maps, **QUICK)
    assert found.found == 2 and found.p_value <= 0.05
    small = found.labels == (1 if share < 0.5 else found.labels[mark][0])
    assert (small == mark).mean() == 1.0  # purity


@pytest.mark.slow
def test_a_group_smaller_than_the_neighbourhood_is_overlooked():
    maps, mark = planted(60, 0.1)
    assert mark.sum() < 2 * np.sqrt(60) and spectral.groups_of(maps, **QUICK).found == 1
    small = spectral.groups_of(maps, neighbours=4, **QUICK)
    assert small.found == 2 and ((small.labels == 1) == mark).all()


@pytest.mark.slow
def test_hardly_any_false_alarm_where_there_is_one_cloud():
    alarms = [
        spectral.groups_of(cloud(seed=seed), seed=seed, **QUICK).found > 1 for seed in range(20)
    ]
    # One in twenty is expected; more than four have a chance below 2 %.
    assert sum(alarms) <= 4


def test_the_order_does_not_matter():
    maps, _ = planted()
    found = spectral.groups_of(maps, **QUICK)
    order = np.random.default_rng(5).permutation(len(maps))
    turned = spectral.groups_of(maps[order], **QUICK)
    np.testing.assert_array_equal(turned.labels, found.labels[order])
    np.testing.assert_allclose(turned.places, found.places[order], atol=1e-9)
    assert turned.gap == found.gap


def test_the_size_of_a_map_does_not_matter():
    maps, _ = planted()
    louder = maps * 2.0 ** np.random.default_rng(0).integers(-9, 9, len(maps))[:, None, None]
    assert (
        spectral.groups_of(louder, **QUICK).labels == spectral.groups_of(maps, **QUICK).labels
    ).all()


def test_large_archives_are_sampled(monkeypatch):
    monkeypatch.setattr(spectral, "LARGEST", 50)
    maps, mark = planted(120)
    found = spectral.groups_of(maps, **QUICK)
    assert found.found == 2 and len(found.labels) == 120
    assert ((found.labels == found.labels[mark][0]) == mark).all()


def test_clouds_have_the_same_mean_and_spread():
    points = spectral.pooled(cloud(300), (1, 32))
    drawn = np.concatenate(
        [spectral.one_piece(points, np.random.default_rng(seed)) for seed in range(20)]
    )
    np.testing.assert_allclose(drawn.mean(axis=0), points.mean(axis=0), atol=0.01)
    np.testing.assert_allclose(np.cov(drawn.T), np.cov(points.T), atol=0.002)


@pytest.mark.parametrize(
    "maps",
    [cloud(3), np.ones((30, 6, 32)), np.zeros((30, 6, 32)), np.zeros((0, 6, 32)), cloud(1)],
    ids=["three", "equal", "zeros", "none", "one"],
)
def test_where_there_is_nothing_to_divide(maps):
    found = spectral.groups_of(maps, **QUICK)
    assert found.found == 1 and found.p_value == 1.0
    assert found.labels.tolist() == [0 if one.any() else -1 for one in maps]
    assert np.isfinite(found.places).all() == maps.any(axis=(1, 2)).all()


def test_maps_of_zeros_belong_nowhere():
    maps, mark = planted(60)
    maps[:5] = 0
    found = spectral.groups_of(maps, **QUICK)
    assert (found.labels[:5] == -1).all() and np.isnan(found.places[:5]).all()
    assert ((found.labels[5:] == found.labels[5:][mark[5:]][0]) == mark[5:]).all()


@pytest.mark.parametrize("maps", [np.full((20, 6, 32), np.nan), np.ones((20, 6, 4)), np.ones(3)])
def test_what_are_no_maps_is_refused(maps):
    with pytest.raises(xa.XaiAudioError):
        spectral.groups_of(maps)


def test_as_scikit_learn_finds_them():
    from sklearn.cluster import SpectralClustering

    maps, _ = planted(60)
    points = spectral.pooled(maps, spectral.GRID)
    theirs = SpectralClustering(
        2, affinity="precomputed", random_state=0, assign_labels="cluster_qr"
    )
    labels = theirs.fit_predict(spectral.affinity(points, 8))
    ours = spectral.groups_of(maps, **QUICK).labels
    assert max((labels == ours).mean(), (labels != ours).mean()) == 1.0
