"""What a layer says, and how the logits answer to it, against differences."""

import keras
import numpy as np
import pytest
from small_networks import classifier_of, convolutional, random_patches

from xaiaudio import XaiAudioError
from xaiaudio.probes.sensitivities import checked, nodes_of, sensitivities


@pytest.mark.slow
def test_sensitivities_against_differences():
    model = classifier_of(convolutional((8, 6)))
    patches, targets = random_patches(5, (8, 6)), np.array([0, 1, 2, 1, 0])
    found = sensitivities(model, ["last", "hidden"], patches, targets)
    network = model.logits_network
    for name in ("last", "hidden"):
        values = np.asarray(upto(network, name).predict_on_batch(patches[..., None]))
        rest = from_there(network, name)
        axes = tuple(range(1, values.ndim - 1))
        np.testing.assert_allclose(found[name].values, values.mean(axis=axes), atol=1e-5)
        for channel in range(values.shape[-1]):
            step = np.zeros(values.shape[-1], "float32")
            step[channel] = 1e-3
            slope = (rest(values + step) - rest(values - step)) / 2e-3
            chosen = slope[np.arange(5), targets]
            np.testing.assert_allclose(found[name].gradients[:, channel], chosen, atol=5e-3)
    for wrong in (targets[:4], targets + 1, targets - 1):
        with pytest.raises(XaiAudioError, match="each its class"):
            sensitivities(model, ["last"], patches, wrong)


def upto(network, name):
    return keras.Model(network.inputs, network.get_layer(name).output)


def from_there(network, name):
    names = [layer.name for layer in network.layers]
    after = network.layers[names.index(name) + 1 :]

    def rest(values):
        for layer in after:
            values = layer(values)
        return np.asarray(values)

    return rest


@pytest.fixture(scope="module")
def model():
    return classifier_of(convolutional((8, 6)))


@pytest.mark.slow
def test_batches_change_nothing(model):
    patches, targets = random_patches(40, (8, 6)), np.arange(40) % 3  # more than one pass
    whole = sensitivities(model, ["last"], patches, targets)["last"]
    alone = sensitivities(model, ["last"], patches[37:38], targets[37:38])["last"]
    assert whole.values.shape == whole.gradients.shape == (40, 6)
    np.testing.assert_allclose(whole.values[37:38], alone.values, atol=1e-6)
    np.testing.assert_allclose(whole.gradients[37:38], alone.gradients, atol=1e-6)


@pytest.mark.slow
def test_behind_the_last_hidden_layer_slopes_are_the_weights(model):
    targets = np.array([2, 0])
    found = sensitivities(model, ["hidden"], random_patches(2, (8, 6)), targets)["hidden"]
    kernel, _ = model.logits_network.layers[-1].get_weights()
    np.testing.assert_allclose(found.gradients, kernel.T[targets], atol=1e-6)


@pytest.mark.parametrize(
    ("layers", "told"),
    [
        (["lats"], "no layer 'lats' between .*did you mean 'last'"),
        (["classes"], "no layer 'classes' between"),
        ([], "No layer is named"),
    ],
)
def test_layers_that_are_not_there(model, layers, told):
    with pytest.raises(XaiAudioError, match=told):
        nodes_of(model, layers)


def test_one_layer_may_be_named_alone_and_several_come_in_their_order(model):
    assert [node.name for node in nodes_of(model, "last")[1]] == ["last"]
    assert [node.name for node in nodes_of(model, ("hidden", "first"))[1]] == ["hidden", "first"]


@pytest.mark.parametrize(
    ("patches", "told"),
    [
        (np.zeros((0, 8, 6)), "There is no patch"),
        (np.zeros((1, 8, 7)), r"takes \(n, 8, 6\)"),
        (np.full((1, 8, 6), np.nan), "NaN or infinite"),
    ],
)
def test_patches_that_are_none_of_the_models(model, patches, told):
    with pytest.raises(XaiAudioError, match=told):
        checked(model, patches)
