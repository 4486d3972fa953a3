"""Control tasks: drawn once for each type, with the shares of the task's labels."""

import numpy as np
import pytest

import xaiaudio as xa
from xaiaudio.probes import control_labels, folds_of, selectivity
from xaiaudio.probes.fitting import probabilities


def test_a_type_has_one_label_everywhere():
    types = np.random.default_rng(0).integers(0, 30, 300)
    found = control_labels(types, np.array(["a", "b", "c"])[np.arange(300) % 3], seed=1)
    for kind in range(30):
        assert len(np.unique(found[types == kind])) == 1
    assert (
        found == control_labels(types, np.array(["a", "b", "c"])[np.arange(300) % 3], seed=1)
    ).all()


def test_labels_are_drawn_with_the_shares_of_the_task():
    labels = np.array([0] * 3200 + [1] * 800)
    found = control_labels(np.arange(4000), labels, seed=2)
    assert abs(found.mean() - 0.2) < 3 * (0.16 / 4000) ** 0.5


def plain(features, labels, types, groups, draws, folds, seed):
    """Task and control accuracy, row by row; a row counts if its type was met in training."""
    classes = sorted(set(labels))
    targets = np.array([classes.index(label) for label in labels])
    fold = folds_of(groups, folds, labels=labels, seed=seed)
    tasks = [targets] + [control_labels(types, targets, seed=[seed, k]) for k in range(draws)]
    seen, right = [], []
    for row in range(len(labels)):
        train = fold != fold[row]
        seen.append(any(types[k] == types[row] for k in np.flatnonzero(train)))
        right.append(
            [
                probabilities(
                    features[train], task[train], features[row : row + 1], len(classes)
                ).argmax()
                == task[row]
                for task in tasks
            ]
        )
    return np.array(seen), np.array(right, float)


@pytest.mark.slow
def test_selectivity_is_the_difference_on_types_that_were_met():
    rng = np.random.default_rng(4)
    types = rng.integers(0, 14, 36)
    features = rng.normal(size=(14, 5))[types] + 0.3 * rng.normal(size=(36, 5))
    labels = np.where(features[:, 0] + 0.5 * rng.normal(size=36) > 0, "up", "down")
    found = selectivity(features, labels, types, np.arange(36), draws=2, folds=3, seed=6)
    seen, right = plain(features, labels, types, np.arange(36), 2, 3, 6)
    assert found.unseen == (~seen).sum() > 0
    assert found.task.mean == pytest.approx(right[seen, 0].mean())
    assert found.control.mean == pytest.approx(right[seen, 1:].mean())
    wanted = right[seen, 0].mean() - right[seen, 1:].mean()
    assert found.selectivity.mean == pytest.approx(wanted)
    assert found.control_unseen == pytest.approx(right[~seen, 1:].mean())
    assert found.task_unseen == pytest.approx(right[~seen, 0].mean())
    assert found.table()[0]["selectivity"] == found.selectivity.mean


@pytest.mark.slow
def test_a_wide_layer_learns_types_by_heart_and_a_narrow_one_does_not():
    rng = np.random.default_rng(5)
    types = np.arange(40).repeat(5)
    wide = rng.normal(size=(40, 200))[types] + 0.1 * rng.normal(size=(200, 200))
    labels = wide[:, 0] > 0
    narrow = selectivity(wide[:, :1], labels, types, np.arange(200))
    broad = selectivity(wide, labels, types, np.arange(200))
    assert broad.control.mean > 0.9
    assert narrow.control.mean < 0.75
    assert narrow.selectivity.mean > broad.selectivity.mean


@pytest.mark.slow
def test_types_that_are_never_met_are_only_guessed():
    rng = np.random.default_rng(6)
    recordings = np.arange(40).repeat(3)
    features = rng.normal(size=(40, 30))[recordings]
    labels = recordings % 2
    found = selectivity(features, labels, recordings, recordings, draws=10)
    assert found.unseen == 120 and np.isnan(found.selectivity.mean)
    assert abs(found.control_unseen - 0.5) < 0.15


def test_classes_are_no_types():
    features, labels = np.random.default_rng(0).normal(size=(20, 2)), np.arange(20) % 4
    with pytest.raises(xa.XaiAudioError, match="The types are the classes"):
        selectivity(features, labels, labels + 7, np.arange(20))
    with pytest.raises(xa.XaiAudioError, match="one class only"):
        selectivity(features, np.ones(20), np.arange(20), np.arange(20))
    for types, draws in ((np.arange(19), 3), (np.arange(20), 0)):
        with pytest.raises(xa.XaiAudioError, match="type for each row"):
            selectivity(features, labels, types, np.arange(20), draws=draws)
