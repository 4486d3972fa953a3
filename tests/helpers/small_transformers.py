"""Small transformers over patches, and the same in NumPy, with attention that can be given."""

import numpy as np
from small_networks import LABELS, classifier_of, frontend

from xaiaudio.models.networks import transformer


def small(pooling="token", layers=2, tile=(2, 3), shape=(6, 6), seed=3):
    """Return a classifier with random weights of both signs."""
    options = transformer.Options(tile, size=4, heads=2, layers=layers, pooling=pooling)
    network = transformer.build(frontend(*shape), len(LABELS), options, mean=0.3, spread=1.7)
    draw = np.random.default_rng(seed)
    network.set_weights([draw.normal(0, 0.7, w.shape) for w in network.get_weights()])
    return classifier_of(network)


def softmax(x):
    e = np.exp(x - x.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


def by_hand(network, patch, tile, pooling="token", attention=None):
    """Return the logits of one patch (frames, bands), and each layer's attention (heads, t, t).

    `attention` is what to take instead of the layers' own, for each layer; None for its own.
    """
    weights = {
        layer.name: [np.array(w, float) for w in layer.get_weights()] for layer in network.layers
    }
    scaled = network.get_layer("rescaled")
    x = patch * scaled.scale + scaled.offset
    long, high = tile
    tiles = [
        x[row : row + long, column : column + high].ravel()
        for row in range(0, x.shape[0], long)
        for column in range(0, x.shape[1], high)
    ]
    if pooling == "token":
        tiles.insert(0, np.zeros(long * high))
    kernel, places = weights["embedded"]
    tokens = np.stack(tiles) @ kernel + places
    paid = []
    for number in range(1, sum(name.startswith("attention") for name in weights) + 1):
        given = normal(tokens, weights[f"before{number}"])
        own, heard = attend(
            given,
            weights[f"attention{number}"],
            None if attention is None else attention[number - 1],
        )
        paid.append(own)
        tokens = tokens + heard
        (wide, wide_bias), (back, back_bias) = weights[f"wide{number}"], weights[f"back{number}"]
        thought = np.maximum(normal(tokens, weights[f"between{number}"]) @ wide + wide_bias, 0)
        tokens = tokens + thought @ back + back_bias
    tokens = normal(tokens, weights["described"])
    read = tokens[0] if pooling == "token" else tokens.mean(axis=0)
    kernel, bias = weights["logits"]
    return read @ kernel + bias, np.stack(paid)


def normal(x, weights):
    gamma, beta = weights
    mean, variance = x.mean(axis=1, keepdims=True), x.var(axis=1, keepdims=True)
    return (x - mean) / np.sqrt(variance + 1e-3) * gamma + beta


def attend(x, weights, paid=None):
    wq, bq, wk, bk, wv, bv, wo, bo = weights
    heads = []
    outputs = np.zeros((len(x), wo.shape[-1]))
    for head in range(wq.shape[1]):
        asked, kept = x @ wq[:, head] + bq[head], x @ wk[:, head] + bk[head]
        own = softmax(asked @ kept.T / np.sqrt(wq.shape[-1])) if paid is None else paid[head]
        outputs += own @ (x @ wv[:, head] + bv[head]) @ wo[head]
        heads.append(own)
    return np.stack(heads), outputs + bo
