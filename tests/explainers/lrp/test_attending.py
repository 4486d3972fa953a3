"""Attention, its softmax and its products, against loops over tokens, heads and channels."""

import keras
import numpy as np
import pytest
from keras import layers
from lrp_networks import inputs_for, randomise

from xaiaudio import XaiAudioError
from xaiaudio.explainers import lrp

pytestmark = pytest.mark.usefixtures("eager")

EPSILON = 1e-6


def share(relevance, parts):
    """Share one number among parts: each gets its part of their sum."""
    total = sum(parts)
    total += EPSILON if total >= 0 else -EPSILON
    return [part * relevance / total for part in parts]


def through_weights(x, kernel, bias, relevance):
    """Share the relevance of ``x @ kernel + bias``, (tokens, outputs), one output at a time."""
    found, kept = np.zeros(x.shape), 0.0
    for t, k in np.ndindex(relevance.shape):
        *parts, rest = share(relevance[t, k], [*(x[t] * kernel[:, k]), bias[k]])
        found[t] += parts
        kept += rest
    return found, kept


def through_product(a, b, relevance):
    """Share the relevance of ``a @ b``: of each term one half to either factor."""
    of_a, of_b = np.zeros(a.shape), np.zeros(b.shape)
    for i, k in np.ndindex(relevance.shape):
        terms = share(relevance[i, k], [a[i, j] * b[j, k] for j in range(a.shape[1])])
        for j, term in enumerate(terms):
            of_a[i, j] += term / 2
            of_b[j, k] += term / 2
    return of_a, of_b


def softmax(row, allowed):
    """Return the softmax of one row of scores over the places that are allowed, 0 elsewhere.

    If none is, Keras pays the same to all.
    """
    if not any(allowed):
        return np.full(len(row), 1 / len(row))
    e = [np.exp(s - max(row)) if may else 0.0 for s, may in zip(row, allowed, strict=True)]
    return np.array(e) / sum(e)


def through_softmax(scores, relevance, mask=None):
    """Expand each row's softmax to first order, one derivative at a time."""
    found = np.zeros(scores.shape)
    mask = np.ones(scores.shape, bool) if mask is None else mask
    for t in range(len(scores)):
        a = softmax(scores[t], mask[t])
        for j in np.flatnonzero(mask[t]):
            for k in np.flatnonzero(mask[t]):
                slope = a[k] * ((j == k) - a[j])
                found[t, j] += scores[t, j] * slope / a[k] * relevance[t, k]
    return found


def by_hand(layer, asked, valued, keyed, relevance, masks=None):
    """Carry relevance back through attention; return it for the three inputs, and what stayed."""
    (wq, bq), (wk, bk), (wv, bv), (wo, bo) = (
        [np.array(w, float) for w in part.get_weights()]
        for part in (layer.query_dense, layer.key_dense, layer.value_dense, layer.output_dense)
    )
    heads, size = layer.num_heads, layer.key_dim
    asks = [asked @ wq[:, h] + bq[h] for h in range(heads)]
    keys = [keyed @ wk[:, h] + bk[h] for h in range(heads)]
    values = [valued @ wv[:, h] + bv[h] for h in range(heads)]
    scores = [q @ k.T / np.sqrt(size) for q, k in zip(asks, keys, strict=True)]
    masks = [np.ones(s.shape, bool) for s in scores] if masks is None else masks
    paid = [
        np.array([softmax(row, may) for row, may in zip(s, mask, strict=True)])
        for s, mask in zip(scores, masks, strict=True)
    ]
    heard = np.concatenate([a @ v for a, v in zip(paid, values, strict=True)], axis=1)
    outputs = heard @ wo.reshape(-1, wo.shape[-1]) + bo
    of_heard, stayed = through_weights(heard, wo.reshape(-1, wo.shape[-1]), bo, relevance)
    found = [np.zeros(x.shape) for x in (asked, valued, keyed)]
    for h in range(heads):
        own = of_heard[:, h * values[h].shape[1] : (h + 1) * values[h].shape[1]]
        of_paid, of_value = through_product(paid[h], values[h], own)
        of_score = through_softmax(scores[h], of_paid, masks[h])
        stayed += of_paid.sum() - of_score.sum()
        of_ask, of_key = through_product(asks[h], keys[h].T, of_score)
        for k, (x, w, b, r) in enumerate(
            [
                (asked, wq, bq, of_ask),
                (valued, wv, bv, of_value),
                (keyed, wk, bk, of_key.T),
            ]
        ):
            one, kept = through_weights(x, w[:, h], b[h], r)
            found[k] += one
            stayed += kept
    return found, stayed, outputs


def check_account(found):
    """At each layer all that arrived went on, or stayed with a bias."""
    for layer in found.layers:
        scale = np.abs(layer.arrived).max() + np.abs(layer.bias).max() + 1
        np.testing.assert_allclose(layer.rest / scale, 0, atol=1e-3)


@pytest.mark.slow
@pytest.mark.parametrize("inputs", ["itself", "two", "three", "by name"])
def test_attention(inputs):
    one, other = keras.Input((4, 3)), layers.Reshape((4, 3))
    layer = layers.MultiHeadAttention(2, 3, value_dim=2, name="attention")
    # Linear layers before it, so that each of its inputs shows what it was given.
    second = layers.Cropping1D((0, 1), name="second")(one)
    third = layers.Cropping1D((1, 0), name="third")(one)
    called = {"itself": (one, one), "two": (one, second), "three": (one, second, third)}.get(inputs)
    # By name, Keras keeps the key before the value.
    out = layer(one, key=third, value=second) if inputs == "by name" else layer(*called)
    network = randomise(keras.Model(one, layers.Flatten()(other(out))), seed=3)
    x = inputs_for(network, 2)
    targets = np.array([1, 7])
    found = lrp.relevance(network, x, targets, "epsilon", report=True)
    for number, (values, target) in enumerate(zip(x.astype(float), targets, strict=True)):
        parts = {
            "itself": (values, values, values),
            "two": (values, values[:-1], values[:-1]),
        }.get(inputs, (values, values[:-1], values[1:]))
        relevance = np.zeros(12)
        relevance[target] = found.logits[number]
        (q, v, k), stayed, outputs = by_hand(layer, *parts, relevance.reshape(4, 3))
        np.testing.assert_allclose(outputs.reshape(-1)[target], found.logits[number], rtol=1e-4)
        expected = q.copy()
        if inputs == "itself":
            expected += v + k
        else:
            expected[:-1] += v
            expected[slice(None, -1) if inputs == "two" else slice(1, None)] += k
        np.testing.assert_allclose(
            found.inputs[number], expected, atol=2e-4 * np.abs(expected).max()
        )
        (share_of,) = [one for one in found.layers if one.name == "attention"]
        np.testing.assert_allclose(share_of.bias[number], stayed, rtol=1e-3, atol=1e-4)
    check_account(found)


@pytest.mark.slow
def test_a_softmax_inside_and_a_product_of_matrices():
    start = keras.Input((3, 4))
    weighed = layers.Dense(3, use_bias=False, name="scores")(start)
    paid = layers.Softmax(name="paid")(weighed)
    network = keras.Model(start, layers.Flatten()(keras.ops.matmul(paid, start)))
    randomise(network, seed=2)
    x = inputs_for(network, 1)
    found = lrp.relevance(network, x, [5], "epsilon", report=True)
    values, kernel = x[0].astype(float), network.get_layer("scores").get_weights()[0]
    scores = values @ kernel
    a = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
    relevance = np.zeros((3, 4))
    relevance[1, 1] = (a @ values)[1, 1]
    of_a, expected = through_product(a, values, relevance)
    of_scores = through_softmax(scores, of_a)
    expected += through_weights(values, kernel, np.zeros(3), of_scores)[0]
    np.testing.assert_allclose(found.inputs[0], expected, atol=1e-4 * np.abs(expected).max())
    check_account(found)
    # The three ways to write a softmax are one.
    for same in (layers.Activation("softmax"), keras.ops.softmax):
        other = keras.Model(start, layers.Flatten()(keras.ops.matmul(same(weighed), start)))
        np.testing.assert_allclose(
            lrp.relevance(other, x, [5], "epsilon").inputs, found.inputs, rtol=1e-4, atol=1e-6
        )


class Positions(layers.Layer):
    """Somebody's own layer: a token in front, and a vector added to each."""

    def build(self, shape):
        self.token = self.add_weight(shape=(1, 1, shape[-1]), name="token")
        self.places = self.add_weight(shape=(shape[1] + 1, shape[-1]), name="places")

    def call(self, x):
        token = keras.ops.repeat(self.token, keras.ops.shape(x)[0], axis=0)
        return keras.ops.concatenate([token, x], axis=1) + self.places


def encoder(first=None, activation="gelu", seed=1):
    """A small transformer over a patch (4, 6, 1): patches of 2x3, positions, one block."""
    start = keras.Input((4, 6, 1))
    x = layers.Reshape((2, 2, 2, 3))(start)
    x = layers.Reshape((4, 6))(layers.Permute((1, 3, 2, 4))(x))
    if first is None:
        x = layers.ZeroPadding1D((1, 0))(x)
        x = layers.EinsumDense("btp,pd->btd", (5, 4), bias_axes="td", name="embedded")(x)
    else:
        x = first(layers.Dense(4, name="embedded")(x))
    normal = layers.LayerNormalization(name="normal")(x)
    x = layers.Add()([x, layers.MultiHeadAttention(2, 2, name="attention")(normal, normal)])
    wide = layers.Dense(8, activation=activation, name="wide")(layers.LayerNormalization()(x))
    x = x + layers.Dense(4, name="back")(wide)
    x = layers.LayerNormalization(name="last")(x)
    return randomise(keras.Model(start, layers.Dense(3, name="logits")(x[:, 0])), seed)


@pytest.mark.slow
@pytest.mark.parametrize("first", [None, Positions], ids=["plain", "own"])
@pytest.mark.parametrize("rule", ["epsilon", "gamma(0.1)"])
def test_a_transformer_accounts_for_its_logit(first, rule):
    """Sum of relevance in = out, but for what each layer says that its biases kept."""
    network = encoder(first and first(name="places"))
    found = lrp.relevance(network, inputs_for(network, 3), [0, 1, 2], rule, report=True)
    check_account(found)
    kept = sum(layer.bias for layer in found.layers)
    np.testing.assert_allclose(
        found.inputs.sum(axis=(1, 2, 3)) + kept,
        found.logits,
        rtol=2e-3,
        atol=2e-3 * np.abs(kept).max(),
    )
    assert np.abs(found.inputs).max() > 0


@pytest.mark.slow
def test_positions_of_ones_own_layer_are_a_bias():
    """As the same numbers as a bias of the embedding, which has a bias for each token."""
    own, plain = encoder(Positions(name="places")), encoder()
    kernel, bias, token, places, *rest = own.get_weights()
    rows = np.concatenate([token[0], np.tile(bias, (4, 1))]) + places
    plain.set_weights([kernel, rows, *rest])
    x = inputs_for(own, 2)
    np.testing.assert_allclose(own(x), plain(x), rtol=1e-4, atol=1e-5)
    one, other = (lrp.relevance(each, x, [0, 2], "0").inputs for each in (own, plain))
    np.testing.assert_allclose(one, other, atol=1e-3 * np.abs(one).max())


CAUSAL = np.tril(np.ones((4, 4), bool))
ANY = np.array([[1, 0, 0, 1], [1, 1, 0, 0], [0, 0, 1, 0], [0, 1, 1, 1]], bool)
HEADS = np.stack([ANY, ANY.T])[None]


@pytest.mark.slow
@pytest.mark.parametrize(
    "given, masks",
    [
        ({"use_causal_mask": True}, [CAUSAL] * 2),
        ({"attention_mask": ANY}, [ANY] * 2),
        ({"attention_mask": ANY[None].astype("float32")}, [ANY] * 2),
        ({"attention_mask": HEADS}, list(HEADS[0])),
        ({"attention_mask": CAUSAL | ANY, "use_causal_mask": True}, [CAUSAL] * 2),
    ],
    ids=["causal", "one", "floats", "heads", "both"],
)
def test_masked_attention(given, masks):
    start = keras.Input((4, 3))
    layer = layers.MultiHeadAttention(2, 3, value_dim=2, name="attention")
    out = layer(start, start, **given)
    network = randomise(keras.Model(start, layers.Flatten()(out)), seed=3)
    x, targets = inputs_for(network, 3), np.array([1, 7, 11])
    found = lrp.relevance(network, x, targets, "epsilon", report=True)
    for number, (values, target) in enumerate(zip(x.astype(float), targets, strict=True)):
        relevance = np.zeros(12)
        relevance[target] = found.logits[number]
        parts, stayed, outputs = by_hand(layer, *[values] * 3, relevance.reshape(4, 3), masks)
        np.testing.assert_allclose(outputs, out_of(network, x)[number], rtol=1e-4, atol=1e-5)
        expected = sum(parts)
        np.testing.assert_allclose(
            found.inputs[number], expected, atol=2e-4 * np.abs(expected).max()
        )
        (share_of,) = [one for one in found.layers if one.name == "attention"]
        np.testing.assert_allclose(share_of.bias[number], stayed, rtol=1e-3, atol=1e-4)
        # Tokens that the target's token may not look at have no part in it, but for its own.
        hidden = ~np.any([mask[target // 3] for mask in masks], axis=0)
        hidden[target // 3] = False
        assert not found.inputs[number][hidden].any()
    check_account(found)


def out_of(network, x):
    return np.reshape(network(x), (len(x), 4, 3))


@pytest.mark.slow
def test_a_mask_that_hides_nothing_changes_nothing():
    start = keras.Input((4, 3))
    layer = layers.MultiHeadAttention(2, 3, name="attention")
    networks = [
        keras.Model(start, layers.Flatten()(layer(start, start, **given)))
        for given in ({}, {"attention_mask": np.ones((4, 4), bool)})
    ]
    x = inputs_for(randomise(networks[0], seed=1), 2)
    one, other = (lrp.relevance(each, x, [0, 5], "epsilon").inputs for each in networks)
    np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-6)


@pytest.mark.slow
def test_a_token_that_may_look_nowhere_looks_everywhere_or_not_at_all():
    """As Keras computes it, in use, without dropout and with."""
    nowhere = ANY & ~np.eye(4, dtype=bool)
    assert not nowhere[2].any()
    for dropout in (0.0, 0.5):
        start = keras.Input((4, 3))
        layer = layers.MultiHeadAttention(2, 3, value_dim=2, dropout=dropout, name="attention")
        out = layer(start, start, attention_mask=nowhere)
        network = randomise(keras.Model(start, layers.Flatten()(out)), seed=3)
        x = inputs_for(network, 2)
        found = lrp.relevance(network, x, [7, 7], "epsilon", report=True)
        check_account(found)
        for number, values in enumerate(x.astype(float)):
            relevance = np.zeros(12)
            relevance[7] = found.logits[number]
            parts, *_ = by_hand(layer, *[values] * 3, relevance.reshape(4, 3), [nowhere] * 2)
            expected = np.zeros((4, 3)) if dropout else sum(parts)
            np.testing.assert_allclose(found.inputs[number], expected, rtol=1e-3, atol=1e-5)


def spoken(x, token):
    """Let only tokens be looked at that are loud enough, and each look at itself."""
    loud = keras.ops.expand_dims(keras.ops.max(x, axis=-1) > token, 1)
    return keras.ops.logical_or(loud, np.eye(4, dtype=bool)[None])


MASKS = {
    "bool": lambda x: spoken(x, 0.0),
    "numbers": lambda x: keras.ops.cast(spoken(x, 0.0), "float32") * 0.3,
    "of heads": lambda x: keras.ops.stack([spoken(x, 0.0), spoken(x, 0.5)], axis=1),
}


@pytest.mark.slow
@pytest.mark.parametrize("how", MASKS)
@pytest.mark.parametrize("causal", [False, True])
def test_a_mask_that_the_network_computes_gets_no_relevance(how, causal):
    """As the mask that it comes to for a sound, given as a constant."""
    start = keras.Input((4, 3))
    layer = layers.MultiHeadAttention(2, 3, name="attention")
    flat = layers.Flatten()
    out = layer(start, start, attention_mask=MASKS[how](start), use_causal_mask=causal)
    network = randomise(keras.Model(start, flat(out)), seed=3)
    x = inputs_for(network, 4)
    targets = [0, 4, 7, 11]
    found = lrp.relevance(network, x, targets, "epsilon", report=True)
    check_account(found)
    masks = np.asarray(MASKS[how](x))
    assert len(np.unique(masks, axis=0)) > 1  # of the sounds, not of the network
    for number, target in enumerate(targets):
        constant = masks[number : number + 1]
        same = layer(start, start, attention_mask=constant, use_causal_mask=causal)
        expected = lrp.relevance(
            keras.Model(start, flat(same)), x[number : number + 1], [target], "epsilon"
        )
        np.testing.assert_allclose(found.logits[number], expected.logits[0], rtol=1e-5, atol=1e-6)
        np.testing.assert_allclose(found.inputs[number], expected.inputs[0], rtol=1e-4, atol=1e-6)
        assert np.abs(found.inputs[number]).max() > 0


@pytest.mark.slow
@pytest.mark.parametrize("computed", [False, True])
def test_a_masked_softmax(computed):
    start = keras.Input((3, 4))
    weighed = layers.Dense(3, use_bias=False, name="scores")(start)
    lower = np.tril(np.ones((3, 3), bool))[None]
    mask = keras.ops.logical_and(weighed > -99, lower) if computed else lower
    paid = layers.Softmax(name="paid")(weighed, mask=mask)
    network = keras.Model(start, layers.Flatten()(keras.ops.matmul(paid, start)))
    randomise(network, seed=2)
    x = inputs_for(network, 1)
    found = lrp.relevance(network, x, [5], "epsilon", report=True)
    check_account(found)
    values, kernel = x[0].astype(float), network.get_layer("scores").get_weights()[0]
    scores = values @ kernel
    a = np.array([softmax(row, may) for row, may in zip(scores, lower[0], strict=True)])
    relevance = np.zeros((3, 4))
    relevance[1, 1] = (a @ values)[1, 1]
    of_a, expected = through_product(a, values, relevance)
    of_scores = through_softmax(scores, of_a, lower[0])
    expected += through_weights(values, kernel, np.zeros(3), of_scores)[0]
    np.testing.assert_allclose(found.inputs[0], expected, atol=1e-4 * np.abs(expected).max())


@pytest.mark.slow
@pytest.mark.parametrize(
    "given, told",
    [
        (lambda x: {"attention_mask": np.ones((2, 4, 4), bool)}, "a mask that is not one for each"),
        (
            lambda x: {"attention_mask": keras.ops.matmul(x[0], keras.ops.transpose(x[0])) > 0},
            "a mask that is not one for each",
        ),
        (lambda x: {"value_mask": np.ones((1, 4), bool)}, "is given value_mask"),
        (lambda x: {"key": np.ones((2, 4, 3), "float32")}, "a constant as query, key or value"),
    ],
    ids=["sounds", "axes", "of-values", "key"],
)
def test_other_masks_are_refused(given, told):
    start = keras.Input((4, 3))
    layer = layers.MultiHeadAttention(2, 3, name="masked")
    network = keras.Model(start, layers.Flatten()(layer(start, start, **given(start))))
    with pytest.raises(XaiAudioError, match=f"'masked' .*{told}"):
        lrp.relevance(network, np.ones((2, 4, 3), "float32"), [0, 0])


@pytest.mark.slow
def test_a_mask_of_any_number_of_tokens():
    start = keras.Input((None, 3))
    layer = layers.MultiHeadAttention(2, 3, name="masked")
    mixed = layers.GlobalAveragePooling1D()(layer(start, start, use_causal_mask=True))
    network = randomise(keras.Model(start, layers.Dense(2)(mixed)), seed=1)
    known = keras.Input((5, 3))
    x = np.random.default_rng(0).normal(size=(2, 5, 3)).astype("float32")
    mixed = layers.GlobalAveragePooling1D()(layer(known, known, use_causal_mask=True))
    same = keras.Model(known, network.layers[-1](mixed))
    one, other = (lrp.relevance(each, x, [0, 1], "epsilon").inputs for each in (network, same))
    np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-6)
    assert np.abs(one).max() > 0
