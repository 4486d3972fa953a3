"""One layer of a transformer, against attention and thought by loops."""

import itertools

import keras
import numpy as np
import pytest
from small_transformers import attend, normal

from xaiaudio.models.networks.transformer import Options
from xaiaudio.models.transformer_block import block


def built(size=4, heads=2, seeds=None):
    tokens = keras.Input((5, size))
    out = block(tokens, Options((2, 2), size, heads, 1), "{}3", seeds or itertools.count(7))
    return keras.Model(tokens, out)


@pytest.mark.slow
def test_it_is_attention_then_thought_each_added_to_what_was_there():
    network, rng = built(), np.random.default_rng(0)
    network.set_weights([rng.normal(0, 0.6, w.shape) for w in network.get_weights()])
    weights = {
        layer.name: [w.astype(float) for w in layer.get_weights()] for layer in network.layers
    }
    given = rng.normal(size=(3, 5, 4)).astype("float32")
    found = network(given)
    for row, tokens in zip(found, given.astype(float), strict=True):
        _, heard = attend(normal(tokens, weights["before3"]), weights["attention3"])
        tokens = tokens + heard
        (wide, first), (back, second) = weights["wide3"], weights["back3"]
        thought = np.maximum(normal(tokens, weights["between3"]) @ wide + first, 0)
        np.testing.assert_allclose(row, tokens + thought @ back + second, rtol=1e-4, atol=1e-5)


@pytest.mark.slow
def test_its_parts_have_the_names_and_sizes_that_were_asked_for():
    network = built(6, 3)
    names = [layer.name for layer in network.layers[1:]]
    assert names == [
        *("before3", "attention3", "heard3"),
        *("between3", "wide3", "back3", "out3"),
    ]
    assert network.get_layer("attention3").num_heads == 3
    assert network.get_layer("wide3").units == 12
    assert network.output_shape == (None, 5, 6)


@pytest.mark.slow
def test_three_seeds_are_taken_and_decide_the_weights():
    seeds = itertools.count(7)
    first, again, other = built(seeds=seeds), built(), built(seeds=itertools.count(8))
    assert next(seeds) == 10
    drawn = 0
    for one, two, three in zip(*(net.get_weights() for net in (first, again, other)), strict=True):
        np.testing.assert_array_equal(one, two)
        drawn += not np.array_equal(one, three)
    assert drawn >= 3
