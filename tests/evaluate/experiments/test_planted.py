"""Planted segments: made, kept and counted as the plain definition says."""

from itertools import combinations

import keras
import numpy as np
import pytest
from keras import layers
from small_networks import LABELS, classifier_of, random_patches

import xaiaudio as xa
from xaiaudio import XaiAudioError
from xaiaudio.evaluate.benchmark.samples import Cases
from xaiaudio.evaluate.experiments.planted import (
    chance,
    found_by,
    hits,
    plant,
    planted,
    segment_weights,
)

SHAPE = (23, 3)


@pytest.fixture(scope="module")
def listener():
    """A classifier whose class k has the sum of band k as its logit."""
    inputs = keras.Input((*SHAPE, 1))
    sums = layers.GlobalAveragePooling1D()(layers.Reshape(SHAPE)(inputs))
    return classifier_of(keras.Model(inputs, layers.Softmax()(sums)))


@pytest.fixture(scope="module")
def cases():
    """Patches in which the band of their class is up in some frames, in half of them far up."""
    rng = np.random.default_rng(0)
    targets = np.arange(12) % 3
    patches = random_patches(12, SHAPE) * 0.1
    for number, (patch, target) in enumerate(zip(patches, targets, strict=True)):
        patch[rng.choice(23, 11, replace=False), target] += 30 if number % 2 else 4
    names = tuple(f"{LABELS[target]} {number}" for number, target in enumerate(targets))
    return Cases(patches, targets, None, names, "made", groups=tuple("abcdefabcdef"))


def cut(frames, count):
    """First and last-plus-one frame of each segment, in plain numbers."""
    numbers = [frame * count // frames for frame in range(frames)]
    return [(numbers.index(k), frames - numbers[::-1].index(k)) for k in range(count)]


def test_planting_replaces_the_places_and_nothing_else():
    hosts, donors = random_patches(4, SHAPE), random_patches(4, SHAPE, seed=1)
    truth = np.random.default_rng(0).random((4, 10)) < 0.4
    found = plant(hosts, donors, truth)
    for n in range(4):
        for place, (first, last) in enumerate(cut(23, 10)):
            source = donors if truth[n, place] else hosts
            np.testing.assert_array_equal(found[n, first:last], source[n, first:last])


def test_kept_are_those_whose_answer_crosses(listener, cases):
    made = planted(listener, cases, tries=300, limit=1000, seed=4)
    assert 10 < len(made) < made.tried == 300
    assert (made.truth.sum(axis=1) == 3).all()
    np.testing.assert_array_equal(listener.scores(made.patches).argmax(axis=1), made.targets)
    number = {name: index for index, name in enumerate(cases.names)}
    for patch, target, truth, host, donor, group in zip(
        made.patches, made.targets, made.truth, made.hosts, made.donors, made.groups, strict=True
    ):
        host, donor = number[host], number[donor]
        assert cases.targets[donor] == target != cases.targets[host]
        assert group == cases.groups[host]
        again = plant(cases.patches[[host]], cases.patches[[donor]], truth[None])[0]
        np.testing.assert_array_equal(patch, again)


def test_a_limit_counts_the_tries_up_to_the_last_that_is_kept(listener, cases):
    every = planted(listener, cases, tries=300, limit=1000, seed=4)
    some = planted(listener, cases, tries=300, limit=7, seed=4)
    np.testing.assert_array_equal(some.patches, every.patches[:7])
    assert some.tried < 300
    # With as many tries as that, the same seven: the last of them was the last try.
    assert len(some) == 7 and len(some) / some.tried == pytest.approx(len(every) / 300, abs=0.15)


def test_draws_come_from_the_seed(listener, cases):
    one, same, other = (planted(listener, cases, seed=seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(one.patches, same.patches)
    assert one.hosts == same.hosts != other.hosts
    assert len(set(one.hosts)) >= 6 and len(set(one.donors)) >= 6


def test_weights_of_segments_are_means_of_their_cells():
    maps = random_patches(2, SHAPE)
    found = segment_weights(maps, 10)
    for n in range(2):
        for place, (first, last) in enumerate(cut(23, 10)):
            assert found[n, place] == pytest.approx(maps[n, first:last].mean(), abs=1e-6)


def test_hits_are_what_the_two_sets_share():
    rng = np.random.default_rng(2)
    weights = rng.normal(size=(50, 10))
    truth = rng.random((50, 10)).argsort(axis=1) < 3
    for row, known, found in zip(weights, truth, hits(weights, truth), strict=True):
        top = sorted(range(10), key=lambda place: -row[place])[:3]
        assert found == len(set(top) & set(np.flatnonzero(known)))
    assert (hits(truth.astype(float), truth) == 3).all()
    assert (hits(-truth.astype(float), truth) == 0).all()
    with pytest.raises(XaiAudioError, match="one for each is needed"):
        hits(weights[:, :9], truth)


def test_chance_is_counted_out():
    sets = list(combinations(range(10), 3))
    counts = np.bincount([len({0, 1, 2} & set(one)) for one in sets])
    np.testing.assert_allclose(chance(), counts / len(sets))
    assert chance()[3] == pytest.approx(1 / 120)
    assert chance() @ np.arange(4) == pytest.approx(0.9)
    luck = np.random.default_rng(0).normal(size=(4000, 10))
    truth = np.tile(np.arange(10) < 3, (4000, 1))
    assert hits(luck, truth).mean() == pytest.approx(0.9, abs=0.05)


@pytest.mark.slow
def test_an_explanation_of_an_additive_network_finds_them(listener, cases):
    made = planted(listener, cases, tries=300, limit=40)
    lime = xa.Explainer("lime", grid=(10, 1), samples=1024, fill=0.0)
    found = found_by(listener, made, lime)
    # By hand: what each segment adds to the planted class.
    gains = [
        [patch[first:last, target].sum() for first, last in cut(23, 10)]
        for patch, target in zip(made.patches, made.targets, strict=True)
    ]
    np.testing.assert_array_equal(found, hits(gains, made.truth))
    assert found.mean() > 2


def test_what_cannot_be_planted(listener, cases):
    with pytest.raises(XaiAudioError, match="10 of 10 segments"):
        planted(listener, cases, places=10)
    with pytest.raises(XaiAudioError, match="two classes"):
        planted(listener, cases.part(cases.targets == 1))
    with pytest.raises(XaiAudioError, match="In none of 20 patches did small follow"):
        planted(deaf(), cases, tries=20)


def deaf():
    """A classifier that always answers cat."""
    inputs = keras.Input((*SHAPE, 1))
    dense = layers.Dense(3, kernel_initializer="zeros", name="logits")
    network = keras.Model(inputs, layers.Softmax()(dense(layers.Flatten()(inputs))), name="small")
    dense.set_weights([dense.get_weights()[0], np.array([9.0, 0, 0], "float32")])
    return classifier_of(network)
