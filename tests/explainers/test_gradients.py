"""The gradient family against finite differences and plain loops."""

import gc
import weakref

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers
from small_networks import additive, classifier_of, convolutional, random_patches, smooth_network

import xaiaudio as xa
from xaiaudio import XaiAudioError
from xaiaudio.explainers import gradients
from xaiaudio.explainers.engines import backward

FAMILY = ("saliency", "smoothgrad", "input-x-gradient", "integrated-gradients")
SILENCE = np.log(0.01)


def clipped(shape=(13, 9), seed=2):
    """ReLU6, depthwise convolution, stride, batch normalisation with moving statistics."""
    keras.utils.set_random_seed(seed)
    x = inputs = keras.Input((*shape, 1))
    x = layers.Conv2D(5, 3, 2, padding="same", use_bias=False)(x)
    norm = layers.BatchNormalization()
    x = layers.Activation("relu6")(norm(x))
    x = layers.DepthwiseConv2D(3, padding="same", activation="relu6")(x)
    x = layers.GlobalAveragePooling2D()(x)
    network = keras.Model(inputs, layers.Dense(3, activation="softmax")(x))
    rng = np.random.default_rng(seed)
    norm.set_weights([rng.uniform(0.5, 2, 5), rng.normal(size=5)] + [rng.uniform(0.1, 1, 5)] * 2)
    return network


def logit(network, value, target):
    return float(network(value[None].astype("float32"))[0, target])


@pytest.mark.slow
@pytest.mark.parametrize("shape", [(5, 3, 1), (11, 1), (4,), (3, 5)])
def test_gradient_is_the_finite_difference(shape):
    network = smooth_network(shape)
    inputs = np.random.default_rng(0).normal(size=(3, *shape))
    targets = [2, 0, 1]
    found = gradients.gradient(network, inputs, targets)
    assert found.dtype == np.float32
    assert found.shape == inputs.shape
    for number, target in enumerate(targets):
        for cell in np.ndindex(shape):
            step = np.zeros(shape)
            step[cell] = 1e-2
            up = logit(network, inputs[number] + step, target)
            down = logit(network, inputs[number] - step, target)
            assert found[number][cell] == pytest.approx((up - down) / 2e-2, abs=2e-3)


@pytest.mark.slow
def test_saliency_is_the_magnitude_and_signed_the_gradient(small, patches):
    network = small.logits_network
    plain = gradients.gradient(network, patches[..., None], [1, 1, 1])[..., 0]
    found = xa.explain(small, patches, "dog", "saliency").maps
    np.testing.assert_array_equal(found, np.abs(plain))
    signed = xa.explain(small, patches, "dog", "saliency", signed=True).maps
    np.testing.assert_array_equal(signed, plain)
    assert plain.min() < 0 < plain.max()


@pytest.mark.slow
def test_saliency_equals_tf_keras_vis(small, patches):
    from tf_keras_vis.saliency import Saliency
    from tf_keras_vis.utils.scores import CategoricalScore

    peer = Saliency(small.logits_network, clone=False)
    theirs = peer(
        CategoricalScore([2, 0, 1]),
        patches[..., None],
        keepdims=True,
        normalize_map=False,
        gradient_modifier=None,
    )
    ours = xa.explain(small, patches, [2, 0, 1], "saliency", signed=True).maps
    np.testing.assert_allclose(ours, theirs[..., 0], atol=1e-6)


@pytest.mark.slow
def test_smoothgrad_is_a_loop_over_noisy_copies(small, patches):
    options = {"samples": 41, "noise": 0.2, "seed": 7}
    targets = [2, 0, 1]
    found = xa.explain(small, patches, targets, "smoothgrad", signed=True, **options).maps
    rng = np.random.default_rng(7)
    noises = [rng.standard_normal((24, 16, 1), np.float32) for _ in range(41)]
    for number, target in enumerate(targets):
        spread = 0.2 * (patches[number].max() - patches[number].min())
        total = np.zeros((24, 16, 1))
        for noise in noises:
            noisy = tf.constant((patches[number][..., None] + spread * noise)[None])
            with tf.GradientTape() as tape:
                tape.watch(noisy)
                score = small.logits_network(noisy)[0, target]
            total += tape.gradient(score, noisy)[0].numpy()
        np.testing.assert_allclose(found[number], total[..., 0] / 41, atol=1e-6)
    unsigned = xa.explain(small, patches, targets, "smoothgrad", **options).maps
    np.testing.assert_array_equal(unsigned, np.abs(found))


@pytest.mark.slow
def test_smoothgrad_depends_on_its_seed_and_without_noise_is_saliency(small, patches):
    first, second = (
        xa.explain(small, patches, 0, "smoothgrad", samples=4, seed=seed).maps for seed in (0, 1)
    )
    assert np.abs(first - second).max() > 1e-4
    still = xa.explain(small, patches, 0, "smoothgrad", samples=3, noise=0).maps
    np.testing.assert_allclose(still, xa.explain(small, patches, 0, "saliency").maps, atol=1e-6)


def test_input_x_gradient(small, patches):
    plain = gradients.gradient(small.logits_network, patches[..., None], [0] * 3)[..., 0]
    found = xa.explain(small, patches, 0, "input-x-gradient").maps
    np.testing.assert_allclose(found, patches * plain, rtol=1e-6)
    found = xa.explain(small, patches, 0, "input-x-gradient", baseline="silence").maps
    np.testing.assert_allclose(found, (patches - SILENCE) * plain, rtol=1e-5, atol=1e-6)


@pytest.mark.slow
@pytest.mark.parametrize("method", ["input-x-gradient", "integrated-gradients"])
@pytest.mark.parametrize("baseline", ["silence", "mean", 0.5])
def test_an_additive_network_is_shared_out_exactly(method, baseline):
    classifier, weights = additive((6, 5))
    patches = random_patches(2, (6, 5))
    start = {"silence": SILENCE, "mean": patches.mean(axis=(1, 2), keepdims=True)}
    start = start.get(baseline, baseline)
    found = xa.explain(classifier, patches, 1, method, baseline=baseline).maps
    np.testing.assert_allclose(found, (patches - start) * weights[..., 1], rtol=1e-4, atol=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize("build", [convolutional, clipped])
@pytest.mark.parametrize("baseline", ["silence", "mean", 0])
def test_integrated_gradients_add_up(build, baseline):
    classifier = classifier_of(build((13, 9)))
    patches = random_patches(6, (13, 9))
    targets = [0, 1, 2, 0, 1, 2]
    result = xa.explain(classifier, patches, targets, "integrated-gradients", baseline=baseline)
    start = {
        "silence": np.full_like(patches, SILENCE),
        "mean": patches * 0 + patches.mean((1, 2))[:, None, None],
    }
    start = start.get(baseline, patches * 0).astype("float32")
    rows = np.arange(6)
    rise = classifier.logits(patches)[rows, targets] - classifier.logits(start)[rows, targets]
    sums = result.maps.sum(axis=(1, 2))
    magnitudes = np.abs(result.maps).sum(axis=(1, 2))
    assert (np.abs(sums - rise) <= 0.01 * np.abs(rise) + 1e-4 * magnitudes).all()
    told = gradients.completeness(classifier, result)
    np.testing.assert_allclose(told["sum"], sums, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(told["difference"], rise, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(
        told["gap"], np.abs(sums - rise) / np.abs(rise), rtol=0.05, atol=1e-4
    )


@pytest.mark.slow
def test_integrated_gradients_are_a_plain_sum_over_the_path():
    network = smooth_network((5, 3))
    inputs = np.random.default_rng(1).normal(size=(2, 5, 3)).astype("float32")
    found = gradients.integrated_gradients(network, inputs, [0, 1], 0.3, steps=20, tolerance=1.0)
    for number in range(2):
        way = inputs[number] - 0.3
        total = np.zeros((5, 3))
        for point in (np.arange(20) + 0.5) / 20:
            total += gradients.gradient(network, (0.3 + point * way)[None], [number])[0]
        np.testing.assert_allclose(found[number], total / 20 * way, atol=1e-5)


def test_the_points_of_all_levels_are_the_middles_of_the_finest():
    points = np.concatenate([gradients._middles(4, level) for level in range(3)])
    np.testing.assert_allclose(np.sort(points), (np.arange(36) + 0.5) / 36)


@pytest.mark.slow
def test_a_map_that_cannot_add_up_warns():
    """A step in the score has no gradient on either side: no number of points finds it."""
    inputs = keras.Input((2,))
    jumps = layers.Activation(lambda x: tf.sign(x) + x)(inputs)
    network = keras.Model(inputs, layers.Dense(1, kernel_initializer="ones")(jumps))
    with pytest.warns(UserWarning, match="1 of 1 maps"):
        gradients.integrated_gradients(network, [[1.0, 2.0]], [0], baselines=-1.0, steps=3)


@pytest.mark.slow
@pytest.mark.parametrize("method", FAMILY)
def test_a_random_logit_changes_the_map(method):
    classifier = classifier_of(convolutional((24, 16)))
    patches = random_patches(2, (24, 16))
    before = xa.explain(classifier, patches, 0, method).maps
    dense = classifier.logits_network.layers[-1]
    rng = np.random.default_rng(0)
    # The compiled graph must follow the weights, not keep a copy of them.
    dense.set_weights([rng.normal(size=weight.shape) for weight in dense.get_weights()])
    after = xa.explain(classifier, patches, 0, method).maps
    for one, other in zip(before, after, strict=True):
        assert abs(np.corrcoef(one.ravel(), other.ravel())[0, 1]) < 0.95


@pytest.mark.slow
def test_compiled_once_and_let_go():
    network = smooth_network((4, 3))
    inputs = np.zeros((2, 4, 3))
    gradients.gradient(network, inputs, [0, 1])
    engine = backward.engine_of(network)
    step = engine._step
    gradients.smooth_gradient(network, np.ones((5, 4, 3)), [0, 1, 2, 0, 1], samples=9)
    gradients.integrated_gradients(network, np.ones((3, 4, 3)), [0, 1, 2])
    assert backward.engine_of(network) is engine
    # Compiled for one signature: it cannot be traced again.
    assert engine._step is step and not hasattr(step, "experimental_get_tracing_count")
    alive = weakref.ref(network)
    del network
    gc.collect()
    assert alive() is None


@pytest.mark.slow
@pytest.mark.parametrize(
    "inputs, targets, message",
    [
        (np.zeros((2, 3, 4)), [0, 1], "takes \\(n, 4, 3\\)"),
        (np.zeros((4, 3)), [0], "takes \\(n, 4, 3\\)"),
        (np.zeros((2, 4, 3)), [0], "one per input"),
        (np.zeros((2, 4, 3)), [0, 3], "from 0 to 2"),
        (np.zeros((2, 4, 3)), [-1, 0], "from 0 to 2"),
        (np.zeros((2, 4, 3)), [0.5, 0], "one per input"),
    ],
)
def test_bad_inputs(inputs, targets, message):
    with pytest.raises(XaiAudioError, match=message):
        gradients.gradient(smooth_network((4, 3)), inputs, targets)


@pytest.mark.slow
@pytest.mark.parametrize(
    "method, options, message",
    [
        ("smoothgrad", {"samples": 0}, "samples is 0"),
        ("smoothgrad", {"samples": 2.5}, "samples is 2.5"),
        ("smoothgrad", {"noise": -1}, "noise is -1"),
        ("smoothgrad", {"seed": -1}, "seed is -1"),
        ("integrated-gradients", {"steps": 0}, "steps is 0"),
        ("integrated-gradients", {"tolerance": 0}, "tolerance is 0"),
        ("integrated-gradients", {"baseline": "noise"}, "baseline is 'noise'"),
        ("input-x-gradient", {"baseline": np.nan}, "baseline is nan"),
    ],
)
def test_bad_options(small, patches, method, options, message):
    with pytest.raises(XaiAudioError, match=message):
        xa.explain(small, patches, method=method, **options)


def test_completeness_needs_a_baseline(small, patches):
    result = xa.explain(small, patches, method="saliency")
    with pytest.raises(XaiAudioError, match="saliency has no baseline"):
        gradients.completeness(small, result)


@pytest.mark.slow
@pytest.mark.parametrize("method", ["saliency", "occlusion", "lrp"])
def test_one_network_after_the_other_and_tensorflow_does_not_complain(method, caplog, monkeypatch):
    monkeypatch.setattr(tf.get_logger(), "propagate", True)
    patches = random_patches(1, (11, 8), 0)
    for seed in range(8):
        model = classifier_of(convolutional((11, 8), seed=seed))
        model.scores(patches)
        model.logits(patches)
        xa.explain(model, patches, 0, method=method)
    assert "retracing" not in caplog.text


@pytest.mark.slow
def test_a_map_that_adds_up_but_still_moves_gets_more_steps():
    """Behind a layer normalisation the sum is right long before the cells are."""
    keras.utils.set_random_seed(0)
    x = inputs = keras.Input((24, 16, 1))
    x = layers.LayerNormalization()(layers.Conv2D(4, 3)(x))
    x = layers.Conv2D(6, 3, activation="relu")(layers.ReLU()(x))
    network = keras.Model(inputs, layers.Dense(3)(layers.GlobalAveragePooling2D()(x)))
    value = random_patches(1, (24, 16))[..., None]
    target = np.asarray(network(value)).argmax(axis=1)
    fine = gradients.integrated_gradients(network, value, target, -4.6, steps=1296)

    def off(found):
        return np.abs(found - fine).sum() / np.abs(fine).sum()

    points = ((np.arange(16) + 0.5) / 16)[:, None, None, None, None]
    way = value + 4.6
    slopes = [gradients.gradient(network, -4.6 + point * way, target) for point in points]
    coarse = np.mean(slopes, axis=0) * way
    rise = network(value).numpy() - network(np.full_like(value, -4.6)).numpy()
    assert abs(coarse.sum() / rise[0, target[0]] - 1) < 0.01 and off(coarse) > 0.1
    assert off(gradients.integrated_gradients(network, value, target, -4.6)) < 0.05
