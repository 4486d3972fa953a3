"""A network that learns from nothing: its seed decides its weights, its front end its shape."""

import numpy as np
import pytest

import xaiaudio as xa
from xaiaudio.probes.planted import WIDTHS, small_backbone

FRONTEND = xa.LogMel(frames=13, bands=9)


def weights_of(**options):
    return small_backbone(FRONTEND, **options).network.get_weights()


def test_axes_are_halved_and_the_first_layer_leaves_the_bands():
    backbone = small_backbone(FRONTEND)
    shapes = [
        tuple(backbone.network.get_layer(f"conv{number}").output.shape[1:])
        for number in range(1, len(WIDTHS) + 1)
    ]
    assert shapes == [(7, 9, 16), (4, 5, 32), (2, 3, 32)]
    assert backbone.network.output_shape == (None, WIDTHS[-1])
    assert backbone.frontend is FRONTEND


@pytest.mark.slow
def test_the_seed_decides_all_weights():
    one, again, other = weights_of(), weights_of(), weights_of(seed=5)
    for first, second, third in zip(one, again, other, strict=True):
        np.testing.assert_array_equal(first, second)
        assert (first == third).all() == (first.ndim == 1)  # only the biases, which are 0


def test_no_two_layers_begin_alike():
    second, third = (kernel for kernel in weights_of()[2::2])
    assert not np.array_equal(second[..., :16, :], third[..., :16, :])


@pytest.mark.slow
def test_the_embedding_is_the_mean_over_all_places():
    import keras

    network = small_backbone(FRONTEND).network
    patches = np.random.default_rng(0).normal(size=(2, 13, 9, 1)).astype("float32")
    last = keras.Model(network.inputs, network.get_layer("conv3").output)
    found = network.predict_on_batch(patches)
    assert found == pytest.approx(last.predict_on_batch(patches).mean(axis=(1, 2)), abs=1e-6)
    assert (found > 0).any()
