"""Attention as a map, against sums over paths and differences of single entries of attention."""

import itertools

import keras
import numpy as np
import pytest
from keras import layers
from small_networks import LABELS, classifier_of, convolutional
from small_transformers import by_hand, small

import xaiaudio as xa
from xaiaudio import XaiAudioError
from xaiaudio.explainers.rollout import attention_of
from xaiaudio.models import saving, tokens
from xaiaudio.models.graph import graph_of

SHAPE, TILE = (6, 6), (2, 3)


@pytest.fixture(scope="module", params=["token", "mean"])
def given(request):
    model = small(request.param)
    patches = np.random.default_rng(5).normal(size=(3, *SHAPE)).astype("float32")
    return model, patches, request.param


def read_of(flow, pooling):
    """The rows that the head reads, over the tiles, as (rows, columns)."""
    first = pooling == "token"
    row = flow[0] if first else flow.mean(axis=0)
    return row[int(first) :].reshape(3, 2)


@pytest.mark.slow
def test_the_network_is_the_one_by_hand(given):
    model, patches, pooling = given
    logits = model.logits(patches)
    run, _ = attention_of(model)
    scores, _ = run(model.as_input(patches), np.zeros(3, "int32"))
    for number, patch in enumerate(patches):
        expected, paid = by_hand(model.logits_network, patch, TILE, pooling)
        np.testing.assert_allclose(logits[number], expected, rtol=1e-3, atol=1e-4)
        for layer, own in zip(scores, paid, strict=True):
            np.testing.assert_allclose(layer[number], own, rtol=1e-3, atol=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize("residual", [0.5, 0.1, 0.0, 1.0])
def test_rollout_is_a_sum_over_paths(given, residual):
    """Each path goes from a token that is read to a tile, one step a layer."""
    model, patches, pooling = given
    maps = xa.explain(model, patches, method="rollout", residual=residual, upsample="nearest").raw
    for number, patch in enumerate(patches):
        _, paid = by_hand(model.logits_network, patch, TILE, pooling)
        count = paid.shape[-1]
        flow = np.zeros((count, count))
        for last, middle, first in itertools.product(range(count), repeat=3):
            upper = residual * (last == middle) + (1 - residual) * paid[1, :, last, middle].mean()
            lower = residual * (middle == first) + (1 - residual) * paid[0, :, middle, first].mean()
            flow[last, first] += upper * lower
        np.testing.assert_allclose(flow.sum(axis=1), 1)
        np.testing.assert_allclose(maps[number], read_of(flow, pooling), rtol=1e-3, atol=1e-6)


@pytest.mark.slow
def test_rollout_looks_at_no_class(given):
    model, patches, _ = given
    by_class = xa.explain_classes(model, patches, LABELS, "rollout")
    first, *others = (result.maps for result in by_class.values())
    assert np.ptp(first) > 0
    for other in others:
        np.testing.assert_array_equal(first, other)
    about = xa.methods(attention=True)
    assert not about["rollout"]["of_class"] and "every class" in about["rollout"]["summary"]
    assert about["gradient-attention"]["of_class"]
    assert not {"rollout", "gradient-attention"} & set(xa.methods())


@pytest.mark.slow
def test_gradient_attention_from_differences(given):
    model, patches, pooling = given
    targets = np.array([2, 0, 1])
    maps = xa.explain(model, patches, targets, "gradient-attention").raw
    step = 1e-5
    for number, (patch, target) in enumerate(zip(patches.astype(float), targets, strict=True)):
        network = model.logits_network
        logits, own = by_hand(network, patch, TILE, pooling)
        gradients = np.zeros(own.shape)
        for layer, *at in np.ndindex(own.shape):
            # The attention of later layers follows from what this one changes.
            changed = own[: layer + 1].copy()
            changed[layer, *at] += step
            later = [*changed, *[None] * (len(own) - layer - 1)]
            moved, _ = by_hand(network, patch, TILE, pooling, later)
            gradients[layer, *at] = (moved[target] - logits[target]) / step
        flow = np.eye(own.shape[-1])
        for paid, gradient in zip(own, gradients, strict=True):
            flow = flow + np.maximum(paid * gradient, 0).mean(axis=0) @ flow
        np.testing.assert_allclose(maps[number], read_of(flow, pooling), rtol=2e-2, atol=1e-4)
    other = xa.explain(model, patches, (targets + 1) % 3, "gradient-attention").raw
    assert np.abs(maps - other).max() > 1e-3


@pytest.mark.slow
def test_a_saved_transformer_is_loaded_without_own_layers(given, tmp_path):
    model, patches, _ = given
    again = saving.load_model(model.save(tmp_path / "small.keras"))
    for method in ("rollout", "gradient-attention", "lrp", "saliency"):
        one, other = (xa.explain(each, patches, 1, method).maps for each in (model, again))
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-6)


@pytest.mark.slow
def test_frames_as_tokens_behind_convolutions():
    """Tokens over time alone, each of which sees several frames, draw a map over time."""
    keras.utils.set_random_seed(1)
    start = keras.Input((12, 5, 1))
    x = layers.Conv2D(3, 3, (2, 1), padding="same", activation="relu")(start)
    x = layers.Reshape((6, 15))(x)
    x = layers.Add()([x, layers.MultiHeadAttention(1, 4)(x, x)])
    x = layers.Dense(3)(layers.GlobalAveragePooling1D()(x))
    model = classifier_of(keras.Model(start, x))
    patches = np.random.default_rng(0).normal(size=(2, 12, 5)).astype("float32")
    for method in ("rollout", "gradient-attention"):
        result = xa.explain(model, patches, method=method)
        assert result.raw.shape == (2, 6, 1) and result.maps.shape == patches.shape
        assert np.ptp(result.maps, axis=2).max() < 1e-6 < np.ptp(result.maps, axis=1).min()


@pytest.mark.slow
def test_a_mask_holds_for_the_map_too():
    """Tokens that nobody may look at get nothing, and the logits are those of the network."""
    keras.utils.set_random_seed(1)
    start = keras.Input((6, 5, 1))
    x = layers.Dense(4)(layers.Reshape((6, 5))(start))
    mask = np.ones((6, 6), bool)
    mask[:, 4:] = False
    x = layers.MultiHeadAttention(2, 4)(x, x, attention_mask=mask)
    network = keras.Model(start, layers.Dense(3)(layers.GlobalAveragePooling1D()(x)))
    patches = np.random.default_rng(0).normal(size=(2, 6, 5)).astype("float32")
    graph = graph_of(network)
    _, logits = tokens.attend(graph, tokens.tokens_of(graph), patches[..., None])
    np.testing.assert_allclose(logits, network(patches[..., None]), rtol=1e-5, atol=1e-6)
    result = xa.explain(classifier_of(network), patches, method="rollout", residual=0.0)
    assert result.raw[:, :4].min() > 0.01 and not result.raw[:, 4:].any()


@pytest.mark.slow
@pytest.mark.parametrize("method", ["rollout", "gradient-attention"])
def test_networks_without_attention_over_patches_are_refused(method):
    patches = np.zeros((1, 6, 6), "float32")
    with pytest.raises(XaiAudioError, match="has no attention over patches.*occlusion"):
        xa.explain(classifier_of(convolutional((6, 6))), patches, method=method)
    start = keras.Input((6, 6, 1))
    x = layers.Reshape((6, 6))(layers.LayerNormalization(axis=(1, 2, 3))(start))
    mixed = layers.MultiHeadAttention(1, 4)(x, x)
    mixed = keras.Model(start, layers.Dense(3)(layers.Flatten()(mixed)))
    with pytest.raises(XaiAudioError, match="no grid of places"):
        xa.explain(classifier_of(mixed), patches, method=method)
    x = layers.Reshape((6, 6))(start)
    across = layers.MultiHeadAttention(1, 4, name="across")(x, layers.Cropping1D(1)(x))
    across = keras.Model(start, layers.Dense(3)(layers.Flatten()(across)))
    with pytest.raises(XaiAudioError, match="'across' is not the attention of 6 tokens"):
        xa.explain(classifier_of(across), patches, method=method)


@pytest.mark.parametrize("residual", [-0.1, 1.1, "half", float("nan")])
def test_residuals_that_are_no_share(residual):
    with pytest.raises(XaiAudioError, match="residual is .*0 to 1"):
        xa.Explainer("rollout", residual=residual)
