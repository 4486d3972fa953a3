"""A timeline fits together, and says for which seconds each patch speaks."""

import numpy as np
import pytest

from xaiaudio.errors import XaiAudioError
from xaiaudio.timelines import Timeline
from xaiaudio.timelines.scored import FileFacts

LABELS = ("cat", "dog", "rain")


def line(scores, exclusive=False, levels=None, hop=0.5, length=1.0):
    starts = np.arange(len(scores)) * hop
    return Timeline(starts, starts + length, scores, LABELS, exclusive, levels)


@pytest.mark.parametrize(
    ("starts", "ends", "shape"),
    [
        ([0, 1], [1], (2, 3)),
        ([0, 1], [1, 2], (2, 2)),
        ([0, 1], [1, 2], (3, 3)),
        ([1, 0], [2, 1], (2, 3)),
        ([0, 1], [1, 1], (2, 3)),
    ],
)
def test_a_timeline_that_does_not_fit_is_refused(starts, ends, shape):
    with pytest.raises(XaiAudioError):
        Timeline(starts, ends, np.zeros(shape), LABELS)


def test_levels_of_another_number_are_refused():
    with pytest.raises(XaiAudioError, match=r"levels has the shape \(1,\)"):
        line(np.zeros((2, 3)), levels=np.zeros(1))


def test_each_patch_speaks_for_the_seconds_that_are_nearest_to_its_middle():
    starts = np.array([0.0, 0.5, 2.0, 2.2])
    one = Timeline(starts, starts + 1.0, np.zeros((4, 3)), LABELS)
    edges = one.edges
    assert (edges[0], edges[-1]) == (0.0, 3.2) and (np.diff(edges) > 0).all()
    for second in np.arange(0.003, 3.2, 0.01):
        nearest = int(np.abs(one.middles - second).argmin())
        assert np.searchsorted(edges, second) - 1 == nearest


def test_silence_is_what_lies_below_the_last_bit():
    levels = np.array([-np.inf, -90.1, -90.0, -3.0])
    assert line(np.zeros((4, 3)), levels=levels).silent.tolist() == [True, True, False, False]
    assert not line(np.zeros((2, 3))).silent.any()  # nobody knows how loud it was


def test_winners_are_the_classes_of_the_highest_score():
    scores = np.random.default_rng(0).random((20, 3))
    wanted = [max(range(3), key=lambda k: row[k]) for row in scores]
    assert line(scores).winners.tolist() == wanted


def test_a_timeline_may_hold_nothing():
    empty = line(np.zeros((0, 3)))
    assert len(empty) == 0 and empty.edges.shape == empty.middles.shape == (0,)
    assert repr(empty) == "Timeline(0 patches, 3 classes)"


def test_what_is_given_becomes_arrays_and_the_labels_stay_in_order():
    one = Timeline([0, 1], [1, 2], [[1, 0, 0], [0, 1, 0]], list(LABELS))
    assert one.labels == LABELS and one.starts.dtype == np.float64
    assert one.scores.dtype == np.float32 and len(one) == 2


def test_a_file_has_the_seconds_that_were_read():
    assert FileFacts("x.wav", 8_000, 2, start=61.5, end=64.0).seconds == 2.5
    assert line(np.zeros((1, 3))).file == FileFacts()
