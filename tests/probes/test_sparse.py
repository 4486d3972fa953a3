"""Sparse autoencoders against loops, gradients of TensorFlow, and directions that were planted."""

import itertools

import numpy as np
import pytest
from plain_probes import planted
from sklearn.metrics import roc_auc_score

from xaiaudio import XaiAudioError
from xaiaudio.probes import sparse
from xaiaudio.probes.sparse import SparseAutoencoder
from xaiaudio.probes.sparse_training import Options, fit


@pytest.fixture(scope="module")
def values():
    return planted()[0].astype("float32")


@pytest.fixture(scope="module")
def found(values):
    return fit(values, Options(size=24, k=2, steps=900, batch=128, rate=1e-2))


@pytest.mark.slow
def test_codes_and_reconstructions_loop_by_loop(found, values):
    codes = found.encode(values[:40])
    rebuilt = found.decode(codes)
    for row, x in enumerate(values[:40].astype(float)):
        before = [float(e @ (x - found.bias)) for e in found.encoder.astype(float)]
        best = sorted(range(len(before)), key=lambda j: -before[j])[:2]
        assert sorted(best) == codes.numbers[row].tolist()
        total = found.bias.astype(float)
        for feature in best:
            total = total + max(before[feature], 0) * found.decoder[feature]
        np.testing.assert_allclose(rebuilt[row], total, atol=1e-4)


@pytest.mark.slow
def test_at_most_k_fire_and_each_is_one_term(found, values):
    codes = found.encode(values[:200])
    dense = codes.matrix.toarray()
    assert ((dense > 0).sum(axis=1) <= 2).all() and (dense >= 0).all()
    np.testing.assert_allclose(found.decode(codes), dense @ found.decoder + found.bias, atol=1e-5)
    for feature in range(24):
        change = found.decode(codes) - found.decode(codes.without([feature]))
        term = dense[:, [feature]] * found.decoder[feature]
        np.testing.assert_allclose(change, term, atol=1e-5)


@pytest.mark.slow
def test_most_of_each_group(found, values):
    codes, groups = found.encode(values[:60]), np.arange(60) % 7
    dense = codes.matrix.toarray()
    wanted = np.stack([dense[groups == group].max(axis=0) for group in range(7)])
    np.testing.assert_array_equal(codes.most(groups), wanted)
    np.testing.assert_array_equal(codes[groups == 3].matrix.toarray(), dense[groups == 3])


@pytest.mark.slow
def test_planted_directions_are_found(found, values):
    _, directions = planted()
    cosines = found.decoder @ directions.T
    best = cosines.max(axis=0)
    luck = (sparse.random_directions(values, 24) @ directions.T).max(axis=0)
    assert np.median(best) > 0.95 > 0.9 > np.median(luck)
    assert found.explained(values) > 0.9
    np.testing.assert_allclose(np.linalg.norm(found.decoder, axis=1), 1, atol=1e-5)
    assert found.loss[-1] < 0.2 * found.loss[0]


def test_what_is_dead_is_told(found, values):
    fires = (found.encode(values).matrix.toarray() > 0).mean(axis=0)
    np.testing.assert_allclose(found.fired, fires)
    np.testing.assert_array_equal(found.dead, fires == 0)


def test_strongest_of_each_row():
    before = np.random.default_rng(0).normal(size=(50, 11)).astype("float32")
    numbers, strengths = sparse.strongest(before, 4)
    for row, values in enumerate(before):
        wanted = np.sort(np.argsort(-values)[:4])
        assert numbers[row].tolist() == wanted.tolist()
        assert strengths[row].tolist() == np.maximum(values[wanted], 0).tolist()
    assert sparse.strongest(before, 11)[0].shape == (50, 11)


def test_matches_are_the_best_of_all_orders():
    rng = np.random.default_rng(1)
    one, other = rng.normal(size=(2, 5, 3))
    wanted = max(
        sum(float(a @ other[k]) for a, k in zip(one, order, strict=True))
        for order in itertools.permutations(range(5))
    )
    assert sparse.matches(one, other).sum() == pytest.approx(wanted)


def test_random_directions_vary_as_the_vectors():
    rng = np.random.default_rng(0)
    values = rng.normal(size=(300, 3)) * [5.0, 1.0, 0.1] + 7
    drawn = sparse.random_directions(values, 4000)
    np.testing.assert_allclose(np.linalg.norm(drawn, axis=1), 1)
    spread = np.abs(drawn).mean(axis=0)
    assert spread[0] > 2 * spread[1] > 8 * spread[2]
    assert np.abs(drawn.mean(axis=0)).max() < 0.06


def test_separation_is_the_area_under_the_curve():
    rng = np.random.default_rng(0)
    values = rng.integers(0, 4, size=(40, 5)).astype(float)
    labels = rng.permutation(np.arange(40) % 3)
    areas = sparse.separation(values, labels, 3)
    for unit in range(5):
        for label in range(3):
            wanted = roc_auc_score(labels == label, values[:, unit])
            assert areas[unit, label] == pytest.approx(wanted)
    with pytest.raises(XaiAudioError, match="Each class needs a sound"):
        sparse.separation(values, labels, 4)


def test_it_is_saved_and_loaded(found, values, tmp_path):
    path = found.save(tmp_path / "sparse.npz")
    again = sparse.load(path)
    for name in ("encoder", "decoder", "bias", "fired", "loss"):
        np.testing.assert_array_equal(getattr(found, name), getattr(again, name))
    assert again.k == found.k and isinstance(again, SparseAutoencoder)
    path.write_bytes(path.read_bytes()[:-40])
    with pytest.raises(XaiAudioError, match="missing or damaged"):
        sparse.load(path)
    np.savez(path, k=99, **{name: np.zeros(3) for name in sparse._ARRAYS})
    with pytest.raises(XaiAudioError, match="do not fit together"):
        sparse.load(path)


def test_vectors_of_another_size_or_without_numbers_are_refused(found):
    with pytest.raises(XaiAudioError, match=r"\(n, 10\) is needed"):
        found.encode(np.zeros((3, 4)))
    with pytest.raises(XaiAudioError, match="NaN"):
        found.encode(np.full((3, 10), np.nan))


@pytest.mark.parametrize("other", [np.eye(4), np.full((3, 3), np.nan), np.ones(3)])
def test_directions_that_do_not_fit_have_no_matches(other):
    with pytest.raises(XaiAudioError, match="shapes"):
        sparse.matches(np.eye(3), other)
