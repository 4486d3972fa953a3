"""Explanations are heard, and the network says of each sound what it hears in it."""

import re

import numpy as np
import pytest
from heard_maps import RATE, bright_or_dark, decibels, explanation, noise, tone

import xaiaudio as xa
from xaiaudio import XaiAudioError
from xaiaudio.explainers.engines.components import Components
from xaiaudio.explainers.explanation import Explanation
from xaiaudio.frontend import LogMel
from xaiaudio.sonify.loudness import loudness
from xaiaudio.sonify.masks import listen

CENTRED = LogMel.librosa(sample_rate=RATE, fft=600, window=501, hop=125, bands=40, frames=64)


def test_decibels_are_made_audible():
    wave = tone(500) + 0.1 * noise(2.0)
    result = explanation(wave, CENTRED)
    heard = listen(result, wave)
    assert heard.energy_kept > 0.9
    np.testing.assert_allclose(heard.kept + heard.removed, wave, atol=1e-6)


def test_silence_is_split_into_silences():
    wave = np.zeros(80_000, "float32")
    heard = listen(explanation(wave), wave)
    assert not heard.kept.any() and not heard.removed.any()
    assert heard.energy_kept == 0


def test_a_sound_shorter_than_a_patch_can_be_heard():
    wave = noise(0.4)
    heard = listen(explanation(wave), wave)
    assert len(heard.kept) == len(wave)
    assert decibels(wave) - decibels(heard.removed) > 60


def test_what_no_patch_covers_is_not_kept():
    wave = noise(5.0)
    heard = listen(explanation(wave, LogMel.vggish()), wave)
    end = LogMel.vggish().times(4)[-1]  # five patches of 0.96 s in a clip of 5 s
    tail = slice(round(end * RATE) + 400, None)
    assert np.abs(heard.kept[tail]).max() < 1e-6
    head = slice(0, round(end * RATE) - 400)
    assert decibels(wave[head]) - decibels(heard.removed[head]) > 60


def test_listening_shows_three_players_that_say_what_is_heard():
    wave = noise(2.0)
    maps = np.zeros((5, 96, 64), "float32")
    maps[:, :, :32] = 1
    heard = listen(explanation(wave, maps=maps), wave)
    page = heard._repr_html_()
    assert page.count("<audio") == 3
    assert f"{heard.energy_kept:.0%} of the energy" in page
    assert "Rain by occlusion" in page
    np.testing.assert_allclose(heard.kept + heard.removed, heard.original, atol=1e-6)
    np.testing.assert_array_equal(heard.original, wave)
    assert 0 < heard.energy_kept < 1


def test_targets_that_change_from_patch_to_patch_are_all_named():
    wave = noise(2.0)
    heard = listen(explanation(wave, targets=np.array([1, 0, 1, 1, 0])), wave)
    assert heard.target == "Rooster or Rain"


@pytest.fixture(scope="module")
def model():
    return bright_or_dark()


def of_bands(model, wave, target, bands):
    """Explain a sound by a map that is 1 in some bands."""
    patches = model.frontend(wave)
    maps = np.zeros(patches.shape, "float32")
    maps[:, :, bands] = 1
    return explanation(
        wave,
        model.frontend,
        maps,
        labels=model.labels,
        targets=np.full(len(maps), model.index(target)),
        patches=np.asarray(patches),
        starts=patches.starts,
        length=patches.length,
        waves=patches.waves,
        model=model,
    )


def test_captions_say_what_the_network_hears_in_each_sound(model):
    wave = tone(500, 1.5) + 0.5 * tone(5000, 1.5)
    heard = listen(of_bands(model, wave, "dark", slice(0, 20)), wave)
    for name, sound in heard.sounds().items():
        said = model.predict_clip(sound, pad=True)
        chance = said.patch_scores.mean(axis=0)[model.index(said.label)]
        assert heard.captions()[name].count("The network hears") == 1
        assert f"hears {said.label} (probability {chance:.0%})" in heard.captions()[name]
    assert heard.answers["kept"].kept and not heard.answers["removed"].kept
    assert "not dark" in heard.captions()["removed"]
    page = heard._repr_html_()
    assert "&lt;bright&gt;" in page and "<bright>" not in page


def test_a_kept_sound_that_is_called_something_else_is_named_so(model):
    wave = tone(500, 1.5) + 0.5 * tone(5000, 1.5)
    wrong = of_bands(model, wave, "dark", slice(40, 64))
    kept = wrong.check(wave)["kept"]
    assert (kept.label, kept.kept) == ("<bright>", False)
    assert "alone it is <bright>" in wrong.check(wave).verdict
    assert "not dark" in listen(wrong, wave).captions()["kept"]


def test_silent_sounds_are_named_silent(model):
    wave = tone(500, 1.5)
    heard = listen(of_bands(model, wave, "dark", slice(0, 0)), wave)
    assert heard.answers["kept"].silent
    assert heard.captions()["kept"].endswith("It is silent.")


def test_without_its_network_an_explanation_is_heard_but_not_checked(model, tmp_path):
    wave = tone(500, 1.5)
    result = of_bands(model, wave, "dark", slice(0, 20))
    loaded = Explanation.load(result.save(tmp_path / "maps.npz"))
    assert loaded.model is None and listen(loaded, wave).answers is None
    assert "network" not in listen(loaded, wave).captions()["kept"]
    with pytest.raises(XaiAudioError, match="model=model"):
        loaded.check(wave)
    assert loaded.check(wave, model=model) == result.check(wave)
    assert listen(loaded, wave, model=model).answers == result.check(wave)


def test_matched_sounds_are_as_loud_as_the_original_and_the_caption_states_the_gain(model):
    wave = 0.1 * tone(500, 1.5) + 0.02 * tone(5000, 1.5)
    result = of_bands(model, wave, "<bright>", slice(45, 64))
    same, heard = listen(result, wave), listen(result, wave, loudness="matched")
    np.testing.assert_array_equal(same.sounds()["kept"], heard.kept)
    for sound in heard.sounds().values():
        assert loudness(sound, RATE) == pytest.approx(loudness(wave, RATE), abs=0.01)
        assert np.abs(sound).max() <= 1
    gain = float(re.search(r"Played ([\d.]+) dB louder", heard.captions()["kept"])[1])
    assert gain == pytest.approx(loudness(wave, RATE) - loudness(same.kept, RATE), abs=0.06)
    assert "Played" not in heard.captions()["original"]
    with pytest.raises(XaiAudioError, match="loudness"):
        listen(result, wave, loudness="loud")


@pytest.mark.slow
def test_parts_are_heard_by_one_call(model):
    wave = tone(500, 1.5) + 0.5 * tone(5000, 1.5)
    sounds = Components.of_sources(wave, [tone(500, 1.5), 0.4 * tone(5000, 1.5)], ["low", "kept"])
    result = xa.explain_parts(model, sounds, "dark", samples=4)
    heard = listen(result)
    assert list(heard.sounds()) == ["original", "kept", "removed", "residual", "low", "kept (2)"]
    np.testing.assert_array_equal(heard.original, wave)
    np.testing.assert_allclose(heard.kept, tone(500, 1.5), atol=1e-6)
    np.testing.assert_allclose(heard.kept + heard.removed, wave, atol=1e-6)
    np.testing.assert_allclose(heard.sounds()["residual"], 0.1 * tone(5000, 1.5), atol=1e-6)
    assert heard.answers == result.check(wave) == result.check()
    answers = {name: answer.label for name, answer in heard.answers.items()}
    assert answers["low"] == answers["kept"] == "dark" and answers["kept (2)"] == "<bright>"
    assert heard._repr_html_().count("<audio") == 6
    assert f"{result.weights[0]:+.2g} to the" in heard.captions()["low"]


@pytest.mark.slow
def test_a_soft_part_is_not_said_to_have_no_energy(model):
    wave = noise(2.0)
    sounds = Components.of_sources(wave, {"soft": wave / 50, "loud": wave * 0.98})
    captions = listen(xa.explain_parts(model, sounds, "dark", samples=4)).captions()
    assert captions["soft"].startswith("Soft: below 1% of the energy, ")
    assert captions["loud"].startswith("Loud: 96% of the energy, ")


@pytest.mark.slow
def test_parts_of_another_sound_are_refused(model):
    wave = tone(500, 1.5)
    result = xa.explain_parts(model, Components.in_time(wave, 2), "dark", samples=4)
    with pytest.raises(XaiAudioError, match="another sound"):
        listen(result, 0.5 * wave)
    with pytest.raises(XaiAudioError, match="keep"):
        listen(result, keep=0.2)
