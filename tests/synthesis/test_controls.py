"""Sounds with controls: scales, ranges, and that a control changes what its name says."""

import numpy as np
import pytest

from xaiaudio import XaiAudioError
from xaiaudio.synthesis import edits, recipes
from xaiaudio.synthesis.controls import Control, Recipe

RATE = 16_000


@pytest.fixture(scope="module", params=list(recipes.RECIPES))
def made(request):
    return recipes.RECIPES[request.param](3)


@pytest.fixture(scope="module")
def recorded():
    rng = np.random.default_rng(5)
    time = np.arange(2 * RATE) / RATE
    wave = 0.2 * np.sin(2 * np.pi * 500 * time) + 0.05 * rng.standard_normal(2 * RATE)
    return edits.recording(wave.astype(np.float32), RATE)


@pytest.mark.parametrize("control", [
    Control("a", "dB", -40, 10, -3, 2.0),
    Control("b", "Hz", 100, 3000, 400, 2 ** (1 / 12), log=True),
])  # fmt: skip
def test_places_are_counted_in_steps(control):
    values = control.grid(9)
    assert values[0] == pytest.approx(control.low) and values[-1] == pytest.approx(control.high)
    assert ((values >= control.low) & (values <= control.high)).all()
    np.testing.assert_allclose(control.at(control.places(values)), values)
    np.testing.assert_allclose(np.diff(control.places(values), 2), 0, atol=1e-9)
    one_more = control.value * control.step if control.log else control.value + control.step
    assert control.distance(one_more) == pytest.approx(1)
    assert control.distance(control.value) == 0
    for far, end in ((1e9, control.high), (-1e9, control.low)):
        assert control.at(far) == pytest.approx(end)
        assert control.low <= control.at(far) <= control.high


@pytest.mark.parametrize("numbers, log, message", [
    ((0, 1, 2, 1), False, "must lie in it"),
    ((0, 1, np.nan, 1), False, "must lie in it"),
    ((0, 1, 0.5, 0), False, "a step above 0"),
    ((1, 2, 1, 1), True, "a step above 1"),
    ((0, 2, 1, 2), True, "must begin above 0"),
    ((1, 1, 1, 2), False, "more than one value"),
])  # fmt: skip
def test_a_control_makes_sense(numbers, log, message):
    with pytest.raises(XaiAudioError, match=message):
        Control("pitch", "Hz", *numbers, log=log)


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


def starts(wave, quiet):
    """Count how often a sound begins: its level rises above a threshold after a pause."""
    loud = np.abs(wave) > 0.3 * np.abs(wave).max()
    at = np.flatnonzero(loud)
    return 1 + int((np.diff(at) > quiet).sum())


def centroid(wave):
    power = np.square(np.abs(np.fft.rfft(wave)))
    return (power * np.fft.rfftfreq(len(wave), 1 / RATE)).sum() / power.sum()


@pytest.mark.parametrize("name", ["clock", "dog"])
def test_the_rate_is_the_number_of_sounds_a_second(name):
    made = recipes.RECIPES[name]()
    for rate in (0.5, 1.0, 2.0, 4.0):
        wave = made([made.setting(rate=rate, noise=-60)])[0]
        expected = 1 + int((5 - 0.1 - 1e-3) * rate)  # from 0.1 s on
        assert abs(starts(wave, 0.04 * RATE) - expected) <= 1


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


def test_level_and_noise_are_what_they_say(made):
    waves = made([made.setting(level=level) for level in (-12, -32)])
    np.testing.assert_allclose(waves[1] * 10, waves[0], rtol=1e-4, atol=1e-6)
    loud, soft = (made([made.setting(noise=noise)])[0].astype(float) for noise in (-10, -30))
    noise = 10 ** (-12 / 20) * 10 ** (-10 / 20)
    difference = np.sqrt(np.square(loud - soft).mean())
    assert difference == pytest.approx(noise * (1 - 0.1), rel=0.01)


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


@pytest.mark.parametrize("settings, message", [
    ([[1.0, 2.0]], "takes .n, 5.: rate, brightness"),
    ([2.0] * 5, "takes .n, 5."),
    (np.zeros((0, 5)), "one row at least"),
    ([[99.0, 5000, 6, -50, -12]], "rate is 99 /s, but clock takes 0.5 to 24"),
    ([[np.nan, 5000, 6, -50, -12]], "rate is nan /s"),
])  # fmt: skip
def test_wrong_settings(settings, message):
    with pytest.raises(XaiAudioError, match=message):
        recipes.clock()(settings)


def test_an_unknown_control_is_named():
    with pytest.raises(XaiAudioError, match=r"no control 'rat' \(did you mean 'rate'"):
        recipes.clock().setting(rat=3)


@pytest.mark.parametrize("make, message", [
    (lambda settings: np.zeros((len(settings), 99)), r"shape \(2, 99\) for 2 settings: \(2, 100\)"),
    (lambda settings: np.full((2, 100), np.nan), "made NaN or infinity at a 1"),
])  # fmt: skip
def test_a_recipe_that_breaks_its_promise(make, message):
    recipe = Recipe("broken", (Control("a", "dB", 0, 2, 1, 1.0),), make, RATE, 100)
    with pytest.raises(XaiAudioError, match=message):
        recipe([[1.0], [2.0]])


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
