"""Events by their definition, written a second time as plain loops."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from xaiaudio.errors import XaiAudioError
from xaiaudio.timelines import HeardEvent, Timeline, events

LABELS = ("cat", "dog", "rain")


def line(scores, exclusive=False, levels=None, hop=0.5, length=1.0):
    starts = np.arange(len(scores)) * hop
    return Timeline(starts, starts + length, scores, LABELS, exclusive, levels)


def speaks_for(one, patch):
    """The seconds nearer to this patch's middle than to any other's."""
    middle = one.middles
    begin = one.starts[0] if patch == 0 else (middle[patch - 1] + middle[patch]) / 2
    last = patch == len(one) - 1
    return begin, one.ends[-1] if last else (middle[patch] + middle[patch + 1]) / 2


def plain(one, threshold, release, gap, shortest, floor):
    """Patch by patch, class by class."""
    made = []
    for number, label in enumerate(one.labels):
        runs, run = [], []
        for patch in range(len(one)):
            held = one.scores[patch, number] >= np.float32(release)
            if one.levels is not None and one.levels[patch] < floor:
                held = False
            if one.exclusive and list(one.scores[patch]).index(max(one.scores[patch])) != number:
                held = False
            if held:
                run.append(patch)
            elif run:
                runs.append(run)
                run = []
        runs += [run] if run else []
        sure = [
            run
            for run in runs
            if max(one.scores[patch, number] for patch in run) >= np.float32(threshold)
        ]
        joined = []
        for run in sure:
            if joined and speaks_for(one, run[0])[0] - speaks_for(one, joined[-1][-1])[1] < gap:
                joined[-1] = joined[-1] + run
            else:
                joined.append(run)
        for run in joined:
            start, end = speaks_for(one, run[0])[0], speaks_for(one, run[-1])[1]
            if end - start < shortest:
                continue
            best = run[0]
            for patch in run:
                if one.scores[patch, number] > one.scores[best, number]:
                    best = patch
            score = float(one.scores[best, number])
            made.append(
                HeardEvent(label, start, end, (one.starts[best] + one.ends[best]) / 2, score)
            )
    order = sorted(range(len(made)), key=lambda k: (made[k].start, LABELS.index(made[k].label)))
    return tuple(made[k] for k in order)


@pytest.mark.slow
@settings(max_examples=150, deadline=None)
@given(
    seed=st.integers(0, 10_000),
    count=st.integers(1, 40),
    exclusive=st.booleans(),
    quiet=st.booleans(),
    threshold=st.sampled_from([0.2, 0.5, 0.8]),
    share=st.sampled_from([0.0, 0.6, 1.0]),
    gap=st.sampled_from([0.0, 0.75, 1.25]),
    shortest=st.sampled_from([0.0, 0.75, 1.75]),
    floor=st.sampled_from([-90.0, -30.0]),
)
def test_events_are_those_of_the_definition(
    seed, count, exclusive, quiet, threshold, share, gap, shortest, floor
):
    rng = np.random.default_rng(seed)
    scores = rng.random((count, 3)).round(1)  # ties, too
    levels = rng.choice([-20.0, -40.0, -np.inf], count) if quiet else None
    one = line(scores, exclusive, levels)
    release = share * threshold
    found = events(one, threshold, release=release, gap=gap, shortest=shortest, floor=floor)
    assert found == plain(one, threshold, release, gap, shortest, floor)


def test_the_peak_of_an_event_is_not_in_a_silence_that_was_closed():
    scores = np.zeros((5, 3))
    scores[:, 1] = [0.1, 0.7, 0.99, 0.6, 0.1]
    levels = np.array([-20, -20, -np.inf, -20, -20])
    (found,) = events(line(scores, levels=levels), 0.5)
    assert (found.start, found.end, found.peak) == (0.75, 2.25, 1.0)
    assert found.peak_score == pytest.approx(0.7)


def test_a_doubt_in_the_middle_does_not_cut_an_event():
    scores = np.zeros((7, 3))
    scores[:, 1] = [0.1, 0.4, 0.9, 0.4, 0.6, 0.1, 0.4]
    (found,) = events(line(scores), 0.5, gap=0.0)
    assert (found.label, found.start, found.end, found.peak) == ("dog", 0.75, 2.75, 1.5)
    assert len(events(line(scores), 0.5, release=0.5, gap=0.0)) == 2


def test_a_pause_is_closed_before_short_events_go():
    scores = np.zeros((9, 3))
    scores[[2, 4], 0] = 1
    one = line(scores)
    assert len(events(one, gap=0)) == 2
    assert len(events(one, gap=0.5)) == 2  # a pause of half a second is not shorter
    (found,) = events(one, gap=0.6, shortest=1.5)
    assert found.seconds == 1.5
    assert events(one, gap=0, shortest=1.5) == ()


def test_of_a_softmax_only_the_winner_is_heard():
    scores = np.array([[0.45, 0.4, 0.15]] * 4)
    assert {event.label for event in events(line(scores), 0.4)} == {"cat", "dog"}
    assert {event.label for event in events(line(scores, True), 0.4)} == {"cat"}


def test_silence_is_no_event():
    scores = np.full((5, 3), 0.9)
    assert events(line(scores, levels=np.full(5, -np.inf))) == ()
    found = events(line(scores, levels=np.array([-np.inf, -80, -80, -np.inf, -100])))
    assert [(event.start, event.end) for event in found] == [(0.75, 1.75)] * 3


def test_a_timeline_without_patches_has_no_events():
    assert events(line(np.zeros((0, 3)))) == ()


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"threshold": 0}, "threshold is 0"),
        ({"threshold": 1.2}, "threshold is 1.2"),
        ({"threshold": float("nan")}, "threshold is nan"),
        ({"release": 0.6}, "release is 0.6"),
        ({"release": -1}, "release is -1"),
        ({"gap": -1}, "gap is -1"),
        ({"shortest": float("inf")}, "shortest is inf"),
        ({"floor": 3}, "floor is 3"),
    ],
)
def test_numbers_that_make_no_sense_are_refused(given, message):
    with pytest.raises(XaiAudioError, match=message):
        events(line(np.zeros((2, 3))), **given)
