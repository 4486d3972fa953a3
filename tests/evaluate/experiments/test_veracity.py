"""Maps against changes that are known, counted cell by cell."""

import numpy as np
import pytest
from scipy.stats import spearmanr
from small_networks import additive, random_patches

from xaiaudio import XaiAudioError
from xaiaudio.evaluate.experiments import adversarial, veracity

SHAPE = (11, 7)
RANDOM = np.random.default_rng(8)


@pytest.fixture(scope="module")
def world():
    """An additive network, and pairs of patches between which its answer turns."""
    model, weights = additive(SHAPE)
    clean, changed = random_patches(60, SHAPE), random_patches(60, SHAPE, seed=1)
    before, after = (model.scores(part).argmax(axis=1) for part in (clean, changed))
    turned = before != after
    whole = veracity.Pairs(clean, changed, before, after, np.arange(60) // 3, np.arange(60) % 3)
    return model, weights, whole.part(turned)


@pytest.fixture(scope="module")
def maps(world):
    return RANDOM.normal(size=world[2].changed.shape)


def test_the_most_changed_cells(world):
    pairs = world[2]
    truth = veracity.most_changed(pairs, 0.2)
    for change, cells in zip(pairs.change, truth, strict=True):
        assert cells.sum() == round(0.2 * 77)
        assert np.abs(change)[cells].min() >= np.abs(change)[~cells].max()


def test_agreement_counts_cells(world, maps):
    pairs = world[2]
    found = veracity.agreement(maps, pairs, 0.2)
    truth = veracity.most_changed(pairs, 0.2)
    for number, (cells, true) in enumerate(zip(maps, truth, strict=True)):
        positive = np.maximum(cells, 0)
        mass = sum(positive[place] for place in np.ndindex(SHAPE) if true[place]) / positive.sum()
        assert found["mass"][number] == pytest.approx(mass)
        top = sorted(np.ndindex(SHAPE), key=lambda place: -cells[place])[: true.sum()]
        assert found["rank"][number] == pytest.approx(np.mean([true[place] for place in top]))
        size = np.abs(pairs.change[number])
        expected = spearmanr(positive.ravel(), size.ravel()).statistic
        assert found["correlation"][number] == pytest.approx(expected)


@pytest.mark.slow
def test_the_change_itself_agrees_and_random_maps_are_at_chance(world):
    pairs = world[2]
    best = veracity.agreement(np.abs(pairs.change), pairs)
    np.testing.assert_allclose(best["rank"], 1)
    np.testing.assert_allclose(best["correlation"], 1)
    many = [veracity.agreement(RANDOM.random(pairs.change.shape), pairs) for _ in range(20)]
    for name, level in (("mass", 8 / 77), ("rank", 8 / 77), ("correlation", 0)):
        assert np.mean([one[name] for one in many]) == pytest.approx(level, abs=0.02)


@pytest.mark.slow
def test_cells_are_put_back_and_carried_over_one_by_one(world, maps):
    model, _, pairs = world
    shares = [0.0, 0.1, 0.5, 1.0]
    back = veracity.restored(model, maps, pairs, shares)
    over = veracity.carried_over(model, maps, pairs, shares)
    for number in range(0, len(pairs), 5):
        order = np.argsort(-maps[number].ravel(), kind="stable")
        for place, share in enumerate(shares):
            cells = order[: round(share * 77)]
            mixed = pairs.changed[number].ravel().copy()
            mixed[cells] = pairs.clean[number].ravel()[cells]
            answer = model.scores(mixed.reshape(1, *SHAPE)).argmax()
            assert back[number, place] == (answer == pairs.answers[number])
            mixed = pairs.clean[number].ravel().copy()
            mixed[cells] = pairs.changed[number].ravel()[cells]
            answer = model.scores(mixed.reshape(1, *SHAPE)).argmax()
            assert over[number, place] == (answer == pairs.targets[number])
    assert not back[:, 0].any() and back[:, -1].all()
    assert not over[:, 0].any() and over[:, -1].all()


@pytest.mark.slow
def test_the_exact_map_is_the_weighted_change_of_an_additive_network(world):
    model, weights, pairs = world
    found = veracity.exact(model, pairs)
    for number in range(len(pairs)):
        target, answer = pairs.targets[number], pairs.answers[number]
        expected = pairs.change[number] * (weights[..., target] - weights[..., answer])
        np.testing.assert_allclose(found[number], expected, atol=1e-3)


@pytest.mark.slow
def test_the_exact_map_adds_up_on_a_network_that_is_not(small):
    clean, changed = random_patches(5, (13, 9)), random_patches(5, (13, 9), seed=1)
    before, after = np.array([0, 1, 2, 0, 1]), np.array([1, 2, 0, 2, 0])
    pairs = veracity.Pairs(clean, changed, before, after, np.arange(5), np.zeros(5, int))
    rows = np.arange(5)
    gains = small.logits(changed) - small.logits(clean)
    expected = gains[rows, after] - gains[rows, before]
    sums = veracity.exact(small, pairs, tolerance=0.01).sum(axis=(1, 2))
    bounds = 0.011 * (np.abs(gains[rows, after]) + np.abs(gains[rows, before])) + 1e-4
    assert (np.abs(sums - expected) <= bounds).all()


@pytest.mark.slow
def test_a_true_map_needs_fewer_cells(world):
    model, _, pairs = world
    shares = np.linspace(0, 1, 21)
    needs = {
        name: veracity.share_needed(veracity.restored(model, cells, pairs, shares), shares).mean()
        for name, cells in (
            ("exact", veracity.exact(model, pairs)),
            ("random", RANDOM.random(pairs.change.shape)),
        )
    }
    assert needs["exact"] < 0.5 * needs["random"]


def test_the_share_needed():
    happened = np.array([[0, 1, 0], [0, 0, 0], [1, 1, 1]], bool)
    np.testing.assert_array_equal(veracity.share_needed(happened, [0.1, 0.2, 0.3]), [0.2, 1, 0.1])


@pytest.mark.slow
def test_pairs_are_the_patches_that_turned():
    model, _ = additive((20, 12))
    from xaiaudio import AudioClassifier, LogMel

    frontend = LogMel(bands=12, frames=20)
    model = AudioClassifier.from_keras(model.network, ("cat", "dog", "rain"), frontend)
    wave = RANDOM.normal(0, 0.1, 9_000).astype("float32")
    label = model.predict_clip(wave, overlap=0.5).label
    target = next(name for name in model.labels if name != label)
    found = adversarial.attack(model, [wave], target, level_db=-6, rounds=4, overlap=0.5)
    pairs = veracity.pairs_of(model, found)
    clean, changed = (model.frontend.with_overlap(0.5)(w) for w in (wave, found.changed[0]))
    before, after = (model.scores(part).argmax(axis=1) for part in (clean, changed))
    kept = (before == model.index(label)) & (after == model.index(target))
    assert kept.sum() == len(pairs) > 0
    np.testing.assert_array_equal(pairs.places, np.flatnonzero(kept))
    np.testing.assert_array_equal(pairs.clean, clean[kept])
    np.testing.assert_array_equal(pairs.changed, changed[kept])
    too_faint = adversarial.attack(model, [wave], target, level_db=-150, rounds=1)
    with pytest.raises(XaiAudioError, match="turned no patch"):
        veracity.pairs_of(model, too_faint)


@pytest.mark.parametrize("share", [0, 1, -0.5, 2])
def test_a_share_that_makes_no_sense(world, maps, share):
    with pytest.raises(XaiAudioError, match="share is"):
        veracity.agreement(maps, world[2], share)


def test_bad_input(world, maps):
    model, _, pairs = world
    with pytest.raises(XaiAudioError, match="explain pairs.changed"):
        veracity.agreement(maps[:-1], pairs)
    with pytest.raises(XaiAudioError, match="shares are"):
        veracity.restored(model, maps, pairs, [1.5])
    with pytest.raises(XaiAudioError, match="shares are"):
        veracity.carried_over(model, maps, pairs, [])
