"""Sanity checks: copies that forget, maps compared, and methods that must fail."""

import dataclasses

import numpy as np
import pytest
from small_networks import classifier_of, convolutional, random_patches

import xaiaudio as xa
from xaiaudio.evaluate.metrics import randomisation
from xaiaudio.evaluate.metrics.similarity import SIMILARITIES
from xaiaudio.explainers import registry

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


@pytest.mark.slow
@pytest.mark.parametrize("method", list(registry.methods(sounds=False)))
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
