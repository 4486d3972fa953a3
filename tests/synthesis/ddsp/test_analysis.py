"""A sound of known parts is taken apart into these parts."""

import numpy as np
import pytest

import xaiaudio as xa
from xaiaudio.synthesis import instruments
from xaiaudio.synthesis.ddsp.analysis import analyse, loudness, noise_gains, pitch_of, projected
from xaiaudio.synthesis.ddsp.controls import Controls
from xaiaudio.synthesis.ddsp.synthesiser import synthesise

FRAMES = 250
TIME = np.arange(FRAMES) / 250
MIDDLE = slice(20, -20)


SLOW_FIXTURES = ("found",)


@pytest.fixture(scope="module")
def known():
    """A tone with vibrato and noise, and all that is known of it."""
    pitch = 260 * 2 ** (0.5 * np.sin(2 * np.pi * 5 * TIME) / 12)
    amplitude = 0.3 + 0.1 * np.sin(2 * np.pi * TIME)
    heights = np.tile(0.7 ** np.arange(20), (FRAMES, 1))
    gains = np.tile(0.02 * 10 ** -np.linspace(0, 1, 65), (FRAMES, 1))
    return Controls(pitch, amplitude, heights / heights.sum(axis=1, keepdims=True), gains)


@pytest.fixture(scope="module")
def found(known):
    return analyse(synthesise(known, seed=1))


@pytest.mark.slow
def test_pitch_and_amplitude_are_found(known, found):
    cents = 1200 * np.log2(found.controls.pitch / known.pitch)[MIDDLE]
    assert found.voiced.all() and np.abs(cents).max() < 5
    assert np.allclose(found.controls.amplitude[MIDDLE], known.amplitude[MIDDLE], rtol=0.05)


@pytest.mark.slow
def test_harmonics_and_noise_are_found(known, found):
    shares = found.controls.harmonics[MIDDLE, :20].mean(axis=0)
    assert np.allclose(shares, known.harmonics[0], atol=0.005)
    gains = np.sqrt(np.mean(found.controls.noise[MIDDLE] ** 2, axis=0))
    assert 20 * np.abs(np.log10(gains[2:] / known.noise[0, 2:])).mean() < 1


@pytest.mark.slow
def test_tone_and_residual_are_the_sound(known, found):
    wave = synthesise(known, seed=1)
    assert np.allclose(found.tone + found.residual, wave, atol=1e-12)
    hiss = synthesise(known.without("harmonics"), seed=1)
    left = np.mean(found.residual**2) / np.mean(hiss**2)
    assert 10 * abs(np.log10(left)) < 2


def test_projections_are_those_of_least_squares():
    rng = np.random.default_rng(0)
    pitch, count = np.full(100, 400.0), 6
    time = np.arange(6400) / 16_000
    angles = 2 * np.pi * 400 * time[:, None] * np.arange(1, count + 1)
    wave = np.cos(angles + rng.uniform(0, 6, count)) @ rng.uniform(0.1, 1, count)
    wave += rng.normal(0, 1e-4, len(wave))
    heights, window = projected(wave, pitch, count)
    half, middle = len(window) // 2, 50 * 64
    here = slice(middle - half, middle + half + 1)
    columns = np.concatenate([np.cos(angles[here]), -np.sin(angles[here])], axis=1)
    root = np.sqrt(window)[:, None]
    solved, *_ = np.linalg.lstsq(columns * root, wave[here] * root[:, 0], rcond=None)
    assert np.allclose(heights[50], solved[:count] + 1j * solved[count:], atol=2e-3)


def test_windowed_sums_are_what_loops_give():
    rng = np.random.default_rng(0)
    wave, pitch = rng.normal(size=2560), np.linspace(500, 700, 40)
    heights, window = projected(wave, pitch, 3)
    half, ends = len(window) // 2, np.append(pitch, pitch[-1])
    hertz = np.interp(np.arange(2560) / 64, np.arange(41), ends)
    phase = 2 * np.pi * np.concatenate([[0], np.cumsum(hertz / 16_000)[:-1]])
    for frame in (0, 7, 39):
        for k in (1, 3):
            total = 0j
            for n in range(2560):
                place = n - frame * 64 + half
                if 0 <= place < len(window):
                    total += window[place] * wave[n] * np.exp(-1j * k * phase[n])
            assert heights[frame, k - 1] == pytest.approx(2 * total / window.sum(), abs=1e-9)


@pytest.mark.slow
def test_noise_alone_keeps_its_level():
    hiss = 0.1 * np.random.default_rng(0).uniform(-1, 1, 32_000)
    assert noise_gains(hiss, 65).mean() == pytest.approx(0.1, rel=0.05)
    found = analyse(hiss, np.full(500, 200.0))
    assert found.controls.noise[20:-20].mean() == pytest.approx(0.1, rel=0.05)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["lead", "pad"])
def test_instruments_have_the_harmonics_they_were_made_with(name):
    wave = 0.2 * getattr(instruments, name)([60], 1.0)[0]
    found = analyse(wave)
    heights = instruments.HEIGHTS[name]
    assert np.abs(found.controls.pitch[MIDDLE] - instruments.hertz(60)).max() < 0.3
    shares = found.controls.harmonics[125, : len(heights)]
    assert np.allclose(shares, heights / heights.sum(), atol=2e-3)
    assert found.controls.amplitude[125] == pytest.approx(0.2 * heights.sum(), rel=0.01)


@pytest.mark.slow
def test_a_sung_note_has_its_pitch_and_its_breath():
    note = instruments.sung(np.random.default_rng(0), 62, 1.0, rate=5.0, depth=0.4)
    assert note.voice.shape == note.breath.shape == note.pitch.shape == (16_000,)
    pitch, voiced = pitch_of(note.voice + note.breath)
    cents = 1200 * np.log2(pitch / note.pitch[::64])[40:-60]
    assert voiced[40:-60].all() and np.abs(cents).max() < 10
    again = instruments.sung(np.random.default_rng(0), 62, 1.0, rate=5.0, depth=0.4)
    assert np.array_equal(note.breath, again.breath)


def test_where_there_is_no_pitch_there_are_no_harmonics():
    pitch = np.where(np.arange(250) < 125, 300.0, 0.0)
    found = analyse(np.sin(2 * np.pi * 300 * np.arange(16_000) / 16_000), pitch)
    assert not found.controls.amplitude[125:].any() and found.controls.amplitude[60] > 0.9
    assert found.controls.pitch.min() == 300


@pytest.mark.slow
def test_short_gaps_are_drawn_through_and_long_ones_are_not():
    time = np.arange(16_000) / 16_000
    there = np.ones(16_000)
    there[4000:4480] = 0  # 30 ms
    there[8000:12_000] = 0  # 250 ms
    _, voiced = pitch_of(there * np.sin(2 * np.pi * 300 * time))
    assert voiced[:120].all() and voiced[195:].all() and not voiced[140:175].any()


def test_loudness_is_that_of_a_tone():
    tone = np.sin(2 * np.pi * 1000 * np.arange(16_000) / 16_000)
    assert loudness(tone)[125] == pytest.approx(10 * np.log10(0.5), abs=0.1)
    assert loudness(0.1 * tone)[125] == pytest.approx(loudness(tone)[125] - 20, abs=1e-6)
    low = np.sin(2 * np.pi * 100 * np.arange(16_000) / 16_000)
    assert loudness(low)[125] < loudness(tone)[125] - 15
    assert loudness(np.zeros(16_000)).max() == -80


def test_what_cannot_be_taken_apart():
    with pytest.raises(xa.XaiAudioError, match="1,024 samples"):
        analyse(np.zeros(100))
    with pytest.raises(xa.XaiAudioError, match="the sound has 250 frames"):
        analyse(np.zeros(16_000), np.ones(3))
    with pytest.raises(xa.XaiAudioError, match="0 harmonics and 65 bands"):
        analyse(np.zeros(16_000), harmonics=0)
    with pytest.raises(xa.XaiAudioError, match="60 harmonics and 1 bands"):
        analyse(np.zeros(16_000), bands=1)
    for wrong in (np.zeros(0), np.zeros(100), np.zeros((2, 16_000)), np.full(16_000, np.nan)):
        with pytest.raises(xa.XaiAudioError, match="1,024 samples"):
            pitch_of(wrong)
    with pytest.raises(xa.XaiAudioError, match="the lower one comes first"):
        pitch_of(np.zeros(16_000), between=(1500.0, 75.0))


@pytest.mark.slow
def test_the_pitch_of_a_sound_that_does_not_end_with_a_frame():
    wave = np.sin(2 * np.pi * 443 * np.arange(8050) / 16_000)
    for one, other in zip(pitch_of(wave), pitch_of(wave[:8000]), strict=True):
        assert len(one) == 125 and np.array_equal(one, other)


@pytest.mark.parametrize("bands", [65, 33, 17, 9])
def test_gains_of_few_bands_are_those_of_windows_around_the_middles(bands):
    wave = np.random.default_rng(0).uniform(-1, 1, 64 * 40)
    found, size = noise_gains(wave, bands), 2 * (bands - 1)
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(size) / size)
    bell = np.array([0.5 - 0.5 * np.cos(np.pi * k / 5) for k in range(1, 10)])
    power = {}
    for frame in range(8, 32):
        first = 64 * frame + 32 - size // 2
        piece = wave[first : first + size] * window
        power[frame] = np.abs(np.fft.rfft(piece)) ** 2 / np.square(window).sum()
    for frame in range(12, 28):
        mean = sum(bell[k] * power[frame + k - 4] for k in range(9)) / bell.sum()
        np.testing.assert_allclose(found[frame], np.sqrt(3 * mean), rtol=1e-9)
