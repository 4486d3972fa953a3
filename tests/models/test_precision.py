"""The twin in bfloat16: which layers are shortened, and that it follows the weights."""

import keras
import numpy as np
import pytest
from keras import layers
from small_networks import convolutional, random_patches

from xaiaudio.errors import XaiAudioError
from xaiaudio.models import precision

SHAPE = (12, 8)


def rounded(values):
    """Round to the eight bits of bfloat16."""
    return np.asarray(keras.ops.cast(keras.ops.cast(values, "bfloat16"), "float32"))


def dense(count):
    """Return a network of so many dense layers."""
    keras.utils.set_random_seed(2)
    x = start = keras.Input((*SHAPE, 1))
    x = layers.Flatten(name="flat")(x)
    for number in range(count):
        x = layers.Dense(5, activation="tanh", name=f"dense{number}")(x)
    return keras.Model(start, x)


def kinds(network):
    twin = precision.twin_of(network)
    return {layer.name: layer.compute_dtype for layer in twin.layers if layer.weights}


@pytest.mark.slow
@pytest.mark.parametrize("count", [1, 2, 3, 5])
def test_the_first_layer_with_weights_and_the_last_stay(count):
    wanted = {f"dense{k}": "bfloat16" for k in range(count)}
    wanted |= {"dense0": "float32", f"dense{count - 1}": "float32"}
    assert kinds(dense(count)) == wanted


@pytest.mark.slow
def test_what_follows_the_last_layer_and_lies_before_the_second_stays_too():
    twin = precision.twin_of(convolutional(SHAPE))
    found = {layer.name: layer.compute_dtype for layer in twin.layers[1:]}
    assert found == {
        **dict.fromkeys(("first", "pool", "classes"), "float32"),
        **dict.fromkeys(("last", "flat", "hidden"), "bfloat16"),
    }


@pytest.mark.slow
def test_its_answers_are_those_of_a_middle_that_is_rounded():
    network, patches = dense(3), random_patches(4, SHAPE)[..., None]
    (one, first), (two, second), (three, third) = (
        network.get_layer(f"dense{k}").get_weights() for k in range(3)
    )
    x = rounded(np.tanh(patches.reshape(4, -1) @ one + first))
    x = rounded(np.tanh(rounded(rounded(x @ rounded(two)) + rounded(second))))
    wanted = np.tanh(x @ three + third)
    found, exact = np.asarray(precision.twin_of(network)(patches)), np.asarray(network(patches))
    np.testing.assert_allclose(found, wanted, atol=4e-3)
    assert 0 < np.abs(found - exact).max() < 0.02


@pytest.mark.slow
def test_it_is_made_once_and_has_the_weights_of_now():
    network, patches = dense(3), random_patches(2, SHAPE)[..., None]
    twin = precision.twin_of(network)
    before = np.asarray(twin(patches))
    network.set_weights([-weight for weight in network.get_weights()])
    assert precision.twin_of(network) is twin
    np.testing.assert_allclose(twin(patches), np.asarray(network(patches)), atol=0.03)
    assert np.abs(np.asarray(twin(patches)) - before).max() > 0.1
    assert precision.twin_of(dense(3)) is not twin


def test_a_layer_that_cannot_be_made_anew_is_told():
    class Odd(layers.Layer):
        def __init__(self, needed):
            super().__init__()
            self.needed = needed

        def call(self, x):
            return x * self.needed

    start = keras.Input((*SHAPE, 1))
    network = keras.Model(start, layers.Dense(3)(layers.Flatten()(Odd(2.0)(start))), name="odd")
    with pytest.raises(
        XaiAudioError, match="odd cannot be made in bfloat16.*precision='float32'"
    ) as told:
        precision.twin_of(network)
    assert len(str(told.value).splitlines()) == 1 and len(str(told.value)) < 300


def test_the_processor_is_asked_by_its_flags(monkeypatch, tmp_path):
    for flags, able in (("fpu avx512_bf16 sse", True), ("fpu avx512f", False)):
        file = tmp_path / "cpuinfo"
        file.write_text(f"processor : 0\nflags : {flags}\n")
        monkeypatch.setattr(precision, "Path", lambda _, file=file: file)
        precision.has_bfloat16.cache_clear()
        assert precision.has_bfloat16() is able
    monkeypatch.setattr(precision, "Path", lambda _: tmp_path / "nowhere")
    precision.has_bfloat16.cache_clear()
    assert not precision.has_bfloat16()
    precision.has_bfloat16.cache_clear()
