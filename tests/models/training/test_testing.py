"""Accuracy, confusion and votes against plain counts."""

import keras
import numpy as np
import pytest
from tones import LABELS

from xaiaudio import models
from xaiaudio.errors import XaiAudioError
from xaiaudio.models import AudioClassifier
from xaiaudio.models.training.tables import PatchTable
from xaiaudio.models.training.testing import judged


def table_of(patches_per_clip, truth):
    clip = np.repeat(np.arange(len(truth)), patches_per_clip)
    names = tuple(f"clip{k}" for k in range(len(truth)))
    return PatchTable(np.zeros((len(clip), 2, 2)), clip, names, tuple(truth), LABELS)


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


@pytest.mark.slow
def test_testing_runs_the_network_on_every_patch(clips, backbone):
    network = keras.Sequential([*backbone.network.layers, keras.layers.Dense(3)])
    model = AudioClassifier.from_keras(network, LABELS[::-1])
    result = models.test(model, clips, overlap=0.5)
    frontend = model.frontend.with_overlap(0.5)
    for clip, scores, true in zip(clips, result.patch_scores, result.true, strict=True):
        np.testing.assert_allclose(scores, model.scores(frontend(clip.load())), atol=1e-6)
        assert model.labels[true] == clip.label
    assert result.names == tuple(clip.name for clip in clips)


@pytest.mark.slow
def test_clips_of_a_class_that_the_network_does_not_know(clips, backbone):
    network = keras.Sequential([*backbone.network.layers, keras.layers.Dense(2)])
    model = AudioClassifier.from_keras(network, ["low", "high"])
    with pytest.raises(XaiAudioError, match="'noise'.*low, high"):
        models.test(model, clips)


def test_mistakes_are_listed_with_their_votes():
    random = np.random.default_rng(1)
    table = table_of(random.integers(1, 6, 30), random.choice(LABELS, 30))
    scores = random.dirichlet(np.ones(3), len(table.clip))
    result = judged(table, scores, LABELS)
    rows = {row["clip"]: row for row in result.mistakes}
    for k, (name, true, said) in enumerate(
        zip(result.names, result.true_labels, result.predicted_labels, strict=True)
    ):
        assert (name in rows) == (true != said)
        if name in rows:
            votes = [LABELS[row.argmax()] for row in scores[table.clip == k]]
            row = rows[name]
            assert (row["true"], row["predicted"], row["votes"]) == (true, said, len(votes))
            assert row["votes_true"] == votes.count(true)
            assert row["votes_predicted"] == votes.count(said)


def of_rows(rows, truth, sizes):
    return judged(table_of(sizes, truth), np.array(rows), LABELS)


def test_the_surest_mistake_is_of_a_clip_that_the_vote_got_wrong():
    low, high, noise = LABELS
    # The third patch is surer and wrong, but its clip is classified correctly.
    rows = [[0.2, 0.7, 0.1], [0.3, 0.6, 0.1], [0.0, 0.0, 1.0], [0.0, 0.9, 0.1], [0.0, 0.9, 0.1]]
    rows += [[0.1, 0.1, 0.8]]
    result = of_rows(rows, [low, high, low], [2, 3, 1])
    assert result.surest_mistake() == (2, 0, "clip")
    assert result.surest_mistake((low, high)) == (0, 0, "clip")
    assert result.surest_mistake((low, noise), (low, high)) == (2, 0, "clip")


def test_without_a_wrong_clip_it_is_a_wrong_patch_and_else_the_least_sure():
    low, high, _ = LABELS
    rows = [[0.9, 0.1, 0.0], [0.8, 0.1, 0.1], [0.0, 1.0, 0.0], [0.2, 0.6, 0.2]]
    assert of_rows(rows, [low, high], [3, 1]).surest_mistake() == (0, 2, "patch")
    rows[2] = [0.7, 0.3, 0.0]
    assert of_rows(rows, [low, high], [3, 1]).surest_mistake() == (1, 0, "none")
