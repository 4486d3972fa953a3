"""Tokens, strings and scores, each against its plain definition."""

import itertools
from pathlib import Path

import numpy as np
import pytest

from xaiaudio.datasets.base import Clip
from xaiaudio.errors import XaiAudioError
from xaiaudio.models.speech import corpus, scoring, vocabulary


def test_lines_are_written_as_defined():
    tokens = vocabulary.line([7, 3], [0.251, 0.789], "cipher", "reverse", "times")
    # 3 * 3 + 7 = 16, 7 * 3 + 7 = 28
    assert vocabulary.text(tokens) == "<sos> <cipher> <reverse> <times> <0.80> 6 <0.24> 8 <eos>"
    assert vocabulary.digits_of(tokens) == [6, 8]
    assert vocabulary.times_of(tokens) == pytest.approx([0.8, 0.24])
    plain = vocabulary.line([7, 3], [0.251, 0.789], stamps="notimes")
    assert vocabulary.text(plain) == "<sos> <plain> <transcribe> <notimes> 7 3 <eos>"
    assert len(tokens) == len(plain) == vocabulary.LENGTH


def test_the_cipher_is_a_permutation_that_moves_every_digit():
    assert sorted(vocabulary.CIPHER) == list(range(10))
    assert all(vocabulary.CIPHER[digit] != digit for digit in range(10))


def test_tokens_are_told_apart():
    assert len(set(vocabulary.TOKENS)) == len(vocabulary.TOKENS)
    assert vocabulary.time_token(99) == len(vocabulary.TOKENS) - 1
    assert vocabulary.time_token(0) == vocabulary.FIRST_TIME


def test_what_there_is_not_is_refused():
    with pytest.raises(XaiAudioError, match="language is 'elvish'.*plain, cipher"):
        vocabulary.prompt("elvish")
    with pytest.raises(XaiAudioError, match="room for 4"):
        vocabulary.line([1] * 5, [0.0] * 5)
    for digit in (-1, 10):
        for language in vocabulary.LANGUAGES:
            with pytest.raises(XaiAudioError, match="one of 0 to 9"):
                vocabulary.line([digit], [0.0], language)
    for onsets in ([0.1], [0.1, np.nan], [0.1, np.inf]):
        with pytest.raises(XaiAudioError, match="needs its time"):
            vocabulary.line([1, 2], onsets)


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


def words(people=("ann", "bob"), takes=2):
    rng = np.random.default_rng(1)
    return [
        corpus.Word(digit, who, take, rng.normal(0, 0.1, 800 + 80 * digit).astype(np.float32))
        for who in people
        for digit in range(10)
        for take in range(takes)
    ]


def test_strings_hold_their_words_where_they_say():
    pool = words()
    strings = corpus.draw(pool, 40, seed=3)
    assert {len(said) for said in strings.digits} == {2, 3, 4}
    for row, said in enumerate(strings.digits):
        mine = [word for word in pool if word.speaker == strings.speakers[row]]
        assert np.isnan(strings.onsets[row, len(said) :]).all()
        for place, digit in enumerate(said):
            begin = round(strings.onsets[row, place] * corpus.RATE)
            end = round(strings.ends[row, place] * corpus.RATE)
            part = strings.waves[row, begin:end]
            alike = [
                np.corrcoef(part, word.wave)[0, 1]
                for word in mine
                if word.digit == digit and len(word.wave) == len(part)
            ]
            assert max(alike) > 0.9  # faint noise lies over it
            if place:
                assert begin > round(strings.ends[row, place - 1] * corpus.RATE)


def test_long_words_are_squeezed_into_the_string():
    long = [
        corpus.Word(digit, "ann", 0, np.full(round(0.72 * corpus.RATE), 0.1, np.float32))
        for digit in range(10)
    ]
    strings = corpus.say(long, [1, 2, 3, 4], "ann")
    assert np.nanmax(strings.ends) <= vocabulary.SECONDS
    assert (np.diff(strings.onsets[0]) >= 0.72 - 1e-9).all()


def test_strings_are_the_seeds_alone():
    one, two, three = (corpus.draw(words(), 6, seed=seed) for seed in (0, 0, 1))
    assert np.array_equal(one.waves, two.waves)
    assert not np.array_equal(one.waves, three.waves)
    part = one.part([4, 1])
    assert part.digits == (one.digits[4], one.digits[1])
    assert np.array_equal(part.waves[0], one.waves[4])


def test_what_may_not_be_drawn_is_not():
    strings = corpus.draw(words(), 200, fits=lambda digits: 3 not in digits)
    assert all(3 not in said for said in strings.digits)
    with pytest.raises(XaiAudioError, match="drawn in vain"):
        corpus.draw(words(), 1, fits=lambda digits: False)
    with pytest.raises(XaiAudioError, match="no recording of 1 by eve"):
        corpus.say(words(), [1], "eve")
    with pytest.raises(XaiAudioError, match="a word is needed"):
        corpus.draw([], 1)
    with pytest.raises(XaiAudioError, match="1 to 4 digits"):
        corpus.draw(words(), 1, shortest=5)
    with pytest.raises(XaiAudioError, match=r"3\.60 s do not fit"):
        corpus.say([corpus.Word(1, "ann", 0, np.ones(7200, np.float32))], [1] * 4, "ann")
    with pytest.raises(XaiAudioError, match="rain.wav is no spoken digit"):
        corpus.words([Clip(Path("rain.wav"), "Rain", 1, "")])


def test_a_word_is_cut_out_of_silence():
    rng = np.random.default_rng(0)
    wave = np.concatenate([np.zeros(800), rng.normal(0, 0.3, 1600), np.zeros(480)])
    word = corpus.cut(wave)
    assert len(word) == 1600
    assert np.sqrt(np.mean(word**2)) == pytest.approx(0.1, rel=1e-5)
    with pytest.raises(XaiAudioError, match="without sound"):
        corpus.cut(np.zeros(4000))


def test_pitch_of_a_buzz():
    time = np.arange(4000) / corpus.RATE
    buzz = sum(np.sin(2 * np.pi * 150 * k * time) / k for k in range(1, 10))
    pool = [corpus.Word(d, "ann", 0, (0.1 * buzz).astype(np.float32)) for d in range(10)]
    strings = corpus.draw(pool, 3)
    assert corpus.pitch(strings) == pytest.approx([150.0] * strings.counts.sum(), rel=0.02)


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
