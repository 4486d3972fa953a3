"""Lines are written token by token, and what cannot be heard or read is refused."""

import numpy as np
import pytest

from xaiaudio.errors import XaiAudioError
from xaiaudio.models.speech import (
    alignment,
    generation,
    inside,
    vocabulary,
)


@pytest.mark.slow
def test_writing_takes_the_most_probable_token_each_time(model, heard):
    lines = generation.write(model, heard, "cipher", "reverse", "times")
    for row, line in enumerate(lines):
        tokens = [*vocabulary.prompt("cipher", "reverse", "times")]
        while len(tokens) < vocabulary.LENGTH and vocabulary.EOS not in tokens:
            padded = np.array([tokens + [0] * (vocabulary.LENGTH - len(tokens))], np.int32)
            logits = model.network([heard[row : row + 1], padded])[0][0, len(tokens) - 1]
            tokens.append(int(np.argmax(logits)))
        assert line.tolist() == tokens + [0] * (vocabulary.LENGTH - len(tokens))


@pytest.mark.slow
def test_guesses_of_the_language_sum_to_one(model, heard):
    found = generation.language_chances(model, heard)
    assert found.shape == (len(heard), 2)
    assert np.allclose(found.sum(axis=1), 1)


@pytest.mark.slow
def test_what_cannot_be_heard_or_read_is_refused(model, strings, heard):
    for ask in (generation.write, generation.language_chances, inside.states):
        for wrong in (strings.waves, heard[:, :100], heard[:0], heard[0]):
            with pytest.raises(XaiAudioError, match=r"\(n, 320, 40\) is needed"):
                ask(model, wrong)
        with pytest.raises(XaiAudioError, match="NaN or infinite"):
            ask(model, heard * np.nan)
    lines = np.zeros((len(heard), vocabulary.LENGTH), int)
    for ask in (generation.chances, alignment.attention):
        for wrong in (lines[:, :5], lines[:1]):
            with pytest.raises(XaiAudioError, match="one for each string"):
                ask(model, heard, wrong)
        with pytest.raises(XaiAudioError, match="a token beyond"):
            ask(model, heard, lines + len(vocabulary.TOKENS))
