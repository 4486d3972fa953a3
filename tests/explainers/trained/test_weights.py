import keras
import numpy as np
import pytest
from heard_tones import network

import xaiaudio as xa
from xaiaudio.explainers.trained import weights as w


def small(width=2, seed=0):
    inputs = keras.Input((3,))
    start = keras.initializers.GlorotUniform(seed)
    out = keras.layers.Dense(width, name="out", kernel_initializer=start)
    return keras.Model(inputs, out(inputs))


def test_weights_go_out_and_back():
    arrays = w.arrays_of(small(), "psi")
    other = w.restore(small(seed=1), "psi", arrays)
    for one, two in zip(other.get_weights(), small().get_weights(), strict=True):
        np.testing.assert_array_equal(one, two)


@pytest.mark.parametrize("prefix, width, words", [("psi", 4, r"shape \(3, 2\)"), ("q", 2, "none")])
def test_weights_that_do_not_fit(prefix, width, words):
    with pytest.raises(xa.XaiAudioError, match=words):
        w.restore(small(width), prefix, w.arrays_of(small(), "psi"))


@pytest.mark.slow
def test_weights_are_for_one_classifier(listener):
    signed = w.signed(listener, {"a": np.zeros(2)})
    w.check_model("psi", listener, signed)
    made = network()
    made.set_weights(listener.network.get_weights())
    same = xa.AudioClassifier.from_keras(made, listener.labels, listener.frontend)
    w.check_model("psi", same, signed)
    renamed = xa.AudioClassifier.from_keras(made, ("a", "b", "c"), listener.frontend)
    changed = [one + 1e-3 for one in made.get_weights()]
    for other in (renamed, xa.AudioClassifier.from_keras(network(1), same.labels, same.frontend)):
        with pytest.raises(xa.XaiAudioError, match="trained for another network"):
            w.check_model("psi", other, signed)
    made.set_weights(changed)
    with pytest.raises(xa.XaiAudioError, match="trained for another network"):
        w.check_model("psi", same, signed)
    with pytest.raises(xa.XaiAudioError, match="trained for another network"):
        w.check_model("psi", same, {})
