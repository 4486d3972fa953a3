import numpy as np
import pytest

from xaiaudio import XaiAudioError
from xaiaudio.probes.planted_copies import KINDS, copies

RATE = 16_000


def made(first=8_000):
    waves = np.random.default_rng(0).normal(0, 0.1, (3, 32_000))
    return waves, copies(waves, np.full(3, first), 12_000, RATE, seed=1)


def test_each_copy_is_what_its_kind_says():
    waves, found = made()
    plain = waves[:, 8_000:20_000]
    assert list(found) == list(KINDS)
    np.testing.assert_allclose(found["softer"], plain / 4, atol=1e-6)
    np.testing.assert_allclose(found["later"], waves[:, 4_800:16_800], atol=1e-6)
    noise = found["noisy"] - plain
    ratio = 10 * np.log10(np.square(plain).mean(axis=1) / np.square(noise).mean(axis=1))
    np.testing.assert_allclose(ratio, 20, atol=0.3)
    spectrum = np.square(np.abs(np.fft.rfft(found["coarse"], axis=1)))
    hertz = np.fft.rfftfreq(12_000, 1 / RATE)
    assert spectrum[:, hertz > 4_500].sum() < 0.02 * spectrum[:, hertz < 2_500].sum()
    assert max(len(np.unique(row)) for row in found["coarse"]) <= 65


def test_a_stretch_at_the_start_moves_the_other_way():
    waves, found = made(first=100)
    np.testing.assert_allclose(found["later"], waves[:, 3_300:15_300], atol=1e-6)


def test_the_noise_is_decided_by_the_seed():
    waves, found = made()
    again = copies(waves, np.full(3, 8_000), 12_000, RATE, seed=1)["noisy"]
    other = copies(waves, np.full(3, 8_000), 12_000, RATE, seed=2)["noisy"]
    np.testing.assert_array_equal(found["noisy"], again)
    assert not np.array_equal(found["noisy"], other)


@pytest.mark.parametrize(("first", "match"), [(30_000, "outside"), (-1, "outside")])
def test_a_stretch_outside_is_refused(first, match):
    with pytest.raises(XaiAudioError, match=match):
        copies(np.zeros((1, 32_000)), [first], 12_000, RATE)


def test_a_recording_too_short_to_move_in_is_refused():
    with pytest.raises(XaiAudioError, match="too short"):
        copies(np.zeros((1, 13_000)), [0], 12_000, RATE)


def test_too_low_a_rate_and_nothing_to_copy_are_refused():
    with pytest.raises(XaiAudioError, match="6000 Hz"):
        copies(np.zeros((1, 32_000)), [0], 12_000, 6_000)
    with pytest.raises(XaiAudioError, match="one at least"):
        copies(np.zeros((0, 32_000)), [], 12_000, RATE)
