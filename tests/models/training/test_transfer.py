import json

import numpy as np
import pytest
import soundfile
from tones import LABELS, tiny_backbone

from xaiaudio import models
from xaiaudio.datasets import Clip, ClipSet
from xaiaudio.errors import XaiAudioError
from xaiaudio.models import load_model, patch_table, transfer
from xaiaudio.models.training.loop import _Run
from xaiaudio.models.training.steps import loss_and_accuracy
from xaiaudio.models.training.tables import PatchTable

QUICK = {"batch_size": 16, "learning_rate": 0.01, "progress": False}


def weights(model):
    return [weight.numpy() for weight in model.network.weights]


def assert_equal_weights(first, second):
    for a, b in zip(weights(first), weights(second), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-7)


@pytest.mark.slow
@pytest.mark.parametrize("freeze", [False, True])
def test_tones_are_learnt(clips, backbone, freeze):
    train, test = clips.split(5)
    before = [weight.numpy().copy() for weight in backbone.network.weights]
    model = transfer(backbone, train, test, freeze=freeze, epochs=25, halve_every=25, **QUICK)
    assert models.test(model, test).clip_accuracy >= 0.8
    assert model.labels == LABELS and model.frontend.overlap == 0.75
    for old, weight in zip(before, backbone.network.weights, strict=True):
        np.testing.assert_array_equal(old, weight.numpy())
    moved = np.abs(model.network.get_layer("conv").get_weights()[0] - before[0]).max()
    assert moved == 0 if freeze else moved > 1e-3
    names = [layer.name for layer in model.network.layers][1:]
    assert names == ["conv", "pool", "embedding", "logits", "scores"]


@pytest.mark.slow
def test_the_history_tells_the_whole_course(clips, backbone, tmp_path):
    train, test = clips.split(5)
    model = transfer(backbone, train, test, epochs=3, validate_every=5, seed=4, **QUICK)
    h = model.history
    iterations = len(patch_table(train, model.frontend).patches) // 16
    assert len(h["loss"]) == len(h["accuracy"]) == 3 * iterations
    assert h["epoch_iteration"] == [iterations, 2 * iterations, 3 * iterations]
    due = {k for k in range(1, 3 * iterations + 1) if k % 5 == 0} | set(h["epoch_iteration"])
    assert h["validation_iteration"] == sorted(due)
    rates = [-loss for loss in h["validation_loss"]]
    judged = list(zip(h["validation_accuracy"], rates, strict=True))
    best = max(range(len(judged)), key=lambda k: judged[k])
    assert h["best_iteration"] == h["validation_iteration"][best]
    assert h["best_epoch"] == 1 + (h["best_iteration"] - 1) // iterations
    assert (h["best"]["accuracy"], -h["best"]["loss"]) == judged[best]
    assert (h["last"]["accuracy"], -h["last"]["loss"]) == judged[-1]
    # What is kept is the network of the best validation.
    table = patch_table(test, model.frontend)
    kept = loss_and_accuracy(model.logits(table.patches), table.targets(LABELS))
    assert kept == pytest.approx((h["best"]["loss"], h["best"]["accuracy"]), rel=1e-4)
    assert models.test(model, test).patch_accuracy == pytest.approx(h["best"]["accuracy"])
    assert h["options"]["seed"] == 4 and h["seconds"] > 0
    assert load_model(model.save(tmp_path / "m.keras")).history == json.loads(json.dumps(h))


@pytest.mark.slow
def test_without_validation_the_last_epoch_is_kept(clips, backbone):
    model = transfer(backbone, clips, epochs=2, **QUICK)
    assert model.history["best_epoch"] == 2
    assert model.history["best_iteration"] == len(model.history["loss"])
    assert model.history["best"] is None and model.history["validation_loss"] == []


@pytest.mark.slow
def test_the_same_seed_gives_the_same_network_and_another_does_not(clips, backbone):
    first, again, other = (
        transfer(backbone, clips, epochs=1, seed=seed, **QUICK) for seed in (1, 1, 2)
    )
    assert_equal_weights(first, again)
    assert np.abs(weights(first)[-2] - weights(other)[-2]).max() > 1e-2


@pytest.mark.slow
@pytest.mark.parametrize("freeze", [False, True])
def test_an_interrupted_run_ends_like_an_uninterrupted_one(clips, tmp_path, monkeypatch, freeze):
    train, test = clips.split(5)
    backbone = tiny_backbone(dropout=0.3)
    options = {"epochs": 4, "halve_every": 1, "freeze": freeze, **QUICK}
    whole = transfer(backbone, train, test, **options)

    real = _Run._epoch

    def stopped(run, epoch, tell):
        if epoch == 2:
            raise KeyboardInterrupt
        real(run, epoch, tell)

    monkeypatch.setattr(_Run, "_epoch", stopped)
    with pytest.raises(KeyboardInterrupt):
        transfer(backbone, train, test, resume=tmp_path, **options)
    assert [file.name for file in tmp_path.iterdir()] == ["checkpoint.npz"]

    done = []
    monkeypatch.setattr(_Run, "_epoch", lambda run, k, tell: done.append(k) or real(run, k, tell))
    resumed = transfer(backbone, train, test, resume=tmp_path, **options)
    assert done == [2, 3]
    assert_equal_weights(whole, resumed)
    for name in ("loss", "validation_loss"):
        np.testing.assert_allclose(whole.history[name], resumed.history[name], rtol=1e-4)
    assert whole.history["best_iteration"] == resumed.history["best_iteration"]

    done.clear()
    assert_equal_weights(whole, transfer(backbone, train, test, resume=tmp_path, **options))
    assert done == []


@pytest.mark.slow
def test_a_checkpoint_of_another_run_or_a_damaged_one(clips, backbone, tmp_path):
    transfer(backbone, clips, epochs=1, resume=tmp_path, **QUICK)
    with pytest.raises(XaiAudioError, match="other clips or options"):
        transfer(backbone, clips, epochs=1, seed=1, resume=tmp_path, **QUICK)
    with pytest.raises(XaiAudioError, match="other clips or options"):
        transfer(tiny_backbone(seed=9), clips, epochs=1, resume=tmp_path, **QUICK)
    with pytest.raises(XaiAudioError, match="other clips or options"):
        transfer(backbone, clips[:15], epochs=1, resume=tmp_path, **QUICK)
    file = tmp_path / "checkpoint.npz"
    file.write_bytes(file.read_bytes()[:1000])
    with pytest.raises(XaiAudioError, match="damaged"):
        transfer(backbone, clips, epochs=1, resume=tmp_path, **QUICK)


def test_a_class_without_clips_is_named(clips, backbone):
    with pytest.raises(XaiAudioError, match="'wind'"):
        transfer(backbone, ClipSet("some", clips.clips, (*LABELS, "wind")), **QUICK)
    with pytest.raises(XaiAudioError, match="one class"):
        transfer(backbone, ClipSet("some", clips.of("low").clips, ("low",)), **QUICK)


def test_a_clip_with_nan_is_named(clips, backbone, tmp_path):
    path = tmp_path / "broken.wav"
    soundfile.write(path, np.full(20_000, np.nan, np.float32), 16_000, subtype="FLOAT")
    spoilt = ClipSet("some", (*clips.clips, Clip(path, "low", 1, "")), LABELS)
    with pytest.raises(XaiAudioError, match="broken.wav"):
        transfer(backbone, spoilt, **QUICK)


@pytest.mark.slow
@pytest.mark.parametrize(
    "wrong",
    [
        {"epochs": 0},
        {"batch_size": 0},
        {"learning_rate": 0.0},
        {"learning_rate": float("nan")},
        {"halve_every": 0},
        {"validate_every": -1},
        {"epochs": 2.5},
        {"seed": -1},
        {"overlap": 1.0},
    ],
)
def test_options_that_make_no_sense_are_named(clips, backbone, wrong):
    with pytest.raises(XaiAudioError, match=next(iter(wrong))):
        transfer(backbone, clips, **{**QUICK, **wrong})


@pytest.mark.slow
def test_a_loss_that_is_no_number_stops_the_run(clips):
    backbone = tiny_backbone()
    backbone.network.get_layer("conv").bias.assign([np.inf] * 4)
    with pytest.raises(XaiAudioError, match="The loss is"):
        transfer(backbone, clips, epochs=1, **QUICK)


def test_one_hot_labels_are_refused():
    patches = np.zeros((2, 12, 8), np.float32)
    for train in ((patches, np.eye(2)), patches):
        with pytest.raises(XaiAudioError, match="not one-hot rows"):
            transfer(tiny_backbone(), train, **QUICK)
    with pytest.raises(XaiAudioError, match="argmax"):
        PatchTable(patches, np.arange(2), ("a", "b"), tuple(np.eye(2)), ("low", "high"))
