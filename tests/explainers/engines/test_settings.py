"""The engine of counterfactual sounds: what is heard in each setting, and what counts as a flip."""

import numpy as np
import pytest
from tone_recipes import RATE, SAMPLES, above, centroids, classifier, tones

from xaiaudio import XaiAudioError
from xaiaudio.explainers.engines import settings
from xaiaudio.explainers.engines.settings import NOTHING, Asker, check, question, with_original
from xaiaudio.synthesis.controls import Control, Recipe


def with_silence():
    """A tone whose height may be 0: then there is no answer."""
    pitch, height = tones().controls
    height = Control("height", "", 0.0, 0.9, 0.2, 0.01)
    return Recipe("tone", (pitch, height), tones().make, RATE, SAMPLES)


def test_settings_are_named_as_each_sound_alone_would_be(monkeypatch):
    monkeypatch.setattr(settings, "BATCH", 3)  # several passes, the last one smaller
    model, recipe = above(700.0), with_silence()
    asker = Asker(model, recipe, None)
    asked = np.array([[500, 0.2], [900, 0.2], [900, 0.0], [699, 0.9], [701, 0.1]])
    answers, probabilities = asker(asked)
    assert answers.tolist() == [0, 1, NOTHING, 0, 1] and asker.asked == 5
    for row, wave in enumerate(recipe(asked)):
        if answers[row] == NOTHING:
            assert not probabilities[row].any()
            continue
        said = model.predict_clip(wave)
        assert model.labels[answers[row]] == said.label
        mean = said.patch_scores[said.voted].mean(axis=0)
        np.testing.assert_allclose(probabilities[row], mean, atol=1e-6)


def test_a_change_is_claimed_only_if_the_network_says_so_again():
    model, recipe = above(700.0), tones()
    asker = Asker(model, recipe, None)
    setting = recipe.setting(pitch=1000.0)
    found = asker.change(setting, 0.5, lambda answers: answers == 1, "high")
    assert [control.name for control in found.controls] == ["pitch"] and found.values == (1000.0,)
    assert found.steps == pytest.approx(12.0) and found.within == 0.5  # an octave in semitones
    np.testing.assert_array_equal(found.sound, recipe(setting[None])[0])
    assert found.answer.label == "high"
    assert asker.change(setting, 0.5, lambda answers: answers == 0, "") is None
    assert asker.asked == 2


def test_what_is_a_flip_depends_on_the_class_that_is_asked_for():
    three = classifier(
        lambda waves: np.digitize(centroids(waves), [700, 1400]), labels=("low", "middle", "high")
    )
    asker = Asker(three, tones(), None)
    every = np.array([NOTHING, 0, 1, 2])
    answer, flips = question(asker, None)
    assert answer.label == "low" and flips(every).tolist() == [False, False, True, True]
    assert question(asker, "high")[1](every).tolist() == [False, False, False, True]
    with pytest.raises(XaiAudioError, match="hears 'low' already"):
        question(asker, "low")


def test_silence_has_no_answer_to_change():
    silent = Recipe(
        "nothing", tones().controls, lambda asked: np.zeros((len(asked), SAMPLES)), RATE, SAMPLES
    )
    with pytest.raises(XaiAudioError, match="nothing is silent as it is"):
        question(Asker(above(700.0), silent, None), None)


@pytest.mark.parametrize("log", [True, False])
@pytest.mark.parametrize("value", [100.0, 500.0, 523.7, 3000.0])
def test_the_sound_as_it_is_stands_once_in_the_grid(log, value):
    control = tones(value, log=log).controls[0]
    values = with_original(control, 9)
    assert (np.diff(values) > 0).all() and (values == value).sum() == 1
    assert (control.distance(values[values != value]) > settings.NEAR).all()
    assert (values[0], values[-1]) == pytest.approx((100, 3000)) and 9 <= len(values) <= 10


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ((2, 0.1, ["a"]), "grid is 2"),
        ((9.0, 0.1, ["a"]), "grid is 9.0"),
        ((9, 0.0, ["a"]), "tolerance is 0.0"),
        ((9, np.inf, ["a"]), "tolerance is inf"),
        ((9, None, ["a"]), "tolerance is None"),
        ((9, 0.1, "pitch"), "at least one name"),
        ((9, 0.1, []), "at least one name"),
    ],
)
def test_options_of_a_search_that_make_no_sense(options, told):
    check(3, 1e-3, ["a"])
    with pytest.raises(XaiAudioError, match=told):
        check(*options)


def test_only_sounds_with_controls_at_the_networks_rate_are_asked_about():
    with pytest.raises(XaiAudioError, match="no sound with controls, but list"):
        Asker(above(700.0), [1, 2], None)
    other = Recipe("fast", tones().controls, tones().make, 2 * RATE, SAMPLES)
    with pytest.raises(XaiAudioError, match="fast is made at 16000 Hz, but .* takes 8000 Hz"):
        Asker(above(700.0), other, None)
