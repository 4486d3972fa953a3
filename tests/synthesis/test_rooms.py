"""A room as two numbers: what it is, its sum in loops, its estimate, and what is taken away."""

import numpy as np
import pytest

import xaiaudio as xa
from xaiaudio.evaluate.metrics.distortion import log_spectral_distance
from xaiaudio.synthesis import rooms
from xaiaudio.synthesis.duet import duet

VOICE = duet(seed=7).voices[0]


def test_a_room_falls_as_it_says_and_has_the_ratio_it_says():
    room = rooms.answer(0.6, 3.0, seed=1)
    assert room[0] == 1 and (room[1:] ** 2).sum() == pytest.approx(10**-0.3)
    level = 10 * np.log10((room[1:9601] ** 2).reshape(-1, 320).mean(axis=1))
    slope = np.polyfit(np.arange(len(level)) * 0.02, level, 1)[0]
    assert -60 / slope == pytest.approx(0.6, rel=0.05)


def test_the_model_is_a_convolution_in_loops():
    dry = np.random.default_rng(0).uniform(0, 1, (2, 30))
    fall = 10 ** (-6 * 0.008 / 0.3)
    kernel = fall ** np.arange(1, 4000)
    kernel *= 10 ** (-2.0 / 10) / kernel.sum()
    expected = np.zeros_like(dry)
    for band in range(2):
        for frame in range(30):
            total = dry[band, frame]
            for before in range(1, frame + 1):
                total += kernel[before - 1] * dry[band, frame - before]
            expected[band, frame] = total
    np.testing.assert_allclose(rooms.late_sum(dry, 0.3, 2.0), expected, rtol=1e-9)


def test_updates_lower_the_divergence_and_find_what_is_there():
    rng = np.random.default_rng(1)
    dry = np.where(rng.random((4, 80)) < 0.1, rng.uniform(0.5, 2, (4, 80)), 1e-6)
    power = rooms.late_sum(dry, 0.5, 0.0)
    found = rooms.dry_of(power, 0.5, 0.0)
    assert found.min() > 0
    again = rooms.late_sum(found, 0.5, 0.0)
    start = rooms.late_sum(power / 2, 0.5, 0.0)
    assert rooms.divergence(power, again) < 0.05 * rooms.divergence(power, start)
    assert np.corrcoef(found.ravel(), dry.ravel())[0, 1] > 0.95
    share = power / again
    assert rooms.divergence(power, again) == pytest.approx(np.mean(share - np.log(share) - 1))
    assert rooms.divergence(power, power) == 0


@pytest.mark.slow
def test_slower_rooms_are_told_from_faster_ones():
    found = [
        rooms.decay(rooms.put(VOICE, rooms.answer(true, seed=2))).seconds
        for true in (0.3, 0.6, 1.2)
    ]
    assert found == sorted(found)
    assert np.abs(np.log2(np.array(found) / [0.3, 0.6, 1.2])).max() < 0.6
    assert rooms.decay(VOICE).seconds < found[0]


@pytest.mark.slow
def test_the_late_part_goes_and_a_dry_sound_stays():
    wet = rooms.put(VOICE, rooms.answer(0.8, seed=3))
    dry = np.pad(VOICE, (0, len(wet) - len(VOICE)))
    found = rooms.removed(wet, rooms.decay(wet).seconds)
    assert log_spectral_distance(found, dry) < log_spectral_distance(wet, dry) - 1
    kept = rooms.removed(dry, rooms.decay(dry).seconds)
    assert np.sum((kept - dry) ** 2) < np.sum((found - wet) ** 2)


def test_what_is_no_room_and_no_sound():
    with pytest.raises(xa.XaiAudioError, match="above 0"):
        rooms.answer(0.0)
    with pytest.raises(xa.XaiAudioError, match="above 0"):
        rooms.removed(VOICE, -1.0)
    with pytest.raises(xa.XaiAudioError, match="not silent"):
        rooms.decay(np.zeros(9000))
    for ratio in (np.nan, np.inf):
        with pytest.raises(xa.XaiAudioError, match="finite number"):
            rooms.answer(0.5, ratio)
        with pytest.raises(xa.XaiAudioError, match="finite number"):
            rooms.removed(VOICE, 0.5, ratio=ratio)
        with pytest.raises(xa.XaiAudioError, match="finite number"):
            rooms.decay(VOICE, ratio=ratio)


@pytest.mark.slow
@pytest.mark.parametrize("seconds", [1e-4, np.float64(1e-4), 1e-9])
def test_in_a_room_too_small_to_be_heard_a_sound_is_louder_by_the_late_part(seconds):
    # All that is late comes within the next frame.
    dry = np.eye(1, 5)
    np.testing.assert_allclose(
        rooms.late_sum(dry, seconds, 3.0), [[1, 10**-0.3, 0, 0, 0]], atol=1e-9
    )
    assert np.isfinite(rooms.removed(VOICE, seconds)).all()
