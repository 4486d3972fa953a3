"""Counterfactual sounds: the smallest change is found where it is known, and nowhere else."""

import numpy as np
import pytest
from tone_recipes import RATE, SAMPLES, above, centroids, classifier, tones

import xaiaudio as xa
from xaiaudio import XaiAudioError
from xaiaudio.explainers.counterfactual import counterfactuals, together
from xaiaudio.synthesis import edits, recipes
from xaiaudio.synthesis.controls import Control, Recipe


@pytest.mark.slow
@pytest.mark.parametrize("log", [True, False])
@pytest.mark.parametrize("limit", [700.0, 1234.0])
@pytest.mark.parametrize("tolerance", [1.0, 0.05])
def test_a_known_threshold_is_found_to_the_tolerance(limit, tolerance, log):
    recipe = tones(log=log)
    found = counterfactuals(above(limit), recipe, tolerance=tolerance)
    change, control = found.changes["pitch"], recipe.controls[0]
    assert change.values[0] > limit - 0.5  # bins of 1 Hz
    assert change.steps == pytest.approx(control.distance(change.values[0]))
    assert change.steps - tolerance <= control.distance(limit) + 0.1
    assert 0 < change.within <= tolerance
    nearer = recipe.setting(
        pitch=float(control.at(control.places(500) + change.steps - change.within))
    )
    assert above(limit).predict_clip(recipe([nearer])[0]).label == "low"
    assert found.changes["height"] is None and found.best is change


@pytest.mark.slow
def test_the_side_that_is_nearer_wins():
    inside = classifier(lambda w: ((centroids(w) < 400) | (centroids(w) > 1500)).astype(int))
    found = counterfactuals(inside, tones(), controls=["pitch"])
    assert found.changes["pitch"].values[0] == pytest.approx(400, rel=0.01)
    outside = classifier(lambda w: ((centroids(w) < 150) | (centroids(w) > 600)).astype(int))
    found = counterfactuals(outside, tones(), controls=["pitch"])
    assert found.changes["pitch"].values[0] == pytest.approx(600, rel=0.01)


@pytest.mark.slow
def test_the_slow_way_finds_the_same():
    """Twenty thousandths of a step at a time, from the sound as it is outwards."""
    model, recipe = above(633.0), tones()
    control = recipe.controls[0]
    steps = 0.0
    while True:
        values = [float(control.at(control.places(500) + sign * steps)) for sign in (-1, 1)]
        heard = [model.predict_clip(recipe([recipe.setting(pitch=v)])[0]).label for v in values]
        if "high" in heard:
            break
        steps += 0.02
    change = counterfactuals(model, recipe, tolerance=0.02).changes["pitch"]
    assert change.steps == pytest.approx(steps, abs=0.05)


@pytest.mark.slow
def test_the_first_flip_counts_where_answers_come_back():
    stripes = classifier(lambda w: (centroids(w) // 200 % 2 == 0).astype(int), ("a", "b"))
    recipe = tones(value=300, log=False)
    found = counterfactuals(stripes, recipe, grid=59)
    change, curve = found.changes["pitch"], found.curves["pitch"]
    assert change.values[0] in (pytest.approx(400, abs=2), pytest.approx(200, abs=2))
    here = int(np.flatnonzero(curve.values == 300)[0])
    assert curve.answers[here] == 0 and set(curve.answers) == {0, 1}
    assert (np.diff(curve.answers) != 0).sum() > 5  # it does come back
    places = curve.control.distance(curve.values)
    assert (curve.answers[places < change.steps - 1e-9] == 0).all()


def test_nothing_smaller_on_the_grid_flips_and_every_flip_is_confirmed():
    model, recipe = above(900.0), tones(other=0.3)
    found = counterfactuals(model, recipe)
    for name, curve in found.curves.items():
        change = found.changes[name]
        flipped = curve.answers != curve.answers[curve.values == curve.control.value][0]
        if change is None:
            assert not flipped.any()
            continue
        assert (curve.control.distance(curve.values[flipped]) >= change.steps - 1e-9).all()
        np.testing.assert_array_equal(recipe(change.setting[None])[0], change.sound)
        again = model.predict_clip(change.sound)
        assert again.label == change.answer.label != found.answer.label


def test_a_flip_that_is_not_confirmed_is_not_claimed():
    calls = []

    def moody(waves):  # another answer to many sounds than to one alone
        calls.append(len(waves))
        return (centroids(waves) > 700).astype(int) if len(waves) > 1 else np.zeros(1, int)

    found = counterfactuals(classifier(moody), tones(), tolerance=5.0)
    assert (found.curves["pitch"].answers == 1).any() and 1 in calls
    assert found.changes["pitch"] is None


def test_a_classifier_that_never_changes_flips_nowhere():
    found = counterfactuals(classifier(lambda waves: np.zeros(len(waves), int)), tones())
    assert found.best is None and set(found.changes.values()) == {None}
    assert [row["to"] for row in found.table()] == [None, None]
    assert list(found.sounds()) == ["as it is"]


@pytest.mark.slow
def test_the_original_is_bit_identical_and_the_table_is_in_order():
    recipe = tones()
    model = classifier(lambda w: ((centroids(w) > 800) | (np.abs(w).max(axis=1) > 0.5)).astype(int))
    found = counterfactuals(model, recipe)
    np.testing.assert_array_equal(found.original, recipe([recipe.original])[0])
    rows = found.table()
    steps = [row["steps"] for row in rows]
    assert steps == sorted(steps) and rows[0]["steps"] == found.best.steps
    assert {row["heard"] for row in rows} == {"high"}
    assert len(found.sounds()) == 3
    again = counterfactuals(model, recipe)
    assert [row["to"] for row in again.table()] == [row["to"] for row in rows]


@pytest.mark.slow
def test_a_target_is_the_class_asked_for():
    three = classifier(
        lambda w: np.digitize(centroids(w), [700, 1400]), labels=("low", "middle", "high")
    )
    found = counterfactuals(three, tones(), "high")
    assert found.changes["pitch"].values[0] == pytest.approx(1400, rel=0.02)
    assert found.changes["pitch"].answer.label == "high" and found.target == "high"
    assert counterfactuals(three, tones()).changes["pitch"].answer.label == "middle"


def test_silence_is_no_class():
    model = classifier(lambda waves: np.ones(len(waves), int))
    wave = np.zeros(SAMPLES, np.float32)
    wave[100:2000] = 0.3
    found = counterfactuals(model, edits.recording(wave, RATE), controls=["start"])
    assert (found.curves["start"].answers == -1).any()
    assert found.changes["start"] is None


@pytest.mark.slow
def test_two_controls_together():
    # Neither alone may flip: pitch and height have to rise.
    both = classifier(lambda w: ((centroids(w) > 700) & (np.abs(w).max(axis=1) > 0.5)).astype(int))
    recipe = tones()
    assert counterfactuals(both, recipe).best is None
    found = together(both, recipe, ("pitch", "height"), tolerance=0.05)
    pitch, height = found.change.values
    assert pitch == pytest.approx(700, rel=0.01) and height == pytest.approx(0.5, abs=0.01)
    assert found.change.steps == pytest.approx(
        recipe.controls[0].distance(700) + recipe.controls[1].distance(0.5), abs=0.3
    )
    assert both.predict_clip(found.change.sound).label == "high"
    assert found.answers.shape == found.probabilities.shape[:2]
    for i, first in enumerate(found.values[0]):
        for j, second in enumerate(found.values[1]):
            asked = recipe([recipe.setting(pitch=first, height=second)])[0]
            assert both.labels[found.answers[i, j]] == both.predict_clip(asked).label


@pytest.mark.slow
def test_of_two_controls_one_may_be_enough():
    found = together(above(700.0), tones(), ("height", "pitch"), grid=31, tolerance=0.05)
    assert [control.name for control in found.change.controls] == ["pitch"]
    nothing = together(classifier(lambda w: np.zeros(len(w), int)), tones(), ("pitch", "height"))
    assert nothing.change is None


@pytest.mark.slow
def test_a_network_of_patches_is_asked_as_predict_clip_does():
    lite, recipe = xa.load_model("lite"), recipes.clock()
    found = counterfactuals(lite, recipe, controls=["rate", "noise"], grid=5, overlap=0.5)
    for name, curve in found.curves.items():
        waves = recipe([recipe.setting(**{name: value}) for value in curve.values])
        for wave, answer, chances in zip(waves, curve.answers, curve.probabilities, strict=True):
            said = lite.predict_clip(wave, 0.5)
            assert lite.labels[answer] == said.label
            mean = said.patch_scores[said.voted].mean(axis=0)
            np.testing.assert_allclose(chances, mean, atol=1e-5)


@pytest.mark.parametrize("options, message", [
    ({"target": "low"}, "hears 'low' already"),
    ({"target": "nosuch"}, "nosuch"),
    ({"controls": ["pich"]}, r"no control 'pich' \(did you mean 'pitch'"),
    ({"controls": []}, "at least one name"),
    ({"controls": "pitch"}, "at least one name"),
    ({"grid": 2}, "grid is 2"),
    ({"tolerance": 0}, "tolerance is 0"),
    ({"tolerance": "fine"}, "tolerance is 'fine'"),
])  # fmt: skip
def test_wrong_options(options, message):
    with pytest.raises(XaiAudioError, match=message):
        counterfactuals(above(700.0), tones(), **options)


def test_wrong_sounds():
    with pytest.raises(XaiAudioError, match="no sound with controls, but ndarray"):
        counterfactuals(above(700.0), np.zeros(8000))
    with pytest.raises(XaiAudioError, match="clock is made at 16000 Hz, but .* takes 8000 Hz"):
        counterfactuals(above(700.0), recipes.clock())
    with pytest.raises(XaiAudioError, match="two different controls"):
        together(above(700.0), tones(), ("pitch", "pitch"))
    silent = Recipe(
        "nothing", tones().controls, lambda s: np.zeros((len(s), SAMPLES)), RATE, SAMPLES
    )
    with pytest.raises(XaiAudioError, match="nothing is silent as it is"):
        counterfactuals(above(700.0), silent)


@pytest.mark.slow
def test_of_several_classes_at_once_the_one_named_is_the_one_reported():
    """Most patches can hear the quiet tone, but a bang is more probable in the first."""

    def make(settings):
        loud = np.r_[np.full(RATE, 0.0), np.full(4 * RATE, 1.0)] * settings[:, :1]
        wave = np.tile(np.sin(2 * np.pi * 440 * np.arange(5 * RATE) / RATE), (len(settings), 1))
        wave[:, :RATE] *= 10 ** (settings[:, 1:] / 20)
        return wave * 10 ** (loud / 20)

    controls = (Control("tone", "dB", -40, -15, -40, 1.0), Control("bang", "dB", -40, -3, -6, 1.0))
    recipe = Recipe("bang and tones", controls, make, RATE, 5 * RATE)

    def logits(waves):
        level = 20 * np.log10(np.abs(np.asarray(waves)).max(axis=1) + 1e-9)
        bang, tone = level > -10, (level > -30) & (level <= -10)
        return np.stack([np.where(bang, 4.0, -1.0), np.where(tone, 1.0, -3.0)], axis=1)

    model = xa.AudioClassifier.from_function(
        logits, ["bang", "tone"], RATE, seconds=1, outputs="sigmoid"
    )
    found = counterfactuals(model, recipe, overlap=0)
    assert found.answer.label == "bang"
    # A louder tone is what most patches hear then, but the bang stays the most probable.
    assert found.changes["tone"] is None and (found.curves["tone"].answers == 0).all()
    assert found.changes["bang"].answer.label == "tone"
    assert found.changes["bang"].values[0] == pytest.approx(-10, abs=0.2)
