"""Minutes of a build: what is begun in them, and what is known of chapters."""

import pytest

import xaiaudio as xa
from xaiaudio.publishing import budget, project


class Clock:
    def __init__(self):
        self.now = 100.0

    def __call__(self):
        return self.now


def test_no_chapter_is_begun_that_would_end_too_late():
    clock = Clock()
    time = budget.Budget(10, {"a": 60, "b": 100, "c": 400}, ["b", "a"], clock)
    assert sorted("cab", key=time.rank) == ["b", "a", "c"]
    assert all(map(time.fits, ("a", "b", "c", "never measured")))
    clock.now += 250
    assert [time.fits(name) for name in ("a", "b", "c", "never measured")] == [1, 1, 0, 1]
    time.took("b", 340)  # 3.4 times as long: 340 s for what was never measured, with 350 s left
    assert time.fits("never measured")
    clock.now += 11
    assert time.fits("a") and not time.fits("never measured")
    time.took("a", 0.5)  # what another chapter had prepared
    assert not time.fits("c")  # it is never taken for faster than measured
    assert not budget.Budget(0.1, {}, [], clock).fits("of nothing is anything known")
    with pytest.raises(xa.XaiAudioError, match="give more than 0"):
        budget.Budget(float("nan"), {}, [], clock)


def test_seconds_are_kept_beside_those_of_others(ours):
    budget.note(ours, {"other-1": 31.6, "other-2": 0.2, "other-3": 0})
    budget.note(ours, {"other-1": 40.0})
    assert budget.expected(ours) == {"other-1": 40, "other-2": 1}
    damaged = {"other-1": "long", "other-2": -3, "other-3": 7, "gone": 5}
    project.write_json(budget.path_of(ours), damaged)
    assert budget.expected(ours) == {"other-3": 7, "gone": 5}
    budget.note(ours, {})
    assert budget.expected(ours) == {"other-3": 7}
