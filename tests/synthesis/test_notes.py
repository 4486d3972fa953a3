"""Notes that are played sound when and as high as the piano roll says."""

import numpy as np
import pytest

import xaiaudio as xa
from xaiaudio.synthesis import dsp, instruments
from xaiaudio.synthesis.notes import Notes, chords, melody, name, played


def test_a_roll_says_who_sounds_when():
    notes = Notes(np.array([64, 60, 64]), np.array([0.0, 0.5, 2.0]), np.array([1.0, 1.5, 3.0]))
    times = np.arange(0, 3.2, 0.25)
    wanted = np.zeros((2, len(times)), bool)
    for pitch, start, end in zip(notes.pitches, notes.starts, notes.ends, strict=True):
        for number, time in enumerate(times):
            wanted[[60, 64].index(pitch), number] |= start <= time < end
    assert np.array_equal(notes.roll(times), wanted)
    assert notes.different.tolist() == [60, 64]


@pytest.mark.parametrize("instrument", ["lead", "pad", "bass"])
def test_what_is_played_has_the_pitches_of_the_roll(instrument):
    tune = melody(repeats=1)[0]
    wave = played(tune, instrument)
    assert wave.dtype == np.float32 and dsp.rms(wave) == pytest.approx(0.1, rel=1e-3)
    for pitch, start in zip(tune.pitches, tune.starts, strict=True):
        piece = wave[dsp.samples(start + 0.05) :][:2400]
        heights = np.abs(np.fft.rfft(piece * np.hanning(len(piece)), 1 << 15))
        peak = heights.argmax() * dsp.RATE / (1 << 15)
        assert peak == pytest.approx(float(instruments.hertz(pitch)), rel=0.02)


def test_between_notes_it_is_silent():
    tune = Notes(np.array([60, 60]), np.array([0.0, 1.0]), np.array([0.4, 1.4]))
    wave = played(tune)
    assert not wave[dsp.samples(0.45) : dsp.samples(0.95)].any() and wave.any()


def test_notes_of_a_chord_sound_together():
    notes = chords([48, 50])
    assert notes.different.tolist() == [48, 50, 52, 54, 55, 57]
    roll = notes.roll(np.arange(0, 2, 0.1))
    assert np.array_equal(roll[0], roll[2]) and np.array_equal(roll[1], roll[5])


def test_names_of_pitches():
    assert [name(pitch) for pitch in (60, 69, 61)] == ["C4", "A4", "C#4"]


def test_what_cannot_be_played():
    with pytest.raises(xa.XaiAudioError, match="no instrument|No instrument"):
        played(chords([48]), "kazoo")
    with pytest.raises(xa.XaiAudioError, match="an end after its start"):
        Notes(np.array([60]), np.array([1.0]), np.array([1.0]))


@pytest.mark.parametrize("wrong", [-1.0, 0.0, float("nan"), float("inf"), "1"])
def test_numbers_that_make_no_sense_are_told(wrong):
    with pytest.raises(xa.XaiAudioError, match="level is"):
        played(chords([48]), level=wrong)
    with pytest.raises(xa.XaiAudioError, match="A beat lasts"):
        chords([48], beat=wrong)
    with pytest.raises(xa.XaiAudioError, match="A beat lasts"):
        melody(beat=wrong)


def test_notes_that_are_none():
    with pytest.raises(xa.XaiAudioError, match="no notes"):
        played(chords([]))
    with pytest.raises(xa.XaiAudioError, match="no notes"):
        played(melody(repeats=0)[0])
    for pitch, start, end in ((60, -1.0, 1.0), (np.nan, 0.0, 1.0), (60, 0.0, np.inf)):
        with pytest.raises(xa.XaiAudioError, match="numbers, and start at 0"):
            Notes(np.array([pitch]), np.array([start]), np.array([end]))
