"""What networks that explain themselves cost, counted by hand."""

import itertools

import keras
import numpy as np
import pytest
from small_networks import LABELS, frontend, random_patches

import xaiaudio as xa
from xaiaudio.errors import XaiAudioError
from xaiaudio.models.designs.base import SelfExplaining
from xaiaudio.models.designs.comparison import likeness, parts_per_decision, price, purity
from xaiaudio.models.designs.evidence import Evidence
from xaiaudio.models.training.tables import PatchTable

SHAPE = (6, 5)


def model(seed=0, count=4, order=None, scale=1.0):
    rng = np.random.default_rng(seed)
    order = np.arange(count) if order is None else np.asarray(order)
    inputs = keras.Input((*SHAPE, 1))
    parts = keras.layers.Dense(count, name="parts")
    logits = keras.layers.Dense(3, name="logits")
    network = keras.Model(inputs, logits(parts(keras.layers.Flatten()(inputs))))
    first, second = rng.normal(size=(30, count)), rng.normal(size=(count, 3))
    parts.set_weights([scale * first[:, order], np.zeros(count)])
    logits.set_weights([second[order], rng.normal(size=3)])
    evidence = [Evidence("part")]
    return SelfExplaining.from_network(
        network, LABELS, frontend(*SHAPE), evidence * count, design="by hand"
    )


def counted(one, patches, share):
    """The definition: take the largest parts until they hold the share."""
    found = []
    for patch, logits in zip(one.contributions(patches), one.logits(patches), strict=True):
        sizes = sorted(np.abs(patch[:, logits.argmax()]).astype(float), reverse=True)
        taken = 0
        while sum(sizes[:taken]) < share * sum(sizes) * (1 - 1e-9):
            taken += 1
        found.append(taken)
    return found


@pytest.mark.slow
@pytest.mark.parametrize("share", [0.3, 0.9, 1.0])
def test_parts_of_a_decision(share):
    one, patches = model(), random_patches(12, SHAPE)
    assert parts_per_decision(one, patches, share).tolist() == counted(one, patches, share)


@pytest.mark.slow
def test_of_two_classes_the_difference_of_the_logits_counts():
    inputs = keras.Input((*SHAPE, 1))
    parts = keras.layers.Dense(4, name="parts")
    logits = keras.layers.Dense(2, name="logits")
    network = keras.Model(inputs, logits(parts(keras.layers.Flatten()(inputs))))
    weights = np.random.default_rng(3).normal(size=(4, 2))
    weights[:, 0] = 0  # the first logit is the same whatever is heard
    logits.set_weights([weights, np.array([0.5, 0])])
    one = SelfExplaining.from_network(
        network, ("alike", "other"), frontend(*SHAPE), [Evidence("part")] * 4, design="by hand"
    )
    patches = random_patches(20, SHAPE)
    winners = one.logits(patches).argmax(axis=1)
    assert set(winners) == {0, 1}
    for found, patch in zip(
        parts_per_decision(one, patches), one.contributions(patches).astype(float), strict=True
    ):
        sizes = sorted(np.abs(patch[:, 1] - patch[:, 0]), reverse=True)
        taken = 1
        while sum(sizes[:taken]) < 0.9 * sum(sizes):
            taken += 1
        assert found == taken


def test_no_part_adds_anything():
    assert parts_per_decision(model(scale=0.0), random_patches(3, SHAPE)).tolist() == [0, 0, 0]
    with pytest.raises(XaiAudioError, match="share"):
        parts_per_decision(model(), random_patches(3, SHAPE), 0)


@pytest.mark.slow
def test_the_same_parts_in_another_order_are_alike():
    patches = random_patches(8, SHAPE)
    mean, pairs = likeness([model(), model(order=[2, 0, 3, 1])], patches)
    assert mean == pytest.approx(1) and pairs.shape == (1,)


@pytest.mark.slow
def test_matching_is_the_best_of_all(seeds=(1, 2)):
    patches = random_patches(8, SHAPE)
    one, two = (model(seed) for seed in seeds)
    a, b = (m.contributions(patches).transpose(1, 0, 2).reshape(4, -1) for m in (one, two))
    cosine = (a @ b.T) / np.outer(np.linalg.norm(a, axis=1), np.linalg.norm(b, axis=1))
    best = max(
        np.mean([cosine[i, j] for i, j in enumerate(order)])
        for order in itertools.permutations(range(4))
    )
    assert likeness([one, two], patches)[0] == pytest.approx(best, abs=1e-5)
    with pytest.raises(XaiAudioError, match="two networks"):
        likeness([one], patches)


@pytest.mark.slow
def test_parts_to_compare_may_be_others():
    patches = random_patches(8, SHAPE)
    one, two = model(1), model(2)

    def halves(some, given):
        found = some.contributions(given)
        return np.stack([found[:, :2].sum(axis=1), found[:, 2:].sum(axis=1)], axis=1)

    a, b = (halves(m, patches).transpose(1, 0, 2).reshape(2, -1) for m in (one, two))
    cosine = (a @ b.T) / np.outer(np.linalg.norm(a, axis=1), np.linalg.norm(b, axis=1))
    best = max(np.trace(cosine), np.trace(cosine[:, ::-1])) / 2
    assert likeness([one, two], patches, added=halves)[0] == pytest.approx(best, abs=1e-5)


def test_patches_that_are_dealt_out_anew_leave_what_is_always_added():
    patches = 1e-3 * random_patches(64, SHAPE)
    one = model(1)
    assert likeness([one, one], patches)[0] == pytest.approx(1)
    assert abs(likeness([one, one], patches, dealt=0)[0]) < 0.5
    # What is added whatever is heard is no likeness in what is heard.
    one.logits_network.get_layer("parts").bias.assign(np.ones(4))
    assert likeness([one, one], patches, dealt=0)[0] > 0.9


def test_purity_by_hand():
    one, patches = model(), random_patches(10, SHAPE)
    clip = np.repeat(np.arange(5), 2)
    truth = tuple(LABELS[k % 3] for k in range(5))
    table = PatchTable(patches, clip, tuple("abcde"), truth, LABELS)
    answers = one.activations(patches).reshape(5, 2, 4).max(axis=1)
    hits = []
    for part in range(4):
        speaks = LABELS[one.weights[part].argmax()]
        best = sorted(range(5), key=lambda k: -answers[k, part])[:2]
        hits += [truth[k] == speaks for k in best]
    assert purity(one, table, 2) == pytest.approx(np.mean(hits))
    with pytest.raises(XaiAudioError, match="5 clips"):
        purity(one, table, 6)


@pytest.mark.slow
def test_a_row(tmp_path):
    patches = random_patches(6, SHAPE)
    one = model()
    said = [LABELS[k] for k in one.scores(patches).argmax(axis=1)]
    wrong = LABELS[(LABELS.index(said[0]) + 1) % 3]
    table = PatchTable(patches, np.arange(6), tuple("abcdef"), (wrong, *said[1:]), LABELS)
    row = price(one, table)
    assert row.clip_accuracy == pytest.approx(5 / 6)
    assert (row.parts, row.weights) == (4, 30 * 4 + 4 + 4 * 3 + 3)
    assert row.per_decision == np.median(counted(one, patches, 0.9))
    assert np.isnan(row.seconds)
    tested = xa.models.test(one, table)
    assert (row.clip_accuracy, row.patch_accuracy) == (tested.clip_accuracy, tested.patch_accuracy)


@pytest.mark.slow
def test_a_price_of_a_network_whose_classes_do_not_exclude_each_other():
    made, patches = model(2), random_patches(9, SHAPE)
    one = SelfExplaining.from_network(
        made.logits_network,
        LABELS,
        made.frontend,
        made.parts,
        design="by hand",
        activation="sigmoid",
    )
    said = [LABELS[k] for k in one.scores(patches).argmax(axis=1)]
    # Three patches a clip: where each has a vote for another class, the mean score decides.
    table = PatchTable(patches, np.arange(9) // 3, tuple("abc"), tuple(said[::3]), LABELS)
    row, tested = price(one, table), xa.models.test(one, table)
    assert (row.clip_accuracy, row.patch_accuracy) == (tested.clip_accuracy, tested.patch_accuracy)
    assert row.per_decision == np.median(parts_per_decision(one, patches))
