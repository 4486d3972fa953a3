"""The call itself: batches, compiling once, other people's layers, bad input, the method."""

import gc
import weakref

import keras
import numpy as np
import pytest
from keras import layers
from lrp_networks import chain, inputs_for, randomise, vggish_like

import xaiaudio as xa
from xaiaudio import XaiAudioError
from xaiaudio.explainers import lrp
from xaiaudio.explainers.lrp import plan, propagation


@pytest.mark.slow
def test_batches_do_not_matter_and_all_is_compiled_once(monkeypatch):
    network = randomise(vggish_like())
    inputs, targets = inputs_for(network, 7), np.arange(7) % 3
    compiled, compile_one = [], propagation._function
    monkeypatch.setattr(
        propagation, "_function", lambda *told: compiled.append(told) or compile_one(*told)
    )
    whole = lrp.relevance(network, inputs, targets, report=True)
    monkeypatch.setattr(propagation, "BATCH", 3)
    parts = lrp.relevance(network, inputs, targets, report=True)
    np.testing.assert_allclose(parts.inputs, whole.inputs, atol=1e-5 * np.abs(whole.inputs).max())
    np.testing.assert_allclose(parts.logits, whole.logits, rtol=1e-5)
    for one, other in zip(parts.layers, whole.layers, strict=True):
        np.testing.assert_allclose(one.arrived, other.arrived, rtol=1e-3, atol=1e-3)
        assert one.arrived.shape == (7,)
    assert len(compiled) == 1
    without = lrp.relevance(network, inputs, targets)
    assert without.layers == ()
    np.testing.assert_allclose(without.inputs, parts.inputs, rtol=1e-5)


@pytest.mark.slow
def test_weights_that_change_are_followed_and_networks_are_let_go():
    network = randomise(chain((6,), layers.Dense(4, activation="relu")))
    inputs = inputs_for(network, 2)
    before = lrp.relevance(network, inputs, [0, 1], "epsilon").inputs
    network.layers[-1].set_weights([2 * part for part in network.layers[-1].get_weights()])
    after = lrp.relevance(network, inputs, [0, 1], "epsilon").inputs
    np.testing.assert_allclose(after, 2 * before, rtol=1e-4, atol=1e-6)
    alive = weakref.ref(network)
    del network
    gc.collect()
    assert alive() is None


@pytest.mark.slow
def test_sequential_networks_and_shared_layers():
    twice = layers.Dense(5, activation="relu", name="twice")
    x = start = keras.Input((5,))
    shared = randomise(keras.Model(start, layers.Dense(3, name="logits")(twice(twice(x)))))
    copies = [layers.Dense(5, activation="relu", name=f"copy{k}") for k in range(2)]
    plain = keras.Sequential([keras.Input((5,)), *copies, layers.Dense(3)])
    plain.set_weights([*twice.get_weights() * 2, *shared.get_layer("logits").get_weights()])
    inputs = inputs_for(shared, 3)
    one, two = (lrp.relevance(x, inputs, [0, 1, 2], "gamma").inputs for x in (shared, plain))
    np.testing.assert_allclose(one, two, rtol=1e-5)


@keras.saving.register_keras_serializable("tests")
class Mirror(layers.Layer):
    def call(self, x):
        return 2 * x[:, ::-1]


@pytest.mark.slow
def test_another_type_of_layer_is_added_by_a_decorator():
    network = randomise(chain((6,), Mirror(name="mirror")))
    inputs = inputs_for(network, 2)
    with pytest.raises(XaiAudioError, match="'mirror'.*handles"):
        lrp.relevance(network, inputs, [0, 1], "0")

    @lrp.handles(Mirror)
    def mirrored(step, inputs, situation, relevance):
        assert step.layer.name == "mirror" and inputs[0].shape == relevance.shape
        return lrp.Passed([relevance[:, ::-1]])

    try:
        found = lrp.relevance(network, inputs, [0, 1], "0").inputs
    finally:
        del plan._HANDLERS[Mirror]
    kernel, _ = network.get_layer("logits").get_weights()
    for x, row, target in zip(inputs, found, (0, 1), strict=True):
        np.testing.assert_allclose(row, (2 * x[::-1] * kernel[:, target])[::-1], rtol=1e-5)


def test_bad_input():
    network = randomise(chain((4, 3, 1), layers.Conv2D(2, 2)))
    inputs = inputs_for(network, 2)
    for wrong, message in (
        (inputs[..., 0], "takes \\(n, 4, 3, 1\\)"),
        (inputs[:0], "n of 1 or more"),
        (inputs * np.nan, "NaN"),
        ("dog.wav", "arrays of numbers"),
    ):
        with pytest.raises(XaiAudioError, match=message):
            lrp.relevance(network, wrong, [0, 1])
    for targets in ([0], [0, 3], [-1, 0], [0.5, 1], "cat", [[0, 1]]):
        with pytest.raises(XaiAudioError, match="2 whole numbers, one per input, from 0 to 2"):
            lrp.relevance(network, inputs, targets)
    with pytest.raises(XaiAudioError, match="pooling is 'loser'"):
        lrp.relevance(network, inputs, [0, 1], pooling="loser")
    scores = keras.Model(network.inputs[0], layers.Softmax(name="end")(network.outputs[0]))
    with pytest.raises(XaiAudioError, match="'end'.*logits"):
        lrp.relevance(scores, inputs, [0, 1])
    dense = chain((4, 3, 1), layers.Flatten(), layers.Dense(3, "softmax", name="end"), head=False)
    with pytest.raises(XaiAudioError, match="'end'.*logits"):
        lrp.relevance(dense, inputs, [0, 1])
    with pytest.raises(XaiAudioError, match="no graph"):
        lrp.relevance(keras.Sequential([layers.Dense(3)]), inputs, [0, 1])


@pytest.mark.slow
def test_the_method_passes_its_options_on(small, patches):
    network, inputs = small.logits_network, patches[..., None]
    silence, targets = float(np.log(0.01)), np.array([0, 1, 2])
    for composite in ("epsilon-plus-flat", "epsilon-gamma-box", {"Conv2D": lrp.Gamma(0.1)}):
        found = xa.explain(small, patches, targets, "lrp", composite=composite).maps
        expected = lrp.relevance(network, inputs, targets, composite, low=silence).inputs
        np.testing.assert_allclose(found, expected[..., 0], atol=1e-7)
    boxed = {"composite": "epsilon-gamma-box", "low": -9, "high": 9, "pooling": "proportional"}
    found = xa.explain(small, patches, targets, "lrp", **boxed).maps
    np.testing.assert_allclose(
        found, lrp.relevance(network, inputs, targets, **boxed).inputs[..., 0], atol=1e-7
    )
    assert (found < 0).any() and (found > 0).any()


@pytest.mark.slow
def test_an_explanation_can_be_saved_with_a_composite_of_ones_own(small, patches, tmp_path):
    told = {layers.Conv2D: lrp.Gamma(0.1), lrp.FIRST: "flat"}
    result = xa.explain(small, patches, method="lrp", composite=told)
    again = xa.Explanation.load(result.save(tmp_path / "maps.npz"))
    assert again.options["composite"] == {"Conv2D": "gamma(0.1, 0)", lrp.FIRST: "flat"}
    same = xa.explain(small, patches, method="lrp", **again.options)
    np.testing.assert_array_equal(same.maps, result.maps)


@pytest.mark.parametrize(
    "options, message",
    [
        ({"composite": "best"}, "No composite is called 'best'"),
        ({"composite": {"Conv2D": "best"}}, "No rule is called 'best'"),
        ({"composite": None}, "No composite"),
        ({"pooling": "loser"}, "pooling is 'loser'"),
        ({"low": "quiet"}, "low is 'quiet'"),
        ({"low": 3, "high": 3}, "below"),
    ],
)
def test_bad_options(small, patches, options, message):
    with pytest.raises(XaiAudioError, match=message):
        xa.explain(small, patches, method="lrp", **options)
