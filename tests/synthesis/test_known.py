"""Known sounds have the properties that they are said to have: measured in other ways."""

import librosa
import numpy as np
import pytest

import xaiaudio as xa
from xaiaudio.synthesis import known
from xaiaudio.synthesis.known import PROPERTIES, known_sounds

CLEAR = {"noise": 40.0, "harmonicity": 25.0, "room": 0.1}


def test_level_and_noise_are_what_is_said():
    truth = known_sounds(5, seed=3).truth
    voice, noise = known.parts(truth, np.random.default_rng(0))
    for k in range(5):
        both = 10 * np.log10(np.mean((voice[k] + noise[k]) ** 2))
        assert both == pytest.approx(truth["level"][k], abs=1e-6)
        ratio = 10 * np.log10(np.mean(voice[k] ** 2) / np.mean(noise[k] ** 2))
        assert ratio == pytest.approx(truth["noise"][k], abs=1e-6)


def test_harmonicity_is_the_energy_at_multiples_of_the_pitch():
    truth = {"pitch": np.array([110.0, 333.5]), "harmonicity": np.array([20.0, 0.0])}
    for wave, pitch, wanted in zip(
        known.source(truth, np.random.default_rng(1)),
        truth["pitch"],
        truth["harmonicity"],
        strict=True,
    ):
        power = np.abs(np.fft.rfft(wave)) ** 2
        lines = [round(2 * pitch * k) for k in range(1, int(7800 / pitch) + 1)]
        at, rest = power[lines].sum(), np.delete(power, lines).sum()
        assert 10 * np.log10(at / rest) == pytest.approx(wanted, abs=0.3)


def test_librosa_finds_the_pitch():
    sounds = known_sounds(6, seed=1, fixed=CLEAR | {"pulse rate": 2.0})
    for wave, pitch in zip(sounds.waves, sounds.truth["pitch"], strict=True):
        found = librosa.yin(wave, fmin=80, fmax=900, sr=16_000, frame_length=2048)
        # A strong resonance can be taken for the pitch an octave above or below.
        octaves = np.log2(np.median(found) / pitch)
        assert abs(octaves - round(octaves)) < 0.02


def test_pulses_come_as_often_as_is_said():
    rates = np.array([2.0, 7.0, 16.0])
    waves = known.pulsed(np.ones((3, 32_000)), rates, np.random.default_rng(0))
    for wave, rate in zip(waves, rates, strict=True):
        power = np.abs(np.fft.rfft(wave - wave.mean()))
        assert power.argmax() / 2 == rate
        assert wave.max() == pytest.approx(1, abs=1e-3) and wave.min() == pytest.approx(
            0.03, abs=1e-3
        )


def test_a_room_dies_away_by_60_db_in_its_time():
    """The slope of the energy still to come (Schroeder's integral), from -5 to -25 dB."""
    click = np.zeros((2, 32_000))
    click[:, 0] = 1
    for wave, seconds in zip(
        known.in_room(click, np.array([0.3, 1.2]), np.random.default_rng(2)),
        (0.3, 1.2),
        strict=True,
    ):
        left = np.cumsum(wave[:0:-1] ** 2)[::-1]
        decay = 10 * np.log10(left / left[0])
        first, last = np.argmax(decay < -5), np.argmax(decay < -25)
        assert 3 * (last - first) / 16_000 == pytest.approx(seconds, rel=0.1)
        assert (wave[1:] ** 2).sum() + (wave[0] - 1) ** 2 == pytest.approx(1, abs=0.01)


def test_the_properties_are_drawn_evenly_and_tell_nothing_of_each_other(monkeypatch):
    silence = np.zeros((1, 1))
    monkeypatch.setattr(known, "parts", lambda truth, rng: (silence, silence))  # none is heard
    truth = known_sounds(700, seed=2).scaled()
    for one in PROPERTIES:
        low, high = one.to_scale(one.low), one.to_scale(one.high)
        share = (truth[one.name] - low) / (high - low)
        assert -0.01 <= share.min() < 0.02 and 0.98 < share.max() <= 1.01
        assert abs(share.mean() - 0.5) < 3 * (1 / 12 / 700) ** 0.5
    table = np.corrcoef(list(truth.values()))
    assert np.abs(table - np.eye(len(table))).max() < 4 / 700**0.5


def test_what_is_fixed_leaves_the_rest_as_it_was():
    free, held = known_sounds(3, seed=4), known_sounds(3, seed=4, fixed={"level": -30.0})
    assert held.truth["level"].tolist() == [-30.0] * 3
    np.testing.assert_array_equal(held.truth["pitch"], free.truth["pitch"])
    for one, other, level in zip(held.waves, free.waves, free.truth["level"], strict=True):
        np.testing.assert_allclose(one, other * 10 ** ((-30 - level) / 20), rtol=1e-3, atol=1e-7)


@pytest.mark.slow
def test_a_seed_gives_the_same_sounds_however_many():
    np.testing.assert_array_equal(known_sounds(2).waves, known_sounds(2).waves)
    assert (known_sounds(2).waves != known_sounds(2, seed=1).waves).any()
    assert np.abs(known_sounds(64, fixed={"level": -20.0}).waves).max() <= 1


def test_what_cannot_be_made_is_refused():
    with pytest.raises(xa.XaiAudioError, match="pitch = 20"):
        known_sounds(1, fixed={"pitch": 20})
    with pytest.raises(xa.XaiAudioError, match="No sound has colour"):
        known_sounds(1, fixed={"colour": 1.0})
    with pytest.raises(xa.XaiAudioError, match="count is 0"):
        known_sounds(0)
