"""The building blocks of made sounds against their definitions."""

import math

import numpy as np
import pytest

from xaiaudio.synthesis import dsp


def test_harmonics_stand_at_multiples_and_never_fold_back():
    pitch = np.full(dsp.RATE, 1000.0)
    wave = dsp.harmonics(np.random.default_rng(0), pitch, np.ones_like, tilt=0.0)
    lines = np.flatnonzero(np.abs(np.fft.rfft(wave)) > 100)
    np.testing.assert_array_equal(lines, np.arange(1, 8) * 1000)


@pytest.mark.parametrize(
    "gain, hertz, decibels",
    [
        (dsp.slope(-3), [250, 500, 1000, 8000], [6, 3, 0, -9]),
        (dsp.slope(-3), [0, 20], [3 * np.log2(50)] * 2),  # and no steeper below
        (dsp.low_pass(1000), [10, 1000, 8000], [0, -3.01, -36.12]),
        (dsp.low_pass(1000, 1), [1000, 8000], [-3.01, -18.13]),
        (dsp.high_pass(1000), [16_000, 1000, 125], [0, -3.01, -36.12]),
        (dsp.product(dsp.low_pass(1000), dsp.high_pass(1000), dsp.slope(6)), [1000], [-6.02]),
        (dsp.bumps([500, 2000], [100, 200], [1, 0.5], 0), [500, 450], [0.02, -6.0]),
    ],
)
def test_gains_in_decibels(gain, hertz, decibels):
    found = 20 * np.log10(gain(np.array(hertz, float)))
    np.testing.assert_allclose(found, decibels, atol=0.05)


def test_a_filter_weighs_each_frequency_and_delays_nothing():
    t = np.arange(dsp.RATE) / dsp.RATE
    low, high = np.sin(2 * np.pi * 100 * t), np.sin(2 * np.pi * 3000 * t)
    found = dsp.filtered(low + high, lambda hertz: np.where(hertz < 1000, 0.5, 2.0))
    np.testing.assert_allclose(found, 0.5 * low + 2 * high, atol=1e-9)


def test_noise_has_unit_rms_and_its_gains_colour():
    rng = np.random.default_rng(0)
    plain, pink = dsp.noise(rng, 1 << 15), dsp.noise(rng, 1 << 15, dsp.slope(-3))
    assert dsp.rms(plain) == dsp.rms(pink) == pytest.approx(1)
    power = np.abs(np.fft.rfft(np.stack([plain, pink]))) ** 2
    # Octaves from 125 Hz on: white noise has twice as much in each as in the last, pink as much.
    octaves = [power[:, 256 * 2**k : 512 * 2**k].sum(axis=1) for k in range(6)]
    for k, (white, even) in enumerate(octaves):
        assert white / octaves[-1][0] == pytest.approx(2.0 ** (k - 5), rel=0.25)
        assert even / octaves[-1][1] == pytest.approx(1, rel=0.25)
    assert not dsp.noise(rng, 100, np.zeros_like).any()


def test_what_is_struck_is_a_sum_of_sines_that_die_away():
    found = dsp.ring([500, 1200], [0.01, 0.002], [1, 0.5], 80, [0, 1.0])
    for n in range(80):
        t = n / 16_000
        wanted = math.exp(-t / 0.01) * math.sin(2 * math.pi * 500 * t)
        wanted += 0.5 * math.exp(-t / 0.002) * math.sin(2 * math.pi * 1200 * t + 1)
        assert found[n] == pytest.approx(wanted, abs=1e-12)


def test_a_response_begins_at_every_sample():
    rng = np.random.default_rng(0)
    wave, response = rng.standard_normal(30), rng.standard_normal(7)
    wanted = np.zeros(30)
    for n in range(30):
        for k in range(min(7, 30 - n)):
            wanted[n + k] += wave[n] * response[k]
    np.testing.assert_allclose(dsp.convolve(wave, response), wanted, atol=1e-12)


def test_strikes_lie_at_their_samples_and_add_up():
    found = dsp.strikes([0.0, 0.0001, 0.0002, 0.0002, -1, 9], [1, 2, 3, 4, 5, 6], 5)
    assert found.tolist() == [1, 0, 2, 7, 0]
    assert dsp.strikes([], [], 3).tolist() == [0, 0, 0]


@pytest.mark.parametrize(
    "start, wanted", [(0, [1, 2, 3, 0]), (3, [0, 0, 0, 1]), (-2, [3, 0, 0, 0]), (4, []), (-9, [])]
)
def test_what_does_not_fit_is_cut_off(start, wanted):
    wave = np.zeros(4)
    dsp.place(wave, np.array([1.0, 2, 3]), start / dsp.RATE)
    assert wave.tolist() == (wanted or [0] * 4)


def test_curves_go_through_their_values_and_never_beyond():
    found = dsp.through([0, 0.01, 0.02, 0.03], [0, 1, 1, 0], 600)
    assert found[[0, 160, 320, 480]].tolist() == pytest.approx([0, 1, 1, 0])
    assert found.min() > -1e-12 and found.max() < 1 + 1e-12
    assert np.abs(found[480:]).max() < 1e-12 and (np.diff(found[:160]) > 0).all()
    drawn = dsp.curve(np.random.default_rng(0), 10 * dsp.RATE, 50.0)
    assert len(drawn) == 160_000 and abs(drawn.mean()) < 0.2 and 0.7 < drawn.std() < 1.1


def test_a_swell_rises_holds_and_falls():
    found = dsp.swell(1600, 0.02, 0.04)
    assert found[0] == 0 and found[160] == pytest.approx(0.5)
    np.testing.assert_allclose(found[320:960], 1)
    assert found[1280] == pytest.approx(0.5) and found[-1] < 1e-4


def test_draws_between_two_numbers_are_even_in_octaves():
    rng = np.random.default_rng(0)
    drawn = np.array([dsp.log_uniform(rng, 100, 1600) for _ in range(2000)])
    assert drawn.min() >= 100 and drawn.max() <= 1600
    shares = np.histogram(drawn, [100, 200, 400, 800, 1600])[0] / 2000
    np.testing.assert_allclose(shares, 0.25, atol=0.03)


def test_loudness_is_that_of_the_loudest_pieces():
    wave = np.repeat([0.1, 0.5, 0.3, 0.0], 160)
    assert dsp.loudness(wave) == pytest.approx(0.5)
    assert dsp.loudness(wave, share=0.5) == pytest.approx(((0.25 + 0.09) / 2) ** 0.5)
    assert dsp.rms(wave) == pytest.approx(((0.01 + 0.25 + 0.09) / 4) ** 0.5)
    assert np.abs(dsp.unit(-3 * wave)).max() == 1 and not dsp.unit(np.zeros(3)).any()
    assert (dsp.samples(0.5), dsp.samples(0)) == (8000, 1)
