"""Voices: spread over what is usual, and pitch and tract independent."""

import numpy as np
import pytest
from spoken_digits import VOICES

from xaiaudio.datasets import digits
from xaiaudio.errors import XaiAudioError
from xaiaudio.synthesis.speech_speakers import speakers


def test_voices_differ_and_neither_pitch_nor_tract_gives_the_other_away():
    for gender, pitch, tract in (
        ("female", (150, 260), (1.05, 1.3)),
        ("male", (85, 150), (0.9, 1.1)),
    ):
        voices = [who for who in VOICES if who.gender == gender]
        assert len(voices) == 10
        pitches, tracts = (
            np.array([getattr(who, n) for who in voices]) for n in ("pitch", "tract")
        )
        assert pitch[0] < pitches.min() < pitches.max() < pitch[1]
        assert tract[0] < tracts.min() < tracts.max() < tract[1]
        assert np.diff(np.sort(np.log(pitches))).min() > 0.02  # each in a stratum of its own
    assert VOICES[:6] != digits.speakers(20, seed=1)[:6]


def test_women_and_men_come_in_turn_with_numbers_as_names():
    voices = speakers(5, seed=3)
    assert [who.gender for who in voices] == ["female", "male", "female", "male", "female"]
    assert [who.name for who in voices] == ["01", "02", "03", "04", "05"]
    assert voices == speakers(5, seed=3) != speakers(5, seed=4)


@pytest.mark.parametrize("name, low, high", [("range", 2, 6), ("tempo", 0.85, 1.15)])
def test_each_voice_has_a_stratum_of_its_own(name, low, high):
    voices = speakers(40)
    for gender in ("female", "male"):
        values = np.sort([getattr(who, name) for who in voices if who.gender == gender])
        place = (values - low) / (high - low) * 20
        assert np.floor(place).astype(int).tolist() == list(range(20))


@pytest.mark.parametrize("count, seed", [(0, 0), (100, 0), (3, -1)])
def test_numbers_of_speakers_that_there_cannot_be(count, seed):
    with pytest.raises(XaiAudioError, match=f"cannot be {count} speakers of seed {seed}"):
        speakers(count, seed)
