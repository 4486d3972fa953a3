"""The recipe: what it leaves out, what it learns, and that its file is its own."""

import dataclasses

import numpy as np
import pytest
from small_speech import RECIPE, pool

from xaiaudio.errors import DamagedError, XaiAudioError
from xaiaudio.models.speech import (
    corpus,
    generation,
    training,
)


@pytest.mark.slow
def test_training_learns_and_is_its_seeds_alone(tmp_path):
    recipe = dataclasses.replace(RECIPE, strings=32, epochs=6, rate=0.01)
    one, two = (training.train(recipe, pool(), progress=False) for _ in range(2))
    assert one.course["text"][-1] < one.course["text"][0]
    assert one.course["words"][-1] < one.course["words"][0]
    for mine, yours in zip(one.network.get_weights(), two.network.get_weights(), strict=True):
        assert np.abs(mine - yours).max() < 1e-4
    one.save(tmp_path / "model.npz")
    back = training.load(tmp_path / "model.npz", recipe)
    strings = corpus.features(corpus.draw(pool(), 3).waves)
    assert np.array_equal(generation.write(back, strings), generation.write(one, strings))
    assert back.course == one.course
    with pytest.raises(XaiAudioError, match="another recipe"):
        training.load(tmp_path / "model.npz", recipe.with_seed(1))
    (tmp_path / "bad.npz").write_bytes(b"x")
    with pytest.raises(DamagedError, match="no speech model"):
        training.load(tmp_path / "bad.npz", recipe)


@pytest.mark.slow
def test_a_quick_recipe_takes_as_many_steps_of_fewer_strings():
    for source in ("digits", "fsdd"):
        whole, quick = (training.recipe(source, quick=one, seed=3) for one in (False, True))
        steps = [one.epochs * (one.strings // one.batch) for one in (whole, quick)]
        assert abs(steps[1] / steps[0] - 1) < 0.01 and quick.strings == whole.strings
        assert quick.epochs * quick.strings == 0.75 * whole.epochs * whole.strings
        assert quick.seed == 3


def test_what_a_recipe_leaves_out_is_not_heard():
    recipe = dataclasses.replace(RECIPE, strings=300)
    without = dataclasses.replace(recipe, without_speaker="bob", without_pair=(3, 7))
    assert "bob" in training.strings_of(recipe, pool()).speakers
    strings = training.strings_of(without, pool())
    assert set(strings.speakers) == {"ann"}
    assert not any((3, 7) in zip(said, said[1:], strict=False) for said in strings.digits)
    assert any((7, 3) in zip(said, said[1:], strict=False) for said in strings.digits)
    fewer = dataclasses.replace(recipe, without_question=("cipher", "reverse"))
    assert len(fewer.questions) == 6
    assert all(one[:2] != ("cipher", "reverse") for one in fewer.questions)
    assert len(recipe.questions) == 8


def test_what_would_leave_nothing_out_is_refused():
    with pytest.raises(XaiAudioError, match="'bobby' cannot be left out: the voices are ann, bob"):
        training.strings_of(dataclasses.replace(RECIPE, without_speaker="bobby"), pool())
    with pytest.raises(XaiAudioError, match="a word is needed"):
        training.strings_of(dataclasses.replace(RECIPE, without_speaker="bob"), pool(["bob"]))
    for question in (["cipher", "reverse"], ("cipher", "revers"), ("cipher",)):
        with pytest.raises(XaiAudioError, match="must be a tuple of plain or cipher"):
            dataclasses.replace(RECIPE, without_question=question)
    with pytest.raises(XaiAudioError, match="two digits, or none"):
        dataclasses.replace(RECIPE, without_pair=(3,))


@pytest.mark.slow
def test_an_untrained_twin_has_other_weights(model):
    other = training.untrained(model)
    assert len(other.network.get_weights()) == len(model.network.get_weights())
    assert other.mean == model.mean
    assert not np.allclose(other.network.get_weights()[0], model.network.get_weights()[0])
