"""Voices of animals and people: what their pitch and their loudness do."""

import numpy as np
import pytest
from made_sounds import smooth

from xaiaudio.synthesis import animal_voices, dsp

RATE = dsp.RATE


def _pitch(wave, low, high):
    """Pitch of the loudest tenth of a second, by autocorrelation."""
    loud = smooth(wave**2, 1600)
    middle = int(np.clip(loud.argmax(), 800, len(wave) - 800))
    piece = wave[middle - 800 : middle + 800] * np.hanning(1600)
    likeness = np.fft.irfft(np.abs(np.fft.rfft(piece, 4096)) ** 2)
    shortest = round(RATE / high)
    return RATE / (shortest + likeness[shortest : round(RATE / low)].argmax())


@pytest.mark.slow
def test_babies_and_roosters_sing_at_their_pitch():
    for make, low, high in ((animal_voices.baby_cry, 200, 800), (animal_voices.rooster, 200, 1150)):
        pitches = [_pitch(make(np.random.default_rng(seed)), 150, 1200) for seed in range(6)]
        assert low < min(pitches) <= max(pitches) < high


def test_a_bark_rises_at_once_and_falls_in_pitch():
    dog = animal_voices.Dog(
        400.0, np.array([700, 1500, 2600, 3800]), (1, 0.5, 0.1, 0), -6, 0.0, 1.6
    )
    bark = animal_voices._bark(np.random.default_rng(0), dog, 0.8)
    start, middle, end = (
        _pitch(bark[at : at + 1600], 150, 800) for at in (1000, 4500, len(bark) - 2400)
    )
    assert middle > 1.1 * start
    assert middle > 1.15 * end


def test_a_crow_is_calls_and_a_long_tone_that_ends_lower():
    bird = animal_voices.Bird(700.0, dsp.bumps([700, 1400], [300, 300], [0.5, 1]), 0.0, 0.1)
    for seed in range(4):
        crow = animal_voices._crow(np.random.default_rng(seed), bird, 1.6)
        tone, end = crow[14_500:16_100], np.pad(crow[-900:], 350)
        assert _pitch(tone, 500, 950) == pytest.approx(700, rel=0.15)
        assert _pitch(end, 400, 950) < 0.97 * _pitch(tone, 500, 950)
        loud = np.square(crow)
        assert loud[:100].mean() < loud.mean() / 10  # it starts softly


def test_a_sneeze_breaks_out_within_hundredths_of_a_second():
    wave = animal_voices.person_sneeze(np.random.default_rng(5))
    loud = np.sqrt(np.square(wave).reshape(-1, 80).mean(axis=1))  # 5 ms
    top = loud.argmax()
    assert loud[top] > 4 * loud[max(0, top - 8)]
    assert loud[top] > 4 * loud[min(len(loud) - 1, top + 80)]
