"""The six numbers of a note against their definition, for controls, a vibrato and instruments."""

import math

import numpy as np
import pytest
from five_notes import LEAD, NOTES, PLAYED

import xaiaudio as xa
from xaiaudio.synthesis import instruments
from xaiaudio.synthesis.ddsp.analysis import analyse
from xaiaudio.synthesis.ddsp.controls import Controls
from xaiaudio.synthesis.ddsp.performance import Performance, measure, vibrato
from xaiaudio.synthesis.ddsp.playing import Instrument, render
from xaiaudio.synthesis.notes import Notes


def random_controls(rng, frames=400, harmonics=6):
    return Controls(
        262 * 2 ** (rng.normal(0, 0.8, frames) / 12),
        rng.uniform(1e-5, 0.5, frames),
        rng.dirichlet(np.ones(harmonics), frames),
        10 ** rng.uniform(-5, -1, (frames, 9)),
    )


def plain(controls, start, end, pitch):
    """The six numbers in loops."""
    frames = range(round(start * 250), round(end * 250))
    loudest = max(controls.amplitude[n] for n in frames)
    levels = [20 * math.log10(max(controls.amplitude[n], loudest / 1000)) for n in frames]
    mean = sum(levels) / len(levels)
    spread = math.sqrt(sum((level - mean) ** 2 for level in levels) / len(levels))
    peak = levels.index(max(levels)) / (len(levels) - 1)
    off = []
    for n in frames:
        semitones = 12 * math.log2(controls.pitch[n] / (440 * 2 ** ((pitch - 69) / 12)))
        off.append(semitones if abs(semitones) <= 2 else 0.0)
    middle, count, best = sum(off) / len(off), len(off), (-1.0, 0.0)
    for k in range(count // 2 + 1):
        value = 0j
        for n, semitones in enumerate(off):
            window = 0.5 - 0.5 * math.cos(2 * math.pi * n / count)
            value += (semitones - middle) * window * np.exp(-2j * math.pi * k * n / count)
        best = max(best, (abs(value) / count, k * 250 / count))
    shaking = 10 * best[0] if 3 <= best[1] <= 9 and count > 50 and best[1] * count > 250 else 0.0
    above = below = 0.0
    for n in frames:
        for k, share in enumerate(controls.harmonics[n], 1):
            above += 5 * k / controls.harmonics.shape[1] * share * controls.amplitude[n]
            below += share * controls.amplitude[n]
    first = [20 * math.log10(gain) for n in frames[:10] for gain in controls.noise[n]]
    hiss = sum(first) / len(first)
    return mean / 60 + 1.5, spread * 2.5 / 60, peak, shaking, above / below, hiss / 40 + 2.625


def test_the_six_numbers_are_what_their_definition_says():
    rng = np.random.default_rng(0)
    notes = Notes(np.array([60, 62, 59]), np.array([0.0, 0.6, 0.9]), np.array([0.5, 0.75, 1.6]))
    controls = random_controls(rng)
    # So that one of the notes has a vibrato.
    shaken = controls.pitch.copy()
    shaken[225:] = 247 * 2 ** (0.3 * np.sin(2 * np.pi * 6 * np.arange(175) / 250) / 12)
    controls = controls.but(pitch=shaken)
    wanted = [
        plain(controls, *one) for one in zip(notes.starts, notes.ends, notes.pitches, strict=True)
    ]
    assert wanted[2][3] > 0
    assert np.allclose(measure(controls, notes).table(), wanted, atol=1e-9)


def held(pitch, amplitude=0.1):
    frames = len(pitch)
    shares, gains = np.tile([0.6, 0.4], (frames, 1)), np.full((frames, 9), 0.01)
    return Controls(pitch, np.full(frames, amplitude), shares, gains)


@pytest.mark.parametrize("seconds", [0.6, 1.0, 1.37])
def test_a_vibrato_of_5_hertz_and_50_cents_is_found_within_a_bin(seconds):
    time = np.arange(round(250 * seconds)) / 250
    strength, rate = vibrato(440 * 2 ** (0.5 * np.sin(2 * np.pi * 5 * time) / 12), 69)
    assert abs(rate - 5) <= 250 / len(time)
    # The spectrum is read at its bins: of a peak between two of them up to 15 % are lost.
    assert 0.85 * 1.25 <= strength <= 1.02 * 1.25


def test_the_vibrato_has_its_own_frequencies():
    """On an axis that ends at 250 Hz in place of 125 Hz, or is stretched by N / (N - 1)."""
    time = np.arange(250) / 250
    for rate in (3, 4, 7, 9):
        track = 440 * 2 ** (0.2 * np.sin(2 * np.pi * rate * time) / 12)
        assert vibrato(track, 69) == (pytest.approx(0.5, rel=1e-3), pytest.approx(rate))


def test_what_is_no_vibrato():
    time = np.arange(250) / 250
    for rate, depth in ((2, 0.5), (10, 0.5), (5, 0.0)):
        track = 440 * 2 ** (depth * np.sin(2 * np.pi * rate * time) / 12)
        assert vibrato(track, 69) == (0.0, 0.0)
    track = 440 * 2 ** (0.5 * np.sin(2 * np.pi * 8 * time[:50]) / 12)
    assert vibrato(track, 69) == (0.0, 0.0)  # too short
    assert vibrato(np.full(250, 880.0), 69) == (0.0, 0.0)  # an octave off is an error


def test_twice_the_amplitude_raises_the_volume_by_6_decibels_and_nothing_else():
    controls = random_controls(np.random.default_rng(1))
    notes = Notes(np.array([60, 62]), np.array([0.0, 0.7]), np.array([0.6, 1.5]))
    one = measure(controls, notes)
    two = measure(controls.but(amplitude=2 * controls.amplitude), notes)
    rise = two.table() - one.table()
    assert np.allclose(rise[:, 0], 20 * np.log10(2) / 60)
    assert np.allclose(rise[:, 1:], 0, atol=1e-12)


def test_the_order_of_notes_does_not_matter():
    controls, order = render(NOTES, PLAYED, LEAD), [3, 0, 4, 2, 1]
    mixed = Notes(NOTES.pitches[order], NOTES.starts[order], NOTES.ends[order])
    assert np.array_equal(measure(controls, mixed).table(), measure(controls, NOTES).table()[order])
    played = Performance(*PLAYED.table()[order].T)
    again = render(mixed, played, LEAD)
    assert np.array_equal(again.pitch, controls.pitch) and np.array_equal(
        again.noise, controls.noise
    )


@pytest.mark.slow
def test_instruments_of_the_book_are_measured_as_they_are():
    tune = Notes(np.array([60, 64]), np.array([0.0, 0.7]), np.array([0.65, 1.3]))
    for name in ("lead", "pad"):
        wave = np.concatenate(
            [getattr(instruments, name)([p], s)[0] for p, s in ((60, 0.7), (64, 0.6))]
        )
        found = measure(analyse(0.2 * wave).controls, tune)
        heights = Instrument.of(name).heights
        own = 5 * heights @ np.arange(1, 61) / heights.sum() / 60
        assert np.allclose(found.brightness, own, rtol=0.03) and not found.vibrato.any()


def test_what_has_no_six_numbers():
    with pytest.raises(xa.XaiAudioError, match="Note 1 begins at 0.5 s"):
        measure(held(np.full(50, 440.0)), NOTES)
    with pytest.raises(xa.XaiAudioError, match="Each note has one of"):
        Performance(*np.ones((5, 2)), np.ones(3))
    with pytest.raises(xa.XaiAudioError, match="vibrato has values that are no numbers"):
        PLAYED.but(vibrato=np.nan)
    none = Notes(np.array([]), np.array([]), np.array([]))
    with pytest.raises(xa.XaiAudioError, match="There are no notes"):
        measure(held(np.full(50, 440.0)), none)
