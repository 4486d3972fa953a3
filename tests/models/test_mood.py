import numpy as np
import pytest

from xaiaudio.datasets import music
from xaiaudio.errors import XaiAudioError
from xaiaudio.explainers.engines.components import Components
from xaiaudio.explainers.parts import explain_parts_classes
from xaiaudio.models import mood
from xaiaudio.models.classifier import AudioClassifier


@pytest.fixture(scope="module")
def model():
    """Both stages with random weights."""
    first = AudioClassifier.from_keras(
        mood.network(3),
        music.QUALITIES,
        mood.frontend(),
        outputs="logits",
        activation="sigmoid",
    )
    rng = np.random.default_rng(0)
    return mood.MoodModel(first, rng.normal(size=(6, 3)), rng.normal(size=3))


def sources(excerpt):
    stems = excerpt.load_stems()
    return Components.of_sources(excerpt.load(), np.stack(list(stems.values())), list(stems))


@pytest.mark.slow
def test_effects_and_bias_sum_to_the_mood(model):
    patches = mood.patches(music.load(5))
    heard = model.qualities.logits(patches)
    effects = model.effects(heard)
    assert effects.shape == (5, 6, 3)
    for number in range(5):
        for quality in range(6):
            for which in range(3):
                wanted = heard[number, quality] * model.weights[quality, which]
                assert effects[number, quality, which] == pytest.approx(wanted)
    np.testing.assert_allclose(
        effects.sum(axis=1) + model.bias, model.moods.logits(patches), atol=1e-5
    )


@pytest.mark.slow
@pytest.mark.parametrize("method", ["lime", "shapley"])
def test_the_explanation_of_a_mood_is_the_sum_of_those_of_the_qualities(model, method):
    """The second stage is linear, and so is a ridge in what it is fitted to."""
    parts = sources(music.load(1)[0])
    found, wanted = (
        np.stack([one.weights for one in explain_parts_classes(net, parts, None, method).values()])
        for net in (model.moods, model.qualities)
    )
    np.testing.assert_allclose(found, model.weights.T @ wanted, atol=1e-5)
    assert np.abs(found).max() > 0.01


def test_all_stems_on_is_the_sound_itself(model):
    excerpt = music.load(1, seed=8)[0]
    parts = sources(excerpt)
    assert not parts.residual.any()
    np.testing.assert_array_equal(parts.mix(np.ones(4)), excerpt.load())


def test_the_second_stage_is_a_ridge():
    rng = np.random.default_rng(1)
    x, y = rng.normal(size=(50, 4)), rng.normal(size=(50, 2))
    weights, bias = mood.second_stage(x, y)
    centred = x - x.mean(axis=0)
    wanted = np.linalg.solve(centred.T @ centred + np.eye(4), centred.T @ (y - y.mean(axis=0)))
    np.testing.assert_allclose(weights, wanted, atol=1e-10)
    np.testing.assert_allclose(bias, y.mean(axis=0) - x.mean(axis=0) @ wanted, atol=1e-10)


@pytest.mark.slow
def test_a_second_stage_learns_what_it_is_taught(model):
    pieces = music.load(12)
    moods = np.random.default_rng(2).normal(size=(12, 3))
    taught = model.taught(pieces, moods=moods)
    heard = model.qualities.logits(mood.patches(pieces))
    np.testing.assert_allclose(taught.weights, mood.second_stage(heard, moods)[0])
    assert taught.qualities is model.qualities
    assert not np.allclose(taught.weights, model.taught(pieces).weights)


def test_r2_is_one_where_all_is_explained_and_zero_for_the_mean():
    true = np.random.default_rng(0).normal(size=(20, 2))
    np.testing.assert_allclose(mood.r2(true, true), 1)
    np.testing.assert_allclose(mood.r2(np.broadcast_to(true.mean(axis=0), (20, 2)), true), 0)


@pytest.mark.slow
def test_training_is_seeded_and_keeps_the_best_epoch():
    one, same = (mood.train(24, validated=8, epochs=3, progress=False) for _ in range(2))
    for mine, yours in zip(one.network.get_weights(), same.network.get_weights(), strict=True):
        np.testing.assert_array_equal(mine, yours)
    course = one.history["validation"]
    seen = music.load(8, seed=1)
    heard = one.logits(mood.patches(seen))
    error = np.square(heard - [clip.qualities for clip in seen]).mean()
    assert len(course) == 3 and error == pytest.approx(min(course), rel=1e-4)
    other = mood.train(24, validated=8, epochs=1, seed=1, progress=False)
    assert not np.array_equal(other.network.get_weights()[0], one.network.get_weights()[0])


@pytest.mark.slow
def test_the_model_is_kept(tmp_path, monkeypatch):
    monkeypatch.setenv("XAIAUDIO_HOME", str(tmp_path))
    for name, value in (("TRAINED_ON", 24), ("VALIDATED_ON", 8), ("_EPOCHS", 1)):
        monkeypatch.setattr(mood, name, value)
    first = mood.load(progress=False)
    monkeypatch.setattr(mood, "train", None)
    again = mood.load()
    np.testing.assert_array_equal(first.weights, again.weights)
    patches = mood.patches(music.load(2))
    np.testing.assert_array_equal(first.moods.logits(patches), again.moods.logits(patches))


def test_nothing_to_train_on():
    with pytest.raises(XaiAudioError, match="At least one piece"):
        mood.train(0)


@pytest.mark.parametrize("shape", [(5,), (4, 3)])
def test_each_piece_needs_its_moods(shape):
    with pytest.raises(XaiAudioError, match="a row of each for every piece"):
        mood.second_stage(np.ones((5, 6)), np.ones(shape))
