"""Sounds are taken apart: in time, by what lasts and strikes, by spectra, by separators."""

import warnings

import numpy as np
import pytest
from short_noise import WINDOWS, noise

from xaiaudio import XaiAudioError
from xaiaudio.explainers.engines.components import Components
from xaiaudio.explainers.engines.separation import (
    factorised,
    harmonic_and_percussive,
    separated,
    stacked,
    stretches,
)
from xaiaudio.stft import analyse, synthesise

RATE = WINDOWS.sample_rate


def test_stretches_of_time_share_no_sample_and_leave_none_out():
    wave = noise(1_003) + 3  # no sample is 0
    found = Components.in_time(wave, 10)
    inside = found.parts != 0
    assert (inside.sum(axis=0) == 1).all()
    np.testing.assert_array_equal(found.parts.sum(axis=0), wave)
    lengths = inside.sum(axis=1)
    assert lengths.max() - lengths.min() <= 1
    starts = inside.argmax(axis=1)
    np.testing.assert_array_equal(starts, np.sort(starts))


def test_a_fade_is_a_ramp_in_both_neighbours():
    found = Components.in_time(np.ones(400, "float32"), 2, fade=100)
    ramp = (np.arange(100) + 0.5) / 100
    np.testing.assert_allclose(found.parts[1, 150:250], ramp, atol=1e-6)
    np.testing.assert_allclose(found.parts[0, 150:250], 1 - ramp, atol=1e-6)
    assert (found.parts[0, :150] == 1).all()
    assert (found.parts[1, :150] == 0).all()


@pytest.mark.slow
def test_nmf_takes_sounds_apart_that_come_and_go():
    seconds = np.arange(RATE) / RATE
    low = np.sin(2 * np.pi * 500 * seconds) * (seconds < 0.6)
    high = 0.5 * np.sin(2 * np.pi * 3_000 * seconds) * (seconds > 0.3)
    found = Components.nmf((low + high).astype("float32"), WINDOWS, 2)
    for part, own, other in zip(found.parts, (low, high), (high, low), strict=True):
        part = part.astype(float)
        assert part @ own / (own @ own) > 0.9
        assert abs(part @ other) / (other @ other) < 0.1


def test_nmf_shares_each_cell_of_the_transform():
    from sklearn.decomposition import NMF

    wave = noise(2_000)
    found = Components.nmf(wave, WINDOWS, 3, seed=5)
    spectrum = analyse(wave, WINDOWS)
    # Once more with scikit-learn alone, cell by cell.
    magnitudes = np.abs(spectrum) / np.abs(spectrum).max()
    peer = NMF(3, init="nndsvda", random_state=5).fit(magnitudes.T)
    spectra, activations = peer.transform(magnitudes.T), peer.components_
    order = np.argsort(spectra.argmax(axis=0), kind="stable")
    parts = []
    for k in order:
        share = np.zeros_like(magnitudes)
        for frame, bin_ in np.ndindex(*share.shape):
            total = spectra[bin_] @ activations[:, frame]
            share[frame, bin_] = spectra[bin_, k] * activations[k, frame] / total if total else 0
        parts.append(synthesise(spectrum * share, 2_000, WINDOWS))
    found_set = sorted(found.parts.std(axis=1))
    np.testing.assert_allclose(found_set, sorted(np.std(parts, axis=1)), rtol=0.05)
    assert np.abs(found.residual).max() < 1e-6


def test_nmf_depends_on_its_seed_alone():
    wave = noise(2_000)
    one, again = (Components.nmf(wave, WINDOWS, 3, seed=2).parts for _ in range(2))
    np.testing.assert_array_equal(one, again)
    # Louder or fainter, the parts are the same.
    faint = Components.nmf(1e-3 * wave, WINDOWS, 3, seed=2).parts
    np.testing.assert_allclose(1e3 * faint, one, atol=1e-3)


def test_a_separator_hears_the_rate_that_it_expects():
    heard = []

    def separator(sound):
        heard.append(sound)
        return {"all": sound, "half": 0.5 * sound}

    seconds = np.arange(RATE) / RATE
    wave = np.sin(2 * np.pi * 440 * seconds).astype("float32")
    found = Components.of_sources(wave, separator, sample_rate=RATE, expects=44_100)
    assert found.names == ("all", "half") and len(heard[0]) == 44_100
    # 440 Hz are 440 Hz there.
    peak = np.abs(np.fft.rfft(heard[0])).argmax()
    assert peak == 440
    middle = slice(500, -500)
    np.testing.assert_allclose(found.parts[0, middle], wave[middle], atol=1e-3)
    np.testing.assert_allclose(found.parts[1, middle], 0.5 * wave[middle], atol=1e-3)
    np.testing.assert_array_equal(found.mix([1, 1]), wave)
    # Of a rate that is the sound's own, the separator is given the sound itself.
    Components.of_sources(wave, separator, sample_rate=RATE, expects=RATE)
    np.testing.assert_array_equal(heard[1], wave)


def test_a_separator_may_write_into_what_it_is_given():
    def separator(sound):
        sound *= 0
        return sound[None]

    wave = noise()
    np.testing.assert_array_equal(Components.of_sources(wave, separator).whole, noise())


@pytest.mark.slow
def test_steady_tones_are_harmonic_and_clicks_percussive():
    seconds = np.arange(RATE) / RATE
    tone = 0.3 * np.sin(2 * np.pi * 440 * seconds)
    clicks = np.zeros(RATE)
    clicks[2_000::4_000] = 1
    found = Components.harmonic_percussive((tone + clicks).astype("float32"))
    assert found.names == ("harmonic", "percussive")
    np.testing.assert_array_equal(found.mix([1, 1]), found.whole)
    for part, own, other in zip(found.parts, (tone, clicks), (clicks, tone), strict=True):
        part = part.astype(float)
        assert abs(part @ own) / (own @ own) > 0.8
        assert abs(part @ other) / (other @ other) < 0.2
    wide = Components.harmonic_percussive((tone + clicks).astype("float32"), margin=3)
    np.testing.assert_array_equal(wide.mix([1, 1]), wide.whole)
    assert np.abs(wide.residual).max() > 1e-3


@pytest.mark.slow
@pytest.mark.parametrize("margin", [1, 3])
@pytest.mark.parametrize("samples", [1, 511, 2_000, 5_120, 20_001])
def test_what_lasts_and_what_strikes_is_what_librosa_says(samples, margin):
    from librosa.effects import hpss

    wave = noise(samples) * np.sin(np.arange(samples) / 300) ** 2
    wave[samples // 2 : samples // 2 + 1_500] = 0
    wave = wave.astype("float32")
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="n_fft=.* is too large", category=UserWarning)
        wanted = np.stack(hpss(wave, margin=float(margin)))
    found = harmonic_and_percussive(wave, margin)
    np.testing.assert_allclose(found, wanted, atol=1e-6 * np.abs(wave).max())


@pytest.mark.parametrize("fade", [0, 1, 3.5, 10])
@pytest.mark.parametrize("count", [1, 3, 7])
def test_windows_sum_to_1_and_stay_between_0_and_1(count, fade):
    windows = stretches(100, count, fade)
    assert windows.shape == (count, 100) and windows.min() >= 0 and windows.max() <= 1
    np.testing.assert_allclose(windows.sum(axis=0), 1, atol=1e-12)
    middles = (windows * np.arange(100)).sum(axis=1) / windows.sum(axis=1)
    assert (np.diff(middles) > 0).all()


@pytest.mark.parametrize(
    ("count", "fade", "told"),
    [(11, 0, "choose from 1 to 10"), (0, 0, "count is 0"), (5, 3, "from 0 to 2"), (2, -1, "fade")],
)
def test_stretches_that_do_not_fit(count, fade, told):
    with pytest.raises(XaiAudioError, match=told):
        stretches(10, count, fade)


def test_silence_has_silent_spectra_and_too_many_are_refused():
    assert not factorised(np.zeros(1_000, "float32"), WINDOWS, 3).any()
    with pytest.raises(XaiAudioError, match="has no 99 spectra"):
        factorised(noise(), WINDOWS, 99)


def test_without_another_rate_the_separator_answers_as_it_likes():
    answer = object()
    assert separated(noise(), lambda wave: answer, None, None) is answer
    assert separated(noise(), lambda wave: answer, RATE, RATE) is answer
    with pytest.raises(XaiAudioError, match="say sample_rate"):
        separated(noise(), lambda wave: answer, None, 44_100)


def test_sources_come_back_as_long_as_the_sound():
    wave = noise(1_001)
    found = separated(wave, lambda sound: {"a": sound, "b": 0 * sound}, RATE, 22_050)
    assert {name: source.shape for name, source in found.items()} == {"a": (1_001,), "b": (1_001,)}
    assert not found["b"].any()


@pytest.mark.parametrize(
    "sources", [{"a": [1.0, 2.0], "b": [1.0]}, [[1j, 2.0]], [["loud", "soft"]]]
)
def test_what_is_no_array_of_numbers_is_refused(sources):
    with pytest.raises(XaiAudioError, match="no array of numbers"):
        stacked(sources)


def test_names_come_along_with_the_sources():
    names, stems = stacked({1: [1, 2], "b": [3, 4]})
    assert names == ("1", "b") and stems.dtype == np.float32 and stems.tolist() == [[1, 2], [3, 4]]
    assert stacked([[1, 2]])[0] == ()
