"""What networks that explain themselves cost, counted by hand."""

import itertools

import keras
import numpy as np
import pytest
from small_networks import LABELS, frontend, random_patches

from xaiaudio.errors import XaiAudioError
from xaiaudio.models.designs.base import SelfExplaining
from xaiaudio.models.designs.comparison import likeness, parts_per_decision, price
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


@pytest.mark.parametrize("share", [0.3, 0.9, 1.0])
def test_parts_of_a_decision(share):
    one, patches = model(), random_patches(12, SHAPE)
    assert parts_per_decision(one, patches, share).tolist() == counted(one, patches, share)


def test_no_part_adds_anything():
    assert parts_per_decision(model(scale=0.0), random_patches(3, SHAPE)).tolist() == [0, 0, 0]
    with pytest.raises(XaiAudioError, match="share"):
        parts_per_decision(model(), random_patches(3, SHAPE), 0)


def test_the_same_parts_in_another_order_are_alike():
    patches = random_patches(8, SHAPE)
    mean, pairs = likeness([model(), model(order=[2, 0, 3, 1])], patches)
    assert mean == pytest.approx(1) and pairs.shape == (1,)


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
