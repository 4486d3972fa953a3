"""Four sounds with controls: a control changes what its name says."""

import numpy as np
import pytest
from made_sounds import centroid

from xaiaudio.synthesis import recipes

RATE = 16_000


@pytest.fixture(scope="module", params=list(recipes.RECIPES))
def made(request):
    return recipes.RECIPES[request.param](3)


def starts(wave, quiet):
    """Count how often a sound begins: its level rises above a threshold after a pause."""
    loud = np.abs(wave) > 0.3 * np.abs(wave).max()
    at = np.flatnonzero(loud)
    return 1 + int((np.diff(at) > quiet).sum())


@pytest.mark.slow
def test_a_recipe_is_the_same_alone_and_among_others(made):
    rng = np.random.default_rng(0)
    low, high = np.array([(one.low, one.high) for one in made.controls]).T
    settings = np.vstack([made.original, rng.uniform(low, high, (4, len(low))), made.original])
    waves = made(settings)
    assert waves.dtype == np.float32 and waves.shape == (6, made.samples)
    for setting, wave in zip(settings, waves, strict=True):
        np.testing.assert_array_equal(made(setting[None])[0], wave)
    again = recipes.RECIPES[made.name](3)
    np.testing.assert_array_equal(again(settings), waves)
    assert not np.array_equal(recipes.RECIPES[made.name](4)(settings), waves)
    assert np.abs(waves[0]).max() < 1


@pytest.mark.slow
def test_every_control_changes_the_sound_at_both_ends(made):
    settings = [
        made.setting(**{control.name: end})
        for control in made.controls
        for end in (control.low, control.high)
        if end != control.value
    ]
    original, *changed = made([made.original, *settings])
    for wave in changed:
        assert not np.array_equal(wave, original)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["clock", "dog"])
def test_the_rate_is_the_number_of_sounds_a_second(name):
    made = recipes.RECIPES[name]()
    for rate in (0.5, 1.0, 2.0, 4.0):
        wave = made([made.setting(rate=rate, noise=-60)])[0]
        expected = 1 + int((5 - 0.1 - 1e-3) * rate)  # from 0.1 s on
        assert abs(starts(wave, 0.04 * RATE) - expected) <= 1


@pytest.mark.slow
def test_brightness_pitch_and_decay_are_measured():
    ticks, crow, bark = recipes.clock(), recipes.rooster(), recipes.dog()
    bright = [centroid(w) for w in ticks([ticks.setting(brightness=b) for b in (500, 1500, 6000)])]
    assert bright[0] < bright[1] < bright[2]
    settings = [ticks.setting(decay=decay, noise=-60) for decay in (2, 10, 50)]
    long = np.square(ticks(settings).astype(float))
    sounding = (long > 1e-3 * long.max(axis=1, keepdims=True)).sum(axis=1)
    assert sounding[0] < sounding[1] < sounding[2]
    for pitch in (400, 700, 1100):
        # In the middle of the long call; without glide, rasp and noise it is a plain tone.
        wave = crow([crow.setting(pitch=pitch, glide=0, rasp=0, noise=-60)])[0][20_000:28_000]
        power = np.abs(np.fft.rfft(wave * np.hanning(len(wave))))
        hertz = np.fft.rfftfreq(len(wave), 1 / RATE)
        strong = hertz[power > 0.05 * power.max()]
        off = np.abs(strong / pitch - np.round(strong / pitch)) * pitch
        assert off.max() < 10  # nothing but multiples of the pitch
    noisy = [centroid(w) for w in bark([bark.setting(breath=b) for b in (0, 100)])]
    assert noisy[0] != pytest.approx(noisy[1], rel=0.02)


@pytest.mark.slow
def test_level_and_noise_are_what_they_say(made):
    waves = made([made.setting(level=level) for level in (-12, -32)])
    np.testing.assert_allclose(waves[1] * 10, waves[0], rtol=1e-4, atol=1e-6)
    loud, soft = (made([made.setting(noise=noise)])[0].astype(float) for noise in (-10, -30))
    noise = 10 ** (-12 / 20) * 10 ** (-10 / 20)
    difference = np.sqrt(np.square(loud - soft).mean())
    assert difference == pytest.approx(noise * (1 - 0.1), rel=0.01)
