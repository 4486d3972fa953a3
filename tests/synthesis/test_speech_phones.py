"""Phones and words: whole, and with the formants that textbooks give them."""

import numpy as np
import pytest
from spoken_digits import VOICES, middle_of

from xaiaudio.datasets import digits
from xaiaudio.synthesis.speech_phones import GROUPS, NOISES, PHONES, WORDS


@pytest.mark.slow
def test_vowels_lie_where_textbooks_have_them():
    def at(digit, vowel):
        takes = [digits.speak(digit, VOICES[5], take) for take in range(5)]
        rows = [said.formants[np.abs(said.times - middle_of(said, vowel)[0]).argmin()]
                for said in takes]  # fmt: skip
        return np.mean(rows, axis=0)

    three, four, two = at("three", "iy"), at("four", "ao"), at("two", "uw")
    assert three[0] < 400 < 500 < four[0]  # the jaw is closed, and open
    assert four[1] < 1200 < 1900 < three[1]  # the tongue is back, and front
    assert two[0] < 400 and two[1] < 1400


def test_every_phone_of_a_word_can_be_made():
    assert [len(word) for word in WORDS] == [4, 3, 3, 5, 4, 4, 3, 5, 5, 4]
    assert set(PHONES) == set(GROUPS) == {phone for word in WORDS.values() for phone in word}
    for name, segments in PHONES.items():
        assert sum(segment.ms for segment in segments) > 40, name
        for segment in segments:
            assert segment.kind in NOISES
            for formants in (segment.formants, segment.end or segment.formants):
                assert 200 < formants[0] < formants[1] < formants[2] < 3100, name


def test_groups_say_what_sounds():
    """The folds swing in vowels, glides and nasals; what hisses has a noise; stops are silent."""
    for name, group in GROUPS.items():
        voice = max(segment.voice for segment in PHONES[name])
        noise = max(segment.noise for segment in PHONES[name])
        assert (voice >= 0.45) == (group in ("vowel", "glide", "nasal")), name
        assert (noise > 0) == (group in ("fricative", "stop")), name
        assert any(segment.nasal for segment in PHONES[name]) == (group == "nasal")
        first = PHONES[name][0]
        assert (first.voice == first.noise == first.breath == 0) == (group == "stop")
