"""Averages over many explanations against plain loops."""

import dataclasses
import math
import types

import numpy as np
import pytest

import xaiaudio as xa
from xaiaudio.explainers.averages import averages, homogeneity, source_of
from xaiaudio.explainers.engines.components import Components


def explanation(target, weights, names=None, output="logits"):
    """A PartsExplanation as far as averages look at it."""
    names = names or tuple(f"part {number}" for number in range(len(weights)))
    parts = np.zeros((len(weights), 8), "float32")
    return types.SimpleNamespace(
        target_label=target,
        weights=np.asarray(weights, float),
        components=Components(np.zeros(8), parts, names),
        output=output,
    )


@pytest.fixture(scope="module")
def many():
    rng = np.random.default_rng(0)
    classes = ["rain", "dog", "clock"]
    return [explanation(classes[rng.integers(3)], rng.normal(size=4)) for _ in range(25)]


def test_against_loops(many):
    found = {(one.target, one.part): one for one in averages(many)}
    classes = {one.target_label for one in many}
    roots = {}
    for c in classes:
        for j in range(4):
            mine = [one.weights[j] for one in many if one.target_label == c]
            average = found[c, f"part {j}"]
            assert average.sounds == len(mine)
            assert average.weight == pytest.approx(sum(mine) / len(mine))
            assert average.importance == pytest.approx(sum(abs(w) for w in mine) / len(mine))
            roots[c, j] = math.sqrt(sum(abs(w) for w in mine))
    entropies = []
    for j in range(4):
        total = sum(roots[c, j] for c in classes)
        entropies.append(-sum(roots[c, j] / total * math.log(roots[c, j] / total) for c in classes))
    low, high = min(entropies), max(entropies)
    for c in classes:
        for j in range(4):
            factor = 1 - (entropies[j] - low) / (high - low)
            assert found[c, f"part {j}"].weighted == pytest.approx(factor * roots[c, j])


def test_parts_of_one_name_are_added_up_within_a_sound():
    names = ("drums, time 1", "bass, time 1", "drums, time 2", "bass, time 2")
    sounds = [explanation("rock", [1, 2, 3, -2], names), explanation("rock", [0, 0, 2, 1], names)]
    drums, bass = averages(sounds, by=source_of)
    assert (drums.part, drums.weight, drums.importance) == ("drums", 3.0, 3.0)
    assert (bass.part, bass.weight, bass.importance) == ("bass", 0.5, 0.5)
    assert len(averages(sounds)) == 4


def test_a_part_of_one_class_alone_counts_most():
    # Every sound has the hum, the bell only those of the clock.
    sounds = [
        explanation("clock", [1, 2], ("hum", "bell")),
        explanation("rain", [1, 0], ("hum", "bell")),
    ]
    found = {(one.target, one.part): one.weighted for one in averages(sounds)}
    assert found["clock", "bell"] == pytest.approx(math.sqrt(2))
    assert found["clock", "hum"] == found["rain", "hum"] == found["rain", "bell"] == 0


def test_with_one_class_nothing_is_weighed_down():
    one = averages([explanation("rain", [4, -9])])
    assert [average.weighted for average in one] == [2, 3]
    np.testing.assert_array_equal(homogeneity(np.zeros((3, 2))), [1, 1])


def test_sounds_may_have_different_parts():
    found = averages([explanation("a", [1.0], ("x",)), explanation("a", [3.0, 5.0], ("x", "y"))])
    assert [(one.part, one.sounds, one.weight) for one in found] == [("x", 2, 2.0), ("y", 1, 5.0)]


@pytest.mark.slow
def test_real_explanations_and_their_own_names():
    model = xa.load_model("lite")
    waves = np.random.default_rng(0).normal(0, 0.1, (3, 16_000))
    results = [xa.explain_parts(model, Components.in_time(wave, 2), "Rain") for wave in waves]
    first, second = averages(results)
    assert (first.target, first.part, second.part) == ("Rain", "time 1", "time 2")
    assert first.weight == pytest.approx(np.mean([one.weights[0] for one in results]))
    assert dataclasses.asdict(first)["sounds"] == 3


def test_a_name_without_time_is_a_source():
    assert source_of("voice") == "voice" and source_of("a, time b, time 3") == "a, time b"


def test_what_cannot_be_averaged():
    with pytest.raises(xa.XaiAudioError, match="no explanation"):
        averages([])
    with pytest.raises(xa.XaiAudioError, match="take one kind"):
        averages([explanation("a", [1]), explanation("a", [1], output="scores")])
