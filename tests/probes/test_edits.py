"""A layer is read and written as the network itself would, and features are taken out of it."""

import keras
import numpy as np
import pytest
from keras import layers
from small_networks import classifier_of, convolutional, random_patches

from xaiaudio import XaiAudioError
from xaiaudio.models.designs.lessons import Lessons
from xaiaudio.probes.edits import Layer
from xaiaudio.probes.sparse import Codes
from xaiaudio.probes.sparse_features import erased, strongest_rows, where
from xaiaudio.probes.sparse_training import Options, fit

SHAPE = (8, 6)


@pytest.fixture(scope="module")
def model():
    return classifier_of(convolutional(SHAPE))


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


def test_features_are_taken_out_one_by_one(model):
    patches = random_patches(30, SHAPE)
    layer = Layer(model, "hidden")
    values = layer.read(patches)
    auto = fit(values, Options(size=12, k=3, steps=100, batch=16))
    kernel, bias = model.logits_network.layers[-1].get_weights()
    order = np.random.default_rng(0).permutation(12)
    found = erased(layer, auto, patches, order, [0, 2, 12])
    codes = auto.encode(values).matrix.toarray()
    for row, count in enumerate((0, 2, 12)):
        left = codes.copy()
        left[:, order[:count]] = 0
        wanted = (left @ auto.decoder + auto.bias) @ kernel + bias
        np.testing.assert_allclose(found[row], wanted, atol=1e-4)
    with pytest.raises(XaiAudioError, match="13 features are to be taken out, but 12"):
        erased(layer, auto, patches, order, [0, 13])


def test_the_strongest_row_of_each_clip():
    numbers = np.array([[0, 1], [0, 2], [1, 2], [0, 1], [1, 2]])
    strengths = np.array([[1.0, 5.0], [3.0, 1.0], [2.0, 1.0], [4.0, 0.0], [6.0, 1.0]])
    codes = Codes(numbers, strengths, 3)
    clips = np.array([0, 1, 1, 1, 2])
    assert strongest_rows(codes, 0, clips).tolist() == [3, 0]
    assert strongest_rows(codes, 1, clips, 2).tolist() == [4, 0]
    assert strongest_rows(codes, 1, clips).tolist() == [4, 0, 2]


def test_a_place_is_what_the_layer_can_see(model):
    layer = Layer(model, "pool")
    frontend = model.frontend
    told = Lessons(
        patches=random_patches(2, SHAPE),
        targets=np.zeros(2, int),
        clip=np.array([0, 1]),
        first=np.array([0, 40]),
        validation=np.zeros(2, bool),
        names=("a", "b"),
        labels=("cat",),
        frontend=frontend,
    )
    # The second patch; row 1 and column 2 of 4 x 3: a pooling of a 3 x 3 convolution.
    place = where(layer, told, layer.places + 1 * 3 + 2)
    assert place.clip == "b"
    times, edges = frontend.frame_times(40), frontend.band_edges()
    assert (place.start, place.end) == (times[1], times[5])
    assert (place.low, place.high) == (pytest.approx(edges[3]), pytest.approx(edges[6]))
    assert Layer(model, "hidden").seen(0) == ((0, 8), (0, 6))


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
