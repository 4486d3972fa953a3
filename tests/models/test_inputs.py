"""Inputs of other shapes: the network gets what it would be given by hand."""

import keras
import numpy as np
import pytest

import xaiaudio as xa
from xaiaudio.errors import XaiAudioError
from xaiaudio.frontend import LogMel

layers = keras.layers
FRONTEND = LogMel(frames=24, bands=16)
PATCHES = np.random.default_rng(0).normal(-1, 1.5, (3, 24, 16)).astype("float32")


def network(shape):
    keras.utils.set_random_seed(0)
    patch = tensor = layers.Input(shape, name="patch")
    if len(shape) == 2:
        tensor = layers.Conv1D(4, 3, name="conv")(tensor)
        tensor = layers.GlobalAveragePooling1D()(tensor)
    else:
        tensor = layers.Conv2D(4, (5, 3), activation="relu", name="conv")(tensor)
        tensor = layers.GlobalAveragePooling2D()(tensor)
    return keras.Model(patch, layers.Dense(3, activation="softmax")(tensor), name="theirs")


def door(model, **options):
    return xa.AudioClassifier.from_keras(model, ["cat", "dog", "rain"], FRONTEND, **options)


TURNED = PATCHES.transpose(0, 2, 1)
SHAPES = {
    (None, 16, 1): PATCHES[..., None],
    (None, None, 1): PATCHES[..., None],
    (24, None, 1): PATCHES[..., None],
    (None, 16): PATCHES,
    (16, 24, 1): TURNED[..., None],
    (16, 24): TURNED,
    (16, None, 1): TURNED[..., None],
    (24, 16, 3): np.repeat(PATCHES[..., None], 3, axis=3),
    (16, 24, 3): np.repeat(TURNED[..., None], 3, axis=3),
    (None, None, 3): np.repeat(PATCHES[..., None], 3, axis=3),
}


@pytest.mark.slow
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_scores_are_those_of_the_network_itself(shape, tmp_path):
    model = network(shape)
    classifier = door(model)
    expected = model(SHAPES[shape]).numpy()
    np.testing.assert_allclose(classifier.scores(PATCHES), expected, atol=1e-6)
    assert classifier.network.input_shape[1:3] == (24, 16)
    assert ("exchanged" in " ".join(classifier.changes)) == (shape[0] == 16)
    assert ("channels" in " ".join(classifier.changes)) == (shape[-1] == 3)
    assert classifier.network.get_layer("conv").kernel is model.get_layer("conv").kernel
    again = xa.load_model(classifier.save(tmp_path / "mine.keras"))
    np.testing.assert_allclose(again.scores(PATCHES), expected, atol=1e-6)
    maps = xa.explain(classifier, PATCHES, method="saliency", signed=True).maps
    assert maps.shape == PATCHES.shape and np.abs(maps).max() > 0


@pytest.mark.slow
def test_gradients_come_back_through_exchanged_axes_and_channels():
    model = network((16, 24, 3))
    found = xa.explain(door(model), PATCHES, [0, 1, 2], "saliency", signed=True).maps
    step, cell = 1e-2, (1, 7, 5)
    moved = [PATCHES.copy(), PATCHES.copy()]
    moved[0][cell] += step
    moved[1][cell] -= step
    up, down = (door(model).logits(patches)[1, 1] for patches in moved)
    assert found[cell] == pytest.approx((up - down) / (2 * step), rel=0.02)


def test_a_network_that_fits_is_left_as_it_is():
    model = network((24, 16, 1))
    classifier = door(model)
    assert classifier.network.get_layer("conv") is model.get_layer("conv")
    assert classifier.changes == ()


@pytest.mark.slow
def test_two_channels_have_to_be_said():
    model = network((24, 16, 2))
    with pytest.raises(XaiAudioError, match='channels="repeat"'):
        door(model)
    expected = model(np.repeat(PATCHES[..., None], 2, axis=3)).numpy()
    classifier = door(model, channels="repeat")
    np.testing.assert_allclose(classifier.scores(PATCHES), expected, atol=1e-6)
    with pytest.raises(XaiAudioError, match="channels is 'both'"):
        door(model, channels="both")


@pytest.mark.parametrize("shape", [(16000,), (16000, 1), (None, 1)])
def test_waveform_networks_are_sent_to_what_takes_samples(shape):
    entry = tensor = layers.Input(shape)
    if len(shape) == 1:
        tensor = layers.Reshape((-1, 1))(tensor)
    tensor = layers.GlobalAveragePooling1D()(layers.Conv1D(4, 64, 16)(tensor))
    model = keras.Model(entry, layers.Dense(3)(tensor))
    with pytest.raises(XaiAudioError, match="waveform") as caught:
        door(model)
    assert "LogMel" not in str(caught.value)


@pytest.mark.parametrize("shape", [(30, 16, 1), (24, 17), (24, 16, 4), (24, 16, 1, 1)])
def test_other_shapes_are_refused(shape):
    entry = layers.Input(shape)
    model = keras.Model(entry, layers.Dense(3)(layers.Flatten()(entry)))
    with pytest.raises(XaiAudioError, match="takes inputs of the shape"):
        door(model)


def test_a_size_that_the_network_cannot_take():
    entry = layers.Input((None, 16, 1))
    small = layers.Conv2D(4, (30, 3))(entry)
    model = keras.Model(entry, layers.Dense(3)(layers.GlobalAveragePooling2D()(small)))
    with pytest.raises(XaiAudioError, match=r"does not take inputs of the shape \(24, 16, 1\)"):
        door(model)
