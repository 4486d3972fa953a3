"""Shapley values against their definition, orders of all parts, and their axioms."""

import itertools

import numpy as np
import pytest
from small_networks import additive, random_patches

from xaiaudio import XaiAudioError, explain
from xaiaudio.explainers.engines import segments
from xaiaudio.explainers.shapley import DRAWS, Options, design_of, report_of, values


def random_game(count, answers=2, seed=0):
    """Return the answers to all 2**count coalitions, none of which follows from others."""
    table = np.random.default_rng(seed).normal(size=(2**count, answers))
    return lambda rows: table[np.asarray(rows) @ 2 ** np.arange(count)]


def pair_game(count, seed=0):
    """Return a function of coalitions whose parts work alone and in pairs, and its values."""
    rng = np.random.default_rng(seed)
    alone, pairs = rng.normal(size=count), np.triu(rng.normal(size=(count, count)) / count, 1)

    def ask(rows):
        rows = np.asarray(rows, float)
        return (4 + rows @ alone + ((rows @ pairs) * rows).sum(axis=1))[:, None]

    return ask, alone + (pairs.sum(axis=0) + pairs.sum(axis=1)) / 2


def by_orders(ask, count):
    """Let the parts come in every order, and see what each changes when it comes."""
    found, orders = 0, list(itertools.permutations(range(count)))
    for order in orders:
        row = np.zeros(count, int)
        before = ask(row[None])[0]
        gains = np.zeros((count, len(before)))
        for part in order:
            row[part] = 1
            after = ask(row[None])[0]
            gains[part], before = after - before, after
        found = found + gains
    return (found / len(orders)).T


def solved(ask, count, **options):
    options = Options(**options)
    design = design_of(count, options)
    return values(design, ask(design.present), options)


@pytest.mark.slow
@pytest.mark.parametrize("count", [1, 2, 3, 5, 6])
@pytest.mark.parametrize("seed", [0, 1])
def test_exact_values_are_the_mean_over_all_orders(count, seed):
    ask = random_game(count, seed=seed)
    found = solved(ask, count, seed=seed)
    np.testing.assert_allclose(found.weights, by_orders(ask, count), atol=1e-10)
    assert not found.errors.any()


@pytest.mark.parametrize("draws", DRAWS)
@pytest.mark.parametrize("count, samples", [(6, 64), (12, 60), (20, 100), (49, 512)])
def test_the_values_sum_to_what_all_parts_add(draws, count, samples):
    ask, _ = pair_game(count)
    found = solved(ask, count, samples=samples, draws=draws)
    ends = ask(np.array([[1], [0]]) * np.ones(count))
    assert found.weights.sum() == pytest.approx(ends[0, 0] - ends[1, 0])
    assert found.intercepts[0] == pytest.approx(ends[1, 0])


def test_parts_that_are_alike_get_the_same_and_a_dummy_its_own():
    def ask(rows):
        rows = np.asarray(rows, float)
        # 0 and 1 may be exchanged, 2 adds 0.7 to whatever is there, 3 nothing.
        return (rows[:, 0] * rows[:, 1] + rows[:, 4] * rows[:, :2].sum(axis=1) ** 2
                + 0.7 * rows[:, 2])[:, None]  # fmt: skip

    found = solved(ask, 5).weights[0]
    assert found[0] == pytest.approx(found[1])
    assert found[2] == pytest.approx(0.7) and found[3] == pytest.approx(0)


@pytest.mark.parametrize("draws", DRAWS)
@pytest.mark.parametrize("samples", [50, 5000])
def test_values_are_linear_in_the_game(draws, samples):
    first, second = random_game(10, 1, 3), random_game(10, 1, 4)
    options = {"samples": samples, "draws": draws, "seed": 5}
    one, two = (solved(ask, 10, **options).weights for ask in (first, second))
    both = solved(lambda rows: 2 * first(rows) - 3 * second(rows), 10, **options).weights
    np.testing.assert_allclose(both, 2 * one - 3 * two, atol=1e-9)


@pytest.mark.parametrize("draws", DRAWS)
def test_a_sum_of_parts_needs_no_more_than_the_fewest_samples(draws):
    gains = np.random.default_rng(0).normal(size=(3, 25))
    found = solved(lambda rows: rows @ gains.T + 1, 25, samples=77, draws=draws)
    np.testing.assert_allclose(found.weights, gains, atol=1e-8)
    np.testing.assert_allclose(found.r2, 1)
    np.testing.assert_allclose(found.stability, 1)


@pytest.mark.slow
@pytest.mark.parametrize("draws", DRAWS)
def test_more_samples_come_nearer_and_the_errors_say_how_near(draws):
    ask, truth = pair_game(16, seed=2)
    for samples, most in ((120, 1.0), (1000, 0.3)):
        found = [solved(ask, 16, samples=samples, draws=draws, seed=seed) for seed in range(30)]
        off = np.sqrt(np.mean([np.square(one.weights[0] - truth) for one in found]))
        assert off < most * np.abs(truth).mean()
        told = np.sqrt(np.mean([np.square(one.errors) for one in found]))
        assert told == pytest.approx(off, rel=0.3)
    mean = np.mean([one.weights[0] for one in found], axis=0)
    np.testing.assert_allclose(mean, truth, atol=4 * off / np.sqrt(30) + 0.01)


def test_with_complements_pairs_of_parts_cost_nothing():
    """A game of single parts and pairs is found exactly from coalitions with complements."""
    ask, truth = pair_game(12, seed=3)
    found = solved(ask, 12, samples=100)
    np.testing.assert_allclose(found.weights[0], truth, atol=1e-9)
    alone = solved(ask, 12, samples=100, draws="independent")
    assert np.abs(alone.weights[0] - truth).max() > 0.01


def test_the_regression_with_the_kernel_has_the_exact_values():
    """The theorem of Lundberg and Lee, all coalitions weighted by the kernel."""
    count, ask = 6, random_game(6, 3, 8)
    design = design_of(count, Options())
    answers, on = ask(design.present), design.present.sum(axis=1)
    weight = [1e9 if k in (0, count) else 0 for k in on]
    for row, k in enumerate(on):
        if 0 < k < count:
            ways = np.prod(np.arange(1, count + 1)) / (
                np.prod(np.arange(1, k + 1)) * np.prod(np.arange(1, count - k + 1))
            )
            weight[row] = (count - 1) / (ways * k * (count - k))
    root = np.sqrt(weight)[:, None]
    columns = np.column_stack([np.ones(len(on)), design.present])
    expected = np.linalg.lstsq(root * columns, root * answers, rcond=None)[0][1:]
    found = values(design, answers, Options())
    np.testing.assert_allclose(found.weights, expected.T, atol=1e-4)
    inner = (on > 0) & (on < count)
    said = columns @ np.vstack([found.intercepts, found.weights.T])
    weight = np.array(weight)[inner]
    level = np.average(answers[inner], axis=0, weights=weight)
    lost = weight @ (answers - said)[inner] ** 2 / (weight @ (answers[inner] - level) ** 2)
    np.testing.assert_allclose(found.r2, 1 - lost)


@pytest.mark.parametrize("draws", DRAWS)
def test_sizes_come_as_the_kernel_says(draws):
    options = Options(samples=60_002, draws=draws)
    design = design_of(17, options)
    assert design.present[0].all() and not design.present[1].any()
    sizes = design.present[2:].sum(axis=1)
    chances = 1 / (np.arange(1, 17) * np.arange(16, 0, -1))
    expected = 60_000 * chances / chances.sum()
    counts = np.bincount(sizes, minlength=17)[1:]
    assert counts.sum() == 60_000
    assert np.abs(counts - expected).max() < 8 * np.sqrt(expected.max())
    # Each part is in as many coalitions as another.
    assert np.abs(design.present[2:].mean(axis=0) - 0.5).max() < 0.01
    if draws == "complements":
        assert (design.present[2::2] + design.present[3::2] == 1).all()
        np.testing.assert_array_equal(design.groups[2::2], design.groups[3::2])


def test_an_answer_that_never_changes():
    for count, samples in ((4, 100), (20, 100)):
        found = solved(lambda rows: np.full((len(rows), 1), 3.3), count, samples=samples)
        assert np.abs(found.weights).max() < 1e-12
        assert np.isnan(found.r2[0]) and np.isnan(found.stability[0])


@pytest.mark.parametrize("count, samples", [(4, 100), (20, 100)])
def test_what_rounding_adds_to_an_answer_that_never_changes_is_nobodys(count, samples):
    # As of silence: all parts are asked about on their own, the rest in batches.
    found = solved(
        lambda rows: 3.3 + 1e-6 * rows.all(axis=1, keepdims=True), count, samples=samples
    )
    assert not found.weights.any()
    assert np.isnan(found.r2[0]) and np.isnan(found.stability[0])


@pytest.mark.slow
@pytest.mark.parametrize("samples", [100, 5000])
def test_segments_of_an_additive_network(samples):
    classifier, weights = additive((12, 8))
    patches = random_patches(2, (12, 8))
    found = explain(classifier, patches, [0, 2], "shapley", grid=(3, 4), samples=samples, fill=-1.0)
    numbers = segments.grid((12, 8), 3, 4)
    for patch, one, target in zip(patches, found.maps, (0, 2), strict=True):
        for number in range(12):
            inside = numbers == number
            gain = (weights[..., target] * (patch + 1))[inside].sum()
            np.testing.assert_allclose(one[inside], gain, atol=1e-4)
    report = found.report
    assert tuple(report) == ("samples", "rows", "none", "total", "r2", "stability")
    np.testing.assert_allclose(
        report["none"] + report["total"],
        classifier.logits(patches)[[0, 1], [0, 2]],
        atol=1e-4,
    )
    assert (report["samples"] == min(samples, 4096)).all()


def test_the_report_is_plain():
    options = Options(samples=70)
    design = design_of(15, options)
    found = report_of(design, values(design, pair_game(15)[0](design.present), options), options)
    assert found["samples"] == 70 and found["rows"] <= 70 and found["stability"] <= 1


@pytest.mark.parametrize(
    "options, message",
    [
        ({"samples": 100}, "Shapley values of 49 segments need 149 or more"),
        ({"grid": (2, 2), "samples": 9}, "of 4 segments need 14 or more"),
        ({"draws": "orthogonal"}, "draws is 'orthogonal'"),
        ({"samples": 1}, "samples is 1"),
        ({"features": 3}, "no option 'features'"),
    ],
)
def test_wrong_options(small, patches, options, message):
    with pytest.raises(XaiAudioError, match=message):
        explain(small, patches, method="shapley", **options)
