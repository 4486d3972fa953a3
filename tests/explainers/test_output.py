"""Logit or probability: which one a method explains, what for, and how it is said afterwards."""

import dataclasses

import keras
import numpy as np
import pytest
from keras import layers
from small_networks import LABELS, classifier_of, convolutional, frontend, random_patches
from sound_functions import RATE, linear, sounds

import xaiaudio as xa
from xaiaudio import XaiAudioError
from xaiaudio.explainers.engines.perturbation import output_of
from xaiaudio.explainers.lime import Options, growing

SHAPE = (24, 16)
METHODS = {"occlusion": {"mask": 0.5, "stride": 0.5}, "lime": {"samples": 30, "grid": (2, 2)}}


def powers(waves):
    """Two numbers from 0 to 1 that do not sum to 1."""
    loud = np.sqrt(np.square(waves).mean(axis=1))
    return np.stack([loud, loud / 2], axis=1)


def classifiers():
    """Each kind of classifier, what it is explained by, and patches for it."""
    patches = random_patches(2, SHAPE)
    yield "softmax", classifier_of(convolutional(SHAPE)), "logits", patches
    start = keras.Input((*SHAPE, 1))
    end = layers.Dense(3)(layers.Flatten()(start))
    plain = keras.Model(start, end)
    yield "bare logits", classifier_of(plain), "logits", patches
    sigmoid = keras.Model(start, layers.Activation("sigmoid")(end))
    yield "sigmoid", classifier_of(sigmoid), "logits", patches
    halves = layers.Average()([layers.Softmax()(end), layers.Softmax()(2 * end)])
    taken = xa.AudioClassifier.from_keras(
        keras.Model(start, halves), LABELS, frontend(*SHAPE), outputs="probabilities"
    )
    yield "probabilities taken as they are", taken, "scores", patches
    wave = sounds(1)[0]
    black = xa.AudioClassifier.from_function(powers, ["a", "b"], RATE, 1)
    yield "function", black, "scores", black.frontend(wave)
    function = linear(wave, 0 * wave)
    yield "function of logits", function, "logits", function.frontend(wave)
    samples = keras.Input((8_000,))
    waveform = xa.AudioClassifier.from_keras(
        keras.Model(samples, layers.Dense(2, activation="softmax")(samples[:, ::100])),
        ["a", "b"],
        sample_rate=RATE,
    )
    yield "waveforms", waveform, "logits", waveform.frontend(wave)


CLASSIFIERS = {name: given for name, *given in classifiers()}


@pytest.mark.slow
@pytest.mark.parametrize("kind", CLASSIFIERS)
@pytest.mark.parametrize("method", METHODS)
def test_the_logit_where_there_is_one_and_else_the_probability(kind, method):
    model, output, patches = CLASSIFIERS[kind]
    assert output_of(model) == output
    explainer = xa.Explainer(method, **METHODS[method])
    found = explainer(model, patches, 0)
    assert found.options["output"] == output
    assert found.unit == {"logits": "logit", "scores": "probability"}[output]
    # The explainer itself stays undecided: another model may have other outputs.
    assert explainer.settings["output"] is None
    named = explainer.replace(output=output)(model, patches, 0)
    np.testing.assert_array_equal(found.maps, named.maps)
    other = {"logits": "scores", "scores": "logits"}[output]
    assert explainer.replace(output=other)(model, patches, 0).options["output"] == other


@pytest.mark.slow
@pytest.mark.parametrize("method", METHODS)
def test_a_network_that_is_sure_has_a_map_of_logits_only(method):
    """A constant on a logit moves no map of logits, and leaves probabilities nothing to lose."""
    network, patches = convolutional(SHAPE), random_patches(2, SHAPE)
    unsure = xa.explain(classifier_of(network), patches, 0, method, **METHODS[method])
    classifier = classifier_of(network)
    head = classifier.logits_network.layers[-1]
    kernel, bias = head.get_weights()
    head.set_weights([kernel, bias + [60, 0, 0]])
    assert (classifier.scores(patches)[:, 0] == 1).all()
    sure = xa.explain(classifier, patches, 0, method, **METHODS[method])
    np.testing.assert_allclose(sure.maps, unsure.maps, atol=1e-4)
    assert np.abs(sure.maps).max() > 0.1
    with pytest.warns(xa.errors.XaiAudioWarning, match="saturated at 1"):
        empty = xa.explain(classifier, patches, 0, method, output="scores", **METHODS[method])
    assert np.abs(empty.maps).max() < 1e-6


@pytest.mark.slow
def test_the_unit_survives_a_file(tmp_path, small, patches):
    for method in ("occlusion", "lime"):
        for output, unit in ((None, "logit"), ("scores", "probability")):
            result = xa.explain(small, patches, 0, method, output=output, **METHODS[method])
            again = xa.Explanation.load(result.save(tmp_path / "maps.npz"))
            assert again.unit == result[1:].unit == unit
    assert xa.explain(small, patches, 0, "gradcam").unit == ""


def test_an_undecided_explainer_survives_a_file(tmp_path, small, patches):
    one = xa.Explainer("occlusion", mask=0.5, stride=0.5)
    again = xa.Explainer.load(one.save(tmp_path / "occlusion.npz"))
    assert again == one and again(small, patches).unit == "logit"


@pytest.mark.slow
def test_growing_decides_alike(small, patches):
    targets = np.zeros((len(patches), 1), int)
    options = Options(grid=(2, 3))
    undecided = growing(small, patches, targets, options, (20, 40))
    for output, equal in (("logits", True), ("scores", False)):
        decided = dataclasses.replace(options, output=output)
        found = growing(small, patches, targets, decided, (20, 40))
        assert np.array_equal(found, undecided) == equal


@pytest.mark.parametrize("method", METHODS)
def test_another_output_is_refused_before_any_work(method):
    with pytest.raises(xa.XaiAudioError, match="output is 'loss': it must be one of"):
        xa.Explainer(method, output="loss")


@pytest.mark.slow
@pytest.mark.parametrize("method", ["occlusion", "lime", "slime", "shapley", "rise"])
def test_no_map_is_made_of_answers_that_are_not_finite(method):
    """A network that fails on what stands in for hidden cells, and on nothing else."""

    def scores(patches):
        found = patches.reshape(len(patches), -1)[:, :3].copy()
        found[(patches == -7).any(axis=(1, 2))] = np.nan
        return found

    model = xa.AudioClassifier.from_function(
        scores, LABELS, frontend=frontend(*SHAPE), outputs="logits"
    )
    with pytest.raises(XaiAudioError, match="NaN or infinity|not finite"):
        xa.explain(model, random_patches(2, SHAPE), method=method, fill=-7)
