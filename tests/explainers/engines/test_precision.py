"""Asking in shorter numbers: what is asked, when, and that the result says so."""

import keras
import numpy as np
import pytest
from keras import layers
from small_networks import LABELS, classifier_of, convolutional, frontend, random_patches
from sound_functions import linear, sounds

import xaiaudio as xa
from xaiaudio.explainers.engines import precision
from xaiaudio.explainers.engines.perturbation import asked, engine_of
from xaiaudio.models import precision as twins

SHAPE = (24, 16)
METHODS = {
    "occlusion": {"mask": 0.3, "stride": 0.2},
    "lime": {"grid": (3, 2), "samples": 40},
    "shapley": {"grid": (3, 2), "samples": 64},
    "rise": {"grid": (3, 2), "samples": 32},
    "slime": {"grid": (3, 2), "samples": 40},
    "scorecam": {},
}


def rounded(values):
    """Round to the eight bits of bfloat16."""
    return np.asarray(keras.ops.cast(keras.ops.cast(values, "bfloat16"), "float32"))


@pytest.mark.slow
def test_answers_are_those_of_a_network_rounded_between_its_first_layer_and_its_last():
    inputs = keras.Input((*SHAPE, 1))
    x = layers.Dense(4, activation="relu", name="first")(inputs)
    flat = layers.Flatten()(layers.Dense(5, activation="relu", name="second")(x))
    model = classifier_of(keras.Model(inputs, layers.Dense(3, activation="softmax")(flat)))
    patches = random_patches(5, SHAPE)
    kernel, bias = model.network.get_layer("first").get_weights()
    x = rounded(np.maximum(patches[..., None] @ kernel + bias, 0))
    kernel, bias = (rounded(x) for x in model.network.get_layer("second").get_weights())
    hidden = np.maximum(rounded(rounded(x @ kernel) + bias), 0)
    last = model.logits_network.layers[-1]
    expected = hidden.reshape(5, -1) @ last.get_weights()[0] + last.get_weights()[1]
    found = engine_of(model, "logits", "bfloat16").ask(patches)
    np.testing.assert_allclose(found, expected, atol=2e-3 * np.abs(expected).max())
    exact = model.logits(patches)
    assert 1e-6 < np.abs(found - exact).max() < precision.BOUND * np.abs(exact).max()


@pytest.mark.slow
@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("able", [True, False])
def test_the_result_says_what_was_taken_and_its_map_is_nearly_the_same(monkeypatch, method, able):
    monkeypatch.setattr(precision, "has_bfloat16", lambda: able)
    model = classifier_of(convolutional(SHAPE))
    patches = random_patches(2, SHAPE)
    exact = xa.explain(model, patches, "dog", method, **METHODS[method])
    found = xa.explain(model, patches, "dog", method, precision="auto", **METHODS[method])
    assert exact.options["precision"] == "float32"
    assert found.options["precision"] == ("bfloat16" if able else "float32")
    difference = np.abs(found.maps - exact.maps).max() / np.abs(exact.maps).max()
    assert (0 < difference < 0.1) if able else difference == 0


@pytest.mark.slow
@pytest.mark.parametrize("method", ["slime", "audiolime"])
def test_of_sounds_too(monkeypatch, method):
    monkeypatch.setattr(precision, "has_bfloat16", lambda: True)
    model = xa.load_model("lite")
    wave = np.random.default_rng(0).normal(0, 0.1, 16_000) * np.linspace(0, 1, 16_000)
    patches = model.frontend(wave, sounds=True)
    options = {"domain": "sound", "segments": "time", "times": 3} if method == "slime" else {}
    options["samples"] = 16
    exact = xa.explain(model, patches, "Rain", method, **options)
    found = xa.explain(model, patches, "Rain", method, precision="auto", **options)
    assert found.options["precision"] == "bfloat16"
    difference = np.abs(found.maps - exact.maps).max() / np.abs(exact.maps).max()
    assert 0 < difference < 0.1


@pytest.mark.slow
def test_the_shipped_network_stays_within_the_bound():
    model = xa.load_model("lite")
    wave = xa.datasets.load("synthetic")[0].load(model.frontend.sample_rate)
    patches = np.asarray(model.frontend(wave))
    for output in ("logits", "scores"):
        exact, fast = (
            precision.asker(model, output, one)(patches) for one in ("float32", "bfloat16")
        )
        assert 0 < np.abs(fast - exact).max() < precision.BOUND * np.abs(exact).max()


@pytest.mark.slow
def test_an_error_above_the_bound_keeps_float32(monkeypatch):
    monkeypatch.setattr(precision, "has_bfloat16", lambda: True)
    monkeypatch.setattr(precision, "BOUND", 1e-9)
    model = classifier_of(convolutional(SHAPE))
    assert precision.precision_of(model, "auto", random_patches(1, SHAPE)) == "float32"
    assert precision.precision_of(model, "bfloat16", random_patches(1, SHAPE)) == "bfloat16"


@pytest.mark.slow
def test_the_twin_follows_the_weights():
    model = classifier_of(convolutional(SHAPE))
    patches = random_patches(2, SHAPE)
    before = engine_of(model, "logits", "bfloat16").ask(patches)
    for weight in model.network.weights:
        weight.assign(-weight)
    after = engine_of(model, "logits", "bfloat16").ask(patches)
    exact = model.logits(patches)
    assert np.abs(after - before).max() > 0.01
    np.testing.assert_allclose(after, exact, atol=0.02 * np.abs(exact).max())
    assert asked(model, "logits", "bfloat16") is asked(model, "logits", "bfloat16")


def test_what_cannot_be_made_anew_stays_in_float32(monkeypatch):
    class Odd(layers.Layer):
        def __init__(self, needed):
            super().__init__()
            self.needed = needed

        def call(self, x):
            return x * self.needed

    monkeypatch.setattr(precision, "has_bfloat16", lambda: True)
    inputs = keras.Input((*SHAPE, 1))
    network = keras.Model(inputs, layers.Dense(3)(layers.Flatten()(Odd(2.0)(inputs))))
    model = xa.AudioClassifier.from_keras(network, LABELS, frontend(*SHAPE))
    assert precision.precision_of(model, "auto", random_patches(1, SHAPE)) == "float32"
    with pytest.raises(xa.XaiAudioError, match="precision='float32'"):
        twins.twin_of(model.network)


def test_functions_of_sounds_have_no_twin():
    waves = sounds(4)
    model = linear(*waves[2:], batch=4)
    segments = model.frontend(waves[:2].ravel())
    assert precision.precision_of(model, "auto", segments) == "float32"
    with pytest.raises(xa.XaiAudioError, match="no Keras network of patches"):
        precision.precision_of(model, "bfloat16", segments)


def test_an_unknown_precision():
    with pytest.raises(xa.XaiAudioError, match="'float32', 'auto', 'bfloat16'"):
        xa.Explainer("lime", precision="float16")
