"""Answers to whole sounds: the mean over the patches of each, or the highest."""

import numpy as np
import pytest
from small_networks import additive
from sound_functions import classifier, sounds

from xaiaudio.models.hearing import hear, voting

SHAPE = (12, 10)


@pytest.fixture(scope="module")
def model():
    return additive(SHAPE)[0]


def waves_of(model, count=3, patches=4):
    rng = np.random.default_rng(1)
    size = model.frontend.min_samples * patches
    return rng.normal(0, 0.1, (count, size)) * rng.random((count, 1))


@pytest.mark.slow
@pytest.mark.parametrize("output", ["scores", "logits"])
@pytest.mark.parametrize("overlap", [None, 0.0, 0.5])
def test_each_sound_by_itself_and_its_patches_one_by_one(model, output, overlap):
    waves = waves_of(model)
    found = hear(model, waves, output=output, overlap=overlap)
    highest = hear(model, waves, output=output, overlap=overlap, highest=True)
    ask = getattr(model, output)
    for wave, mean, most in zip(waves, found, highest, strict=True):
        each = [ask(patch[None])[0] for patch in model.frontend(wave, overlap=overlap).values]
        assert len(each) >= 4
        np.testing.assert_allclose(mean, np.mean(each, axis=0), atol=1e-5)
        np.testing.assert_allclose(most, np.max(each, axis=0), atol=1e-5)
    assert found.dtype == np.float32


def test_only_those_that_vote_count(model):
    waves = waves_of(model)
    voted = np.array([True, False, False, True])
    found = hear(model, waves, overlap=0.0, voted=voted)
    highest = hear(model, waves, overlap=0.0, voted=voted, highest=True)
    for wave, mean, most in zip(waves, found, highest, strict=True):
        scores = model.scores(model.frontend(wave, overlap=0.0))[[0, 3]]
        np.testing.assert_allclose(mean, scores.mean(axis=0), atol=1e-6)
        np.testing.assert_allclose(most, scores.max(axis=0), atol=1e-6)


def test_a_sound_shorter_than_a_patch_is_lengthened(model):
    short = waves_of(model)[:, : model.frontend.min_samples // 2]
    padded = np.pad(short, ((0, 0), (0, model.frontend.min_samples - short.shape[1])))
    np.testing.assert_allclose(hear(model, short), hear(model, padded), atol=1e-6)


def test_functions_of_sounds_are_heard_too():
    model, waves = classifier(), sounds(6).reshape(2, -1)
    found = hear(model, waves, output="logits", overlap=0.5)
    for wave, row in zip(waves, found, strict=True):
        each = model.logits(model.frontend(wave, overlap=0.5))
        assert len(each) >= 5
        np.testing.assert_allclose(row, each.mean(axis=0), atol=1e-5)


def test_silent_patches_have_no_vote_unless_all_are_silent(model):
    wave = waves_of(model, 1)[0]
    start = model.frontend.patch_hop * model.frontend.hop
    wave[start : start + model.frontend.min_samples] *= 1e-4  # 80 dB below
    found = voting(model, wave, overlap=0.0)
    assert np.flatnonzero(~found).tolist() == [1] and len(found) >= 4
    assert voting(model, 0 * wave, overlap=0.0).all()
