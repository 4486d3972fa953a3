"""How a sparse autoencoder learns: its slopes are those of TensorFlow, its seed decides."""

import numpy as np
import pytest
import tensorflow as tf
from plain_probes import planted

from xaiaudio import XaiAudioError
from xaiaudio.probes.sparse_training import Options, _Learner, _rate, fit, kept


@pytest.fixture(scope="module")
def values():
    return planted()[0].astype("float32")


@pytest.mark.slow
def test_it_comes_out_the_same_and_another_seed_differs(values):
    options = Options(size=16, k=3, steps=40)
    one, again = fit(values, options), fit(values, options)
    np.testing.assert_array_equal(one.decoder, again.decoder)
    other = fit(values, Options(size=16, k=3, steps=40, seed=1))
    assert np.abs(one.decoder - other.decoder).max() > 0.1


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


def test_what_was_trained_is_kept(values, tmp_path, monkeypatch):
    monkeypatch.setenv("XAIAUDIO_HOME", str(tmp_path))
    options = Options(size=8, k=2, steps=10)
    one = kept(values, options)
    (file,) = (tmp_path / "sparse").glob("*.npz")
    np.testing.assert_array_equal(kept(values, options).decoder, one.decoder)
    kept(values + 1, options)
    assert len(list((tmp_path / "sparse").glob("*.npz"))) == 2 and file.exists()


def test_what_cannot_be_learnt_is_refused():
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


def test_the_rate_falls_to_0_over_the_last_fifth():
    options = Options(steps=100, rate=0.5)
    rates = [_rate(options, step) for step in (0, 50, 80, 90, 99, 100)]
    assert rates == pytest.approx([0.5, 0.5, 0.5, 0.25, 0.025, 0])


def test_steps_are_those_of_adam():
    learner = _Learner(Options(size=4, k=2), 3, np.random.default_rng(0))
    variable = tf.Variable(learner.bias)
    peer = tf.keras.optimizers.Adam(0.1, epsilon=1e-8)
    for step, slope in enumerate(np.random.default_rng(1).normal(size=(5, 3)).astype("float32")):
        learner._adam("bias", slope, 0.1, step)
        peer.apply_gradients([(tf.constant(slope), variable)])
    np.testing.assert_allclose(learner.bias, variable.numpy(), atol=1e-5)


def test_directions_have_length_1_after_each_step(values):
    learner = _Learner(Options(size=12, k=2, rate=0.1), values.shape[1], np.random.default_rng(0))
    for step in range(3):
        learner.learn(values[:50], step)
        np.testing.assert_allclose(np.linalg.norm(learner.decoder, axis=1), 1, atol=1e-6)
    assert (learner.since[learner.slopes(values[:50])[2]] < 3).any()
