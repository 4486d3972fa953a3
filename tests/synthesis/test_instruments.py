"""Notes and drums: pitch, harmonics, and where they begin."""

import numpy as np
import pytest
from made_sounds import centroid

from xaiaudio.synthesis import instruments


def test_a_note_has_its_pitch_and_its_harmonics():
    (note,) = instruments.tones([69], 1.0, [1.0, 0.5])
    spectrum = np.abs(np.fft.rfft(note))
    assert np.argmax(spectrum) == 440
    assert spectrum[880] / spectrum[440] == pytest.approx(0.5, abs=0.01)
    assert note[0] == 0 and abs(note[-1]) < 0.01  # neither end clicks


def test_harmonics_that_would_fold_back_are_left_out():
    (note,) = instruments.tones([105], 0.5, np.ones(9))  # 3520 Hz
    spectrum = np.abs(np.fft.rfft(note)) / len(note)
    assert set(np.flatnonzero(spectrum > 0.05) * 2 // 100 * 100) == {3500, 7000}


def test_notes_begin_where_they_are_placed():
    wave = instruments.placed([0.0, 0.5, 1.9999], np.ones((3, 4)), 32_000)
    assert np.flatnonzero(wave).tolist() == [0, 1, 2, 3, 8000, 8001, 8002, 8003, 31_998, 31_999]


def test_pitches_in_hertz():
    np.testing.assert_allclose(instruments.hertz([69, 81, 57, 60]), [440, 880, 220, 261.625565])


def test_a_note_of_a_chord_is_the_note_alone():
    together = instruments.pad([60, 64, 60], 0.3)
    for row, pitch in zip(together, (60, 64, 60), strict=True):
        np.testing.assert_array_equal(row, instruments.pad([pitch], 0.3)[0])


def test_a_plucked_note_dies_away_and_a_held_one_does_not():
    (plucked,), (held,) = instruments.bass([57], 1.0), instruments.pad([57], 1.0)
    for wave, fall in ((plucked, np.exp(-0.5 / 0.4)), (held, 1.0)):
        early, late = (np.abs(wave[at : at + 1600]).max() for at in (3200, 11_200))
        assert late / early == pytest.approx(fall, rel=0.05)
    spectrum = np.abs(np.fft.rfft(instruments.lead([57], 1.0)[0]))
    assert spectrum[440] < 0.01 * spectrum[220] and spectrum[660] > 0.3 * spectrum[220]


def test_drums_lie_where_they_should_and_are_soon_over():
    drums = [instruments.kick()]
    drums += [make(np.random.default_rng(0)) for make in (instruments.snare, instruments.hat)]
    low, middle, high = (centroid(drum) for drum in drums)
    assert low < 150 < 800 < middle < 4000 < 5500 < high
    for drum in drums:
        energy = np.cumsum(np.square(drum)) / np.square(drum).sum()
        assert energy[len(drum) // 2] > 0.9


def test_a_sung_note_swings_about_its_pitch():
    note = instruments.sung(np.random.default_rng(0), 69, 1.0, rate=5.0, depth=1.0)
    semitones = 12 * np.log2(note.pitch / 440)
    swing = np.sin(2 * np.pi * 5 * np.arange(16_000) / 16_000)
    np.testing.assert_allclose(semitones, swing, atol=1e-12)
    still = instruments.sung(np.random.default_rng(0), 69, 1.0, depth=0.0).voice
    power = np.abs(np.fft.rfft(still * np.hanning(16_000))) ** 2
    near = np.abs((np.arange(8001) + 220) % 440 - 220) <= 3
    assert power[near].sum() > 0.999 * power.sum()
