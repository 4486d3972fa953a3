"""The network that ships: its plan, its weights, and that folding changes nothing."""

import keras
import numpy as np
import pytest

from xaiaudio.models import load_model
from xaiaudio.models.networks import lite


@pytest.mark.slow
def test_folding_the_normalisation_changes_nothing():
    network = lite.build(normalise=True)
    random = np.random.default_rng(0)
    for layer in network.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.set_weights([random.uniform(0.5, 2, w.shape) for w in layer.get_weights()])
    plain = lite.folded(network)
    patches = random.normal(-2, 2, (4, 96, 64, 1)).astype(np.float32)
    expected = network(patches, training=False).numpy()
    np.testing.assert_allclose(plain(patches), expected, atol=1e-5 * np.abs(expected).max())
    names = [layer.name for layer in plain.layers]
    assert names[1:] == [
        *("conv1", "pool1", "conv2", "pool2", "conv3_1", "conv3_2", "pool3"),
        *("conv4_1", "conv4_2", "pool4", "embedding"),
    ]


@pytest.mark.slow
def test_the_plan_is_vggishs_at_a_quarter_of_its_width():
    network = lite.build()
    convolutions = [la for la in network.layers if isinstance(la, keras.layers.Conv2D)]
    assert [la.filters for la in convolutions] == [16, 32, 64, 64, 128, 128]
    assert [4 * la.filters for la in convolutions] == [64, 128, 256, 256, 512, 512]
    for layer in convolutions:
        assert (layer.kernel_size, layer.strides, layer.padding) == ((3, 3), (1, 1), "same")
        assert layer.activation is keras.activations.relu and layer.use_bias
    assert network.get_layer("pool4").output.shape[1:] == (6, 4, 128)
    assert network.output_shape == (None, 128)
    assert lite.build((20, 12)).output_shape == (None, 128)


@pytest.mark.slow
def test_a_seed_decides_the_weights_and_no_two_layers_share_them():
    first, again, other = (lite.build((16, 8), seed=seed) for seed in (1, 1, 2))
    kernels = [w for w in first.get_weights() if w.ndim == 4]
    for one, two, three in zip(*(net.get_weights() for net in (first, again, other)), strict=True):
        np.testing.assert_array_equal(one, two)
        assert one.ndim == 1 or not np.array_equal(one, three)
    assert kernels[2].shape[-1] == kernels[3].shape[-1]
    assert not np.array_equal(kernels[2], kernels[3][:, :, :32])


@pytest.mark.slow
def test_what_ships_is_the_embedding_of_the_network_of_esc_10():
    network, source, attribution = lite.load()
    whole = load_model("lite")
    assert (source, attribution) == ("xaiaudio", whole.attribution)
    patches = np.random.default_rng(0).normal(-2, 2, (3, 96, 64)).astype(np.float32)
    embedded = np.asarray(network(patches[..., None]))
    assert embedded.shape == (3, 128) and embedded.min() >= 0
    # The head is one dense layer on it.
    kernel, bias = whole.network.get_layer("logits").get_weights()
    np.testing.assert_allclose(embedded @ kernel + bias, whole.logits(patches), atol=1e-3)
    wanted = [layer.name for layer in lite.build().layers]
    assert [layer.name for layer in network.layers][1:] == wanted[1:]
