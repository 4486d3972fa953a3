"""Events in their places: the room, the level and the ratio."""

import numpy as np
import pytest

from xaiaudio.datasets.events import scene
from xaiaudio.synthesis import dsp


def test_a_full_scale_mixture_is_turned_down_as_one():
    loud = np.sin(np.arange(dsp.SAMPLES))
    event, bed = scene.mix(loud, loud / dsp.rms(loud), level=0.0, ratio=0.0)
    assert np.abs(event.astype(int) + bed).max() <= scene.CEILING * 32_768 + 2
    np.testing.assert_allclose(event, bed, atol=0.01 * 32_768)


@pytest.mark.parametrize("level, ratio", [(-20.0, 12.0), (-30.0, -3.0)])
def test_level_and_ratio_are_those_asked_for(level, ratio):
    rng = np.random.default_rng(0)
    sound = rng.standard_normal(dsp.SAMPLES)
    sound[dsp.SAMPLES // 8 :] = 0
    bed = rng.standard_normal(dsp.SAMPLES)
    event, rest = (stem / 32_768 for stem in scene.mix(sound, bed / dsp.rms(bed), level, ratio))
    loud = 20 * np.log10(dsp.loudness(event))
    assert loud == pytest.approx(level, abs=0.01)
    assert loud - 20 * np.log10(dsp.rms(rest)) == pytest.approx(ratio, abs=0.01)


def test_from_afar_the_high_frequencies_are_swallowed():
    wave = np.random.default_rng(0).standard_normal(dsp.SAMPLES)
    far = scene.distance(np.random.default_rng(1), wave)
    gain = np.abs(np.fft.rfft(far)) / np.abs(np.fft.rfft(wave))
    assert (np.diff(gain) <= 1e-12).all() and gain[0] == pytest.approx(1) and gain[-1] < 0.8


@pytest.mark.slow
def test_walls_answer_after_the_sound_and_in_the_open_hardly():
    click = np.zeros(dsp.SAMPLES)
    click[0] = 1
    place = scene.Place(echo=(0.1, 0.6), ring=(0.2, 1.1))
    answers = [scene.room(np.random.default_rng(seed), click, place) for seed in range(60)]
    strengths = np.array([np.sqrt(np.square(answer[1:]).sum()) for answer in answers])
    in_the_open = np.isclose(strengths, scene.OPEN * 0.1)
    assert 4 <= in_the_open.sum() <= 22  # a fifth of sixty
    assert (strengths[~in_the_open] >= 0.1).all() and (strengths <= 0.6 + 1e-9).all()
    for answer in answers:
        assert answer[0] == pytest.approx(1) and np.abs(answer[1:32]).max() < 1e-9
        level = np.square(answer[200:]).cumsum()
        assert level[len(level) // 4] > 0.95 * level[-1]  # over within a second or so


def test_a_room_rings_as_long_as_its_place_says():
    click = np.zeros(dsp.SAMPLES)
    click[0] = 1
    for ring in ((0.2, 0.2), (0.8, 0.8)):
        answer = scene.room(np.random.default_rng(2), click, scene.Place(ring=ring))[1:]
        # Backward integration (Schroeder): what is still to come, in decibels of the whole.
        left = 10 * np.log10(
            np.square(answer)[::-1].cumsum()[::-1] / np.square(answer).sum() + 1e-12
        )
        fall = [np.argmax(left < level) / dsp.RATE for level in (-5, -25)]
        assert 3 * (fall[1] - fall[0]) == pytest.approx(ring[0], rel=0.15)


def test_what_is_near_keeps_its_high_frequencies():
    wave = np.random.default_rng(0).standard_normal(dsp.SAMPLES)
    highs = []
    for reach in ((2000, 2000), (16_000, 16_000)):
        near = scene.distance(np.random.default_rng(1), wave, reach)
        power = np.abs(np.fft.rfft(near)) ** 2
        highs.append(power[len(power) // 2 :].sum())
    assert highs[1] > 4 * highs[0]


def test_places_sound_different_and_equally_loud():
    places = [scene.background(np.random.default_rng(seed)) for seed in range(12)]
    for place in places:
        assert place.shape == (dsp.SAMPLES,) and dsp.rms(place) == pytest.approx(1)
    np.testing.assert_array_equal(scene.background(np.random.default_rng(3)), places[3])
    alike = np.corrcoef(places) - np.eye(12)
    assert np.abs(alike).max() < 0.5
