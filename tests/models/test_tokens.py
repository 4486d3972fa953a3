"""Which layers attend, where their tokens lie, and what they pay, on transformers by hand."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers
from small_networks import classifier_of, convolutional
from small_transformers import by_hand, small

from xaiaudio.errors import XaiAudioError
from xaiaudio.models.graph import graph_of
from xaiaudio.models.tokens import attend, attends, tokens_of

SHAPE, TILE = (6, 6), (2, 3)


def found_in(*steps, shape=(*SHAPE, 1)):
    """Return the tokens of a network of these steps that ends in a mean over tokens."""
    keras.utils.set_random_seed(1)
    start = x = keras.Input(shape)
    for step in steps:
        x = step(x)
    x = layers.Dense(3)(layers.GlobalAveragePooling1D()(x))
    return tokens_of(graph_of(keras.Model(start, x)))


def attending(x):
    return layers.MultiHeadAttention(1, 4)(x, x)


@pytest.mark.slow
@pytest.mark.parametrize("pooling", ["token", "mean"])
def test_each_tile_is_a_place_and_the_head_reads_what_it_pools(pooling):
    model = small(pooling)
    found = tokens_of(graph_of(model.logits_network))
    first = int(pooling == "token")
    assert [node.name for node in found.layers] == ["attention1", "attention2"]
    assert found.count == 6 + first
    np.testing.assert_array_equal(found.places, first + np.arange(6).reshape(3, 2))
    assert found.read.tolist() == ([0] if first else list(range(6)))


@pytest.mark.slow
def test_places_are_found_in_whatever_order_the_tokens_stand():
    order = [4, 1, 5, 0, 3, 2]
    found = found_in(layers.Reshape(SHAPE), lambda x: keras.ops.take(x, order, axis=1), attending)
    # Frames of the patch, from the first on: the token that holds each.
    np.testing.assert_array_equal(found.places[:, 0], np.argsort(order))
    across = found_in(layers.Reshape(SHAPE), layers.Permute((2, 1)), attending)
    np.testing.assert_array_equal(across.places, np.arange(6)[None])


@pytest.mark.slow
@pytest.mark.parametrize("pooling", ["token", "mean"])
def test_what_is_paid_and_the_logits_are_those_by_hand(pooling):
    model = small(pooling)
    patches = np.random.default_rng(5).normal(size=(2, *SHAPE)).astype("float32")
    graph = graph_of(model.logits_network)
    scores, logits = attend(graph, tokens_of(graph), tf.constant(patches[..., None]))
    assert len(scores) == 2
    for number, patch in enumerate(patches):
        wanted, paid = by_hand(model.logits_network, patch, TILE, pooling)
        np.testing.assert_allclose(logits[number], wanted, rtol=1e-3, atol=1e-4)
        for layer, own in zip(scores, paid, strict=True):
            np.testing.assert_allclose(layer[number], own, rtol=1e-3, atol=1e-5)


@pytest.mark.slow
def test_a_gradient_follows_what_is_paid():
    model = small("mean")
    graph = graph_of(model.logits_network)
    patch = np.random.default_rng(5).normal(size=(1, *SHAPE, 1)).astype("float32")
    with tf.GradientTape() as tape:
        given = tf.constant(patch)
        tape.watch(given)
        scores, _ = attend(graph, tokens_of(graph), given)
        total = scores[1][0, 0, 2, 3]
    slope = float(tape.gradient(total, given)[0, 4, 1, 0])
    moved = []
    for step in (1e-2, -1e-2):
        other = patch.copy()
        other[0, 4, 1, 0] += step
        moved.append(float(attend(graph, tokens_of(graph), other)[0][1][0, 0, 2, 3]))
    assert slope == pytest.approx((moved[0] - moved[1]) / 2e-2, rel=0.02, abs=1e-5)


@pytest.mark.slow
def test_whether_there_is_any_attention():
    assert attends(small())
    assert not attends(classifier_of(convolutional(SHAPE)))
    assert not attends(lambda given: given)


@pytest.mark.slow
@pytest.mark.parametrize(
    "steps, message",
    [
        ([layers.Reshape(SHAPE), layers.Dense(4)], "no attention over patches: rollout"),
        ([layers.LayerNormalization(axis=(1, 2, 3)), layers.Reshape(SHAPE), attending],
         "no grid of places"),
        ([layers.Reshape((2, 18)), layers.Dense(4), lambda x: x[:, :1], attending],
         "no grid of places"),
        ([layers.Reshape(SHAPE), lambda x: layers.MultiHeadAttention(1, 4, name="across")(
            x, layers.Cropping1D(1)(x))], "'across' is not the attention of 6 tokens"),
        ([layers.Reshape(SHAPE), attending, layers.MaxPooling1D(2), attending],
         "is not the attention of 6 tokens"),
    ],
)  # fmt: skip
def test_networks_whose_tokens_are_no_places(steps, message):
    with pytest.raises(XaiAudioError, match=message):
        found_in(*steps)


def test_patches_of_any_length_are_refused():
    steps = layers.Reshape((-1, 6)), attending
    with pytest.raises(XaiAudioError, match="patches of one size|attention of None tokens"):
        found_in(*steps, shape=(None, 6, 1))


@pytest.mark.slow
def test_a_head_that_reads_no_token_is_told():
    start = keras.Input((*SHAPE, 1))
    x = layers.Reshape(SHAPE)(start)
    heard = layers.MultiHeadAttention(1, 4, name="idle")(x, x)
    held = layers.Lambda(tf.stop_gradient)(heard)
    network = keras.Model(start, layers.Dense(3)(layers.GlobalAveragePooling1D()(held)))
    with pytest.raises(XaiAudioError, match="logits do not depend on layer 'idle'"):
        tokens_of(graph_of(network))
