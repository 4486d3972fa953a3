"""The surrogate against scikit-learn's ridge, its invariants, and its own word on its luck."""

import itertools
import warnings

import numpy as np
import pytest
from sklearn.linear_model import Ridge
from sklearn.metrics import pairwise_distances

from xaiaudio.explainers.engines import designs, surrogate
from xaiaudio.explainers.engines.designs import Design, draw

KERNELS = (0.1, 0.25, 2.0)


def game(count, seed=0, order=2, answers=3):
    """Return a function of coalitions (m, count) with random interactions up to an order."""
    rng = np.random.default_rng(seed)
    terms = [
        (list(members), rng.normal(0, 1 / max(size, 1) ** 2, answers))
        for size in range(order + 1)
        for members in itertools.combinations(range(count), size)
    ]
    return lambda rows: sum(
        np.asarray(rows)[:, members].prod(axis=1, keepdims=True) * gain for members, gain in terms
    )


@pytest.mark.parametrize("width", KERNELS)
def test_the_kernel_is_that_of_the_cosine_distance(width):
    present = draw(12, 60, 1, "independent").present
    distance = pairwise_distances(present, present[:1], metric="cosine").ravel()
    expected = np.sqrt(np.exp(-(distance**2) / width**2))
    np.testing.assert_allclose(surrogate.kernel(present, width), expected, rtol=1e-9)


def test_values_of_the_kernel():
    present = np.tri(11, 10, -1)[::-1]
    values = [1, 0.9792, 0.9147, 0.8078, 0.6660, 0.5034, 0.3394, 0.1947, 0.0868, 0.0237, 0.0003]
    np.testing.assert_allclose(surrogate.kernel(present), values, atol=5e-5)


@pytest.mark.slow
@pytest.mark.parametrize("draws", designs.DRAWS)
@pytest.mark.parametrize("count, samples", [(5, 31), (5, 40), (12, 60), (30, 20)])
@pytest.mark.parametrize("alpha", [0.3, 1.0])
def test_the_fit_is_the_ridge_of_scikit_learn(draws, count, samples, alpha):
    design = draw(count, samples, 2, draws)
    answers = game(count)(design.present) + 7
    closeness = surrogate.kernel(design.present)
    found = surrogate.fit(design, answers, closeness, alpha)
    assert found.total == pytest.approx(closeness.sum())
    for number, column in enumerate(answers.T):
        ridge = Ridge(alpha=alpha).fit(design.present, column, sample_weight=closeness)
        np.testing.assert_allclose(found.weights[number], ridge.coef_, atol=1e-9)
        assert found.intercepts[number] == pytest.approx(ridge.intercept_)
        assert found.r2[number] == pytest.approx(ridge.score(design.present, column, closeness))


@pytest.mark.parametrize("draws", designs.DRAWS)
@pytest.mark.parametrize("width", KERNELS)
def test_a_sum_of_parts_is_recovered_whatever_the_kernel(draws, width):
    design = draw(9, 150, 3, draws)
    gains = np.random.default_rng(1).normal(size=(4, 9))
    answers = design.present @ gains.T + [3, 0, -2, 1]
    found = surrogate.fit(design, answers, surrogate.kernel(design.present, width), alpha=0)
    np.testing.assert_allclose(found.weights, gains, atol=1e-8)
    np.testing.assert_allclose(found.intercepts, [3, 0, -2, 1], atol=1e-8)
    np.testing.assert_allclose(found.r2, 1)
    np.testing.assert_allclose(found.errors, 0, atol=1e-6)
    np.testing.assert_allclose(found.stability, 1)


@pytest.mark.parametrize("constant", [0.0, 0.1, -3e7])
def test_an_answer_that_never_changes_has_no_weights_and_no_fit(constant):
    design = draw(8, 50)
    answers = np.stack([np.full(50, constant), design.present[:, 0]], axis=1)
    found = surrogate.fit(design, answers, surrogate.kernel(design.present))
    assert not found.weights[0].any() and not found.errors[0].any()
    assert np.isnan(found.r2[0]) and np.isnan(found.stability[0])
    assert found.intercepts[0] == pytest.approx(constant)
    assert found.r2[1] > 0.9 and found.stability[1] > 0.9


def test_answers_that_change_only_where_nothing_counts_have_no_fit():
    design = draw(4, 16)
    closeness = surrogate.kernel(design.present, 1e-3)
    assert closeness[0] == 1 and not closeness[1:].any()
    with warnings.catch_warnings():
        warnings.simplefilter("error", RuntimeWarning)
        found = surrogate.fit(design, design.present @ [[1.0], [2.0], [0.0], [-1.0]], closeness)
    assert not found.weights.any() and np.isnan(found.r2).all()
    assert found.intercepts.tolist() == [2.0]


def test_parts_that_change_places_change_the_places_of_their_weights():
    design, order = draw(10, 80, 1), np.random.default_rng(0).permutation(10)
    answers, closeness = game(10)(design.present), surrogate.kernel(design.present)
    found = surrogate.fit(design, answers, closeness)
    moved = surrogate.fit(Design(design.present[:, order], design.groups), answers, closeness)
    np.testing.assert_allclose(moved.weights, found.weights[:, order], atol=1e-9)
    np.testing.assert_allclose(moved.errors, found.errors[:, order], atol=1e-9)


def test_of_all_coalitions_no_seed_and_no_draw_matters():
    found = [
        surrogate.fit(one, game(5)(one.present), surrogate.kernel(one.present))
        for one in (draw(5, 32, seed, draws) for seed in range(3) for draws in designs.DRAWS)
    ]
    for other in found[1:]:
        np.testing.assert_array_equal(other.weights, found[0].weights)
    assert not found[0].errors.any()
    np.testing.assert_array_equal(found[0].stability, 1)
    assert (found[0].r2 < 1).all()


def test_a_larger_penalty_makes_smaller_weights():
    design = draw(12, 100, 5)
    answers, closeness = game(12)(design.present), surrogate.kernel(design.present)
    lengths = [
        np.linalg.norm(surrogate.fit(design, answers, closeness, alpha).weights, axis=1)
        for alpha in (0, 0.1, 1, 10, 100)
    ]
    assert (np.diff(lengths, axis=0) < 0).all()


def errors_by_hand(design, answers, closeness):
    """Refit without each group in turn: exact for groups of one row, up to its leverage."""
    root = np.sqrt(closeness)[:, None]
    left = root * np.column_stack([np.ones(len(design)), design.present])
    solver = np.linalg.pinv(left)
    rest = root * answers - left @ (solver @ (root * answers))
    total = np.zeros((left.shape[1], answers.shape[1]))
    for group in range(design.groups.max() + 1):
        inside = design.groups == group
        hat = left[inside] @ solver[:, inside]
        values, vectors = np.linalg.eigh(np.eye(len(hat)) - hat)
        total += (solver[:, inside] @ (vectors / np.sqrt(values)) @ vectors.T @ rest[inside]) ** 2
    return np.sqrt(total[1:]).T


@pytest.mark.parametrize("draws", designs.DRAWS)
def test_the_errors_by_their_definition(draws):
    design = draw(7, 60, 3, draws)
    answers, closeness = game(7)(design.present), surrogate.kernel(design.present)
    found = surrogate.fit(design, answers, closeness, alpha=0)
    np.testing.assert_allclose(found.errors, errors_by_hand(design, answers, closeness), rtol=1e-6)


@pytest.mark.slow
@pytest.mark.parametrize("draws", designs.DRAWS)
@pytest.mark.parametrize("samples", [65, 129, 200])
def test_the_stability_is_the_correlation_of_seeds(draws, samples):
    ask, count = game(20, order=3, answers=4, seed=2), 20
    fits = []
    for seed in range(40):
        design = draw(count, samples, seed, draws)
        fits.append(surrogate.fit(design, ask(design.present), surrogate.kernel(design.present)))
    weights = np.stack([one.weights for one in fits])
    pairs = np.triu_indices(len(fits), 1)
    alike = [np.corrcoef(weights[:, answer])[pairs].mean() for answer in range(4)]
    said = np.mean([one.stability for one in fits], axis=0)
    assert min(alike) < 0.99
    np.testing.assert_allclose(said, alike, atol=0.07)
    spread = np.sqrt(weights.var(axis=0, ddof=1).mean(axis=1))
    told = np.sqrt(np.mean([np.square(one.errors).mean(axis=1) for one in fits], axis=0))
    np.testing.assert_allclose(told, spread, rtol=0.35)


def test_too_few_rows_say_nothing_of_their_luck():
    design = draw(30, 25)
    found = surrogate.fit(design, game(30)(design.present), surrogate.kernel(design.present))
    assert np.isnan(found.errors).all() and np.isnan(found.stability).all()
    assert np.isfinite(found.weights).all()


@pytest.mark.slow
@pytest.mark.parametrize("samples", [128, 200, 256])
def test_designs_are_worth_their_name(samples):
    """The error of the weights of a game with interactions, against all that chance can do."""
    ask, count = game(40, order=2, answers=5, seed=4), 40
    errors = {}
    reference = draw(count, 20_000, 99, "complements")
    truth = surrogate.fit(reference, ask(reference.present), surrogate.kernel(reference.present))
    for draws in designs.DRAWS:
        errors[draws] = []
        for seed in range(6):
            one = draw(count, samples, seed, draws)
            found = surrogate.fit(one, ask(one.present), surrogate.kernel(one.present))
            errors[draws].append(np.linalg.norm(found.weights - truth.weights))
    orthogonal, complements, independent = (np.mean(errors[draws]) for draws in designs.DRAWS)
    assert orthogonal < complements < independent
