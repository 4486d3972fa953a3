"""The small transformer in PyTorch, with a backward pass that its derivatives do not give."""

import numpy as np
import torch

NORMAL = 1e-3  # what Keras adds to a variance


def forward(network, patches, tile, pooling="token", relevance=False):
    """Return logits (n, classes) of patches (n, frames, bands), and each layer's attention.

    With `relevance`, the values are the same, and an input times its gradient is its relevance by
    AttnLRP: deviations are constants, and each factor of a product of matrices has half the slope.
    """
    weights = {
        layer.name: [torch.tensor(np.array(w), dtype=torch.float64) for w in layer.get_weights()]
        for layer in network.layers
    }
    halved = _half if relevance else (lambda x: x)
    scaled = network.get_layer("rescaled")
    x = patches * float(scaled.scale) + float(scaled.offset)
    tokens = _tiles(x, tile)
    if pooling == "token":
        tokens = torch.nn.functional.pad(tokens, (0, 0, 1, 0))
    kernel, places = weights["embedded"]
    tokens, paid = tokens @ kernel + places, []
    for number in range(1, sum(name.startswith("attention") for name in weights) + 1):
        given = _normal(tokens, weights[f"before{number}"], relevance)
        heard, own = _attended(given, weights[f"attention{number}"], halved)
        paid.append(own)
        tokens = tokens + heard
        (wide, wide_bias), (back, back_bias) = weights[f"wide{number}"], weights[f"back{number}"]
        given = _normal(tokens, weights[f"between{number}"], relevance)
        tokens = tokens + torch.relu(given @ wide + wide_bias) @ back + back_bias
    tokens = _normal(tokens, weights["described"], relevance)
    kernel, bias = weights["logits"]
    return (tokens[:, 0] if pooling == "token" else tokens.mean(1)) @ kernel + bias, paid


def _half(x):
    return (x + x.detach()) / 2


def _tiles(x, tile):
    count, frames, bands = x.shape
    cut = x.reshape(count, frames // tile[0], tile[0], bands // tile[1], tile[1])
    return cut.transpose(2, 3).reshape(count, -1, tile[0] * tile[1])


def _normal(x, weights, constant):
    deviation = (x.var(-1, unbiased=False, keepdim=True) + NORMAL).sqrt()
    deviation = deviation.detach() if constant else deviation
    return (x - x.mean(-1, keepdim=True)) / deviation * weights[0] + weights[1]


def _attended(x, weights, halved):
    wq, bq, wk, bk, wv, bv, wo, bo = weights
    query, key, value = (
        torch.einsum("btc,chd->bhtd", x, w) + b[:, None] for w, b in ((wq, bq), (wk, bk), (wv, bv))
    )
    own = torch.softmax(halved(query @ key.mT) / wq.shape[-1] ** 0.5, dim=-1)
    return torch.einsum("bhtd,hdc->btc", halved(own @ value), wo) + bo, own
