"""A recording with controls: left as it is to the bit, and edits by their definitions."""

import numpy as np
import pytest
from made_sounds import centroid

from xaiaudio import XaiAudioError
from xaiaudio.synthesis import edits

RATE = 16_000


@pytest.fixture(scope="module")
def recorded():
    rng = np.random.default_rng(5)
    time = np.arange(2 * RATE) / RATE
    wave = 0.2 * np.sin(2 * np.pi * 500 * time) + 0.05 * rng.standard_normal(2 * RATE)
    return edits.recording(wave.astype(np.float32), RATE)


def test_a_recording_is_left_as_it_is_bit_for_bit(recorded):
    original = recorded([recorded.original])[0]
    np.testing.assert_array_equal(recorded([recorded.original] * 3), np.stack([original] * 3))
    moved = recorded.setting(**{"low-pass": 1000})
    np.testing.assert_array_equal(recorded([moved, recorded.original])[1], original)
    rng = np.random.default_rng(2)
    wave = rng.uniform(-0.5, 0.5, RATE).astype(np.float32)
    sound = edits.recording(wave, RATE)
    np.testing.assert_array_equal(sound([sound.original])[0], wave)


def test_edits_by_their_definitions(recorded):
    wave = recorded([recorded.original])[0].astype(float)

    def edited(**values):
        return recorded([recorded.setting(**values)])[0]

    np.testing.assert_allclose(edited(level=-20), wave / 10, atol=1e-7)
    cut = edited(start=0.5, end=1.5)
    assert not cut[: RATE // 2].any() and not cut[RATE + RATE // 2 :].any()
    np.testing.assert_array_equal(cut[RATE // 2 : RATE + RATE // 2], wave[8000:24000].astype("f4"))
    hertz = np.fft.rfftfreq(len(wave), 1 / RATE)
    for name, sign in (("low-pass", 1), ("high-pass", -1)):
        corner = 1000.0
        with np.errstate(divide="ignore"):
            gain = 1 / np.sqrt(1 + (hertz / corner) ** (sign * 8.0))
        expected = np.fft.irfft(np.fft.rfft(wave) * gain, len(wave))
        np.testing.assert_allclose(edited(**{name: corner}), expected, atol=1e-5)
    noise = edited(noise=-10) - wave
    ratio = 10 * np.log10(np.square(noise).mean() / np.square(wave).mean())
    assert ratio == pytest.approx(-10, abs=0.05)
    quarter = {}
    for name in ("speed", "tempo"):
        fast = edited(**{name: 2.0})
        assert not fast[RATE + 2048 :].any() and fast[: RATE - 2048].any()  # half as long
        spectrum = np.abs(np.fft.rfft(fast[2000:14000] * np.hanning(12000)))
        quarter[name] = np.fft.rfftfreq(12000, 1 / RATE)[spectrum.argmax()]
    assert quarter["speed"] == pytest.approx(1000, abs=3)  # the tone of 500 Hz
    assert quarter["tempo"] == pytest.approx(500, abs=3)


def test_several_edits_act_in_their_order(recorded):
    both = recorded([recorded.setting(level=-6, start=0.5)])[0]
    first = recorded([recorded.setting(start=0.5)])[0]
    np.testing.assert_allclose(both, first * 10 ** (-6 / 20), rtol=1e-6)
    noisy = recorded([recorded.setting(noise=0, **{"low-pass": 300})])[0]
    assert centroid(noisy) > centroid(recorded([recorded.setting(**{"low-pass": 300})])[0])


@pytest.mark.parametrize("wave, message", [
    (np.zeros((2, RATE), np.float32), "half a second"),
    (np.zeros(100, np.float32), "half a second"),
    (np.zeros(RATE, np.int16), "half a second"),
    (np.zeros(RATE, np.float32), "silent"),
    (np.full(RATE, np.nan), "NaN"),
])  # fmt: skip
def test_what_is_no_recording(wave, message):
    with pytest.raises(XaiAudioError, match=message):
        edits.recording(wave, RATE)


@pytest.mark.parametrize("rate", [0, -1, 0.5, "x", True, None])
def test_a_recording_has_a_rate_that_sounds_have(rate):
    with pytest.raises(XaiAudioError, match="sample rate"):
        edits.recording(np.random.default_rng(0).uniform(-0.5, 0.5, 16_000), rate)
