import os

import keras
import numpy as np
import pytest
from tones import LABELS

from xaiaudio import datasets, models
from xaiaudio.frontend import LogMel
from xaiaudio.models import load_model, pretrain
from xaiaudio.models.training.pretraining import Augmented

FRONTEND = LogMel.vggish(overlap=0.75)


def test_altered_patches_are_reproducible_and_their_targets_add_up(clips):
    first, again, other = (Augmented(clips, FRONTEND, seed).batch(12) for seed in (3, 3, 4))
    np.testing.assert_array_equal(first[0], again[0])
    np.testing.assert_array_equal(first[1], again[1])
    assert np.abs(first[0] - other[0]).max() > 0.1
    inputs, targets = first
    assert inputs.shape == (12, 96, 64, 1) and inputs.dtype == np.float32
    assert targets.shape == (12, 3) and np.isfinite(inputs).all()
    np.testing.assert_allclose(targets.sum(axis=1), 1, rtol=1e-6)


def test_every_clip_comes_equally_often(clips):
    source = Augmented(clips, FRONTEND, 0)
    drawn = np.concatenate([source._next(7) for _ in range(30)])
    assert set(np.bincount(drawn, minlength=30)) == {7}


def test_a_patch_is_a_stretch_of_the_looped_clip_but_for_gain_and_masks(clips):
    source = Augmented(clips, FRONTEND, 0)
    mel = source.mels[0]
    looped = np.concatenate([mel, mel[:96]])
    patch = source._patch(mel)
    best = np.inf
    for start in range(len(mel)):
        # In each cell, the gain that would explain it; one gain explains the unmasked ones.
        gains = np.maximum(np.exp(patch) - 0.01, 1e-9) / np.maximum(
            looped[start : start + 96], 1e-9
        )
        best = min(best, np.mean(np.abs(gains / np.median(gains) - 1) > 0.01))
    assert best <= (8 * 96 + 16 * 64) / (96 * 64) + 0.01


@pytest.mark.slow
def test_a_small_run_learns_and_is_written(clips, tmp_path):
    model, tested = pretrain(clips, tmp_path / "net.keras", epochs=6, batch_size=16, progress=False)
    assert model.labels == LABELS and len(tested.names) == 6
    assert len(model.history["loss"]) == 6
    assert model.history["loss"][-1] < 0.8 * model.history["loss"][0]
    again = load_model(tmp_path / "net.keras")
    patches = np.random.default_rng(0).normal(-2, 2, (3, 96, 64))
    np.testing.assert_allclose(again.scores(patches), model.scores(patches), atol=1e-6)
    assert not any(isinstance(la, keras.layers.BatchNormalization) for la in again.network.layers)


@pytest.mark.slow
@pytest.mark.skipif("XAIAUDIO_ESC10" not in os.environ, reason="the recordings are not here")
def test_the_shipped_network_names_the_clips_it_never_heard():
    test = datasets.load("esc10", progress=False).split(5)[1]
    model = load_model("lite")
    result = models.test(model, test)
    assert result.clip_accuracy >= 0.925
    told = model.history["test_clip_accuracy"]
    assert result.clip_accuracy == pytest.approx(told, abs=0.013)
