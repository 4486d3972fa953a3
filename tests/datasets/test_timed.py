"""Events of a table of steps: from and to, short ones left out, short pauses closed."""

import numpy as np
import pytest

from xaiaudio.datasets.timed import Event, events_of
from xaiaudio.errors import XaiAudioError


def test_events_of_a_table():
    random = np.random.default_rng(1)
    active = random.random((60, 2)) > 0.5
    edges = np.arange(61) / 10
    exact = events_of(active, edges, ["a", "b"], shortest=0, gap=0)
    again = np.zeros_like(active)
    for label, start, end in exact:
        again[round(start * 10) : round(end * 10), "ab".index(label)] = True
    assert np.array_equal(again, active)
    for event in events_of(active, edges, ["a", "b"], shortest=0.3, gap=0):
        assert event in exact
        assert event.end - event.start > 0.29
    closed = events_of(active, edges, ["a", "b"], shortest=0, gap=0.3)
    for label in "ab":
        ours = [event for event in closed if event.label == label]
        pauses = [b.start - a.end for a, b in zip(ours, ours[1:], strict=False)]
        assert min(pauses) > 0.29
    assert events_of(np.zeros((60, 2)), edges, ["a", "b"]) == []


def plainly(column, edges, shortest, gap):
    """Walk from step to step; then from event to event."""
    found = []
    for step, sounding in enumerate(column):
        if sounding and step and column[step - 1]:
            found[-1][1] = edges[step + 1]
        elif sounding:
            found.append([edges[step], edges[step + 1]])
    joined = []
    for start, end in found:
        if joined and start - joined[-1][1] < gap - 1e-9:
            joined[-1][1] = end
        else:
            joined.append([start, end])
    return [(start, end) for start, end in joined if end - start >= shortest - 1e-9]


@pytest.mark.parametrize("seed", range(10))
def test_events_are_those_of_a_walk(seed):
    random = np.random.default_rng(seed)
    edges = np.cumsum(random.uniform(0.02, 0.3, 41))
    active = random.random((40, 2)) > 0.6
    found = events_of(active, edges, ["a", "b"], shortest=0.25, gap=0.15)
    for label, column in zip("ab", active.T, strict=True):
        ours = [(event.start, event.end) for event in found if event.label == label]
        assert ours == plainly(column, edges, 0.25, 0.15)
    assert [event.label for event in found] == sorted(event.label for event in found)


def test_a_pause_is_closed_before_what_is_short_is_left_out():
    active, edges = [[1], [0], [1], [0], [0], [1]], np.arange(7) / 10
    assert events_of(active, edges, ["dog"]) == [Event("dog", 0.0, pytest.approx(0.3))]
    assert events_of(active, edges, ["dog"], gap=0.1) == []


@pytest.mark.parametrize("active", [np.ones((3, 2)), np.ones((2, 1)), np.ones(3)])
def test_tables_of_another_shape_are_refused(active):
    with pytest.raises(XaiAudioError, match="3 steps by 1 classes"):
        events_of(active, [0, 1, 2, 3], ["dog"])
