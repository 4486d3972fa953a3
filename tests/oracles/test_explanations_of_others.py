"""Maps of the same networks by zennit (relevance propagation) and captum (gradients)."""

import importlib

import numpy as np
import pytest
from lrp_networks import (
    inputs_for,
    randomise,
    vggish_like,
    waveform_net,
    yamnet_like,
)

from xaiaudio.explainers import gradients
from xaiaudio.explainers.gradients import gradient, integrated_gradients
from xaiaudio.explainers.guided import guided_backpropagation
from xaiaudio.explainers.lrp import relevance

pytestmark = pytest.mark.oracle

# Strides over odd sizes: only then both libraries pad alike at both ends. And no causal padding: to
# zennit, zeros of a layer of its own are inputs like any other.
NETWORKS = {
    "vggish": vggish_like,
    "yamnet": lambda: yamnet_like((13, 9, 1)),
    "waveform": lambda: waveform_net(padding="valid"),
}
LOW, HIGH = -4.0, 5.0
# Our text, and zennit's class with what it is told.
RULES = {
    # With exactly 0, zennit divides 0 by 0 where a unit is silent.
    "0": ("Epsilon", {"epsilon": 1e-12}),
    "epsilon": ("Epsilon", {}),
    "epsilon(0.1)": ("Epsilon", {"epsilon": 0.1}),
    "gamma(0.25, 1)": ("Gamma", {}),
    "gamma(0.1, 1)": ("Gamma", {"gamma": 0.1}),
    "alpha-beta": ("AlphaBeta", {}),
    "alpha-beta(3, 2)": ("AlphaBeta", {"alpha": 3.0, "beta": 2.0}),
    "z+": ("ZPlus", {}),
    # zennit squares the bias too unless it is told to leave it out.
    "w2": ("WSquare", {"zero_params": "bias"}),
    "flat": ("Flat", {}),
}
COMPOSITES = {
    "epsilon-plus": ("EpsilonPlus", {}),
    "epsilon-plus-flat": ("EpsilonPlusFlat", {}),
    "epsilon-gamma-box": ("EpsilonGammaBox", {"low": LOW, "high": HIGH}),
}


@pytest.fixture
def twins():
    return importlib.import_module("torch_twins")


@pytest.fixture(params=NETWORKS)
def given(request, twins):
    """A network with biases of both signs, its twin, inputs and targets."""
    network = randomise(NETWORKS[request.param](), seed=4)
    inputs, targets = inputs_for(network, 5), np.array([0, 1, 2, 1, 0])
    other = twins.twin(network)
    expected = other(twins.to_torch(inputs)).detach().numpy()
    np.testing.assert_allclose(network(inputs), expected, rtol=1e-4, atol=1e-4)
    return network, other, inputs, targets


def by_zennit(twins, network, inputs, targets, composite):
    torch, attribution = (importlib.import_module(name) for name in ("torch", "zennit.attribution"))
    chosen = torch.eye(3, dtype=torch.float64)[torch.tensor(targets)]
    with attribution.Gradient(model=network, composite=composite) as attributor:
        _, found = attributor(twins.to_torch(inputs), lambda logits: logits * chosen)
    return twins.to_numpy(found)


def same(found, expected, digits=1e-4):
    scale = np.abs(expected).max(axis=tuple(range(1, expected.ndim)), keepdims=True)
    assert (scale > 0).all()
    np.testing.assert_allclose(found / scale, expected / scale, atol=digits)


@pytest.mark.parametrize("rule", RULES)
def test_zennit_has_the_same_rules(twins, given, rule):
    network, other, inputs, targets = given
    rules, types, composites, canonizers = (
        importlib.import_module(f"zennit.{name}")
        for name in ("rules", "types", "composites", "canonizers")
    )
    name, told = RULES[rule]
    hook = getattr(rules, name)(**told)
    average = rules.Norm(stabilizer=told.get("epsilon", 1e-6))
    composite = composites.LayerMapComposite(
        [(types.Linear, hook), (types.Activation, rules.Pass()), (types.AvgPool, average)],
        canonizers=[canonizers.SequentialMergeBatchNorm()],
    )
    same(
        relevance(network, inputs, targets, rule).inputs,
        by_zennit(twins, other, inputs, targets, composite),
    )


@pytest.mark.parametrize("name", COMPOSITES)
def test_zennit_has_the_same_composites(twins, given, name):
    network, other, inputs, targets = given
    composites, canonizers = (
        importlib.import_module(f"zennit.{part}") for part in ("composites", "canonizers")
    )
    kind, told = COMPOSITES[name]
    merged = [canonizers.SequentialMergeBatchNorm()]
    composite = getattr(composites, kind)(**told, canonizers=merged)
    found = relevance(network, inputs, targets, name, low=LOW, high=HIGH).inputs
    same(found, by_zennit(twins, other, inputs, targets, composite))


@pytest.mark.filterwarnings("ignore:Integrated gradients")
def test_captum_has_the_same_gradients(twins, given, monkeypatch):
    network, other, inputs, targets = given
    torch, captum = (importlib.import_module(name) for name in ("torch", "captum.attr"))
    x, chosen = twins.to_torch(inputs), torch.tensor(targets)
    plain = captum.Saliency(other).attribute(x, chosen, abs=False)
    same(gradient(network, inputs, targets), twins.to_numpy(plain))
    guided = captum.GuidedBackprop(other).attribute(x, chosen)
    same(guided_backpropagation(network, inputs, targets), twins.to_numpy(guided))
    path = captum.IntegratedGradients(other).attribute(
        x, torch.full_like(x, -1.0), chosen, n_steps=8, method="riemann_middle"
    )
    # As many steps as captum was told, however badly they add up and however far they still move.
    monkeypatch.setattr(gradients, "REFINEMENTS", 0)
    found = integrated_gradients(network, inputs, targets, -1.0, steps=8, tolerance=1e9)
    same(found, twins.to_numpy(path))
