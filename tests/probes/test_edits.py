"""A layer is read and written as the network itself would."""

import keras
import numpy as np
import pytest
from keras import layers
from small_networks import classifier_of, convolutional, random_patches

from xaiaudio import XaiAudioError
from xaiaudio.probes.edits import Layer

SHAPE = (8, 6)


@pytest.fixture(scope="module")
def model():
    return classifier_of(convolutional(SHAPE))


@pytest.mark.slow
def test_what_is_read_and_put_back_gives_the_logits(model):
    patches = random_patches(70, SHAPE)
    for name in ("first", "pool", "last", "flat", "hidden"):
        layer = Layer(model, name)
        values = layer.read(patches)
        peer = keras.Model(model.network.inputs, model.network.get_layer(name).output)
        np.testing.assert_allclose(values, peer.predict_on_batch(patches[..., None]), atol=1e-5)
        np.testing.assert_allclose(layer.write(patches, values), model.logits(patches), atol=1e-5)
        flat = values.reshape(-1, values.shape[-1])
        assert len(flat) == len(patches) * layer.places
        np.testing.assert_allclose(layer.write(patches, flat), model.logits(patches), atol=1e-5)


@pytest.mark.slow
def test_the_rest_of_the_network_runs_on_what_is_written(model):
    patches = random_patches(5, SHAPE)
    values = np.random.default_rng(0).normal(size=(5, 8)).astype("float32")
    kernel, bias = model.logits_network.layers[-1].get_weights()
    found = Layer(model, "hidden").write(patches, values)
    np.testing.assert_allclose(found, values @ kernel + bias, atol=1e-5)


def test_what_goes_around_the_layer_stays():
    inputs = keras.Input((*SHAPE, 1))
    branch = layers.Conv2D(1, 3, padding="same", name="branch")(inputs)
    x = layers.GlobalAveragePooling2D()(layers.Add()([inputs, branch]))
    model = classifier_of(keras.Model(inputs, layers.Dense(3, activation="softmax")(x)))
    patches = random_patches(4, SHAPE)
    found = Layer(model, "branch").write(patches, np.zeros((4, *SHAPE, 1)))
    kernel, bias = model.logits_network.layers[-1].get_weights()
    wanted = patches.mean(axis=(1, 2))[:, None] @ kernel + bias
    np.testing.assert_allclose(found, wanted, atol=1e-5)


def test_unknown_layers_and_shapes_are_refused(model):
    with pytest.raises(XaiAudioError, match="no layer 'lost' between"):
        Layer(model, "lost")
    layer, patches = Layer(model, "last"), random_patches(2, SHAPE)
    with pytest.raises(XaiAudioError, match="The values have the shape"):
        layer.write(patches, np.zeros((2, 3, 3, 6)))
    with pytest.raises(XaiAudioError, match="The patches have the shape"):
        layer.read(np.zeros((2, 5, 5)))
    with pytest.raises(XaiAudioError, match="NaN"):
        layer.read(np.full_like(patches, np.nan))
