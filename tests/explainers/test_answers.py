"""What a network says of sounds, against its own prediction of each."""

import copy
import dataclasses
import pickle

import numpy as np
import pytest

import xaiaudio as xa
from xaiaudio.explainers.answers import answers, overlap_of

RATE, RNG = 16_000, np.random.default_rng(0)
FRONTEND = xa.LogMel(frames=12, bands=8)


@pytest.fixture(scope="module")
def model():
    import keras

    keras.utils.set_random_seed(0)
    patch = keras.Input((12, 8))
    flat = keras.layers.Flatten()(patch)
    network = keras.Model(patch, keras.layers.Dense(3, activation="softmax")(flat))
    return xa.AudioClassifier.from_keras(network, ["a", "b", "c"], FRONTEND)


def test_each_answer_is_the_prediction_of_that_very_sound(model):
    sounds = {
        f"{level}": (level * RNG.normal(size=8000)).astype("f4") for level in (1e-3, 0.01, 0.3)
    }
    sounds["half"] = np.concatenate([sounds["0.3"], np.zeros(8000, "f4")])
    found = answers(model, sounds, ["b", "c"], overlap=0.5)
    assert list(found) == list(sounds)
    for name, wave in sounds.items():
        patches = model.frontend(wave, overlap=0.5)
        loud = patches.levels >= patches.levels.max() - 60
        scores = model.scores(patches)[loud]
        assert loud.all() == (name != "half")
        votes = np.bincount(scores.argmax(axis=1), minlength=3)
        label = np.argmax(votes + 0.5 * scores.mean(axis=0))
        one = found[name]
        assert one.label == "abc"[label] and one.kept == (one.label in "bc")
        assert one.probability == pytest.approx(scores.mean(axis=0)[label], rel=1e-5)
        assert one.target_probability == pytest.approx(scores.mean(axis=0)[1:].max(), rel=1e-5)
        assert one.target == "b or c"


def test_a_network_of_sigmoids_may_hear_several():
    import keras

    patch = keras.Input((12, 8))
    dense = keras.layers.Dense(3, activation="sigmoid", kernel_initializer="zeros")
    network = keras.Model(patch, dense(keras.layers.Flatten()(patch)))
    several = xa.AudioClassifier.from_keras(network, ["a", "b", "c"], FRONTEND)
    waves = {"kept": RNG.normal(0, 0.1, 8000).astype("f4")}
    for biases, hears, kept in (
        ((2, 1, -3), "a and b", True),
        ((2, -1, -3), "a", False),
        ((-2, -1, -3), "none of its classes", False),
    ):
        dense.set_weights([np.zeros((96, 3)), np.array(biases, float)])
        found = answers(several, waves, ["b"], overlap=0)
        assert (found["kept"].hears, found["kept"].kept) == (hears, kept)
        assert f"<td>{hears}</td>" in found._repr_html_()
        assert kept or f"alone it is {hears} for the network" in found.verdict
        (row,) = found.table()
        assert row["target_probability"] == pytest.approx(1 / (1 + np.exp(-biases[1])), abs=1e-5)


def test_a_silent_sound_is_silent(model):
    one = answers(model, {"kept": np.zeros(500, "f4")}, ["b"])["kept"]
    assert one.silent and not one.kept and str(one) == "It is silent."
    assert (
        "<td>silence</td><td></td>"
        in answers(model, {"kept": np.zeros(500, "f4")}, ["b"])._repr_html_()
    )


def test_without_a_class_it_says_only_what_is_heard(model):
    wave = RNG.normal(0, 0.1, 8000).astype("f4")
    found = answers(model, {"sound": wave})["sound"]
    asked = answers(model, {"sound": wave}, [found.label])["sound"]
    assert found.target == "" and found.target_probability == 0 and not found.kept
    assert str(found) == str(asked) and asked.kept


@pytest.mark.slow
@pytest.mark.parametrize("overlap", [0.0, 0.5, 0.75])
def test_an_explanation_is_checked_with_the_patches_that_it_explains(model, overlap):
    wave = RNG.normal(0, 0.1, 8000).astype("f4")
    result = xa.explain(model, model.frontend(wave, overlap=overlap), "b", method="occlusion")
    assert overlap_of(result) == overlap
    assert overlap_of(result[[0, 1, 3]]) is None and overlap_of(result[:1]) is None
    chance = result.check(wave)["original"].probability
    patches = model.frontend(wave, overlap=overlap)
    assert len(patches) == len(result)
    label = model.predict_clip(wave, overlap=overlap).label
    assert chance == pytest.approx(model.scores(patches).mean(axis=0)["abc".index(label)])


def test_an_explanation_knows_its_network_and_does_not_take_it_along(model):
    wave = RNG.normal(0, 0.1, 8000).astype("f4")
    result = xa.explain(model, model.frontend(wave), "b", method="occlusion")
    assert result.model is model and result[:2].model is model
    assert pickle.loads(pickle.dumps(result)).model is None
    assert copy.copy(result).model is None
    assert not {f.name: f for f in dataclasses.fields(result)}["model"].compare
