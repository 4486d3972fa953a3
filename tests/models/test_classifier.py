import copy
import pickle

import keras
import numpy as np
import pytest

import xaiaudio as xa
from xaiaudio.errors import XaiAudioError
from xaiaudio.frontend import LogMel
from xaiaudio.models import AudioClassifier

layers = keras.layers
PATCHES = np.random.default_rng(0).normal(-1, 2, (7, 96, 64)).astype(np.float32)


def model(end, shape=(96, 64, 1), units=3):
    first = [] if len(shape) == 3 else [layers.Reshape((*shape, 1))]
    return keras.Sequential(
        [layers.Input(shape), *first, layers.Conv2D(4, 3, 2), layers.GlobalAveragePooling2D()]
        + {
            "dense softmax": [layers.Dense(units, activation="softmax")],
            "softmax layer": [layers.Dense(units), layers.Softmax()],
            "activation layer": [layers.Dense(units), layers.Activation("softmax")],
            "sigmoid": [layers.Dense(units, activation="sigmoid", use_bias=False)],
            "logits": [layers.Dense(units)],
            "relu": [layers.Dense(units, activation="relu")],
        }[end]
    )


def softmax(logits):
    e = np.exp(logits - logits.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


@pytest.mark.slow
@pytest.mark.parametrize("shape", [(96, 64, 1), (96, 64)])
@pytest.mark.parametrize("end", ["dense softmax", "softmax layer", "activation layer"])
def test_softmax_ends(end, shape):
    keras_model = model(end, shape)
    classifier = AudioClassifier.from_keras(keras_model, ["a", "b", "c"])
    expected = keras_model(PATCHES.reshape(-1, *shape)).numpy()
    np.testing.assert_allclose(classifier.scores(PATCHES), expected, atol=1e-6)
    np.testing.assert_allclose(softmax(classifier.logits(PATCHES)), expected, atol=1e-6)


@pytest.mark.slow
def test_logits_get_a_softmax_and_sigmoids_stay():
    plain = model("logits")
    classifier = AudioClassifier.from_keras(plain, ["a", "b", "c"])
    expected = plain(PATCHES[..., None]).numpy()
    np.testing.assert_allclose(classifier.logits(PATCHES), expected, atol=1e-6)
    np.testing.assert_allclose(classifier.scores(PATCHES), softmax(expected), atol=1e-6)
    several = model("sigmoid")
    classifier = AudioClassifier.from_keras(several, ["a", "b", "c"])
    scores = classifier.scores(PATCHES)
    np.testing.assert_allclose(scores, several(PATCHES[..., None]).numpy(), atol=1e-6)
    np.testing.assert_allclose(scores, 1 / (1 + np.exp(-classifier.logits(PATCHES))), atol=1e-6)


LATER = {
    "flattened": [layers.Conv2D(2, (47, 31), activation="softmax"), layers.Flatten()],
    "averaged": [
        layers.Conv2D(2, 3),
        layers.Softmax(),
        layers.GlobalAveragePooling2D(),
        layers.Dropout(0.5),
    ],
    "sigmoid": [
        layers.Conv2D(2, (47, 31)),
        layers.Activation("sigmoid"),
        layers.Reshape((2,)),
        layers.Activation("linear"),
    ],
}


def patched(ends):
    return keras.Sequential([layers.Input((96, 64, 1)), layers.Conv2D(4, 3, 2), *ends])


@pytest.mark.parametrize("ends", LATER.values(), ids=LATER)
def test_probabilities_that_another_layer_hands_on_are_not_taken_for_logits(ends):
    keras_model = patched(ends)
    assert keras_model.output_shape == (None, 2)
    with pytest.raises(XaiAudioError, match="makes probabilities"):
        AudioClassifier.from_keras(keras_model, ["a", "b"])


@pytest.mark.slow
def test_logits_that_another_layer_hands_on_are_taken():
    keras_model = patched([layers.Conv2D(2, (47, 31)), layers.Flatten(), layers.Dropout(0.5)])
    classifier = AudioClassifier.from_keras(keras_model, ["a", "b"])
    expected = keras_model(PATCHES[..., None]).numpy()
    np.testing.assert_allclose(classifier.logits(PATCHES), expected, atol=1e-6)


@pytest.mark.slow
def test_the_network_is_flat_and_shares_its_weights():
    keras_model = model("dense softmax")
    classifier = AudioClassifier.from_keras(keras_model, ["a", "b", "c"])
    assert not any(isinstance(layer, keras.Model) for layer in classifier.network.layers)
    before = classifier.scores(PATCHES)
    for weight in keras_model.weights:
        weight.assign(weight * 1.5 + 0.01)
    after = classifier.scores(PATCHES)
    assert np.abs(after - before).max() > 1e-3
    np.testing.assert_allclose(after, keras_model(PATCHES[..., None]).numpy(), atol=1e-6)


@pytest.mark.slow
def test_one_trace_whatever_the_number_of_patches(monkeypatch):
    traces, as_input = [], AudioClassifier.as_input
    monkeypatch.setattr(
        AudioClassifier, "as_input", lambda self, x: traces.append(x) or as_input(self, x)
    )
    classifier = AudioClassifier.from_keras(model("logits"), ["a", "b", "c"])
    whole = classifier.scores(np.tile(PATCHES, (40, 1, 1)))
    for n in (0, 1, 2, 5, 127, 128, 129, 280):
        part = classifier.scores(np.tile(PATCHES, (40, 1, 1))[:n])
        assert part.shape == (n, 3) and part.dtype == np.float32
        np.testing.assert_allclose(part, whole[:n], atol=1e-6)
    assert len(traces) == 1
    assert classifier.forward() is classifier.forward()


@pytest.mark.slow
def test_nested_models_give_scores():
    inner = keras.Sequential([layers.Input((96, 64, 1)), layers.Conv2D(2, 3), layers.Flatten()])
    outer = keras.Sequential([layers.Input((96, 64, 1)), inner, layers.Dense(2, "softmax")])
    classifier = AudioClassifier.from_keras(outer, ["a", "b"])
    expected = outer(PATCHES[..., None]).numpy()
    np.testing.assert_allclose(classifier.scores(PATCHES), expected, atol=1e-6)


class Subclassed(keras.Model):
    def call(self, inputs):
        return inputs


def wrong_models():
    patch = layers.Input((96, 64, 1))
    pooled = layers.GlobalAveragePooling2D()(patch)
    yield "subclassed", Subclassed(), "subclassed"
    yield "no input layer", keras.Sequential([layers.Dense(2)]), "Input layer"
    yield "not keras", object(), "not a Keras 3 model"
    yield "several outputs", keras.Model(patch, [pooled, pooled]), "2 outputs"
    yield "map out", keras.Model(patch, layers.Conv2D(2, 3)(patch)), "pool over time"
    yield "wrong end", model("relu", units=2), "ends in relu"
    yield "other patches", model("logits", (50, 64, 1), 2), "(50, 64, 1)"
    yield "channels", stereo(), "(96, 64, 4)"


def stereo():
    patch = layers.Input((96, 64, 4))
    return keras.Model(patch, layers.Dense(2)(layers.GlobalAveragePooling2D()(patch)))


@pytest.mark.parametrize(("name", "wrong", "words"), list(wrong_models()))
def test_networks_that_cannot_be_taken_say_what_to_do(name, wrong, words):
    with pytest.raises(XaiAudioError) as caught:
        AudioClassifier.from_keras(wrong, ["a", "b"])
    assert words in str(caught.value)


@pytest.mark.slow
@pytest.mark.parametrize("way", [copy.deepcopy, lambda one: pickle.loads(pickle.dumps(one))])
@pytest.mark.parametrize("end", ["dense softmax", "sigmoid", "logits"])
def test_a_used_classifier_can_be_copied(way, end):
    used = AudioClassifier.from_keras(model(end), ["a", "b", "c"], attribution="me")
    used.history = {"loss": [1.0]}
    expected = used.scores(PATCHES)
    other = way(used)
    np.testing.assert_array_equal(other.scores(PATCHES), expected)
    np.testing.assert_array_equal(other.logits(PATCHES), used.logits(PATCHES))
    for name in ("labels", "frontend", "name", "attribution", "history", "outputs"):
        assert getattr(other, name) == getattr(used, name)
    # Its two networks share their weights, but none with the original.
    for weight in other.network.weights:
        weight.assign(weight * 1.5 + 0.01)
    assert np.abs(other.logits(PATCHES) - used.logits(PATCHES)).max() > 1e-3
    np.testing.assert_array_equal(used.scores(PATCHES), expected)


def test_patches_of_another_shape_or_with_nan():
    classifier = AudioClassifier.from_keras(model("logits"), ["a", "b", "c"])
    with pytest.raises(XaiAudioError, match="model.frontend"):
        classifier.scores(np.zeros((2, 64, 96)))
    broken = PATCHES.copy()
    broken[3, 5] = np.nan
    with pytest.raises(XaiAudioError, match="patch 3"):
        classifier.scores(broken)


@pytest.mark.slow
def test_a_clip_is_named_by_the_majority_of_its_patches():
    classifier = AudioClassifier.from_keras(
        model("logits"), ["a", "b", "c"], LogMel.vggish(overlap=0.5)
    )
    wave = np.random.default_rng(1).normal(0, 0.1, 48_000).astype(np.float32)
    said = classifier.predict_clip(wave)
    np.testing.assert_array_equal(said.patch_scores, classifier.scores(classifier.frontend(wave)))
    assert sum(said.shares.values()) == pytest.approx(1)
    assert said.shares[said.label] == max(said.shares.values())
    assert len(classifier.predict_clip(wave, overlap=0.75).patch_scores) > len(said.patch_scores)
    with pytest.raises(XaiAudioError, match="pad=True"):
        classifier.predict_clip(wave[:8000])
    assert len(classifier.predict_clip(wave[:8000], pad=True).patch_scores) == 1


def test_the_package_offers_the_class_without_importing_tensorflow_first():
    assert xa.AudioClassifier is AudioClassifier
