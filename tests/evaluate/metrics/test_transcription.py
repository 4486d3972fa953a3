"""Components matched to notes: against trying all ways to match them."""

import itertools

import numpy as np
import pytest

import xaiaudio as xa
from xaiaudio.evaluate.metrics.transcription import agreement, transcribed

RNG = np.random.default_rng(3)


@pytest.mark.parametrize("components", [3, 4, 6])
def test_the_best_of_all_matchings(components):
    heights, roll = RNG.random((components, 30)), RNG.random((4, 30)) < 0.4
    found = transcribed(heights, roll)
    cosines = np.array(
        [
            [row @ note / np.linalg.norm(row) / np.linalg.norm(note) for note in roll]
            for row in heights
        ]
    )
    small = min(components, 4)
    best = max(
        sum(cosines[c, n] for c, n in zip(cs, ns, strict=True))
        for cs in itertools.permutations(range(components), small)
        for ns in itertools.combinations(range(4), small)
    )
    assert found.likeness.sum() == pytest.approx(best)
    assert np.allclose(found.likeness, cosines[found.components, found.notes])


def test_frames_are_counted_one_by_one():
    heights, roll = RNG.random((2, 50)) ** 2, RNG.random((2, 50)) < 0.5
    found = transcribed(heights, roll, level=0.3)
    hit = missed = wrong = 0
    for component, note in zip(found.components, found.notes, strict=True):
        for frame in range(50):
            sounds = heights[component, frame] > 0.3 * heights[component].max()
            assert found.roll[note, frame] == sounds
            hit += sounds and roll[note, frame]
            wrong += sounds and not roll[note, frame]
            missed += roll[note, frame] and not sounds
    assert found.precision == pytest.approx(hit / (hit + wrong))
    assert found.recall == pytest.approx(hit / (hit + missed))
    assert found.f == pytest.approx(2 * hit / (2 * hit + wrong + missed))


def test_order_and_loudness_of_components_do_not_matter():
    roll = RNG.random((4, 40)) < 0.4
    found = transcribed(roll[[2, 0, 3, 1]] * np.array([[9.0], [0.1], [1.0], [3.0]]), roll)
    assert found.f == 1 and found.notes.tolist() == [2, 0, 3, 1]


def test_nothing_found_is_nothing_right():
    assert transcribed(np.zeros((2, 5)), np.ones((2, 5))).f == 0
    assert agreement(np.zeros(3), np.zeros(3)) == (0, 0, 0)
    with pytest.raises(xa.XaiAudioError, match="the same frames"):
        transcribed(np.ones((2, 5)), np.ones((2, 6)))
