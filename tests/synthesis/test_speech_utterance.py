"""Spoken digits: pitch, formants and noises, measured independently."""

import dataclasses

import numpy as np
import pytest
from scipy.signal import lfilter
from spoken_digits import VOICES, middle_of, piece

from xaiaudio.datasets import digits
from xaiaudio.errors import XaiAudioError
from xaiaudio.synthesis.speech_phones import PHONES, WORDS

RATE = 16_000


def _autocorrelation_pitch(wave):
    """Return the pitch in hertz of the highest peak of the autocorrelation, and its height."""
    wave = wave - wave.mean()
    size = 2 * len(wave)
    similar = np.fft.irfft(np.abs(np.fft.rfft(wave, size)) ** 2)[: len(wave) // 2]
    similar = similar / (similar[0] * (1 - np.arange(len(similar)) / len(wave)))
    lags = np.arange(RATE // 400, min(RATE // 60, len(similar) - 1))
    peaks = lags[(similar[lags] >= similar[lags - 1]) & (similar[lags] >= similar[lags + 1])]
    if not len(peaks):
        return np.nan, 0.0
    # Two periods are as alike as one: the first peak that is nearly the highest counts.
    best = peaks[similar[peaks] > 0.9 * similar[peaks].max()][0]
    return RATE / best, similar[best]


def _lpc_formants(wave, order=16, low=150.0):
    """Frequencies of the sharp resonances that linear prediction finds."""
    wave = lfilter([1, -0.97], 1, wave) * np.hamming(len(wave))
    lags = np.correlate(wave, wave, "full")[len(wave) - 1 : len(wave) + order]
    matrix = lags[np.abs(np.subtract.outer(np.arange(order), np.arange(order)))]
    matrix[np.diag_indices(order)] *= 1 + 1e-6
    roots = np.roots(np.append(1, -np.linalg.solve(matrix, lags[1 : order + 1])))
    roots = roots[(roots.imag > 0) & (np.abs(roots) > 0.85)]
    return np.sort([f for f in np.angle(roots) * RATE / (2 * np.pi) if f > low])


@pytest.mark.slow
@pytest.mark.parametrize("number", range(0, 20, 3))
def test_autocorrelation_finds_the_pitch_of_vowels(number):
    who = VOICES[number]
    for digit, vowel in (("three", "iy"), ("four", "ao"), ("six", "ih"), ("nine", "ay")):
        said = digits.speak(digit, who)
        middle, wave = middle_of(said, vowel)
        near = np.abs(said.times - middle) < 0.03
        pitch, height = _autocorrelation_pitch(wave)
        assert pitch == pytest.approx(np.nanmean(said.pitch[near]), rel=0.04), (digit, who)
        assert height > 0.7
        # ... and that is the speaker's own, give or take a melody.
        assert abs(np.log2(pitch / who.pitch)) < 0.5


@pytest.mark.slow
def test_linear_prediction_finds_the_formants_of_vowels():
    errors = []
    for who in [who for who in VOICES if who.gender == "male"]:
        for digit, vowel in (("three", "iy"), ("four", "ao"), ("one", "ah"), ("six", "ih")):
            said = digits.speak(digit, who)
            middle, wave = middle_of(said, vowel)
            true = said.formants[np.abs(said.times - middle).argmin()]
            found = _lpc_formants(wave)
            errors.append([np.abs(found / formant - 1).min() for formant in true[:2]])
    # Harmonics lie 100 Hz apart and more: no method sees between them.
    assert np.median(errors, axis=0).max() < 0.08
    assert np.mean(np.array(errors) < 0.2) > 0.9


def test_formants_scale_with_the_tract_and_harmonics_with_the_pitch():
    who = VOICES[3]
    other = dataclasses.replace(who, tract=1.2 * who.tract)
    higher = dataclasses.replace(who, pitch=1.5 * who.pitch)
    one, longer, sung = (digits.speak("five", someone) for someone in (who, other, higher))
    inside = np.isfinite(one.formants)
    np.testing.assert_allclose(longer.formants[inside], 1.2 * one.formants[inside])
    np.testing.assert_array_equal(longer.pitch, one.pitch)
    voiced = np.isfinite(one.pitch)
    np.testing.assert_allclose(sung.pitch[voiced], 1.5 * one.pitch[voiced])
    np.testing.assert_array_equal(sung.formants, one.formants)
    assert one.phones == longer.phones == sung.phones
    found = [_autocorrelation_pitch(middle_of(said, "ay")[1])[0] for said in (one, longer, sung)]
    assert found[1] == pytest.approx(found[0], rel=0.02)
    assert found[2] == pytest.approx(1.5 * found[0], rel=0.02)


def test_fricatives_hiss_high_and_without_pitch():
    for who in VOICES[::4]:
        said = digits.speak("six", who)
        _, hiss = middle_of(said, "s")
        _, vowel = middle_of(said, "ih")
        shares = []
        for wave in (hiss, vowel):
            power = np.abs(np.fft.rfft(wave * np.hanning(len(wave)))) ** 2
            shares.append(power[np.fft.rfftfreq(len(wave), 1 / RATE) > 3500].sum() / power.sum())
        assert shares[0] > 0.8 > 0.1 > shares[1]
        assert _autocorrelation_pitch(hiss)[1] < 0.6


def test_a_stop_is_a_silence_and_a_burst():
    said = digits.speak("eight", VOICES[0])
    stop = said.phones[-1]
    assert (stop.name, stop.group) == ("t", "stop")
    loud = np.sqrt(np.square(piece(said, stop.start, stop.end)[: 5 * 320].reshape(5, -1)).mean(1))
    assert loud[1:].max() > 4 * loud[1]


@pytest.mark.slow
def test_every_word_is_said_phone_by_phone_within_its_second():
    for number, digit in enumerate(digits.DIGITS):
        for who in VOICES[::3]:
            said = digits.speak(number, who, take=number)
            assert said.digit == digit
            assert tuple(phone.name for phone in said.phones) == WORDS[digit]
            assert all(name in PHONES for name in WORDS[digit])
            ends = [phone.end for phone in said.phones]
            assert [phone.start for phone in said.phones[1:]] == ends[:-1]
            assert 0 <= said.phones[0].start < ends[-1] <= 1
            assert said.wave.shape == (RATE,) and said.wave.dtype == np.float32
            assert 0.05 < np.abs(said.wave).max() < 1
            outside = np.append(
                piece(said, 0, max(said.phones[0].start - 0.04, 0)),
                piece(said, ends[-1] + 0.06, 1),
            )
            word = piece(said, said.phones[0].start, ends[-1])
            assert np.sqrt(np.mean(outside**2)) < 0.1 * np.sqrt(np.mean(word**2))


def test_an_utterance_depends_on_digit_speaker_take_and_seed_only():
    first = digits.speak("two", VOICES[1], take=1, seed=2)
    digits.speak("nine", VOICES[4])
    np.testing.assert_array_equal(digits.speak(2, VOICES[1], 1, 2).wave, first.wave)
    others = [("two", VOICES[1], 0, 2), ("two", VOICES[1], 1, 0), ("two", VOICES[2], 1, 2)]
    for what in others:
        assert not np.array_equal(digits.speak(*what).wave, first.wave)


def test_wrong_requests_are_refused_in_words():
    with pytest.raises(XaiAudioError, match="'ten' is no digit"):
        digits.speak("ten", VOICES[0])
    with pytest.raises(XaiAudioError, match="10 is no digit"):
        digits.speak(10, VOICES[0])
    with pytest.raises(XaiAudioError, match="0 or more"):
        digits.speak("one", VOICES[0], take=-1)
    with pytest.raises(XaiAudioError, match="1 to 99"):
        digits.speakers(100)
