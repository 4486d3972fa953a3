import keras
import numpy as np
import pytest
import tensorflow as tf

import xaiaudio as xa
from xaiaudio.models.training import fitting
from xaiaudio.models.training.fitting import Settings, train

RNG = np.random.default_rng(0)
INPUTS = RNG.normal(size=(100, 4)).astype(np.float16)
TRUTH = np.array([[1.0], [-2.0], [0.5], [3.0]], np.float32)
ANSWERS = INPUTS.astype(np.float32) @ TRUTH + RNG.normal(0, 0.1, (100, 1)).astype("float32")


def line(seed=0):
    inputs = keras.Input((4,))
    dense = keras.layers.Dense(1, kernel_initializer=keras.initializers.GlorotUniform(seed))
    return keras.Model(inputs, dense(inputs))


def losses_of(network):
    def losses(inputs, answers, training):
        missed = tf.reduce_mean(tf.square(network(inputs, training=training) - answers))
        size = tf.reduce_sum(tf.abs(network.trainable_variables[0]))
        return {"missed": missed, "size": 1e-3 * size}

    return losses


def fit(network, settings=None, checked=slice(80, None), **more):
    parts = (INPUTS[:80], ANSWERS[:80]), (INPUTS[checked], ANSWERS[checked])
    return train(losses_of(network), network.trainable_variables, *parts, settings, **more)


@pytest.mark.slow
def test_it_learns_and_tells_how():
    network = line()
    history = fit(network, Settings(epochs=60, batch=16, rate=0.05, patience=60))
    np.testing.assert_allclose(network.get_weights()[0], TRUTH, atol=0.1)
    np.testing.assert_allclose(
        history["validation/total"],
        history["validation/missed"] + history["validation/size"],
        rtol=1e-5,
    )
    assert len(history["training/total"]) == 60
    assert history["training/total"][-1] < history["training/total"][0]


@pytest.mark.slow
def test_the_best_weights_are_kept():
    """What is validated on speaks against what is learnt: the first epochs are the best."""
    network, against = line(), (INPUTS[80:], -ANSWERS[80:])
    parts = (INPUTS[:80], ANSWERS[:80])
    settings = Settings(epochs=30, batch=16, rate=0.05, patience=4)
    history = train(losses_of(network), network.trainable_variables, parts, against, settings)
    judged = history["validation/total"]
    assert history["best"] == judged.argmin() + 1
    assert len(judged) == history["best"] + 4  # stopped early
    after = losses_of(network)(*(one.astype("float32") for one in against), training=False)
    assert float(tf.add_n(list(after.values()))) == pytest.approx(judged.min(), rel=1e-5)


@pytest.mark.slow
def test_validation_counts_each_patch_once():
    network = line()
    few = fit(network, Settings(epochs=1, batch=8, rate=1e-6))
    network.set_weights(line().get_weights())
    whole = fit(network, Settings(epochs=1, batch=80, rate=1e-6))
    assert few["validation/missed"] == pytest.approx(whole["validation/missed"], rel=1e-4)


@pytest.mark.slow
def test_a_seed_decides_everything():
    runs = []
    for seed in (0, 0, 1):
        network = line()
        fit(network, Settings(epochs=3, batch=16, seed=seed))
        runs.append(network.get_weights()[0])
    np.testing.assert_array_equal(runs[0], runs[1])
    assert not np.array_equal(runs[0], runs[2])


@pytest.mark.slow
def test_a_loss_that_is_not_finite_is_said():
    network = line()
    with pytest.raises(xa.XaiAudioError, match="no longer finite after 1 epochs: take a smaller"):
        train(
            lambda inputs, training: {"log": tf.reduce_mean(tf.math.log(network(inputs) * 0 - 1))},
            network.trainable_variables,
            (INPUTS,),
            (INPUTS,),
        )


@pytest.mark.parametrize("wrong", [{"epochs": 0}, {"batch": 1.5}, {"rate": 0}, {"patience": True}])
def test_settings_that_make_no_sense(wrong):
    with pytest.raises(xa.XaiAudioError, match=next(iter(wrong))):
        Settings(**wrong)


@pytest.mark.parametrize("few, what", [((0, 4), "learn from"), ((4, 0), "validate on")])
def test_there_has_to_be_something_on_both_sides(few, what):
    network = line()
    with pytest.raises(xa.XaiAudioError, match=f"nothing to {what}"):
        train(
            lambda inputs, training: {"mean": tf.reduce_mean(network(inputs))},
            network.trainable_variables,
            *((INPUTS[:count],) for count in few),
        )


def test_every_number_in_half_precision_is_the_same_in_single():
    halves = np.arange(2**16, dtype=np.uint16).view(np.float16)
    halves = halves[np.isfinite(halves)]
    rows = np.arange(len(halves))[::-1]
    half, double, whole = fitting._part((halves, halves.astype(float), rows), rows)
    assert half.dtype == double.dtype == tf.float32
    assert np.array_equal(half, halves[rows].astype(np.float32))
    assert np.array_equal(fitting._part((halves,), slice(3, 9))[0], halves[3:9].astype(np.float32))
    assert np.array_equal(double, half)
    assert whole.dtype == rows.dtype
