"""Fidelity and spread of explanations by parts, against the plain definition."""

import dataclasses

import numpy as np
import pytest

import xaiaudio as xa
from xaiaudio.evaluate.metrics.parts import spread, top_parts
from xaiaudio.explainers.engines.components import Components
from xaiaudio.models.hearing import hear, voting


@pytest.fixture(scope="module")
def model():
    return xa.load_model("lite")


@pytest.fixture(scope="module")
def results(model):
    rng = np.random.default_rng(0)
    made = []
    for number in range(3):
        wave = rng.normal(0, 0.1, 20_000) * np.linspace(0.1, 1, 20_000)
        wave[:10_000] += 0.2 * np.sin(np.arange(10_000) * (0.1 + number))
        parts = Components.in_time(wave.astype("float32"), 5)
        # With a residual, which must go too.
        parts = Components(parts.whole, 0.8 * parts.parts, parts.names)
        made.append(xa.explain_parts(model, parts))
    signed = dataclasses.replace(made[2], weights=np.array([0.1, -3, 2, -1, -2]))
    return [*made[:2], signed]


def same(model, one, rows):
    """Whether the class stays when only these parts are kept, one sound at a time."""
    voted = voting(model, one.components.whole)
    found = []
    for row in rows:
        kept = sum((one.components.parts[part] for part in row), np.zeros(20_000, "float32"))
        found.append(hear(model, kept[None], voted=voted)[0].argmax() == one.scores.argmax())
    return found


@pytest.mark.slow
def test_only_the_best_parts_are_kept(model, results):
    found = top_parts(model, results, [1, 2, 3], draws=2, seed=1)
    for row, one in enumerate(results):
        best = sorted(range(5), key=lambda part: -one.weights[part])
        positive = [part for part in best if one.weights[part] > 0]
        for place, count in enumerate([1, 2, 3]):
            if len(positive) < count:
                assert np.isnan(found.unchanged[row, place])
                assert np.isnan(found.chance[row, place])
            else:
                expected = same(model, one, [best[:count]])[0]
                assert found.unchanged[row, place] == expected
    # The last has two parts that speak for it, so a third is not there.
    assert np.isnan(found.unchanged[2, 2])


@pytest.mark.slow
def test_all_positive_parts_leave_chance_no_choice(model, results):
    count = int((results[2].weights > 0).sum())
    found = top_parts(model, results[2:], [count], draws=3)
    assert found.chance[0, 0] == found.unchanged[0, 0]


@pytest.mark.slow
def test_chance_is_the_mean_over_draws(model, results):
    found = top_parts(model, results[:1], [1], draws=60, seed=0)
    each = same(model, results[0], [[part] for part in range(5)])
    positive = results[0].weights > 0
    assert found.chance[0, 0] == pytest.approx(np.mean(np.array(each)[positive]), abs=0.2)
    assert found.anything[0, 0] == pytest.approx(np.mean(each), abs=0.2)


@pytest.mark.slow
def test_the_table_says_how_many_sounds_count(model, results):
    rows = top_parts(model, results, [1, 3, 6], draws=1).table()
    enough = [sum((one.weights > 0).sum() >= count for one in results) for count in (1, 3, 6)]
    assert [row["sounds"] for row in rows] == enough
    assert [row["dropped"] for row in rows] == [3 - number for number in enough]
    assert np.isnan(rows[2]["unchanged"])


def test_bad_input_is_told(model, results):
    with pytest.raises(xa.XaiAudioError, match="no explanation"):
        top_parts(model, [])
    for options in ({"counts": []}, {"counts": [0]}, {"counts": [1.5]}, {"draws": 0}):
        with pytest.raises(xa.XaiAudioError, match="from 1 on"):
            top_parts(model, results, **options)


def test_spread_is_the_entropy_in_the_base_of_the_number_of_parts():
    weights = np.random.default_rng(0).normal(size=7)
    share = np.abs(weights) / np.abs(weights).sum()
    assert spread(weights) == pytest.approx(-sum(p * np.log(p) / np.log(7) for p in share))
    assert spread(-3 * weights) == pytest.approx(spread(weights))
    assert spread([2, 0, 0]) == spread([5]) == 0 and spread(np.ones(9)) == pytest.approx(1)
    assert np.isnan(spread([0, 0])) and np.isnan(spread([0]))
