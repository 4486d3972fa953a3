"""Distances of recorded values by their definition, and how far they may be."""

import itertools

import numpy as np
import pytest

from xaiaudio.publishing import metric
from xaiaudio.publishing.record import summarise


def test_distances_are_those_of_the_definition():
    rng = np.random.default_rng(0)
    a, b = rng.random((12, 9)), rng.random((12, 9))
    told = metric.distances(*(summarise({"x": side})["x"] for side in (a, b)))
    span = a.max() - a.min()
    assert told["pattern"] == pytest.approx(1 - np.corrcoef(a.ravel(), b.ravel())[0, 1], rel=1e-3)
    assert told["values"] == pytest.approx(np.sqrt(((a - b) ** 2).mean()) / span, rel=1e-3)
    assert told["low"] == pytest.approx(abs(a.min() - b.min()) / span, rel=1e-2)
    assert told["mean"] == pytest.approx(abs(a.mean() - b.mean()) / span, rel=1e-2)


def array(values):
    return summarise({"x": np.asarray(values)})["x"]


def test_kinds_of_values():
    assert all(map(metric.is_array, (array([1.0]), array([1]), array([True]))))
    assert not any(map(metric.is_array, (array(["a"]), 1.0, "a", None)))
    assert all(map(metric.is_number, (1, 0.5))) and not any(map(metric.is_number, (True, "1")))


def test_distances_are_relative_to_the_range_of_the_baseline():
    old = np.array([[0.0, 1.0], [2.0, 4.0]])
    same = metric.distances(array(old), array(old))
    assert same == dict.fromkeys(metric.FLOORS, 0.0)
    moved = metric.distances(array(old), array(old + 1))
    assert moved == {"pattern": 0, "low": 0.25, "high": 0.25, "mean": 0.25, "values": 0.25}
    turned = metric.distances(array(old), array(-old))
    assert turned["pattern"] == 2 and turned["low"] == 1
    assert metric.distances(array(np.zeros((0, 3))), array(np.zeros((0, 3))))["values"] == 0


def test_flat_arrays_are_alike_or_not_at_all():
    flat, other, sloped = array(np.ones(4)), array(np.full(4, 2.0)), array(np.arange(4.0))
    assert metric.distances(flat, other)["pattern"] == 0
    assert metric.distances(flat, sloped)["pattern"] == 1
    assert metric.distances(array(np.zeros(4)), array(np.zeros(4)))["mean"] == 0


def test_below_zero_by_rounding_is_not_negative():
    assert not metric.is_negative(array([-0.004, 1.0])) and metric.is_negative(array([-0.006, 1]))
    assert not metric.is_negative(array([0, 3]))


def test_spreads_are_the_largest_of_all_pairs():
    assert metric.number_spread([3, 1, 2]) == 2.0 and metric.number_spread([5]) == 0
    sides = [array([0.0, 1.0, shift]) for shift in (0.0, 0.2, 0.6)]
    found = metric.array_spread(sides)
    pairs = [metric.distances(*pair) for pair in itertools.combinations(sides, 2)]
    assert found == {rule: max(pair[rule] for pair in pairs) for rule in metric.FLOORS}
    assert metric.array_spread(sides[:1]) == dict.fromkeys(metric.FLOORS, 0.0)


def test_a_number_may_move_twice_as_far_as_between_runs_and_a_little_in_any_case():
    assert metric.number_least(50) == pytest.approx(0.1, rel=1e-4)
    assert metric.number_least(0) == 1e-6
    assert metric.number_least(50, 3) == 3 and metric.number_least(50, whole=True) == 0
    assert metric.number_tolerance(0.2, 0.1) == 0.4
    assert metric.number_tolerance(0.01, 0.1) == metric.number_tolerance(0, 0.1) == 0.1


def test_an_array_may_move_between_the_floors_and_the_caps():
    spread = dict(zip(metric.FLOORS, (0.0, 0.1, 9.0, 0.001, 0.02), strict=True))
    found = metric.array_tolerance(spread, array([0.5, 1.0]))
    assert list(found.values()) == [0.01, 0.2, 1.0, 0.02, 0.04]
    still = dict.fromkeys(metric.FLOORS, 0.0)
    assert metric.array_tolerance(still, array([0.5, 1.0])) == metric.FLOORS
    for exact in (array([1, 2]), array([True, False])):
        assert not any(metric.array_tolerance(still, exact).values())
        assert all(metric.array_tolerance({**still, "mean": 0.1}, exact).values())
    # Means of blocks of whole numbers are rounded: they are not exact.
    many = array(np.arange(5000))
    assert "blocks" in many and metric.array_tolerance(still, many) == metric.FLOORS
