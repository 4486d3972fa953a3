import dataclasses

import keras
import numpy as np
import pytest
import soundfile
from tones import LABELS

from xaiaudio.datasets import Clip, ClipSet
from xaiaudio.errors import XaiAudioError
from xaiaudio.frontend import LogMel
from xaiaudio.models import AudioClassifier, evaluate, patch_table
from xaiaudio.models.training.tables import PatchTable, judged


def table_of(patches_per_clip, truth):
    clip = np.repeat(np.arange(len(truth)), patches_per_clip)
    names = tuple(f"clip{k}" for k in range(len(truth)))
    return PatchTable(np.zeros((len(clip), 2, 2)), clip, names, tuple(truth), LABELS)


def test_the_patches_of_a_set_are_those_of_its_clips_in_order(clips):
    frontend = LogMel.vggish(overlap=0.75)
    table = patch_table(clips, frontend)
    expected = [frontend(clip.load()) for clip in clips]
    np.testing.assert_array_equal(table.patches, np.concatenate(expected))
    assert table.clip.tolist() == [k for k, part in enumerate(expected) for _ in part]
    assert table.truth == tuple(clip.label for clip in clips)
    targets = table.targets(LABELS)
    assert [LABELS[k] for k in targets] == [clips[k].label for k in table.clip]


def test_a_part_of_a_table_keeps_its_clips_together(clips):
    table = patch_table(clips, LogMel.vggish(overlap=0.75))
    chosen = np.array([clip.fold == 2 for clip in clips])
    part = table.part(chosen)
    again = patch_table(clips.split(2)[1], LogMel.vggish(overlap=0.75))
    for name in ("patches", "clip"):
        np.testing.assert_array_equal(getattr(part, name), getattr(again, name))
    assert (part.names, part.truth) == (again.names, again.truth)


def test_figures_against_a_plain_count():
    random = np.random.default_rng(0)
    counts = random.integers(1, 6, 40)
    truth = random.choice(LABELS, 40)
    table = table_of(counts, truth)
    scores = random.dirichlet(np.ones(3), len(table.clip))
    result = judged(table, scores, LABELS)

    right_patches, said = 0, []
    for k in range(40):
        mine = scores[table.clip == k]
        right_patches += sum(LABELS[row.argmax()] == truth[k] for row in mine)
        votes = [sum(row.argmax() == c for row in mine) for c in range(3)]
        said.append(max(range(3), key=lambda c: (votes[c], mine[:, c].mean())))
        np.testing.assert_allclose(result.patch_scores[k], mine, rtol=1e-6)
    assert result.predicted.tolist() == said
    assert result.patch_accuracy == pytest.approx(right_patches / len(scores))
    hits = [LABELS[s] == t for s, t in zip(said, truth, strict=True)]
    assert result.clip_accuracy == pytest.approx(np.mean(hits))
    for row, label in enumerate(LABELS):
        for column in range(3):
            both = sum(t == label and s == column for t, s in zip(truth, said, strict=True))
            assert result.confusion[row, column] == both
        found = [s == row for t, s in zip(truth, said, strict=True) if t == label]
        assert result.recall[row] == pytest.approx(np.mean(found))
        correct = [t == label for t, s in zip(truth, said, strict=True) if s == row]
        assert result.precision[row] == pytest.approx(np.mean(correct))
    assert result.true_labels == list(truth)
    assert result.predicted_labels == [LABELS[k] for k in said]


def test_a_class_without_clips_or_answers_has_no_share():
    result = judged(table_of([1, 1], ["low", "low"]), np.eye(3)[[0, 1]], LABELS)
    np.testing.assert_array_equal(result.recall, [0.5, np.nan, np.nan])
    np.testing.assert_array_equal(result.precision, [1.0, 0.0, np.nan])


def test_evaluate_runs_the_network_on_every_patch(clips, backbone):
    network = keras.Sequential([*backbone.network.layers, keras.layers.Dense(3)])
    model = AudioClassifier.from_keras(network, LABELS[::-1])
    result = evaluate(model, clips, overlap=0.5)
    frontend = model.frontend.with_overlap(0.5)
    for clip, scores, true in zip(clips, result.patch_scores, result.true, strict=True):
        np.testing.assert_allclose(scores, model.scores(frontend(clip.load())), atol=1e-6)
        assert model.labels[true] == clip.label
    assert result.names == tuple(clip.name for clip in clips)


def test_clips_of_a_class_that_the_network_does_not_know(clips, backbone):
    network = keras.Sequential([*backbone.network.layers, keras.layers.Dense(2)])
    model = AudioClassifier.from_keras(network, ["low", "high"])
    with pytest.raises(XaiAudioError, match="'noise'.*low, high"):
        evaluate(model, clips)


def test_clips_that_cannot_be_used_are_named(clips, tmp_path):
    frontend = LogMel.vggish()
    with pytest.raises(XaiAudioError, match="no clips"):
        patch_table(ClipSet("empty", (), LABELS), frontend)
    unlabelled = dataclasses.replace(clips[0], label=None)
    with pytest.raises(XaiAudioError, match=f"{clips[0].name}.*no label"):
        patch_table(ClipSet("some", (unlabelled,), LABELS), frontend)
    path = tmp_path / "broken.wav"
    soundfile.write(path, np.full(20_000, np.nan, np.float32), 16_000, subtype="FLOAT")
    with pytest.raises(XaiAudioError, match="broken.wav"):
        patch_table(ClipSet("some", (*clips[:3], Clip(path, "low", 1, "")), LABELS), frontend)
    with pytest.raises(XaiAudioError, match="none.wav"):
        patch_table(ClipSet("some", (Clip(tmp_path / "none.wav", "low", 1, ""),), LABELS), frontend)


def test_clips_that_cannot_be_used_can_be_left_out(clips, tmp_path):
    frontend = LogMel.vggish()
    path = tmp_path / "broken.wav"
    soundfile.write(path, np.full(20_000, np.nan, np.float32), 16_000, subtype="FLOAT")
    broken, gone = Clip(path, "low", 1, ""), Clip(tmp_path / "none.wav", "low", 1, "")
    whole = patch_table(clips[:3], frontend)
    assert whole.left_out == ()
    mixed = ClipSet("some", (clips[0], broken, *clips[1:3], gone), LABELS)
    table = patch_table(mixed, frontend, leave_out=True)
    np.testing.assert_array_equal(table.patches, whole.patches)
    np.testing.assert_array_equal(table.clip, whole.clip)
    assert (table.names, table.truth) == (whole.names, whole.truth)
    assert [clip for clip, _ in table.left_out] == [broken, gone]
    assert "broken.wav holds NaN" in table.left_out[0][1] and "none.wav" in table.left_out[1][1]
    with pytest.raises(XaiAudioError, match="No sound of bad can be used.*broken.wav"):
        patch_table(ClipSet("bad", (broken, gone), LABELS), frontend, leave_out=True)


def test_a_short_clip_becomes_one_patch(tmp_path):
    path = tmp_path / "short.wav"
    soundfile.write(path, np.full(4000, 0.1, np.float32), 16_000)
    table = patch_table(ClipSet("short", (Clip(path, "low", 1, ""),), LABELS), LogMel.vggish())
    assert table.patches.shape == (1, 96, 64)
