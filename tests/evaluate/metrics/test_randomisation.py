"""Sanity checks: copies that forget, maps compared, and methods that must fail."""

import dataclasses

import keras
import numpy as np
import pytest
from keras import layers as kl
from small_networks import LABELS, classifier_of, convolutional, random_patches

import xaiaudio as xa
from xaiaudio.evaluate.metrics import randomisation
from xaiaudio.evaluate.metrics.similarity import SIMILARITIES
from xaiaudio.explainers import registry
from xaiaudio.models.training.tables import PatchTable

SHAPE = (13, 9)
OPTIONS = {"lime": {"samples": 60}}


@dataclasses.dataclass(frozen=True)
class NoOptions:
    pass


@pytest.fixture
def edges(monkeypatch):
    """A method broken on purpose: it paints the edges of the sound, whatever the network is."""
    registry.methods()
    monkeypatch.setattr(registry, "_METHODS", dict(registry._METHODS))

    @registry.register("edges", options=NoOptions, summary="", paper="")
    def paint(classifier, patches, targets, options):
        return np.abs(np.gradient(patches, axis=1)) + np.abs(np.gradient(patches, axis=2))


@pytest.fixture(scope="module")
def patches():
    return random_patches(3, SHAPE)


def test_the_layers_come_from_the_top(small):
    assert randomisation.weighted_layers(small) == ["classes_logits", "hidden", "last", "first"]


def test_only_the_named_layers_forget_and_nothing_is_lost(small):
    before = {w.path: w.numpy().copy() for w in small.logits_network.weights}
    other = randomisation.randomised(small, ["hidden"], seed=3)
    for layer in filter(lambda layer: layer.weights, small.logits_network.layers):
        now = other.logits_network.get_layer(layer.name).get_weights()
        for old, new in zip(layer.get_weights(), now, strict=True):
            same = np.array_equal(old, new)
            assert same == (layer.name != "hidden" or np.ptp(old) == 0)
            np.testing.assert_array_equal(np.sort(old, axis=None), np.sort(new, axis=None))
    for weight in small.logits_network.weights:
        np.testing.assert_array_equal(weight.numpy(), before[weight.path])


def test_a_seed_repeats_and_another_does_not(small, patches):
    first, again, other = (randomisation.randomised(small, seed=seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first.logits(patches), again.logits(patches))
    assert np.abs(first.logits(patches) - other.logits(patches)).max() > 1e-3


def test_a_network_remembers_again_whatever_happens(small, patches):
    before = [weight.numpy().copy() for weight in small.network.weights]
    logits = small.logits(patches)
    with pytest.raises(KeyboardInterrupt), randomisation.forgetting(small, ["last"], seed=3):
        during = small.logits(patches)
        raise KeyboardInterrupt
    fresh = randomisation.randomised(small, ["last"], seed=3)
    np.testing.assert_allclose(during, fresh.logits(patches), atol=1e-5)
    assert np.abs(during - logits).max() > 1e-3
    for weight, old in zip(small.network.weights, before, strict=True):
        np.testing.assert_array_equal(weight.numpy(), old)


def test_layers_come_in_groups(small):
    assert randomisation.blocks(small, 9) == [["classes_logits"], ["hidden"], ["last"], ["first"]]
    assert randomisation.blocks(small, 3) == [["classes_logits"], ["hidden", "last"], ["first"]]
    assert randomisation.blocks(small, 2) == [["classes_logits", "hidden", "last"], ["first"]]


@pytest.mark.slow
def test_a_cascade_adds_groups_and_each_layer_does_not(small, patches):
    groups = [["classes_logits", "hidden"], "last"]
    cascade = randomisation.cascade(small, patches, 1, "saliency", layers=groups, seed=4)
    alone = randomisation.each_layer(small, patches, 1, "saliency", layers=groups, seed=4)
    assert cascade.layers == alone.layers == ("hidden", "last")
    for destroyed, maps in (
        (["classes_logits", "hidden"], cascade.maps[1]),
        (["classes_logits", "hidden", "last"], cascade.maps[2]),
        (["last"], alone.maps[2]),
    ):
        fresh = randomisation.randomised(small, destroyed, seed=4)
        expected = xa.explain(fresh, patches, 1, "saliency").maps
        np.testing.assert_allclose(maps, expected, atol=1e-5)


def test_batch_normalisation_stays_valid():
    keras.utils.set_random_seed(0)
    x = inputs = keras.Input((*SHAPE, 1))
    x = kl.ReLU()(kl.BatchNormalization()(kl.Conv2D(4, 3)(x)))
    network = keras.Model(inputs, kl.Dense(3, activation="softmax")(kl.Flatten()(x)))
    norm = next(la for la in network.layers if isinstance(la, kl.BatchNormalization))
    norm.set_weights([w + np.random.default_rng(0).random(w.shape) for w in norm.get_weights()])
    other = randomisation.randomised(classifier_of(network))
    assert np.isfinite(other.scores(random_patches(2, SHAPE))).all()


@pytest.mark.slow
@pytest.mark.parametrize("method", list(registry.methods()))
def test_every_method_sees_the_weights_of_the_moment(small, patches, method):
    """The one network that serves all states gives the maps that a copy of each would."""
    options = OPTIONS.get(method, {})
    found = randomisation.cascade(
        small,
        patches,
        1,
        xa.Explainer(method, **options),
        layers=["classes_logits", "last"],
        seed=4,
    )
    for number, destroyed in enumerate([[], ["classes_logits"], ["classes_logits", "last"]]):
        fresh = randomisation.randomised(small, destroyed, seed=4) if destroyed else small
        expected = xa.explain(fresh, patches, 1, method, **options).maps
        scale = max(np.abs(expected).max(), 1e-6)
        np.testing.assert_allclose(found.maps[number], expected, atol=1e-3 * scale)
    assert np.abs(found.maps[0] - found.maps[1]).max() > 0


@pytest.mark.slow
def test_each_layer_alone_leaves_the_others_whole(small, patches):
    found = randomisation.each_layer(
        small, patches, 1, "occlusion", layers=["classes_logits", "last"], seed=4
    )
    for number, name in enumerate(["classes_logits", "last"], 1):
        fresh = randomisation.randomised(small, [name], seed=4)
        expected = xa.explain(fresh, patches, 1, "occlusion").maps
        np.testing.assert_allclose(found.maps[number], expected, atol=1e-5)
    assert found.similarity["spearman"].shape == (2, 3)


def test_a_method_that_paints_edges_fails_every_check(small, patches, edges):
    found = randomisation.cascade(small, patches, 1, "edges")
    assert found.layers == ("classes_logits", "hidden", "last", "first")
    other = randomisation.random_logit(small, patches, 1, "edges")
    for name in SIMILARITIES:
        np.testing.assert_allclose(found.similarity[name], 1)
        np.testing.assert_allclose(other[name], 1)


@pytest.mark.slow
def test_two_networks_are_asked_about_the_same_class(small, patches):
    other = classifier_of(convolutional(SHAPE, seed=9))
    found = randomisation.networks(small, other, patches, None, "saliency")
    classes = small.scores(patches).argmax(axis=1).tolist()
    for number, network in enumerate((small, other)):
        expected = xa.explain(network, patches, classes, "saliency").maps
        np.testing.assert_allclose(found.maps[number], expected, atol=1e-6)
    assert found.layers == ("small",) and found.similarity["ssim"].shape == (1, 3)


def test_shuffled_labels_change_hands_and_nothing_else():
    random = np.random.default_rng(0)
    labels = tuple(random.choice(list(LABELS), 30))
    clip = np.repeat(np.arange(30), 2)
    names = tuple(map(str, range(30)))
    table = PatchTable(random_patches(60, SHAPE), clip, names, labels, LABELS)
    other = randomisation.shuffled_labels(table, seed=1)
    assert sorted(other.truth) == sorted(labels) and other.truth != labels
    assert other.truth == randomisation.shuffled_labels(table, seed=1).truth
    assert other.patches is table.patches and other.names == names
    # All patches of a clip keep one label between them.
    targets = other.targets(LABELS)
    assert (targets[::2] == targets[1::2]).all()


@pytest.mark.slow
@pytest.mark.parametrize("method", ["saliency", "input-x-gradient", "occlusion", "lrp"])
def test_methods_that_look_at_the_network_pass(method):
    model = classifier_of(convolutional((24, 16)))
    patches = random_patches(6, (24, 16))
    found = randomisation.cascade(model, patches, None, method, seed=1)
    assert found.similarity["spearman"][-1].mean() < 0.5
    assert randomisation.random_logit(model, patches, None, method)["spearman"].mean() < 0.9


def test_bad_input_is_told(small, patches):
    with pytest.raises(xa.XaiAudioError, match="no layer 'flat' with weights: it has classes"):
        randomisation.randomised(small, ["flat"])
    with pytest.raises(xa.XaiAudioError, match="nothing to randomise"):
        randomisation.cascade(small, patches, layers=[])
    with pytest.raises(xa.XaiAudioError, match="2 groups at least"):
        randomisation.blocks(small, 1)
    other = classifier_of(convolutional(SHAPE), ("cat", "dog", "hail"))
    with pytest.raises(xa.XaiAudioError, match="different labels"):
        randomisation.networks(small, other, patches)
