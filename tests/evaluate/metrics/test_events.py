"""The event-based F-measure, against one that tries every way to pair events."""

import math

import numpy as np
import pytest

from xaiaudio.datasets.timed import Event, events_of
from xaiaudio.errors import XaiAudioError
from xaiaudio.evaluate.metrics.events import EventScores, event_scores


def fits(there, said, collar=0.2, share=0.2):
    if there.label != said.label or abs(there.start - said.start) > collar + 1e-9:
        return False
    return abs(there.end - said.end) <= max(collar, share * (there.end - there.start)) + 1e-9


def most_pairs(truth, found):
    """Leave the first event out, or give it each one that fits: the best of all ways."""
    if not truth:
        return 0
    best = most_pairs(truth[1:], found)
    for number, said in enumerate(found):
        if fits(truth[0], said):
            best = max(best, 1 + most_pairs(truth[1:], found[:number] + found[number + 1 :]))
    return best


def drawn(random, count):
    made = []
    for _ in range(count):
        start = round(random.uniform(0, 1), 1)
        made.append(Event(random.choice(["a", "b"]), start, start + round(random.uniform(0, 2), 1)))
    return made


@pytest.mark.parametrize("seed", range(30))
def test_as_many_pairs_as_can_be(seed):
    random = np.random.default_rng(seed)
    truth = [drawn(random, random.integers(0, 6)) for _ in range(3)]
    found = [drawn(random, random.integers(0, 6)) for _ in range(3)]
    hits = sum(most_pairs(a, b) for a, b in zip(truth, found, strict=True))
    scores = event_scores(truth, found)
    there, said = sum(map(len, truth)), sum(map(len, found))
    assert scores == EventScores(hits, there - hits, said - hits)
    if hits:
        precision, recall = hits / said, hits / there
        mean = 2 * precision * recall / (precision + recall)
        assert scores.f_measure == pytest.approx(mean)


def test_the_collars():
    one = [[Event("dog", 1.0, 2.0)]]
    for start, end, hit in [
        (1.2, 2.2, 1),
        (0.8, 1.8, 1),
        (1.21, 2.0, 0),
        (1.0, 2.21, 0),
        (1.0, 2.0, 1),
    ]:
        assert event_scores(one, [[Event("dog", start, end)]]).hits == hit
    long = [[Event("dog", 0.0, 4.0)]]  # a fifth of it is 0.8 s
    assert event_scores(long, [[Event("dog", 0.0, 4.8)]]).hits == 1
    assert event_scores(long, [[Event("dog", 0.0, 4.9)]]).hits == 0
    assert event_scores(long, [[Event("dog", 0.3, 4.0)]]).hits == 0  # of the beginning it is not
    assert event_scores(one, [[Event("cat", 1.0, 2.0)]]) == EventScores(0, 1, 1)


def test_an_event_counts_once():
    found = [[Event("dog", 1.0, 2.0), Event("dog", 1.1, 2.0)]]
    assert event_scores([[Event("dog", 1.0, 2.0)]], found) == EventScores(1, 0, 1)
    assert event_scores([[], found[0]], [found[0], []]) == EventScores(0, 2, 2)


def test_nothing_at_all():
    scores = event_scores([[]], [[]])
    assert all(map(math.isnan, (scores.f_measure, scores.precision, scores.recall)))


def test_what_makes_no_sense_is_told():
    with pytest.raises(XaiAudioError, match="of 2 recordings"):
        event_scores([[], []], [[]])
    with pytest.raises(XaiAudioError, match="begins at"):
        event_scores([[Event("dog", 2.0, 1.0)]], [[]])
    with pytest.raises(XaiAudioError, match="steps by 1 classes"):
        events_of(np.zeros((3, 2)), [0, 1, 2, 3], ["dog"])
