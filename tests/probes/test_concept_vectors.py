"""Concept activation vectors against their definition, draw by draw."""

import numpy as np
import pytest
from sklearn.linear_model import Ridge

from xaiaudio.probes import concept_vectors


def clouds(seed=0, draws=20, size=3, channels=7, shift=1.0):
    rng = np.random.default_rng(seed)
    concept = rng.normal(size=(draws, size, channels)) + shift * np.eye(channels)[2]
    return concept, rng.normal(size=(draws, size, channels)) - 0.2


def test_a_vector_is_the_ridge_classifiers_normal():
    concept, random = clouds()
    found = concept_vectors.vectors(concept, random, ridge=0.3)
    for draw in range(len(concept)):
        rows = [*concept[draw], *random[draw]]
        mean = sum(rows) / len(rows)
        rows = np.array([row - mean for row in rows])
        strength = 0.3 * sum(float(row @ row) for row in rows) / len(rows)
        signs = np.array([1.0] * 3 + [-1.0] * 3)
        peer = Ridge(alpha=strength).fit(rows, signs).coef_
        plain = np.linalg.inv(rows.T @ rows + strength * np.eye(7)) @ rows.T @ signs
        for wanted in (peer, plain):
            np.testing.assert_allclose(found.directions[draw], wanted / np.linalg.norm(wanted))
        gap = concept[draw].mean(axis=0) - random[draw].mean(axis=0)
        assert found.apart[draw] == pytest.approx(gap @ found.directions[draw])
    assert (found.apart > 0).all()  # towards the concept


def test_the_accuracy_is_of_the_other_draws():
    concept, random = clouds(shift=0.6)
    found = concept_vectors.vectors(concept, random)
    right = []
    for draw, vector in enumerate(found.directions):
        border = vector @ np.concatenate([concept[draw], random[draw]]).mean(axis=0)
        for other in range(len(concept)):
            if other != draw:
                right += [float(row @ vector > border) for row in concept[other]]
                right += [float(row @ vector < border) for row in random[other]]
    assert found.accuracy == pytest.approx(np.mean(right))
    assert 0.5 < found.accuracy < 1


def test_exchanging_the_sides_turns_vectors_round():
    concept, random = clouds()
    there, back = concept_vectors.vectors(concept, random), concept_vectors.vectors(random, concept)
    np.testing.assert_allclose(there.directions, -back.directions, atol=1e-12)
    assert there.accuracy == pytest.approx(back.accuracy)
    gradients = np.random.default_rng(1).normal(size=(30, 7))
    targets, classes = np.arange(30) % 3, np.arange(3)
    rising, falling, effects = concept_vectors.answers(there, gradients, targets, classes)
    turned = concept_vectors.answers(back, gradients, targets, classes)
    np.testing.assert_array_equal(rising, turned[1])
    np.testing.assert_array_equal(rising + falling, 10)  # no ties: score(-v) = 1 - score
    np.testing.assert_allclose(effects, -turned[2])


def test_what_rises_is_counted_patch_by_patch():
    found = concept_vectors.vectors(*clouds())
    gradients = np.random.default_rng(2).normal(size=(12, 7))
    gradients[3] = 0  # a tie
    targets = np.repeat([0, 2], 6)
    rising, falling, effects = concept_vectors.answers(found, gradients, targets, [2, 0])
    for row, label in enumerate((2, 0)):
        slopes = [[float(g @ v) for v in found.directions] for g in gradients[targets == label]]
        assert rising[row].tolist() == [
            sum(one > 0 for one in each) for each in zip(*slopes, strict=True)
        ]
        assert falling[row].tolist() == [
            sum(one < 0 for one in each) for each in zip(*slopes, strict=True)
        ]
        assert effects[row] == pytest.approx(np.mean(np.array(slopes) * found.apart))
    assert (rising[1] + falling[1] == 5).all()


def test_sounds_that_are_all_alike_tell_nothing_apart():
    alike = np.ones((2, 3, 4))
    found = concept_vectors.vectors(alike, alike)
    assert not found.directions.any() and not found.apart.any() and found.accuracy == 0.5


def test_one_draw_has_no_other_to_be_tested_on():
    concept, random = clouds(draws=1)
    found = concept_vectors.vectors(concept, random)
    assert np.isnan(found.accuracy) and np.linalg.norm(found.directions) == pytest.approx(1)
