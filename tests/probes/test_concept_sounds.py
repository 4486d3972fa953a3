"""Sounds that show a concept do show it, and nothing else that is easily heard."""

import numpy as np
import pytest
import soundfile
from scipy.signal import stft

import xaiaudio as xa
from xaiaudio import XaiAudioError
from xaiaudio.probes.concept_sounds import MADE, Concept, Sounds, from_folder, made

FRONTEND = xa.LogMel.vggish()


@pytest.fixture(scope="module")
def beds():
    waves = 0.05 * np.random.default_rng(0).normal(size=(6, FRONTEND.min_samples))
    names = tuple(f"bed {k}" for k in range(6))
    return Sounds(waves.astype("float32"), names, FRONTEND)


def spectrum(wave):
    return np.abs(np.fft.rfft(wave)) ** 2, np.fft.rfftfreq(len(wave), 1 / 16_000)


@pytest.mark.slow
@pytest.mark.parametrize("name", MADE)
def test_a_concept_is_as_loud_as_its_bed_and_comes_out_the_same(name, beds):
    found = made(name, FRONTEND, beds=beds, seed=3)
    assert found.names == beds.names and found.waves.dtype == np.float32
    rms = [np.sqrt(np.mean(wave.astype(float) ** 2, axis=1)) for wave in (found.waves, beds.waves)]
    np.testing.assert_allclose(*rms, rtol=1e-3)
    np.testing.assert_array_equal(found.waves, made(name, FRONTEND, beds=beds, seed=3).waves)
    assert (found.waves != made(name, FRONTEND, beds=beds, seed=4).waves).any()
    # Each sound by itself: a part of the beds gives a part of the sounds.
    np.testing.assert_array_equal(
        found.waves[:2], made(name, FRONTEND, beds=beds[:2], seed=3).waves
    )


@pytest.mark.parametrize("name", MADE)
def test_a_concept_alone_fits_the_front_end(name):
    found = made(name, FRONTEND, count=3)
    assert found.patches.shape == (3, *FRONTEND.patch_shape)
    assert np.abs(found.waves).max() <= 0.95 and found.names == ("", "", "")
    assert len({wave.tobytes() for wave in found.waves}) == 3


def test_each_concept_is_what_it_says():
    one = {name: made(name, FRONTEND, count=1, seed=2).waves[0].astype(float) for name in MADE}
    power, hertz = spectrum(one["tone"])
    assert 300 <= hertz[power.argmax()] <= 5000 and np.sort(power)[-4:].sum() > 0.8 * power.sum()
    power, hertz = spectrum(one["low pass"])
    assert power[hertz > 2000].sum() < 0.01 * power.sum()
    power, hertz = spectrum(one["noise"])
    assert 0.4 < power[hertz < 4000].sum() / power.sum() < 0.6
    _, _, frames = stft(one["chirp"], 16_000, nperseg=1024)
    peaks = np.abs(frames)[:, 2:-2].argmax(axis=0)
    assert (np.diff(peaks) >= 0).all() and peaks[-1] > 4 * peaks[0]
    loud = np.abs(one["modulation"]).reshape(-1, 100).mean(axis=1)
    power = np.abs(np.fft.rfft(loud - loud.mean()))
    assert 3 <= np.fft.rfftfreq(len(loud), 100 / 16_000)[power.argmax()] <= 13
    peak = np.abs(one["impulses"])
    assert peak.max() > 20 * np.median(peak)


def test_front_ends_of_other_rates_are_served(beds):
    frontend = xa.LogMel(sample_rate=12_000, fmax=6000.0)
    found = made("tone", frontend, count=2)
    assert found.waves.shape == (2, frontend.min_samples)
    assert len(made("low pass", frontend, beds=found).patches) == 2


def test_a_concept_of_ones_own(beds):
    silent = Concept("turned upside down", change=lambda rng, wave: -wave)
    np.testing.assert_allclose(made(silent, FRONTEND, beds=beds).waves, -beds.waves, atol=1e-6)


def test_unknown_concepts_are_refused():
    with pytest.raises(XaiAudioError, match=r"'tune' \(did you mean 'tone'\?\): there are tone"):
        made("tune", FRONTEND)
    with pytest.raises(XaiAudioError, match="count is 0"):
        made("tone", FRONTEND, count=0)


def test_a_folder_of_ones_own(tmp_path):
    rng = np.random.default_rng(0)
    for number in range(4):
        wave = np.zeros(40_000)
        wave[20_000 : 20_000 + 8000] = 0.1 * rng.normal(size=8000)
        soundfile.write(tmp_path / f"{number}.wav", wave, 16_000)
    found = from_folder(tmp_path, FRONTEND, least=4)
    assert len(found) == 4 and all(name.endswith(".wav") for name in found.names)
    # The loudest patch of each holds all of the noise.
    assert (np.square(found.waves, dtype=float).sum(axis=1) > 0.99 * 8000 * 0.01 * 0.9).all()
    with pytest.raises(XaiAudioError, match="holds 4 sounds, but 20 are needed"):
        from_folder(tmp_path, FRONTEND)
    soundfile.write(tmp_path / "4.wav", np.zeros(30_000), 16_000)
    with pytest.raises(XaiAudioError, match=r"4\.wav is silent"):
        from_folder(tmp_path, FRONTEND, least=5)
    (tmp_path / "4.wav").write_text("no sound")
    with pytest.raises(XaiAudioError, match=r"4\.wav"):
        from_folder(tmp_path, FRONTEND, least=5)
    with pytest.raises(XaiAudioError, match="There is no folder"):
        from_folder(tmp_path / "none", FRONTEND)
