"""Copies of networks that forget, whole again afterwards; labels that change hands."""

import keras
import numpy as np
import pytest
from keras import layers as kl
from small_networks import LABELS, classifier_of, random_patches

from xaiaudio.evaluate.metrics import shuffling
from xaiaudio.models.training.tables import PatchTable

SHAPE = (13, 9)


@pytest.fixture(scope="module")
def patches():
    return random_patches(3, SHAPE)


def test_the_layers_come_from_the_top(small):
    assert shuffling.weighted_layers(small) == ["classes_logits", "hidden", "last", "first"]


def test_only_the_named_layers_forget_and_nothing_is_lost(small):
    before = {w.path: w.numpy().copy() for w in small.logits_network.weights}
    other = shuffling.randomised(small, ["hidden"], seed=3)
    for layer in filter(lambda layer: layer.weights, small.logits_network.layers):
        now = other.logits_network.get_layer(layer.name).get_weights()
        for old, new in zip(layer.get_weights(), now, strict=True):
            same = np.array_equal(old, new)
            assert same == (layer.name != "hidden" or np.ptp(old) == 0)
            np.testing.assert_array_equal(np.sort(old, axis=None), np.sort(new, axis=None))
    for weight in small.logits_network.weights:
        np.testing.assert_array_equal(weight.numpy(), before[weight.path])


@pytest.mark.slow
def test_a_seed_repeats_and_another_does_not(small, patches):
    first, again, other = (shuffling.randomised(small, seed=seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first.logits(patches), again.logits(patches))
    assert np.abs(first.logits(patches) - other.logits(patches)).max() > 1e-3


@pytest.mark.slow
def test_a_network_remembers_again_whatever_happens(small, patches):
    before = [weight.numpy().copy() for weight in small.network.weights]
    logits = small.logits(patches)
    with pytest.raises(KeyboardInterrupt), shuffling.forgetting(small, ["last"], seed=3):
        during = small.logits(patches)
        raise KeyboardInterrupt
    fresh = shuffling.randomised(small, ["last"], seed=3)
    np.testing.assert_allclose(during, fresh.logits(patches), atol=1e-5)
    assert np.abs(during - logits).max() > 1e-3
    for weight, old in zip(small.network.weights, before, strict=True):
        np.testing.assert_array_equal(weight.numpy(), old)


def test_layers_come_in_groups(small):
    assert shuffling.blocks(small, 9) == [["classes_logits"], ["hidden"], ["last"], ["first"]]
    assert shuffling.blocks(small, 3) == [["classes_logits"], ["hidden", "last"], ["first"]]
    assert shuffling.blocks(small, 2) == [["classes_logits", "hidden", "last"], ["first"]]


@pytest.mark.slow
def test_batch_normalisation_stays_valid():
    keras.utils.set_random_seed(0)
    x = inputs = keras.Input((*SHAPE, 1))
    x = kl.ReLU()(kl.BatchNormalization()(kl.Conv2D(4, 3)(x)))
    network = keras.Model(inputs, kl.Dense(3, activation="softmax")(kl.Flatten()(x)))
    norm = next(la for la in network.layers if isinstance(la, kl.BatchNormalization))
    norm.set_weights([w + np.random.default_rng(0).random(w.shape) for w in norm.get_weights()])
    other = shuffling.randomised(classifier_of(network))
    assert np.isfinite(other.scores(random_patches(2, SHAPE))).all()


def test_shuffled_labels_change_hands_and_nothing_else():
    random = np.random.default_rng(0)
    labels = tuple(random.choice(list(LABELS), 30))
    clip = np.repeat(np.arange(30), 2)
    names = tuple(map(str, range(30)))
    table = PatchTable(random_patches(60, SHAPE), clip, names, labels, LABELS)
    other = shuffling.shuffled_labels(table, seed=1)
    assert sorted(other.truth) == sorted(labels) and other.truth != labels
    assert other.truth == shuffling.shuffled_labels(table, seed=1).truth
    assert other.patches is table.patches and other.names == names
    # All patches of a clip keep one label between them.
    targets = other.targets(LABELS)
    assert (targets[::2] == targets[1::2]).all()
