"""Words of noise for strings, and the decoder of the speech model once more, by loops."""

import numpy as np
import tensorflow as tf

from xaiaudio.models.speech import corpus, network, training

RECIPE = training.TrainingRecipe(strings=16, epochs=1, batch=8, width=8, layers=2, heads=2)


def words(people=("ann", "bob"), takes=2, shortest=800):
    """Return words of noise; the larger the digit, the longer."""
    rng = np.random.default_rng(1)
    return [
        corpus.Word(digit, who, take, rng.normal(0, 0.1, shortest + 80 * digit).astype(np.float32))
        for who in people
        for digit in range(10)
        for take in range(takes)
    ]


def pool(people=("ann", "bob")):
    """Return one word of each voice and digit, a little longer."""
    return words(people, 1, 1000)


def norm(x, layer):
    gamma, beta = (value.numpy().astype(float) for value in layer.weights)
    mean, var = x.mean(-1, keepdims=True), x.var(-1, keepdims=True)
    return (x - mean) / np.sqrt(var + layer.epsilon) * gamma + beta


def dense(x, layer):
    kernel, bias = (value.numpy().astype(float) for value in layer.weights)
    return x @ kernel + bias


def gelu(x):
    return np.vectorize(lambda v: 0.5 * v * (1 + tf.math.erf(np.float64(v) / 2**0.5).numpy()))(x)


def attended(x, y, layer, causal=False, off=None):
    """Multi-head attention by loops over heads and tokens; returns the sums and the weights."""
    values = {w.path.split("/", 1)[1]: w.numpy().astype(float) for w in layer.weights}
    q, k, v, o = (
        (values[f"{name}/kernel"], values[f"{name}/bias"])
        for name in ("query", "key", "value", "attention_output")
    )
    out = np.zeros((len(x), x.shape[1])) + o[1]
    weights = np.zeros((layer.num_heads, len(x), len(y)))
    for head in range(layer.num_heads):
        for token in range(len(x)):
            ask = x[token] @ q[0][:, head] + q[1][head]
            match = np.array([ask @ (y[t] @ k[0][:, head] + k[1][head]) for t in range(len(y))])
            match = match / np.sqrt(layer.key_dim)
            if causal:
                match[token + 1 :] = -np.inf
            share = np.exp(match - match.max())
            share /= share.sum()
            weights[head, token] = share
            got = sum(share[t] * (y[t] @ v[0][:, head] + v[1][head]) for t in range(len(y)))
            if head != off:
                out[token] += got @ o[0][head]
    return out, weights


def slow_decoder(made, states, tokens, off=None):
    """The decoder once more, step by step."""
    layer = made.get_layer
    x = layer("embedded").weights[0].numpy().astype(float)[tokens]
    x = x + 0.3 * network.sines(len(tokens), x.shape[1])
    paid = []
    for k in (1, 2):
        normal = norm(x, layer(f"self{k}_before"))
        x = x + attended(normal, normal, layer(f"self{k}"), True)[0]
        cross = layer(f"cross{k}")
        drop = off[1] if off and off[0] == f"cross{k}" else None
        added, weights = attended(norm(x, layer(f"cross{k}_before")), states, cross, off=drop)
        x = x + added
        paid.append(weights)
        wide = gelu(dense(norm(x, layer(f"decoder{k}_before")), layer(f"decoder{k}_wide")))
        x = x + dense(wide, layer(f"decoder{k}_back"))
    return dense(norm(x, layer("decoded")), layer("logits")), np.concatenate(paid)
