"""Baselines: how far values may move, by seeds and by rounding."""

import copy

import numpy as np
import pytest
from recorded_values import blobs, differences, jittered, recorded

from xaiaudio.errors import XaiAudioError
from xaiaudio.publishing import baselines, measuring, metric


def test_numbers_may_move_as_far_as_seeds_move_them():
    runs = [recorded(score=s) for s in (0.90, 0.93, 0.91)]
    (entry,) = measuring.measure(runs).values()
    assert entry["spread"] == pytest.approx(0.03) and entry["tolerance"] == pytest.approx(0.06)
    assert entry["value"] == 0.90 and entry["runs"] == 3
    assert differences(runs, recorded(score=0.955)) == {}
    assert "0.07 apart, 0.06 allowed" in differences(runs, recorded(score=0.97))["score"]


def test_a_map_that_changes_much_with_the_seed_is_still_compared():
    rng = np.random.default_rng(0)
    runs = [recorded(map=np.maximum(rng.standard_normal((32, 32)), 0)) for _ in range(3)]
    (entry,) = measuring.measure(runs).values()
    assert entry["tolerance"]["pattern"] == metric.CAPS["pattern"]
    assert measuring.is_loose(entry)
    first = np.asarray(runs[0]["map"]["value"]["values"])
    assert "pattern" in differences(runs, recorded(map=first.T))["map"]
    assert "nowhere negative" in differences(runs, recorded(map=first - 0.2))["map"]


def entry_of(seeds, roundings):
    (entry,) = measuring.measure(seeds, roundings).values()
    return entry


def test_numbers_may_move_as_far_as_rounding_moves_them():
    seeds, others = [recorded(s=0.50), recorded(s=0.52)], [recorded(s=0.515), recorded(s=0.49)]
    entry = entry_of(seeds, [recorded(s=0.515)])
    assert entry["rounding"] == pytest.approx(0.015) and entry["roundings"] == 2
    assert entry["tolerance"] == pytest.approx(0.04)
    # As far as the seed: nothing that could be compared is left, but it must be a number still.
    entry = entry_of(seeds, others)
    assert entry["rounding"] == pytest.approx(0.025) and entry["compare"].startswith("form")
    assert not baselines.compare("page", {"s": entry}, recorded(s=0.9))
    assert baselines.compare("page", {"s": entry}, recorded(s="many"))


def test_rounding_within_what_is_let_through_anyway_is_not_chaotic():
    same = [recorded(s=0.5)] * 2
    entry = entry_of(same, [recorded(s=0.5 + 1e-6)])
    assert "compare" not in entry and entry["tolerance"] == pytest.approx(0.001, rel=0.01)
    declared = [{"s": {"value": 0.5, "declared": 0.2}}] * 2
    assert entry_of(declared, [recorded(s=0.58)])["tolerance"] == 0.2
    assert entry_of([recorded(n=40)] * 2, [recorded(n=40)])["tolerance"] == 0.0


def test_of_a_chaotic_map_the_form_is_compared():
    rng = np.random.default_rng(0)
    maps = [np.maximum(rng.standard_normal((32, 32)), 0) for _ in range(5)]
    entries = measuring.measure(*([recorded(map=m) for m in part] for part in (maps[:2], maps[2:])))
    assert entries["map"]["compare"].startswith("form")
    assert measuring.is_loose(entries["map"])

    def told(array):
        return [d.what for d in baselines.compare("page", entries, recorded(map=array))]

    assert told(np.maximum(rng.standard_normal((32, 32)), 0)) == []
    assert "nowhere negative" in told(maps[0] - 0.2)[0]
    assert "had shape" in told(maps[0][:16])[0]
    assert "not finite" in told(np.where(maps[0] > 2, np.nan, maps[0]))[0]


def test_texts_that_rounding_changes_are_not_compared():
    entry = entry_of([recorded(who="lime")] * 2, [recorded(who="lrp")])
    assert entry["compare"].startswith("kind: it varies with rounding")


def test_rounding_is_added_to_baselines_that_are_there():
    seeds = [recorded(s=0.50, map=blobs(0)), recorded(s=0.60, map=blobs(1))]
    old = measuring.measure(seeds)
    # Another machine, with another network: its own values stay out, only its spread comes in.
    here = recorded(s=0.57, map=blobs(2))
    there = recorded(s=0.53, map=jittered(blobs(2), 0.3))
    new = measuring.measure([here], [there], old)
    assert (new["s"]["value"], new["s"]["spread"]) == (0.50, old["s"]["spread"])
    assert new["s"]["rounding"] == pytest.approx(0.04)
    assert new["s"]["tolerance"] == old["s"]["tolerance"]
    assert new["map"]["value"] == old["map"]["value"]
    assert new["map"]["tolerance"]["values"] > old["map"]["tolerance"]["values"]
    # The same again changes nothing: what an earlier measurement found does not pile up.
    assert measuring.measure([here], [there], new) == new
    assert measuring.measure([here], [here], new)["map"]["tolerance"] == old["map"]["tolerance"]
    with pytest.raises(XaiAudioError, match="fresh has no baseline yet"):
        measuring.measure([here | recorded(fresh=1)], [there], old)


def test_measuring_does_not_change_what_was_recorded():
    runs = [recorded(map=blobs(seed)) for seed in range(2)]
    before = copy.deepcopy(runs)
    measuring.measure(runs)
    assert runs == before
