"""Relevance through a transformer by lxt, the library of those who found the rules."""

import importlib

import numpy as np
import pytest
from small_transformers import small

from xaiaudio.explainers.lrp import relevance

pytestmark = pytest.mark.oracle

TILE = (2, 3)


def weights_of(network, torch):
    return {
        layer.name: [torch.tensor(np.array(w), dtype=torch.float64) for w in layer.get_weights()]
        for layer in network.layers
    }


def logits_of(torch, rules, network, tiles, pooling):
    """The same network in PyTorch, each step a function of lxt's with its own backward pass."""
    weights = weights_of(network, torch)

    def dense(x, kernel, bias):
        return rules.linear_epsilon(x, kernel.T, bias)

    def normal(x, name):
        return rules.layer_norm(x, *weights[name], 1e-3)

    kernel, places = weights["embedded"]
    # lxt's linear layer takes one bias for all tokens: the places are added behind it.
    tokens = rules.add2(rules.linear_epsilon(tiles, kernel.T, None), places[None])
    for number in range(1, sum(name.startswith("attention") for name in weights) + 1):
        given = normal(tokens, f"before{number}")
        wq, bq, wk, bk, wv, bv, wo, bo = weights[f"attention{number}"]
        heads = []
        for head in range(wq.shape[1]):
            asked, kept, said = (
                dense(given, w[:, head], b[head]) for w, b in ((wq, bq), (wk, bk), (wv, bv))
            )
            scores = rules.matmul(rules.mul2(asked, wq.shape[-1] ** -0.5), kept.transpose(-1, -2))
            heads.append(rules.matmul(rules.softmax(scores, -1), said))
        heard = dense(torch.cat(heads, dim=-1), wo.reshape(-1, wo.shape[-1]), bo)
        tokens = rules.add2(tokens, heard)
        wide = dense(normal(tokens, f"between{number}"), *weights[f"wide{number}"])
        bent = Passed(torch)(wide)
        tokens = rules.add2(tokens, dense(bent, *weights[f"back{number}"]))
    tokens = normal(tokens, "described")
    read = tokens[:, 0] if pooling == "token" else rules.mean(tokens, 1, False)
    return dense(read, *weights["logits"])


def Passed(torch):
    """A ReLU that relevance passes as it is."""

    class Function(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return torch.relu(x)

        @staticmethod
        def backward(ctx, relevance):
            return relevance

    return Function.apply


@pytest.mark.parametrize("pooling", ["token", "mean"])
def test_lxt_has_the_same_relevance_through_attention(pooling):
    torch = importlib.import_module("torch")
    rules = pytest.importorskip("lxt.explicit.functional")
    model = small(pooling)
    network = model.logits_network
    patches = np.random.default_rng(4).normal(size=(4, 6, 6)).astype("float32")
    inputs, targets = model.as_input(patches), np.array([0, 1, 2, 1])
    front = network.get_layer("tiles" if pooling == "mean" else "in_front").output
    tiles = type(network)(network.inputs, front)(inputs)
    given = torch.tensor(np.asarray(tiles), dtype=torch.float64, requires_grad=True)
    logits = logits_of(torch, rules, network, given, pooling)
    np.testing.assert_allclose(logits.detach(), network(inputs), rtol=1e-3, atol=1e-4)
    chosen = torch.eye(3, dtype=torch.float64)[torch.tensor(targets)]
    logits.backward(logits.detach() * chosen)
    expected = given.grad.numpy()[:, int(pooling == "token") :]
    # Tiles back into the patch.
    expected = expected.reshape(4, 3, 2, *TILE).transpose(0, 1, 3, 2, 4).reshape(4, 6, 6)
    scaled = network.get_layer("rescaled")
    found = relevance(network, inputs, targets, "epsilon").inputs[..., 0]
    # Ours goes one step further, through the scaling in front, where a shift keeps its part.
    values = patches * scaled.scale
    whole = values + scaled.offset
    expected = expected * values / (whole + np.where(whole >= 0, 1e-6, -1e-6))
    size = np.abs(expected).max(axis=(1, 2), keepdims=True)
    np.testing.assert_allclose(found / size, expected / size, atol=2e-3)
