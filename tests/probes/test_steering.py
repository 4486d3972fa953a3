import keras
import numpy as np
import pytest
import tensorflow as tf
from sklearn.linear_model import LogisticRegression

import xaiaudio as xa
from xaiaudio import XaiAudioError
from xaiaudio.models import generative
from xaiaudio.probes import steering


@pytest.fixture(scope="module")
def model():
    return xa.load_model("lite")


def patches(n=4):
    return np.random.default_rng(0).normal(-2, 1, (n, 96, 64)).astype(np.float32)


def test_the_probe_is_logistic_regression_on_standardised_activations():
    rng = np.random.default_rng(1)
    values = rng.normal(3, [1, 5, 0.1], (80, 3))
    present = values @ [1, 0.2, 3] + rng.normal(size=80) > 13.2
    found = steering.direction(values, present, penalty=2)
    scaled = (values - values.mean(axis=0)) / values.std(axis=0)
    theirs = LogisticRegression(C=0.5, max_iter=1000).fit(scaled, present)
    np.testing.assert_allclose(found.read(values), theirs.predict_proba(scaled)[:, 1], atol=1e-5)
    assert np.linalg.norm(found.way) == pytest.approx(1)
    assert found.spread == pytest.approx((values @ found.way).std())
    assert found.accuracy(values, present) == theirs.score(scaled, present)
    # The way leads to more of it, and a control is as long.
    assert (found.read(values + found.step) > found.read(values)).all()
    control = found.at_random(3)
    assert np.linalg.norm(control.step) == pytest.approx(np.linalg.norm(found.step), rel=1e-5)


def test_a_column_that_does_not_vary_counts_nothing():
    rng = np.random.default_rng(2)
    values = np.c_[rng.normal(size=40), np.full(40, 7.0)]
    found = steering.direction(values, values[:, 0] > 0)
    assert found.way[1] == 0


def test_a_trait_that_all_have_is_refused():
    with pytest.raises(XaiAudioError, match="without"):
        steering.direction(np.zeros((3, 2)), [True, True, True])
    with pytest.raises(XaiAudioError, match="one for each"):
        steering.direction(np.zeros((3, 2)), [True, False])
    with pytest.raises(XaiAudioError, match="NaN"):
        steering.direction(np.full((2, 2), np.nan), [True, False])
    with pytest.raises(XaiAudioError, match="penalty"):
        steering.direction(np.eye(2), [True, False], penalty=0)


@pytest.mark.slow
def test_a_strength_of_nothing_changes_nothing(model):
    knob = steering.Knob(model, "conv3_1", watched=["conv4_2"])
    step = np.random.default_rng(3).normal(size=knob.channels)
    logits, seen = knob.turned(patches(), step, [0.0, 1.0])
    plain, _ = knob.turned(patches(), np.zeros(knob.channels), [5.0])
    np.testing.assert_array_equal(logits[0], plain[0])
    np.testing.assert_allclose(logits[0], model.logits(patches()), atol=1e-4)
    assert not np.allclose(logits[1], logits[0])
    assert seen["conv4_2"].shape[:2] == (2, 4)


@pytest.mark.slow
def test_the_moved_layer_itself_moves_by_the_step(model):
    knob = steering.Knob(model, "conv3_1", watched=["conv3_1"])
    step = np.random.default_rng(3).normal(size=knob.channels).astype(np.float32)
    _, seen = knob.turned(patches(), step, [0.0, 2.0])
    moved = np.broadcast_to(2 * step, seen["conv3_1"][0].shape)
    np.testing.assert_allclose(seen["conv3_1"][1] - seen["conv3_1"][0], moved, atol=1e-4)
    found = xa.probes.pooled(model, patches(), layers=["conv3_1"])["conv3_1"]
    np.testing.assert_allclose(seen["conv3_1"][0], found, atol=1e-4)


@pytest.mark.slow
@pytest.mark.parametrize("layer", ["conv2", "conv4_2"])
def test_for_small_strengths_the_logit_follows_the_gradient(model, layer):
    knob = steering.Knob(model, layer)
    step = np.random.default_rng(4).normal(size=knob.channels)
    targets = [0, 3, 5, 9]
    small = 2e-3
    logits, _ = knob.turned(patches(), step, [-small, small])
    rise = (logits[1] - logits[0])[np.arange(4), targets] / (2 * small)
    np.testing.assert_allclose(knob.slope(patches(), step, targets), rise, rtol=0.03, atol=0.03)


def residual():
    """Return a network of two residual blocks and a branch that only the head reads."""
    layers = keras.layers
    start = keras.Input((12, 6, 1))
    x = layers.Conv2D(4, 3, padding="same", activation="tanh", name="stem")(start)
    side = layers.Conv2D(3, 1, name="side")(x)
    for block in (1, 2):
        inner = layers.Conv2D(5, 3, padding="same", activation="tanh", name=f"in{block}")(x)
        inner = layers.Conv2D(4, 3, padding="same", name=f"out{block}")(inner)
        x = layers.Add(name=f"sum{block}")([x, inner])
    both = layers.Concatenate()([x, side])
    end = layers.Dense(3, name="end")(layers.GlobalAveragePooling2D()(both))
    network, frontend = keras.Model(start, end), xa.LogMel(frames=12, bands=6)
    return xa.AudioClassifier(network, network, "abc", frontend, name="residual")


@pytest.mark.slow
def test_a_layer_in_a_residual_branch_is_moved_and_what_goes_around_it_is_not():
    keras.utils.set_random_seed(0)
    model = residual()
    values = np.random.default_rng(0).normal(size=(3, 12, 6)).astype(np.float32)
    knob = steering.Knob(model, "in1", watched=["sum1", "out2"])
    step = np.random.default_rng(1).normal(size=5).astype(np.float32)
    logits, _ = knob.turned(values, step, [0.0, 0.7])
    np.testing.assert_allclose(logits[0], model.logits(values), atol=1e-5)
    # The same by hand, layer by layer.
    layer = {one.name: one for one in model.network.layers}
    x = layer["stem"](values[..., None])
    inner = layer["out1"](layer["in1"](x) + 0.7 * step)
    y = x + inner
    y = y + layer["out2"](layer["in2"](y))
    head = tf.reduce_mean(tf.concat([y, layer["side"](x)], axis=-1), [1, 2])
    np.testing.assert_allclose(logits[1], layer["end"](head), atol=1e-5)
    small, _ = knob.turned(values, step, [-1e-2, 1e-2])
    rise = (small[1] - small[0])[np.arange(3), [0, 1, 2]] / 2e-2
    np.testing.assert_allclose(knob.slope(values, step, [0, 1, 2]), rise, atol=1e-3)


@pytest.mark.slow
def test_a_watched_layer_on_another_branch_is_refused():
    with pytest.raises(XaiAudioError, match="from 'in1' on"):
        steering.Knob(residual(), "in1", watched=["side"])


@pytest.mark.slow
def test_layers_that_are_not_there_or_come_before_are_refused(model):
    with pytest.raises(XaiAudioError, match="no layer"):
        steering.Knob(model, "conv9")
    with pytest.raises(XaiAudioError, match="from 'conv3_1' on"):
        steering.Knob(model, "conv3_1", watched=["conv1"])
    with pytest.raises(XaiAudioError, match="channels"):
        steering.Knob(model, "conv3_1").turned(patches(), [1.0], [0.0])


@pytest.mark.slow
def test_patches_targets_and_strengths_that_do_not_fit_are_refused(model):
    knob, step = steering.Knob(model, "conv3_1"), np.ones(64)
    for wrong, match in (
        (patches()[:, :50], "take"),
        (patches()[:0], "There is no patch"),
        (np.full((1, 96, 64), np.nan), "NaN"),
    ):
        with pytest.raises(XaiAudioError, match=match):
            knob.turned(wrong, step, [0.0])
    for targets in ([1], [0, 1, 2, 10], [0, 1, 2, -1], [0, 1, 2, 3, 4]):
        with pytest.raises(XaiAudioError, match="each its class"):
            knob.slope(patches(), step, targets)
    for strengths in ([], 1.0):
        with pytest.raises(XaiAudioError, match="strengths"):
            knob.turned(patches(), step, strengths)


def test_the_least_strength_that_is_enough():
    read = np.random.default_rng(5).uniform(size=(6, 40)).cumsum(axis=0) / 4
    strengths = np.arange(6) / 2
    found = steering.until(read, strengths, goal=0.6)
    for column, strength in zip(read.T, found, strict=True):
        enough = [s for s, r in zip(strengths, column, strict=True) if r >= 0.6]
        assert strength == enough[0] if enough else np.isnan(strength)


def generator():
    rng = np.random.default_rng(0)
    frontend = xa.LogMel(frames=6, bands=8)
    cells = rng.normal(size=(60, 6, 8)).astype(np.float32)
    space = generative.Space.fit(cells, frontend, dims=4)
    options = generative.Options(width=24, steps=150, rate=5e-3)
    made = generative.train(space, cells, np.zeros(60, int), ["noise"], options)
    return made, space.encode(cells)


@pytest.mark.slow
def test_a_generator_is_turned_to_more_and_to_less_and_left_alone_at_nothing():
    made, latents = generator()
    present = latents[:, 0] > 0
    found = steering.of_generator(made, latents, np.zeros(60, int), present, steps=8, every=4)
    assert len(found) == 8 and found[0] is found[3] and found[3] is not found[4]
    noise, targets = made.noise(30, 2), np.zeros(30, int)

    def first(strength, **options):
        steer = steering.gated(found, strength, **options)
        return made.sample(targets, noise=noise, steps=8, steer=steer)[:, 0].mean()

    plain = made.sample(targets, noise=noise, steps=8)
    still = made.sample(targets, noise=noise, steps=8, steer=steering.gated(found, 0.0))
    np.testing.assert_array_equal(plain, still)
    assert first(-2) < plain[:, 0].mean() < first(2) <= first(2, watching=False)


@pytest.mark.slow
def test_the_gate_is_what_is_missing():
    made, latents = generator()
    (one,) = steering.of_generator(
        made, latents, np.zeros(60, int), latents[:, 0] > 0, steps=1, every=1
    )
    middle = made.middle(latents, 0.5, np.zeros(60, int))
    more = steering.gated([one], 3.0)(middle, 0) - middle
    less = steering.gated([one], -3.0)(middle, 0) - middle
    there = one.read(middle)[:, None]
    np.testing.assert_allclose(more, 3 * (1 - there) * one.step, atol=1e-5)
    np.testing.assert_allclose(less, -3 * there * one.step, atol=1e-5)
