"""Where a sound is like a prototype, and the place that the prototype is."""

import keras
import numpy as np
import pytest
from small_networks import LABELS, frontend, random_patches

from xaiaudio.errors import XaiAudioError
from xaiaudio.models.designs import matching
from xaiaudio.models.designs.base import SelfExplaining
from xaiaudio.models.designs.evidence import Evidence, Place
from xaiaudio.models.designs.prototypes import Prototypes

SHAPE = (13, 9)


def by_hand(maps=True, **options):
    """Return prototypes on the maps of one convolution, or on their means."""
    keras.utils.set_random_seed(4)
    patch = keras.Input((*SHAPE, 1))
    x = keras.layers.Conv2D(4, 3, 2, activation="tanh", bias_initializer="normal")(patch)
    x = x if maps else keras.layers.GlobalAveragePooling2D()(x)
    layer = Prototypes(5, name="parts", **options)
    logits = keras.layers.Dense(3, name="logits", bias_initializer="normal")(layer(x))
    layer.prototypes.assign(np.random.default_rng(0).normal(0, 0.4, layer.prototypes.shape))
    return SelfExplaining.from_network(
        keras.Model(patch, logits), LABELS, frontend(*SHAPE), [Evidence("one")] * 5, design="mine"
    )


@pytest.mark.slow
@pytest.mark.parametrize("maps", [True, False])
def test_distances_and_likeness_place_by_place(maps):
    model, patches = by_hand(maps), random_patches(70, SHAPE)  # more than are asked at once
    vectors = matching.compared(model, patches)
    vectors = vectors if maps else vectors[:, None, None]
    far, alike = matching.distance_maps(model, patches), matching.similarity_maps(model, patches)
    prototypes = model.logits_network.get_layer("parts").prototypes.numpy()
    assert far.shape == alike.shape == ((70, 6, 4, 5) if maps else (70, 1, 1, 5))
    for n, h, w, k in np.ndindex(far.shape):
        if n in (0, 33, 69):
            wanted = np.mean((vectors[n, h, w].astype(float) - prototypes[k]) ** 2)
            assert far[n, h, w, k] == pytest.approx(wanted, abs=1e-5)
            assert alike[n, h, w, k] == pytest.approx(np.exp(-wanted), abs=1e-5)
    np.testing.assert_allclose(alike.max(axis=(1, 2)), model.activations(patches), atol=1e-5)


@pytest.mark.slow
def test_members_are_those_with_a_place_inside():
    model, patches = by_hand(radius=0.1), random_patches(20, SHAPE)
    radii = np.linspace(0.05, 0.3, 5)
    model.logits_network.get_layer("parts").radii.assign(radii)
    far = matching.distance_maps(model, patches)
    for radius, reach in ((None, radii), (0.15, [0.15] * 5)):
        found = matching.members(model, patches, radius)
        wanted = [[(one[..., k] <= reach[k]).any() for k in range(5)] for one in far]
        assert found.tolist() == wanted
        assert 0 < found.sum() < found.size
    points = by_hand()
    with pytest.raises(XaiAudioError, match="are no balls: give a radius"):
        matching.members(points, patches)
    np.testing.assert_array_equal(
        matching.members(points, patches, 0.15), matching.members(model, patches, 0.15)
    )


@pytest.mark.slow
def test_the_place_of_a_match_is_all_that_decides_its_likeness():
    model, (patch,) = by_hand(), random_patches(1, SHAPE)
    found = matching.matches(model, patch, "dog", 5)
    assert sorted(one.part for one in found) == list(range(5))
    added = [one.added for one in found]
    assert added == sorted(added, reverse=True)
    whole = matching.similarity_maps(model, patch[None])[0]
    for one in found:
        assert one.added == pytest.approx(model.contributions(patch[None])[0, one.part, 1])
        assert one.similarity == pytest.approx(whole[..., one.part].max())
        (start, end), (low, high) = one.frames, one.bands
        assert (end - start, high - low) == (3, 3)
        other = np.full_like(patch, 9)
        other[start:end, low:high] = patch[start:end, low:high]
        again = matching.similarity_maps(model, other[None])[0, start // 2, low // 2, one.part]
        assert again == pytest.approx(one.similarity, abs=1e-5)


@pytest.mark.slow
def test_embeddings_are_like_a_prototype_as_a_whole():
    found = matching.matches(by_hand(maps=False), random_patches(1, SHAPE), 2, 2)
    assert [(one.frames, one.bands) for one in found] == [((0, 13), (0, 9))] * 2


@pytest.mark.slow
def test_several_patches_and_other_parts_are_refused():
    patches = random_patches(2, SHAPE)
    with pytest.raises(XaiAudioError, match="These are 2 patches: give one"):
        matching.matches(by_hand(), patches, 0)
    whole = by_hand(pooling="frequency-weighted")
    with pytest.raises(XaiAudioError, match="has no prototypes of patches or of their places"):
        matching.distance_maps(whole, patches)


@pytest.mark.slow
def test_what_a_sound_is_like(taught_prototypes):
    models, train, test = taught_prototypes
    model = models["protopnet"]
    patch = np.asarray(model.frontend(test[0].load()))[0]
    found = matching.matches(model, patch, test[0].label, 4)
    added = model.contributions(patch[None])[0, :, model.index(test[0].label)]
    assert [one.added for one in found] == sorted(added.tolist(), reverse=True)[:4]
    maps = matching.similarity_maps(model, patch[None])[0]
    for one in found:
        assert one.similarity == pytest.approx(maps[..., one.part].max(), abs=1e-6)
        # What lies outside of the place does not count for it.
        changed = np.full_like(patch, patch.min() - 3)
        (start, end), (low, high) = one.frames, one.bands
        changed[start:end, low:high] = patch[start:end, low:high]
        there = matching.similarity_maps(model, changed[None])[0, ..., one.part]
        cell = np.unravel_index(maps[..., one.part].argmax(), there.shape)
        assert there[cell] == pytest.approx(one.similarity, abs=1e-4)
    seen = matching.view(model.parts[0].places[0], train, model.frontend)
    assert seen.cells.shape == (96, 64)
    place = model.parts[0].places[0]
    step = model.frontend.hop / model.frontend.sample_rate
    assert seen.start + seen.frames[0] * step == pytest.approx(place.start, abs=1e-6)
    assert seen.start + seen.frames[1] * step == pytest.approx(place.end, abs=1e-6)
    edges = model.frontend.band_edges()
    assert (edges[seen.bands[0]], edges[seen.bands[1]]) == pytest.approx((place.low, place.high))
    assert matching.distance_maps(model, patch[None][:0]).shape == (0, *maps.shape)
    for wrong in (99, -1):
        with pytest.raises(XaiAudioError, match="class"):
            matching.matches(model, patch, wrong)
    for wrong in (0, -1, 1.5, True):
        with pytest.raises(XaiAudioError, match="count is"):
            matching.matches(model, patch, test[0].label, wrong)
    with pytest.raises(XaiAudioError, match="NaN"):
        matching.matches(model, patch * np.nan, test[0].label)
    with pytest.raises(XaiAudioError, match="no balls"):
        matching.members(model, patch[None])
    with pytest.raises(XaiAudioError, match="not among these"):
        matching.view(Place("nobody", 0, 1), train, model.frontend)
