"""First layers that coalitions share, against the whole sweep."""

import keras
import numpy as np
import pytest
from keras import layers
from random_graphs import random_graph
from small_networks import classifier_of, random_patches

import xaiaudio as xa
from xaiaudio.explainers.engines import coalitions
from xaiaudio.explainers.engines.masks import Coalitions
from xaiaudio.explainers.engines.perturbation import engine_of
from xaiaudio.explainers.engines.segments import grid
from xaiaudio.models.graph import graph_of
from xaiaudio.models.tiling import Tiling


def drawn(shape, parts, count, seed=0):
    """Return coalitions of a grid's rectangles, the first of all and the second of none."""
    present = np.random.default_rng(seed).random((1, count, parts[0] * parts[1])) < 0.5
    present[0, 0], present[0, 1] = True, False
    return Coalitions(grid(shape, *parts)[None], present)


def both(network, parts, count=40, n=3):
    """Return the answers by shared layers, those of the whole sweep, and the cut."""
    classifier, shape = classifier_of(network), network.input_shape[1:3]
    patches, fill = random_patches(n, shape), random_patches(n, shape, 1)
    masks, shared = (
        drawn(shape, parts, count),
        coalitions.Shared(graph_of(classifier.logits_network)),
    )
    cut = shared.cut(np.asarray(masks.segments[0]), parts, 10**6)
    assert cut is not None
    found = shared(classifier.as_input, patches, fill, masks, cut)
    return found, engine_of(classifier, "logits")(patches, fill, masks), cut


def deep(shape=(23, 17)):
    """Return a small network of layers one after the other, with random weights."""
    keras.utils.set_random_seed(0)
    inputs = keras.Input((*shape, 1))
    x = layers.Conv2D(3, 3, padding="same", activation="relu")(inputs)
    x = layers.MaxPooling2D(2, padding="same")(x)
    x = layers.Conv2D(4, (3, 2), padding="same", activation="relu")(x)
    x = layers.AveragePooling2D(2)(x)
    x = layers.Conv2D(5, 3, padding="same")(x)
    return keras.Model(inputs, layers.Dense(3)(layers.Flatten()(x)))


@pytest.mark.slow
@pytest.mark.parametrize("parts", [(1, 1), (2, 2), (3, 2), (2, 5), (5, 3), (1, 6)])
def test_equals_the_whole_sweep(parts):
    found, expected, _ = both(deep(), parts)
    assert np.ptp(expected, axis=1).max() > 0.01
    np.testing.assert_allclose(found, expected, atol=1e-5 * np.abs(expected).max())


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(12))
def test_equals_the_whole_sweep_on_random_graphs(seed):
    found, expected, _ = both(random_graph(seed), (3, 2))
    np.testing.assert_allclose(found, expected, atol=1e-5 * np.abs(expected).max())


@pytest.mark.slow
def test_what_a_cell_sees_decides_how_many_values_it_has():
    """By trying: switch one row of rectangles, and see which cells change."""
    network, parts = deep(), (5, 3)
    shape = network.input_shape[1:3]
    _, _, cut = both(network, parts)
    node = Tiling(graph_of(network)).tiled[cut.number].node
    inside = keras.Model(network.inputs, node.output)
    patch, segments = random_patches(1, shape)[0], grid(shape, *parts)
    before = inside(patch[None, ..., None])[0].numpy()
    for axis, owners in enumerate((cut.rows, cut.columns)):
        numbers = (segments // parts[1], segments % parts[1])[axis]
        for number in range(parts[axis]):
            other = np.where(numbers == number, patch + 1, patch)
            after = inside(other[None, ..., None])[0].numpy()
            changed = (np.abs(after - before) > 1e-6).any(axis=(2, 1 - axis))
            assert not (changed & ~(owners == number).any(axis=0)).any()


@pytest.mark.slow
def test_layers_that_both_branches_need_are_no_cut():
    inputs = keras.Input((24, 16, 1))
    x = layers.Conv2D(8, 3, padding="same")(inputs)
    y = layers.Conv2D(8, 3, padding="same")(inputs)
    x = layers.Conv2D(8, 5, padding="same")(x)
    whole = layers.Concatenate()([x, y])
    network = keras.Model(inputs, layers.Dense(3)(layers.Flatten()(whole)))
    found, expected, cut = both(network, (2, 2))
    assert Tiling(graph_of(network)).tiled[cut.number].node.name.startswith("concatenate")
    np.testing.assert_allclose(found, expected, atol=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_the_shipped_network_shares_two_blocks(monkeypatch, precision):
    model, masks = xa.load_model("lite"), drawn((96, 64), (7, 7), 70)
    patches = random_patches(5, (96, 64))
    fill = np.full_like(patches, patches.mean())
    expected = engine_of(model, "logits", precision)(patches, fill, masks)
    monkeypatch.setattr(coalitions, "engine_of", None)  # is not asked
    found = coalitions.answered(model, patches, fill, masks, (7, 7), "logits", precision)
    assert found.shape == (5, 70, 10) and found.dtype == np.float32
    np.testing.assert_allclose(found, expected, atol=1e-5 * np.abs(expected).max())


@pytest.mark.slow
def test_weights_of_now_are_seen():
    model, masks = classifier_of(deep((24, 16))), drawn((24, 16), (2, 2), 60)
    patches = random_patches(2, (24, 16))
    before = coalitions.answered(model, patches, 0 * patches, masks, (2, 2), "logits")
    for weight in model.logits_network.trainable_weights:
        weight.assign(weight * 1.5)
    after = coalitions.answered(model, patches, 0 * patches, masks, (2, 2), "logits")
    expected = engine_of(model, "logits")(patches, 0 * patches, masks)
    assert np.abs(after - before).max() > 1e-3
    np.testing.assert_allclose(after, expected, atol=1e-5 * np.abs(expected).max())


def test_few_coalitions_are_asked_about_as_they_are():
    shared, segments = coalitions.Shared(graph_of(deep())), grid((23, 17), 5, 3)
    assert shared.cut(segments, (5, 3), 2) is None
    assert shared.cut(segments[1:], (5, 3), 10**6) is None  # of another size
