"""The energy that a front end does not hear: against the sound's spectrum as a whole."""

import numpy as np
import pytest
import soundfile

import xaiaudio as xa
from xaiaudio.unheard import of_blocks, unheard

RATE = 48_000
FRONTEND = xa.LogMel.vggish()


def noise(seconds=3.0, seed=0):
    return np.random.default_rng(seed).normal(0, 0.1, round(seconds * RATE))


def test_the_share_is_that_of_the_whole_spectrum():
    wave = noise()
    power = np.square(np.abs(np.fft.rfft(wave)))
    hertz = np.fft.rfftfreq(len(wave), 1 / RATE)
    found = of_blocks([wave], RATE, FRONTEND)
    assert found.above == pytest.approx(power[hertz > 7500].sum() / power.sum(), abs=0.01)
    assert found.below == pytest.approx(power[hertz < 125].sum() / power.sum(), abs=0.003)
    assert found.above > 0.6 and found.worth_saying


def test_blocks_make_no_difference_but_at_their_seams():
    wave = noise()
    whole = of_blocks([wave], RATE, FRONTEND)
    cut = of_blocks(np.split(wave, 3), RATE, FRONTEND)
    assert cut.above == pytest.approx(whole.above, abs=0.003)


@pytest.mark.parametrize("hertz, above, below", [(18_000, 1, 0), (2000, 0, 0), (60, 0, 1)])
def test_a_tone_is_heard_or_not(hertz, above, below):
    tone = np.sin(2 * np.pi * hertz * np.arange(RATE) / RATE)
    found = of_blocks([tone], RATE, FRONTEND)
    assert (found.above, found.below) == pytest.approx((above, below), abs=0.01)
    assert found.worth_saying == bool(above or below)


def test_silence_has_no_energy_to_miss():
    found = of_blocks([np.zeros(RATE)], RATE, FRONTEND)
    assert (found.above, found.below) == (0, 0) and "hears nothing below 125" in str(found)


def test_a_file_is_measured_at_its_own_rate(tmp_path):
    t = np.arange(RATE) / RATE
    sound = 0.3 * np.sin(2 * np.pi * 2000 * t)
    sound[RATE // 2 :] = 0.3 * np.sin(2 * np.pi * 12_000 * t[RATE // 2 :])
    soundfile.write(tmp_path / "a.wav", sound, RATE)
    found = unheard(tmp_path / "a.wav", FRONTEND)
    assert found.above == pytest.approx(0.5, abs=0.01) and found.sample_rate == RATE
    assert "50% of the sound's energy lies above 7500 Hz" in str(found)
    assert unheard(tmp_path / "a.wav", FRONTEND, end=0.5).above < 0.01
