"""Strings of words: where the words lie, what is drawn, and what is refused."""

from pathlib import Path

import numpy as np
import pytest
from small_speech import words

from xaiaudio.datasets.base import Clip
from xaiaudio.errors import XaiAudioError
from xaiaudio.models.speech import corpus, vocabulary


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


@pytest.mark.slow
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
