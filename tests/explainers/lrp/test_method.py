"""Relevance propagation as a method of `explain`."""

import keras
import pytest
from keras import layers
from small_networks import frontend, random_patches

import xaiaudio as xa


def test_logits_computed_from_probabilities_are_refused_by_name():
    inputs = keras.Input((8, 6, 1))
    flat = layers.Flatten()(inputs)
    heads = [layers.Dense(3, activation="softmax")(flat) for _ in range(2)]
    network = keras.Model(inputs, layers.Average()(heads), name="both")
    model = xa.AudioClassifier.from_keras(
        network, list("abc"), frontend(8, 6), outputs="probabilities"
    )
    with pytest.raises(xa.XaiAudioError, match="The logits of both are computed from its prob"):
        xa.explain(model, random_patches(1, (8, 6)), 0, method="lrp")
