"""What arrives at the input, with biases and without."""

import keras
import numpy as np
import pytest
from keras import layers
from lrp_networks import inputs_for, randomise, vggish_like, yamnet_like

from xaiaudio import XaiAudioError
from xaiaudio.explainers import lrp


@pytest.mark.slow
def test_shares_and_losses_are_those_of_the_reports():
    network = randomise(vggish_like())
    before = [weight.copy() for weight in network.get_weights()]
    inputs, targets = inputs_for(network, 2), [0, 2]
    composites = {"plain": "epsilon", "mine": {"Conv2D": "alpha-beta(2, 1)", "Dense": "epsilon"}}
    account = lrp.conservation(network, inputs, targets, composites, low=-4)
    for name, spec in composites.items():
        found = lrp.relevance(network, inputs, targets, spec, low=-4)
        share = found.inputs.sum(axis=(1, 2, 3)) / found.logits
        np.testing.assert_array_equal(account.shares["as it is"][name], share)
        assert account.losses["as it is"][name] == np.abs(share - 1).max()
        assert len(account.reports[name].layers) == len(network.layers) - 1
    assert account.losses["as it is"]["plain"] > 0.01 > account.losses["without biases"]["plain"]
    assert account.losses["without biases"]["mine"] > 0.01
    for one, other in zip(before, network.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.slow
def test_without_biases():
    network = randomise(vggish_like())
    bare = lrp.without_biases(network)
    assert not np.any(bare(np.zeros((1, 17, 11, 1))))
    inputs = inputs_for(network, 2)
    account = lrp.conservation(network, inputs, [0, 1], {"plain": "epsilon"})
    logits = np.asarray(bare(inputs)).max(axis=1)
    np.testing.assert_allclose(account.bare["plain"].logits, logits, rtol=1e-4)
    with pytest.raises(XaiAudioError, match="'conv1_norm' shifts"):
        lrp.without_biases(yamnet_like())
    start = keras.Input((5, 3))
    memory = randomise(keras.Model(start, layers.Dense(2)(layers.LSTM(3)(start))))
    assert not np.any(lrp.without_biases(memory)(np.zeros((1, 5, 3))))
