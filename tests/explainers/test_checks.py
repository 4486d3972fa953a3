"""Maps that say nothing are named so, and errors of others name the method."""

import warnings

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers
from small_networks import LABELS, classifier_of, convolutional, random_patches
from sound_functions import sounds

from xaiaudio import AudioClassifier, XaiAudioError, explain
from xaiaudio.errors import XaiAudioWarning
from xaiaudio.explainers import gradients
from xaiaudio.explainers.checks import naming

SHAPE = (24, 16)


def said(classifier, patches, method, target=0, **options):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        explain(classifier, patches, target, method, **options)
    return [str(one.message) for one in caught if one.category is XaiAudioWarning]


@pytest.mark.slow
def test_ordinary_maps_are_not_remarked_on(small, patches):
    for method in ("gradcam", "occlusion", "lime", "saliency", "lrp"):
        assert said(small, patches, method, target=None) == []


@pytest.mark.slow
def test_a_constant_patch(small):
    silent = np.full((2, *SHAPE), -4.6, "float32")
    (message,) = said(small, silent, "occlusion", fill="silence")
    assert message.startswith("occlusion: in 2 of 2 maps") and "like silence" in message


def saturated():
    classifier = classifier_of(convolutional(SHAPE))
    head = classifier.logits_network.layers[-1]
    kernel, bias = head.get_weights()
    head.set_weights([kernel, bias + [100, 0, 0]])
    return classifier


@pytest.mark.slow
def test_a_saturated_score_points_to_the_logits():
    classifier, patches = saturated(), random_patches(3, SHAPE)
    (message,) = said(classifier, patches, "occlusion", output="scores")
    assert "in 3 of 3 maps" in message
    assert "saturated at 1, whatever is hidden. Give output='logits'." in message
    for method in ("occlusion", "lime"):
        assert said(classifier, patches, method) == []
        assert said(classifier, patches, method, output="logits") == []


@pytest.mark.slow
def test_a_saturated_score_of_a_model_without_logits_points_to_no_logits():
    def certain(waves):
        return np.tile(np.array([1.0, 0.0], "float32"), (len(waves), 1))

    model = AudioClassifier.from_function(certain, ["yes", "no"], 8_000, 1)
    (message,) = said(model, model.frontend(sounds(1)[0]), "occlusion")
    assert "saturated at 1" in message and "nothing but probabilities" in message
    assert "logits" not in message


@pytest.mark.slow
def test_a_network_that_does_not_listen():
    network = convolutional(SHAPE)
    network.layers[1].set_weights([0 * weight for weight in network.layers[1].get_weights()])
    classifier, patches = classifier_of(network), random_patches(2, SHAPE)
    for method in ("saliency", "occlusion", "lime"):
        (message,) = said(classifier, patches, method)
        assert "does not depend on them as far as this method sees" in message


@pytest.mark.slow
def test_a_layer_with_one_cell():
    start = keras.Input((*SHAPE, 1))
    x = layers.Conv2D(4, 3, activation="relu", name="wide")(start)
    x = layers.GlobalAveragePooling2D(keepdims=True)(x)
    x = layers.Flatten()(layers.Conv2D(4, 1, name="gate")(x))
    classifier = classifier_of(keras.Model(start, layers.Dense(3)(x)))
    (message,) = said(classifier, random_patches(1, SHAPE), "gradcam", layer="gate")
    assert "as there is only one" in message and "layer=" in message


@pytest.mark.slow
def test_evidence_that_is_all_against():
    start = keras.Input((*SHAPE, 1))
    x = layers.Conv2D(4, 3, activation="relu")(start)
    head = layers.Dense(3, kernel_initializer=keras.initializers.Constant(-1.0))
    classifier = classifier_of(keras.Model(start, head(layers.GlobalAveragePooling2D()(x))))
    (message,) = said(classifier, random_patches(1, SHAPE), "gradcam")
    assert "no feature map speaks for the class" in message


class Odd(layers.Layer):
    """A layer that fails when it is asked to."""

    fails = False

    def call(self, x):
        if self.fails:
            raise TypeError("I only take\nwhole batches")
        return x


def test_an_error_of_a_layer_names_the_method_and_what_it_said():
    message = "saliency cannot.*ValueError, no way. Try another"
    with pytest.raises(XaiAudioError, match=message), naming("saliency"):
        raise ValueError("no way.\nmore")
    with pytest.raises(XaiAudioError, match="^ours$"), naming("saliency"):
        raise XaiAudioError("ours")


def test_an_error_inside_a_method_is_ours():
    start = keras.Input((*SHAPE, 1))
    x = layers.Conv2D(2, 3, activation="relu")(start)
    odd = Odd()
    network = keras.Model(start, layers.Dense(3)(layers.Flatten()(odd(x))))
    classifier = classifier_of(network, LABELS)
    odd.fails = True
    classifier.scores = lambda patches: np.full((len(patches), 3), 1 / 3, "float32")
    with pytest.raises(XaiAudioError, match="gradcam cannot treat this network: TypeError"):
        explain(classifier, random_patches(1, SHAPE), 0, "gradcam")


def mean_of_heads(x):
    heads = [layers.Dense(3, activation="softmax")(x) for _ in range(2)]
    return layers.Average()(heads)


def own_softmax(x):
    return layers.Lambda(tf.nn.softmax)(layers.Dense(3)(x))


@pytest.mark.parametrize("end", [mean_of_heads, own_softmax])
def test_probabilities_that_the_graph_hides_are_told_by_the_answers(end):
    x = keras.Input((5,))
    with pytest.raises(XaiAudioError, match="answers in probabilities, which sum to 1"):
        gradients.gradient(keras.Model(x, end(x)), np.ones((2, 5)), [0, 1])


@pytest.mark.slow
def test_logits_that_lie_between_0_and_1_are_logits():
    x = keras.Input((5,))
    network = keras.Model(x, layers.Dense(3, activation="sigmoid")(x))
    logits = keras.Model(x, layers.Rescaling(0.5)(network(x)))
    assert gradients.gradient(logits, np.ones((2, 5)), [0, 1]).shape == (2, 5)
