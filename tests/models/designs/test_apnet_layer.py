"""The layer of APNet's prototypes, against its definition."""

import numpy as np
import pytest
from small_apnet import ODD, PLAN, by_hand, network
from small_networks import random_patches

from xaiaudio.models.designs.apnet_layer import DecodedPrototypes

RANDOM = np.random.default_rng(4)


@pytest.mark.slow
def test_likeness_is_its_plain_definition():
    layer = network().get_layer("parts")
    latent = RANDOM.normal(size=(3, *layer.prototypes.shape[1:])).astype("float32")
    found, prototypes = np.asarray(layer(latent)), np.asarray(layer.prototypes)
    for number, one in enumerate(latent):
        for which, prototype in enumerate(prototypes):
            raw = np.asarray(layer.bands[which], float)
            total = 0.0
            for band in range(one.shape[1]):
                difference = one[:, band].astype(float) - prototype[:, band]
                total += raw[band] / raw.sum() * np.exp(-np.mean(difference**2))
            assert found[number, which] == pytest.approx(total, abs=1e-5)


@pytest.mark.slow
def test_a_prototype_is_like_itself_and_order_does_not_matter():
    layer = network().get_layer("parts")
    own = np.asarray(layer(layer.prototypes))
    assert np.allclose(np.diag(own), 1, atol=1e-5)
    assert ((own > 0) & (own <= 1 + 1e-6)).all()
    weights = np.asarray(layer.weights_of_bands())
    assert (weights >= 0).all()
    assert np.allclose(weights.sum(axis=1), 1, atol=1e-6)

    model, patches = by_hand(), random_patches(3, ODD)
    before, order = model.logits(patches), np.array([2, 0, 3, 1])
    layer, last = (model.logits_network.get_layer(name) for name in ("parts", "logits"))
    for weight in (layer.prototypes, layer.bands, last.kernel):
        weight.assign(np.asarray(weight)[order])
    assert np.allclose(model.logits(patches), before, atol=1e-5)


@pytest.mark.slow
def test_no_prototype_is_without_weight_and_its_configuration_makes_the_layer_again():
    layer = network().get_layer("parts")
    layer.bands.assign(-np.asarray(layer.bands))  # as training might leave them
    weights = np.asarray(layer.weights_of_bands())
    np.testing.assert_allclose(weights, 1 / weights.shape[1], atol=1e-6)
    again = DecodedPrototypes.from_config(layer.get_config())
    again.build((None, *layer.prototypes.shape[1:]))
    again.set_weights(layer.get_weights())
    latent = RANDOM.normal(size=(3, *layer.prototypes.shape[1:])).astype("float32")
    np.testing.assert_array_equal(again(latent), layer(latent))
    assert (again.plan, again.seed, again.count) == (PLAN, layer.seed, layer.count)
