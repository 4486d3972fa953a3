"""Tiles computed anew, against the whole sweep."""

import keras
import numpy as np
import pytest
from keras import layers
from random_graphs import random_graph
from small_networks import classifier_of, random_patches
from sound_functions import linear, sounds

import xaiaudio as xa
from xaiaudio.explainers.engines import tiles
from xaiaudio.explainers.engines.masks import Boxes
from xaiaudio.explainers.engines.perturbation import engine_of
from xaiaudio.models.graph import graph_of
from xaiaudio.models.tiling import Tiling


def random_boxes(rng, shape, count):
    """Return rectangles of any size, at every edge, and one that hides nothing."""
    pairs = [np.sort(rng.integers(0, size + 1, (count, 2)), axis=1) for size in shape]
    edges = np.concatenate(pairs, axis=1)
    edges[0] = 0
    edges[1] = (0, shape[0], 0, shape[1])
    edges[2], edges[3] = (0, 3, 0, 2), (shape[0] - 3, shape[0], shape[1] - 2, shape[1])
    return Boxes(edges)


def both(network, boxes, n=3, seed=0, output="logits"):
    """Return the answers by tiles, and those of the whole sweep."""
    classifier = classifier_of(network)
    patches = random_patches(n, network.input_shape[1:3], seed)
    fill = random_patches(n, network.input_shape[1:3], seed + 1)
    chosen = classifier.network if output == "scores" else classifier.logits_network
    found = tiles.Tiles(Tiling(graph_of(chosen)))(
        classifier.as_input(patches), classifier.as_input(fill), boxes.edges
    )
    return found, engine_of(classifier, output)(patches, fill, boxes)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(8))
def test_equals_the_whole_sweep_on_random_graphs(seed):
    network = random_graph(seed)
    boxes = random_boxes(np.random.default_rng(seed), network.input_shape[1:3], 9)
    found, expected = both(network, boxes)
    assert np.ptp(expected, axis=1).max() > 0
    np.testing.assert_allclose(found, expected, atol=1e-5 * np.abs(expected).max())


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(8, 90))
def test_equals_the_whole_sweep_on_more_random_graphs(seed):
    test_equals_the_whole_sweep_on_random_graphs(seed)


@pytest.mark.slow
@pytest.mark.parametrize("padding", ["same", "valid"])
def test_means_at_the_edge_do_not_count_the_padding(padding):
    keras.utils.set_random_seed(1)
    inputs = keras.Input((11, 9, 1))
    x = layers.AveragePooling2D((3, 2), (2, 3), padding=padding)(inputs)
    network = keras.Model(inputs, layers.Dense(3)(layers.Flatten()(x)))
    found, expected = both(network, random_boxes(np.random.default_rng(0), (11, 9), 20))
    np.testing.assert_allclose(found, expected, atol=1e-5)


@pytest.mark.slow
def test_of_several_inputs_each_is_its_own(monkeypatch):
    monkeypatch.setattr(tiles, "WAITING", 1)  # one after the other
    network = random_graph(3)
    boxes = random_boxes(np.random.default_rng(3), network.input_shape[1:3], 6)
    found, expected = both(network, boxes, n=4, output="scores")
    np.testing.assert_allclose(found, expected, atol=1e-6)


@pytest.mark.slow
def test_rectangles_that_hide_nothing():
    network = random_graph(0)
    found, expected = both(network, Boxes(np.array([[0, 0, 0, 0], [4, 4, 2, 5]])))
    np.testing.assert_allclose(found, expected, atol=1e-5)
    np.testing.assert_array_equal(found[:, 0], found[:, 1])


def test_a_layer_that_is_not_known_ends_the_tiles():
    inputs = keras.Input((12, 10, 1))
    x = layers.Conv2D(2, 3, activation="relu", name="before")(inputs)
    x = layers.Conv2D(2, 3, activation=lambda y: y / (1 + keras.ops.max(y)), name="odd")(x)
    x = layers.Conv2D(2, 3, name="behind")(x)
    tiling = Tiling(graph_of(keras.Model(inputs, layers.Dense(3)(layers.Flatten()(x)))))
    assert [one.node.name for one in tiling.tiled[1:]] == ["before"]


@pytest.mark.slow
def test_trained_on_weights_are_seen():
    network = random_graph(5)
    boxes = random_boxes(np.random.default_rng(5), network.input_shape[1:3], 6)
    classifier = classifier_of(network)
    patches = random_patches(1, network.input_shape[1:3])
    chosen = classifier.logits_network
    ask = tiles.Tiles(Tiling(graph_of(chosen)))
    given = (classifier.as_input(patches), classifier.as_input(patches * 0), boxes.edges)
    before = ask(*given)
    for weight in chosen.trainable_weights:
        weight.assign(weight * 1.5)
    expected = engine_of(classifier, "logits")(patches, patches * 0, boxes)
    assert np.abs(ask(*given) - before).max() > 1e-3
    np.testing.assert_allclose(ask(*given), expected, atol=1e-5 * np.abs(expected).max())


@pytest.mark.slow
def test_occlusion_of_the_shipped_network_is_that_of_the_whole_sweep(monkeypatch):
    model = xa.load_model("lite")
    patches = random_patches(2, (96, 64))
    found = xa.explain(model, patches, method="occlusion").maps
    assert tiles._tiles_of(model, "logits").pays(xa_boxes())
    monkeypatch.setattr(tiles, "WORTH", np.inf)
    expected = xa.explain(model, patches, method="occlusion").maps
    np.testing.assert_allclose(found, expected, atol=1e-5 * np.abs(expected).max())


def xa_boxes():
    from xaiaudio.explainers.occlusion import Sweep

    return Sweep((96, 64), 0.2, 0.1).boxes.edges


@pytest.mark.slow
def test_where_tiles_are_no_less_work_all_is_asked_anew():
    model = xa.load_model("lite")
    whole = np.array([[0, 96, 0, 64]] * 4)
    assert not tiles._tiles_of(model, "logits").pays(whole)


@pytest.mark.slow
def test_a_function_of_sounds_is_asked_anew():
    waves = sounds(4)
    classifier = linear(*waves[2:], batch=4)
    segments = classifier.frontend(waves[:2].ravel())
    boxes = Boxes(np.array([[0, 0, 0, 0], [3, 20, 5, 40]]))
    found = tiles.hidden(classifier, segments, np.full(segments.shape, -3.0), boxes, "logits")
    assert found.shape == (len(segments), 2, len(classifier.labels))
