"""Onsets read from attention: each step against its plain definition."""

import librosa
import numpy as np
import pytest

from xaiaudio.models.speech import (
    alignment,
    network,
)


@pytest.mark.parametrize("count", [2, 5])
def test_paths_are_those_of_dynamic_time_warping(count):
    gain = np.random.default_rng(count).normal(size=(6, 5, 17))
    found = alignment.paths(gain, [count] * 6)
    for one, visited in zip(gain, found, strict=True):
        _, path = librosa.sequence.dtw(C=-one[:count], subseq=False)
        wanted = np.zeros(one.shape, bool)
        wanted[path[:, 0], path[:, 1]] = True
        assert np.array_equal(visited, wanted)


def test_standardising_and_smoothing_by_loops():
    weights = np.random.default_rng(0).random((2, 3, 5, 9))
    found = alignment.standardised(weights, [3, 5])
    for row, count in enumerate((3, 5)):
        for head in range(3):
            for moment in range(9):
                column = weights[row, head, :count, moment]
                wanted = (column - column.mean()) / column.std()
                assert found[row, head, :count, moment] == pytest.approx(wanted)
                assert (found[row, head, count:, moment] == 0).all()
    smooth = alignment.smoothed(weights, 3)
    assert smooth[1, 2, 3, 4] == np.median(weights[1, 2, 3, 3:6])


def planted(strings, head, heads=4):
    """Attention in which one head follows the words, and the others look anywhere."""
    rng = np.random.default_rng(0)
    weights = rng.random((len(strings), heads, 5, network.MOMENTS)) + 0.5
    times = network.moment_times()
    for row, count in enumerate(strings.counts):
        edges = [*strings.onsets[row, :count], np.nanmax(strings.ends[row]), 9.9]
        for place in range(count + 1):
            within = (times >= edges[place]) & (times < edges[place + 1])
            weights[row, head, place] = np.where(within, 20.0, 0.01)
    return weights / weights.sum(axis=-1, keepdims=True)


def test_a_head_that_follows_the_words_is_picked_and_tells_the_onsets(strings):
    weights = planted(strings, head=2)
    assert alignment.picked(weights, strings.counts + 1, 1).tolist() == [2]
    found = alignment.onsets(weights, strings.counts, [2])
    late = (found - strings.onsets)[:, 1:]
    assert np.nanmax(np.abs(late)) <= 0.04 + 1e-9
    assert np.array_equal(np.isnan(found), np.isnan(strings.onsets))
    moments = alignment.peaks(weights, strings.counts, [2, 0])
    for row, count in enumerate(strings.counts):
        for place in range(count):
            mean = (weights[row, 2, place] + weights[row, 0, place]) / 2
            assert moments[row, place] == network.moment_times()[np.argmax(mean)]
    half = alignment.halfway(moments)
    assert half[0, :2] == pytest.approx([moments[0, 0], moments[0, :2].mean()])
    assert np.array_equal(np.isnan(half), np.isnan(strings.onsets))
