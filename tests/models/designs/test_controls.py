"""Networks that should fail, made of a trained one."""

import keras
import numpy as np
import pytest
from small_networks import LABELS, frontend, random_patches

from xaiaudio.errors import XaiAudioError
from xaiaudio.models.designs import attention, controls
from xaiaudio.models.designs.base import SelfExplaining
from xaiaudio.models.designs.evidence import Evidence
from xaiaudio.models.designs.prototypes import Prototypes
from xaiaudio.models.training.tables import PatchTable

SHAPE = (6, 5)


def model(parts, before=(), use_bias=True, labels=LABELS, design="by hand"):
    inputs = tensor = keras.Input((*SHAPE, 1))
    for layer in before:
        tensor = layer(tensor)
    tensor = parts(tensor)
    whole = keras.ops.sum(tensor, axis=1) if len(tensor.shape) == 3 else tensor
    logits = keras.layers.Dense(len(labels), use_bias=use_bias, name="logits")
    network = keras.Model(inputs, logits(whole))
    evidence = [Evidence("part")] * tensor.shape[1]
    return SelfExplaining.from_network(network, labels, frontend(*SHAPE), evidence, design=design)


def dense(labels=LABELS, **options):
    parts = keras.layers.Dense(8, name="parts", kernel_initializer=keras.initializers.HeNormal(3))
    return model(parts, [keras.layers.Flatten()], labels=labels, **options)


def table(labels=LABELS, clips=45):
    """Clips of two patches each, the classes of which are far apart."""
    rng = np.random.default_rng(0)
    patches = random_patches(2 * clips, SHAPE)
    number = np.arange(clips) % len(labels)
    middles = 3 * rng.normal(size=(len(labels), *SHAPE)).astype(np.float32)
    truth = tuple(labels[k] for k in number)
    patches = patches + np.repeat(middles[number], 2, axis=0)
    names = tuple(f"clip {k}" for k in range(clips))
    return PatchTable(patches, np.repeat(np.arange(clips), 2), names, truth, labels)


def right(one, given):
    return np.mean(one.logits(given.patches).argmax(axis=1) == given.targets(one.labels))


@pytest.mark.slow
@pytest.mark.parametrize("count", [2, 3])
def test_a_last_layer_that_is_fitted_anew_finds_the_classes(count):
    one, given = dense(LABELS[:count]), table(LABELS[:count])
    before = one.weights.copy()
    fitted = controls.refitted(one, given)
    assert right(fitted, given) > 0.95
    np.testing.assert_array_equal(one.weights, before)
    np.testing.assert_allclose(
        one.activations(given.patches), fitted.activations(given.patches), atol=1e-5
    )
    total = fitted.contributions(given.patches).sum(axis=1) + fitted.bias
    np.testing.assert_allclose(total, fitted.logits(given.patches), atol=1e-3)


@pytest.mark.slow
def test_shuffled_labels_are_dealt_to_whole_clips():
    one, given = dense(), table()
    fitted = controls.refitted(one, given, shuffled=True, seed=1)
    assert right(fitted, given) < 0.7
    # As many clips of each class as before: by the order that the seed gives.
    order = np.random.default_rng([1, 78]).permutation(len(given.names))
    dealt = tuple(given.truth[k] for k in order)
    by_hand = PatchTable(given.patches, given.clip, given.names, dealt, given.labels)
    np.testing.assert_allclose(
        fitted.weights, controls.refitted(one, by_hand).weights, rtol=1e-3, atol=1e-5
    )


@pytest.mark.slow
def test_vectors_are_fitted_by_their_sum():
    turned = keras.layers.Reshape((6, 5))
    one, given = model(keras.layers.Dense(7, name="parts"), [turned]), table()
    assert right(controls.refitted(one, given), given) > 0.95


@pytest.mark.slow
def test_what_cannot_be_fitted():
    given = table()
    with pytest.raises(XaiAudioError, match="no bias"):
        controls.refitted(dense(use_bias=False), given)
    with pytest.raises(XaiAudioError, match="no clip"):
        controls.refitted(dense(), given.part(np.array(given.truth) != LABELS[1]))


@pytest.mark.slow
def test_random_weights_are_the_same_numbers_elsewhere():
    one = dense()
    drawn = controls.random_weights(one, 2)
    pairs = zip(one.network.get_weights(), drawn.network.get_weights(), strict=True)
    for mine, other in pairs:
        np.testing.assert_array_equal(np.sort(mine.ravel()), np.sort(other.ravel()))
    assert not np.allclose(one.weights, drawn.weights)
    again = controls.random_weights(one, 2)
    np.testing.assert_array_equal(again.weights, drawn.weights)


@pytest.mark.slow
@pytest.mark.parametrize("pooling", ["max", "frequency-weighted"])
def test_prototypes_that_are_drawn_are_patches(pooling):
    convolved = keras.layers.Conv2D(4, 3, padding="same", activation="tanh")
    one = model(Prototypes(5, pooling=pooling, name="parts"), [convolved])
    patches = random_patches(12, SHAPE)
    before = one.logits_network.get_layer("parts").prototypes.numpy()
    drawn = controls.drawn_prototypes(one, patches)
    layer = drawn.logits_network.get_layer("parts")
    likest = drawn.activations(patches).max(axis=0)
    np.testing.assert_allclose(likest, SHAPE[1] if layer.whole else 1, atol=1e-3)
    np.testing.assert_array_equal(one.logits_network.get_layer("parts").prototypes.numpy(), before)
    with pytest.raises(XaiAudioError, match="no prototypes"):
        controls.drawn_prototypes(dense(), patches)


@pytest.mark.slow
def test_even_attention_is_even_and_changes_nothing_else():
    turned = keras.layers.Reshape((6, 5))
    widened = keras.layers.Dense(4)
    one = model(attention.Moments(2, name="parts"), [turned, widened], design="attention")
    patches = random_patches(5, SHAPE)
    even = controls.even_attention(one)
    np.testing.assert_allclose(attention.attention(even, patches), 1 / 6, atol=1e-6)
    assert np.ptp(attention.attention(one, patches)) > 0.01
    wanted = attention.forced(one, patches).mean(axis=1)
    np.testing.assert_allclose(even.logits(patches), wanted, atol=1e-5)
    with pytest.raises(XaiAudioError, match="no attention"):
        controls.even_attention(dense())
