"""Sparse autoencoders against loops, gradients of TensorFlow, and directions that were planted."""

import itertools

import numpy as np
import pytest
import tensorflow as tf
from sklearn.metrics import roc_auc_score

from xaiaudio import XaiAudioError
from xaiaudio.probes import sparse
from xaiaudio.probes.sparse import SparseAutoencoder
from xaiaudio.probes.sparse_training import Options, _Learner, fit, kept


def planted(seed=0, count=4000, size=12, channels=10):
    """Return sums of two of some directions, and the directions."""
    rng = np.random.default_rng(seed)
    directions = rng.normal(size=(size, channels))
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    weights = np.zeros((count, size))
    for row in weights:
        row[rng.permutation(size)[:2]] = rng.uniform(1, 2, 2)
    return weights @ directions + 3.0, directions


@pytest.fixture(scope="module")
def values():
    return planted()[0].astype("float32")


@pytest.fixture(scope="module")
def found(values):
    return fit(values, Options(size=24, k=2, steps=900, batch=128, rate=1e-2))


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


def test_at_most_k_fire_and_each_is_one_term(found, values):
    codes = found.encode(values[:200])
    dense = codes.matrix.toarray()
    assert ((dense > 0).sum(axis=1) <= 2).all() and (dense >= 0).all()
    np.testing.assert_allclose(found.decode(codes), dense @ found.decoder + found.bias, atol=1e-5)
    for feature in range(24):
        change = found.decode(codes) - found.decode(codes.without([feature]))
        term = dense[:, [feature]] * found.decoder[feature]
        np.testing.assert_allclose(change, term, atol=1e-5)


def test_most_of_each_group(found, values):
    codes, groups = found.encode(values[:60]), np.arange(60) % 7
    dense = codes.matrix.toarray()
    wanted = np.stack([dense[groups == group].max(axis=0) for group in range(7)])
    np.testing.assert_array_equal(codes.most(groups), wanted)
    np.testing.assert_array_equal(codes[groups == 3].matrix.toarray(), dense[groups == 3])


def test_planted_directions_are_found(found, values):
    _, directions = planted()
    cosines = found.decoder @ directions.T
    best = cosines.max(axis=0)
    luck = (sparse.random_directions(values, 24) @ directions.T).max(axis=0)
    assert np.median(best) > 0.95 > 0.9 > np.median(luck)
    assert found.explained(values) > 0.9
    np.testing.assert_allclose(np.linalg.norm(found.decoder, axis=1), 1, atol=1e-5)
    assert found.loss[-1] < 0.2 * found.loss[0]


def test_it_comes_out_the_same_and_another_seed_differs(values):
    options = Options(size=16, k=3, steps=40)
    one, again = fit(values, options), fit(values, options)
    np.testing.assert_array_equal(one.decoder, again.decoder)
    other = fit(values, Options(size=16, k=3, steps=40, seed=1))
    assert np.abs(one.decoder - other.decoder).max() > 0.1


def test_what_is_dead_is_told(found, values):
    fires = (found.encode(values).matrix.toarray() > 0).mean(axis=0)
    np.testing.assert_allclose(found.fired, fires)
    np.testing.assert_array_equal(found.dead, fires == 0)


@pytest.mark.parametrize("aside", [0.0, 0.25])
def test_what_has_not_fired_learns_from_the_rest(aside):
    rng = np.random.default_rng(0)
    learner = _Learner(Options(size=20, k=2, aside=aside), 5, rng)
    learner.encoder[15:] *= 1e-3  # never among the strongest
    learner.since[15:] = 99
    _, slopes, fired = learner.slopes(rng.normal(size=(60, 5)).astype("float32"))
    assert fired.max() < 15
    for name in ("encoder", "decoder"):
        assert slopes[name][:15].any()
        assert slopes[name][15:].any(axis=1).all() == bool(aside)
        assert slopes[name][15:].any() == bool(aside)


@pytest.mark.parametrize("asleep", [False, True])
def test_slopes_are_those_of_tensorflow(asleep):
    rng = np.random.default_rng(3)
    learner = _Learner(Options(size=9, k=2, aside=0.3), 5, rng)
    learner.encoder += 0.2 * rng.normal(size=(9, 5)).astype("float32")
    learner.bias += 0.1
    if asleep:
        learner.since[[1, 4, 5, 6, 8]] = 99
    batch = rng.normal(size=(7, 5)).astype("float32")
    _, slopes, fired = learner.slopes(batch)
    names = ("encoder", "decoder", "bias")
    variables = [tf.Variable(getattr(learner, name)) for name in names]
    with tf.GradientTape() as tape:
        encoder, decoder, bias = variables
        centred = batch - bias
        before = centred @ tf.transpose(encoder)
        codes = keep_largest(before, 2)
        left = centred - codes @ decoder
        loss = tf.reduce_mean(left**2)
        if asleep:
            chosen = [1, 4, 5, 6, 8]
            given = tf.stop_gradient(centred) @ tf.transpose(tf.gather(encoder, chosen))
            told = keep_largest(given, 4) @ tf.gather(decoder, chosen)
            loss += 0.3 * tf.reduce_mean((told - tf.stop_gradient(left)) ** 2)
    for name, slope in zip(names, tape.gradient(loss, variables), strict=True):
        np.testing.assert_allclose(slopes[name], tf.convert_to_tensor(slope), atol=1e-6)
    assert fired.tolist() == np.flatnonzero((codes.numpy() > 0).any(axis=0)).tolist()


def keep_largest(before, k):
    border = tf.math.top_k(before, k).values[:, -1:]
    return tf.where(before >= border, tf.nn.relu(before), 0.0)


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


def test_what_was_trained_is_kept(values, tmp_path, monkeypatch):
    monkeypatch.setenv("XAIAUDIO_HOME", str(tmp_path))
    options = Options(size=8, k=2, steps=10)
    one = kept(values, options)
    (file,) = (tmp_path / "sparse").glob("*.npz")
    np.testing.assert_array_equal(kept(values, options).decoder, one.decoder)
    kept(values + 1, options)
    assert len(list((tmp_path / "sparse").glob("*.npz"))) == 2 and file.exists()


def test_what_cannot_be_learnt_is_refused(found):
    for wrong, message in (
        ({"size": 0}, "size is 0"),
        ({"k": 300}, "k is 300, but there are 256"),
        ({"rate": 0}, "rate is 0"),
        ({"aside": -1}, "aside is -1"),
        ({"seed": -1}, "seed is -1"),
    ):
        with pytest.raises(XaiAudioError, match=message):
            Options(**wrong)
    for values, message in (
        (np.zeros((3, 4)), "more than 8"),
        (np.full((30, 4), np.nan), "NaN or infinity"),
        (np.ones((30, 4)), "All vectors are alike"),
    ):
        with pytest.raises(XaiAudioError, match=message):
            fit(values)
    with pytest.raises(XaiAudioError, match=r"\(n, 10\) is needed"):
        found.encode(np.zeros((3, 4)))
    with pytest.raises(XaiAudioError, match="NaN"):
        found.encode(np.full((3, 10), np.nan))


@pytest.mark.parametrize("other", [np.eye(4), np.full((3, 3), np.nan), np.ones(3)])
def test_directions_that_do_not_fit_have_no_matches(other):
    with pytest.raises(XaiAudioError, match="shapes"):
        sparse.matches(np.eye(3), other)
