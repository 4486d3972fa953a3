"""The layer of local prototypes, against plain definitions."""

import numpy as np
import pytest

from xaiaudio.models.designs import autoencoder
from xaiaudio.models.designs.local_layer import LocalPrototypes

PLAN = autoencoder.Plan((3, 4, 5), ((4, 2), (2, 2), (1, 1)), (5, 3, 3, 3))
RANDOM = np.random.default_rng(4)
POOLED = RANDOM.normal(size=(2, 3, 4, 5)).astype("float32")


def layer_of(count=4, channels=6):
    """Return a layer with weights of both signs."""
    layer = LocalPrototypes(count, channels, **PLAN.to_config(), seed=1)
    layer.build((None, *POOLED.shape[1:]))
    layer.attend.set_weights([RANDOM.normal(0, 0.5, w.shape) for w in layer.attend.get_weights()])
    layer.encode.set_weights([RANDOM.normal(0, 0.5, w.shape) for w in layer.encode.get_weights()])
    return layer


def convolved(pooled, layer):
    """A convolution by loops, with zeros around."""
    kernel, bias = (weight.astype(float) for weight in layer.get_weights())
    half = len(kernel) // 2
    padded = np.pad(pooled.astype(float), ((0, 0), (half, half), (half, half), (0, 0)))
    made = np.zeros((*pooled.shape[:3], kernel.shape[-1]))
    for n, t, f in np.ndindex(made.shape[:3]):
        box = padded[n, t : t + len(kernel), f : f + len(kernel)]
        made[n, t, f] = np.einsum("tfc,tfcd->d", box, kernel) + bias
    return made


def test_maps_are_what_a_convolution_leaves_above_zero():
    layer = layer_of()
    wanted = np.maximum(convolved(POOLED, layer.attend), 0)
    assert 0.1 < (wanted > 0).mean() < 0.9
    np.testing.assert_allclose(layer.maps(POOLED), wanted, atol=1e-5)


def test_the_latent_tensor_keeps_a_part_of_what_is_below_zero():
    layer = layer_of()
    before = convolved(POOLED, layer.encode)
    wanted = np.where(before > 0, before, autoencoder.SLOPE * before)
    np.testing.assert_allclose(layer.latent(POOLED), wanted, atol=1e-5)


def test_what_is_rebuilt_is_linear_in_the_maps():
    layer = layer_of()
    maps = RANDOM.random((2, 3, 4, 4)).astype("float32")
    prototypes = np.asarray(layer.prototypes)
    wanted = np.zeros((2, 3, 4, 6))
    for n, t, f, k in np.ndindex(2, 3, 4, 4):
        wanted[n, t, f] += maps[n, t, f, k] * prototypes[k]
    assert np.allclose(layer.rebuilt(maps), wanted, atol=1e-5)
    assert np.allclose(layer.rebuilt(3 * maps), 3 * wanted, atol=1e-4)


def test_each_prototype_hands_on_its_means_over_time_in_places_of_its_own():
    layer = layer_of()
    maps, found = np.asarray(layer.maps(POOLED)), np.asarray(layer(POOLED))
    wanted = np.zeros((2, 4, 4 * 4))
    for n, k, f in np.ndindex(2, 4, 4):
        wanted[n, k, k * 4 + f] = sum(maps[n, t, f, k] for t in range(3)) / 3
    np.testing.assert_allclose(found, wanted, atol=1e-6)
    assert found.shape == layer.compute_output_shape(POOLED.shape)


@pytest.mark.slow
@pytest.mark.parametrize("count", [1, 3])
def test_its_configuration_makes_it_again(count):
    layer = layer_of(count)
    again = LocalPrototypes.from_config(layer.get_config())
    again.build((None, *POOLED.shape[1:]))
    again.set_weights(layer.get_weights())
    np.testing.assert_array_equal(again(POOLED), layer(POOLED))
    assert again.plan == PLAN
    assert [w.shape for w in again.decoder.weights] == [w.shape for w in layer.decoder.weights]
