"""Scores of lines, against plain definitions and by hand."""

import itertools

import numpy as np
import pytest
from small_speech import words

from xaiaudio.models.speech import corpus, scoring, vocabulary


def slow_edits(one, other):
    if not one or not other:
        return len(one) + len(other)
    return min(
        slow_edits(one[1:], other) + 1,
        slow_edits(one, other[1:]) + 1,
        slow_edits(one[1:], other[1:]) + (one[0] != other[0]),
    )


def test_edits_against_the_recursive_definition():
    rng = np.random.default_rng(0)
    for n, m in itertools.product(range(5), range(5)):
        one, other = rng.integers(3, size=n).tolist(), rng.integers(3, size=m).tolist()
        assert scoring.edits(one, other) == slow_edits(one, other)


def test_scores_by_hand():
    strings = corpus.say(words(), [4, 2, 9], "ann")
    onsets = strings.onsets[0, :3]
    right = vocabulary.line([4, 2, 9], onsets)
    wrong = vocabulary.line([4, 9], onsets[:2])
    both = strings.part([0, 0])
    scores = scoring.score(np.stack([right, wrong]), both)
    assert scores.wrong.tolist() == [0, 1]
    assert scores.error_rate == pytest.approx(1 / 6)
    assert scores.right.tolist() == [True, False]
    assert np.abs(scores.late[0, :3]).max() <= 20 + 1e-6  # half a bin of 40 ms
    assert np.isnan(scores.late[1]).all()  # two times, three words
    turned = vocabulary.line([4, 2, 9], onsets, "cipher", "reverse")
    scores = scoring.score(turned[None], strings, "cipher", "reverse")
    assert scores.wrong.tolist() == [0]
    assert np.abs(scores.late[0, :3]).max() <= 20 + 1e-6


def test_even_onsets_divide_what_is_spoken():
    strings = corpus.say(words(), [1, 2], "bob")
    found = scoring.even_onsets(strings)[0]
    first, last = strings.onsets[0, 0], strings.ends[0, 1]
    assert found[:2] == pytest.approx([first, (first + last) / 2])
    assert np.isnan(found[2:]).all()
