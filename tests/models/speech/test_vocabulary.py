"""Lines of tokens, written and read as defined."""

import numpy as np
import pytest

from xaiaudio.errors import XaiAudioError
from xaiaudio.models.speech import vocabulary


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
