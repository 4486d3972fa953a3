"""Whole networks under the composites: against plain matrices, and what is conserved."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers
from lrp_definitions import propagated
from lrp_networks import (
    branching,
    chain,
    inputs_for,
    randomise,
    vggish_like,
    waveform_net,
    yamnet_like,
)
from lrp_units import units_of

import xaiaudio as xa
from xaiaudio import XaiAudioError
from xaiaudio.explainers import lrp
from xaiaudio.models.networks import yamnet

NETWORKS = {"vggish": vggish_like, "yamnet": yamnet_like, "waveform": waveform_net}
COMPOSITES = {
    "epsilon-plus": ("z+", "z+"),
    "epsilon-plus-flat": ("flat", "z+"),
    "epsilon-gamma-box": ("box", "gamma"),
}


def rules_for(network, composite):
    """Say in words of our own which rule the composite gives each layer."""
    weighted = [unit[0] for unit in units_of(network) if unit[0] not in ("max", "average")]
    first, convolution = COMPOSITES[composite]
    dense = {layer.name for layer in network.layers if isinstance(layer, layers.Dense)}
    rules = {name: "epsilon" if name in dense else convolution for name in weighted}
    return {**rules, weighted[0]: first}


@pytest.mark.slow
@pytest.mark.parametrize("composite", COMPOSITES)
@pytest.mark.parametrize("kind", NETWORKS)
def test_equals_plain_matrices(kind, composite):
    network = randomise(NETWORKS[kind](), seed=4)
    inputs = inputs_for(network, 2)
    targets = np.array([0, 2])
    found = lrp.relevance(network, inputs, targets, composite, low=-4, high=4)
    units, rules = units_of(network), rules_for(network, composite)
    logits = network(inputs).numpy().astype(float)
    for index, target in enumerate(targets):
        start = np.eye(3)[target] * logits[index]
        x = inputs[index].ravel().astype(float)
        expected = propagated(units, x, start, rules, -4.0, 4.0)
        scale = np.abs(expected).max()
        assert scale > 0
        np.testing.assert_allclose(found.inputs[index].ravel(), expected, atol=1e-5 * scale)
    np.testing.assert_allclose(found.logits, logits[range(2), targets], rtol=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize("composite", COMPOSITES)
@pytest.mark.parametrize("kind", [*NETWORKS, "branching"])
def test_conserved_without_biases(kind, composite):
    network = randomise({**NETWORKS, "branching": branching}[kind](), seed=6, bias=False)
    inputs = inputs_for(network, 6)
    targets = network(inputs).numpy().argmax(axis=1)
    found = lrp.relevance(network, inputs, targets, composite, report=True)
    total = found.inputs.reshape(6, -1).sum(axis=1)
    np.testing.assert_allclose(total, found.logits, rtol=2e-3)
    for layer in found.layers:
        np.testing.assert_allclose(layer.rest, 0, atol=2e-3 * np.abs(found.logits).max())
        np.testing.assert_allclose(layer.bias, 0, atol=1e-6)


@pytest.mark.slow
def test_not_conserved_with_biases_and_the_report_says_where_it_went():
    network = randomise(vggish_like(), seed=6)
    inputs = inputs_for(network, 6)
    targets = network(inputs).numpy().argmax(axis=1)
    for composite in COMPOSITES:
        found = lrp.relevance(network, inputs, targets, composite, report=True)
        total = found.inputs.reshape(6, -1).sum(axis=1)
        assert (np.abs(total - found.logits) > 0.01 * np.abs(found.logits)).all()
        kept = sum(layer.bias for layer in found.layers)
        np.testing.assert_allclose(total + kept, found.logits, rtol=5e-3, atol=5e-3)
        assert [layer.name for layer in found.layers] == [x.name for x in network.layers[1:]]
        for below, above in zip(found.layers, found.layers[1:], strict=False):
            np.testing.assert_allclose(below.arrived, above.passed, rtol=1e-5)
        np.testing.assert_allclose(found.layers[0].passed, total, rtol=1e-4, atol=1e-5)
        text = str(found)
        assert "to bias" in text and "conv1_1" in text and "epsilon" in text


@pytest.mark.slow
def test_alpha_two_leaks_where_nothing_speaks_against():
    """An output without negative contributions hands on twice what it got."""
    network = chain((6,), layers.Dense(4, activation="relu", name="hidden"))
    randomise(network, bias=False)
    inputs = inputs_for(network, 5, positive=True)
    kernel, bias = network.get_layer("hidden").get_weights()
    network.get_layer("hidden").set_weights([np.abs(kernel), bias])
    targets = network(inputs).numpy().argmax(axis=1)
    rules = {"hidden": "alpha-beta(2, 1)", "logits": "epsilon"}
    leaking = lrp.relevance(network, inputs, targets, rules, report=True)
    np.testing.assert_allclose(leaking.inputs.sum(axis=1), 2 * leaking.logits, rtol=1e-3)
    own = next(layer for layer in leaking.layers if layer.name == "hidden")
    np.testing.assert_allclose(own.rest, -own.arrived, rtol=1e-3)
    kept = lrp.relevance(network, inputs, targets, {**rules, "hidden": "z+"})
    np.testing.assert_allclose(kept.inputs.sum(axis=1), kept.logits, rtol=1e-3)


@pytest.mark.slow
@pytest.mark.parametrize("build", [vggish_like, yamnet_like, waveform_net, branching])
def test_epsilon_zero_is_input_times_gradient(build):
    """Of a network of ReLUs; the biases may even stay, as they are part of what is divided by."""
    network = randomise(build(), seed=3)
    inputs = inputs_for(network, 4)
    targets = np.array([0, 1, 2, 0])
    x = tf.constant(inputs)
    with tf.GradientTape() as tape:
        tape.watch(x)
        chosen = tf.reduce_sum(network(x) * tf.one_hot(targets, 3))
    expected = inputs * tape.gradient(chosen, x).numpy()
    found = lrp.relevance(network, inputs, targets, "0").inputs
    np.testing.assert_allclose(found, expected, atol=1e-5 * np.abs(expected).max())


@pytest.mark.slow
def test_a_mapping_of_ones_own():
    network = randomise(yamnet_like())
    inputs, targets = inputs_for(network), [0, 1, 2, 0]
    told = {
        lrp.FIRST: lrp.Flat(),
        layers.Conv2D: "z+",
        "DepthwiseConv2D": "z+",
        layers.Dense: lrp.Epsilon(),
    }
    same = lrp.relevance(network, inputs, targets, told).inputs
    np.testing.assert_array_equal(same, lrp.relevance(network, inputs, targets).inputs)
    report = lrp.relevance(network, inputs, targets, {**told, "point3": "w2"}, report=True)
    rules = {layer.name: layer.rule for layer in report.layers}
    assert rules["point3"] == "w2" and rules["point2"] == "z+" and rules["conv1"] == "flat"
    assert rules["global"] == "epsilon" and rules["conv1_relu"] == ""
    with pytest.raises(XaiAudioError, match="speaks of 'conv9'.*conv1, conv1_norm"):
        lrp.relevance(network, inputs, targets, {"conv9": "z+"})
    with pytest.raises(XaiAudioError, match="'depth2' cannot take the box"):
        lrp.relevance(network, inputs, targets, {"depth2": "box"})
    with pytest.raises(XaiAudioError, match="No composite is called 'epsilon-minus'.*a mapping"):
        lrp.relevance(network, inputs, targets, "epsilon-minus")


@pytest.mark.slow
def test_the_networks_of_the_book():
    lite = xa.load_model("lite").logits_network
    features = yamnet.network()
    big = keras.Model(features.inputs[0], layers.Dense(5, name="logits")(features.outputs[0]))
    draw = np.random.default_rng(3)
    for layer in big.layers[1:]:
        if layer.weights:
            kernel, bias = layer.get_weights()
            seen = np.prod(kernel.shape[: -1 if "depthwise" not in layer.name else -2])
            layer.set_weights([draw.normal(0, np.sqrt(2 / seen), kernel.shape), bias])
    for network, composite in ((lite, "epsilon-gamma-box"), (big, "epsilon-plus-flat")):
        inputs = draw.normal(-2, 1, (2, 96, 64, 1)).astype("float32")
        found = lrp.relevance(network, inputs, [0, 3], composite, low=np.log(0.01))
        assert found.inputs.shape == inputs.shape
        assert np.isfinite(found.inputs).all() and np.abs(found.inputs).max() > 0
    # YAMNet's plan without biases: little is lost on the way through 28 layers.
    total = found.inputs.sum(axis=(1, 2, 3))
    np.testing.assert_allclose(total, found.logits, rtol=0.02)


def test_the_layers_of_a_network_with_their_rules():
    x = keras.Input((6, 8, 1), name="patch")
    y = layers.Conv2D(3, 3, activation="relu", name="low")(x)
    y = layers.Conv2D(2, 2, activation="relu", name="high")(y)
    y = layers.Flatten(name="flat")(y)
    network = keras.Model(x, layers.Dense(2, name="logits")(y))
    found = lrp.layers_of(network)
    assert [(name, shape) for name, shape, _ in found] == [
        ("patch", (6, 8, 1)), ("low", (4, 6, 3)), ("high", (3, 5, 2)), ("flat", (30,)),
        ("logits", (2,)),
    ]  # fmt: skip
    rules = [rule.split("(")[0] for *_, rule in found]
    assert rules == ["", "flat", "z+", "", "epsilon"]
    with pytest.raises(XaiAudioError):
        lrp.layers_of(network, {"nowhere": "z+"})
