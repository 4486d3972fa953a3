"""The layers that take fewer operations, against Keras's own and their gradients."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from xaiaudio.models.speech import layers, network, vocabulary


def with_gradients(layer, *inputs, **options):
    """Return what a layer gives, and the gradients of a weighted sum of it."""
    inputs = [tf.constant(one) for one in inputs]
    with tf.GradientTape() as tape:
        tape.watch(inputs)
        out = layer(*inputs, **options)
        some = np.random.default_rng(9).normal(0, 1, out.shape)
        total = tf.reduce_sum(out * tf.constant(some, tf.float32))
    watched = [*inputs, *(one.value for one in getattr(layer, "trainable_variables", []))]
    return [out, *map(tf.convert_to_tensor, tape.gradient(total, watched))]


def same(mine, theirs):
    for one, other in zip(mine, theirs, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=2e-5)


def randomised(layer, seed=3):
    rng = np.random.default_rng(seed)
    layer.set_weights([rng.normal(0, 0.4, one.shape) for one in layer.get_weights()])


@pytest.mark.slow
@pytest.mark.parametrize("causal", [False, True])
def test_attention_to_itself_is_kerass(causal):
    x = np.random.default_rng(0).normal(0, 1, (3, 7, 8)).astype("float32")
    pair = layers.Attention(2, 4), keras.layers.MultiHeadAttention(2, 4)
    found = []
    for layer in pair:
        layer.build(x.shape, x.shape)
        randomised(layer)

        def once(tensor, layer=layer):
            return layer(tensor, tensor, use_causal_mask=causal)

        once.trainable_variables = layer.trainable_variables
        found.append(with_gradients(once, x))
    same(*found)


@pytest.mark.slow
def test_attention_to_something_else_is_kerass():
    rng = np.random.default_rng(1)
    asks, heard = (rng.normal(0, 1, shape).astype("float32") for shape in ((3, 5, 8), (3, 9, 8)))
    pair = layers.Attention(2, 4), keras.layers.MultiHeadAttention(2, 4)
    for layer in pair:
        layer.build(asks.shape, heard.shape)
        randomised(layer)
    same(*(with_gradients(layer, asks, heard) for layer in pair))
    same(*(layer(asks, heard, return_attention_scores=True) for layer in pair))


def test_normalisation_and_its_gradient_are_kerass():
    x = np.random.default_rng(2).normal(1, 2, (3, 5, 8)).astype("float32")
    pair = layers.Normal(), keras.layers.LayerNormalization()
    for layer in pair:
        layer.build(x.shape)
        randomised(layer)
    same(*(with_gradients(layer, x) for layer in pair))


def test_gelu_and_its_gradient_are_kerass():
    x = np.linspace(-6, 6, 49, dtype="float32")
    same(with_gradients(layers.gelu, x), with_gradients(keras.activations.gelu, x))


@pytest.mark.slow
def test_several_lines_about_a_string_are_each_as_if_alone():
    made = network.build(network.Size(8, 2, 2), seed=1)
    rng = np.random.default_rng(4)
    states = rng.normal(0, 1, (3, network.MOMENTS, 8)).astype("float32")
    tokens = rng.integers(0, len(vocabulary.TOKENS), (6, vocabulary.LENGTH)).astype("int32")
    paid = [made.get_layer(f"cross{k}").output[1] for k in (1, 2)]
    decoder = network.decoder_of(made, made.outputs[0], *paid)
    together, alone = decoder([states, tokens]), decoder([np.repeat(states, 2, axis=0), tokens])
    same(together, alone)
    assert np.abs(alone[0][0] - alone[0][1]).max() > 1e-2
