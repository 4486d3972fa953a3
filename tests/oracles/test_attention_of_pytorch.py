"""Maps of transformers, from the derivatives that PyTorch's own backward pass gives."""

import importlib

import numpy as np
import pytest
from small_transformers import small

import xaiaudio as xa
from xaiaudio.explainers.lrp import relevance

pytestmark = pytest.mark.oracle

SHAPE, TILE, TARGETS = (6, 6), (2, 3), np.array([2, 0, 1])


@pytest.fixture(params=["token", "mean"])
def given(request):
    """A classifier, patches, and the same network in PyTorch."""
    torch, other = (importlib.import_module(name) for name in ("torch", "torch_transformer"))
    model = small(request.param)
    patches = np.random.default_rng(7).normal(size=(3, *SHAPE)).astype("float32")
    inputs = torch.tensor(patches, dtype=torch.float64, requires_grad=True)

    def ask(**about):
        logits, paid = other.forward(model.logits_network, inputs, TILE, request.param, **about)
        np.testing.assert_allclose(model.logits(patches), logits.detach(), rtol=1e-3, atol=1e-4)
        score = logits[torch.arange(3), torch.tensor(TARGETS)].sum()
        return score, paid

    return torch, model, patches, inputs, ask, request.param


def read_of(flow, pooling):
    rows = flow[:, 0, 1:] if pooling == "token" else flow.mean(1)
    return rows.detach().numpy().reshape(-1, 3, 2)


def test_rollout(given):
    torch, model, patches, _, ask, pooling = given
    _, paid = ask()
    flow = torch.eye(paid[0].shape[-1], dtype=torch.float64)
    for own in paid:
        flow = (0.5 * own.mean(1) + 0.5 * torch.eye(own.shape[-1])) @ flow
    found = xa.explain(model, patches, method="rollout").raw
    np.testing.assert_allclose(found, read_of(flow, pooling), rtol=1e-3, atol=1e-6)


def test_gradient_weighted_attention(given):
    torch, model, patches, _, ask, pooling = given
    score, paid = ask()
    gradients = torch.autograd.grad(score, paid)
    flow = torch.eye(paid[0].shape[-1], dtype=torch.float64)
    for own, gradient in zip(paid, gradients, strict=True):
        flow = flow + (own * gradient).clamp(min=0).mean(1) @ flow
    found = xa.explain(model, patches, TARGETS, "gradient-attention").raw
    np.testing.assert_allclose(found, read_of(flow, pooling), rtol=1e-3, atol=1e-5)


def test_relevance_is_the_input_times_a_gradient_with_other_slopes(given):
    torch, model, patches, inputs, ask, _ = given
    score, _ = ask(relevance=True)
    (gradient,) = torch.autograd.grad(score, [inputs])
    expected = (inputs * gradient).detach().numpy()
    found = relevance(model.logits_network, model.as_input(patches), TARGETS, "0")
    scale = np.abs(expected).max()
    np.testing.assert_allclose(
        found.inputs.reshape(expected.shape) / scale, expected / scale, atol=1e-3
    )
    plain, _ = ask()
    (gradient,) = torch.autograd.grad(plain, [inputs])
    assert np.abs((inputs * gradient).detach().numpy() - expected).max() / scale > 0.1
