"""Linear probes against loops, plain gradient descent and normal equations."""

import numpy as np
import pytest
from plain_probes import plain_standardised

import xaiaudio as xa
from xaiaudio.probes import Activations, classify, dealt_anew, folds_of, over_layers, regress
from xaiaudio.probes.fitting import probabilities


@pytest.fixture
def rng():
    return np.random.default_rng(11)


def test_accuracy_is_that_of_held_out_recordings(rng):
    labels = np.array(["cat", "dog", "rain"])[np.arange(60) // 2 % 3]
    groups = np.arange(60) // 2
    features = rng.normal(size=(60, 4)) + 0.7 * (labels == "dog")[:, None]
    found = classify(features, labels, groups, folds=3, seed=2)
    fold = folds_of(groups, 3, labels=labels, seed=2)
    classes = ["cat", "dog", "rain"]
    hits = {}
    for number in range(3):
        train = fold != number
        targets = np.array([classes.index(label) for label in labels[train]])
        shares = probabilities(features[train], targets, features[~train], 3)
        for row, share in zip(np.flatnonzero(~train), shares, strict=True):
            assert found.predicted[row] == classes[int(share.argmax())]
            hits.setdefault(groups[row], []).append(found.predicted[row] == labels[row])
    of_each = [sum(values) / len(values) for values in hits.values()]
    assert found.score.mean == pytest.approx(sum(of_each) / len(of_each))
    assert found.score.n == 30 and found.measure == "accuracy"
    assert found.chance == pytest.approx(1 / 3)
    assert found.by_fold.mean() == pytest.approx(found.score.mean)


def plain_r2(true, predicted, fold):
    """Squared errors of the probe, over those of the mean of the training rows."""
    wrong = spread = 0.0
    for row in range(len(true)):
        rest = [true[k] for k in range(len(true)) if fold[k] != fold[row]]
        wrong += (true[row] - predicted[row]) ** 2
        spread += (true[row] - sum(rest) / len(rest)) ** 2
    return 1 - wrong / spread


def test_r2_is_one_minus_a_quotient_of_squares(rng):
    features = rng.normal(size=(50, 3))
    numbers = features @ [1.0, -2, 0] + rng.normal(size=50)
    found = regress(features, numbers, np.arange(50), folds=5, seed=4)
    fold = folds_of(np.arange(50), 5, seed=4)
    assert found.score.mean == pytest.approx(plain_r2(numbers, found.predicted, fold))
    assert found.score.low < found.score.mean < found.score.high < 1
    assert found.measure == "R2" and found.chance == 0


def test_ridge_takes_the_penalty_of_least_left_out_error(rng):
    """Against the normal equations, each row left out in turn, for every penalty."""
    features, noise = rng.normal(size=(24, 6)), rng.normal(size=24)
    numbers = features[:, 0] + noise
    found = regress(features, numbers, np.arange(24), folds=2, seed=0)
    fold = folds_of(np.arange(24), 2, seed=0)
    for number in range(2):
        train, test = plain_standardised(features[fold != number], features[fold == number])
        wanted, mean = numbers[fold != number], numbers[fold != number].mean()

        def fit(rows, about, penalty):
            # The bias is not penalised: a column of ones, without a share in the penalty.
            columns = np.column_stack([rows, np.ones(len(rows))])
            cost = penalty * np.diag([1.0] * rows.shape[1] + [0.0])
            return np.linalg.solve(columns.T @ columns + cost, columns.T @ about)

        def left_out(penalty, train=train, wanted=wanted, fit=fit):
            error = 0.0
            for row in range(len(train)):
                rest = np.arange(len(train)) != row
                weights = fit(train[rest], wanted[rest], penalty)
                error += (wanted[row] - np.append(train[row], 1) @ weights) ** 2
            return error

        best = min(np.geomspace(1e-1, 1e6, 8), key=left_out)
        weights = fit(train, wanted, best)
        again = np.column_stack([test, np.ones(len(test))]) @ weights
        np.testing.assert_allclose(found.predicted[fold == number], again, rtol=1e-6)
        assert mean == pytest.approx(wanted.mean())


@pytest.mark.slow
def test_several_numbers_at_once_are_read_as_one_by_one(rng):
    features = rng.normal(size=(40, 5)).astype("float32")
    layers = Activations(("a", "b"), (features, features[:, :2]))
    truth = {"x": features[:, 0].astype(float), "label": features[:, 1] > 0}
    truth["y"] = rng.normal(size=40)
    groups = np.arange(40) // 2
    found = over_layers(layers, truth, groups, seed=5)
    for name in ("x", "y"):
        one = regress(features, truth[name], groups, seed=5)
        np.testing.assert_allclose(found.curve(name)[0], one.score.ends, atol=1e-9)
    one = classify(features[:, :2], truth["label"], groups, seed=5)
    assert found.readings["label"][1].score == one.score
    assert [row["layer"] for row in found.table() if row["property"] == "y"] == ["a", "b"]
    assert found.best("x") == int(found.curve("x")[:, 1].argmax())


def test_a_clip_of_a_known_recording_is_no_test():
    """Each recording has a mark of its own and a random label: only who has met it knows it."""
    rng = np.random.default_rng(3)
    recordings = np.arange(40).repeat(4)
    marks = rng.normal(size=(40, 60))[recordings]
    labels = dealt_anew(np.arange(40).repeat(4) % 2, recordings, seed=1)
    leaking = classify(marks, labels, np.arange(160), penalty=1.0)
    honest = classify(marks, labels, recordings, penalty=1.0)
    assert leaking.score.mean == 1.0
    assert honest.score.low < 0.5 and not honest.above_chance


@pytest.mark.slow
def test_random_labels_are_read_at_chance():
    """Over 100 draws: the mean is chance, and the intervals of 95 % hold it nearly as often."""
    found = []
    groups = np.arange(60).repeat(2)
    for seed in range(100):
        features = np.random.default_rng([7, seed]).normal(size=(120, 6))
        labels = dealt_anew((np.arange(60) % 3).repeat(2), groups, seed=seed)
        found.append(classify(features, labels, groups, seed=seed))
    means = np.array([reading.score.mean for reading in found])
    assert abs(means.mean() - 1 / 3) < 3 * means.std() / 10
    inside = [reading.score.low <= 1 / 3 <= reading.score.high for reading in found]
    assert np.mean(inside) >= 0.85
    assert np.mean([reading.above_chance for reading in found]) <= 0.08


@pytest.mark.slow
def test_random_numbers_are_not_read():
    found = []
    for seed in range(40):
        rng = np.random.default_rng([8, seed])
        found.append(regress(rng.normal(size=(80, 6)), rng.normal(size=80), np.arange(80)))
    assert np.mean([reading.score.mean for reading in found]) < 0.01
    assert np.mean([reading.above_chance for reading in found]) <= 0.1


def test_what_is_named_most_often_is_the_majority():
    labels = np.array([0] * 30 + [1] * 10)
    found = classify(np.zeros((40, 2)), labels, np.arange(40))
    assert found.majority == 0.75 == found.score.mean and not found.above_chance


def test_what_cannot_be_read_is_refused(rng):
    features, groups = rng.normal(size=(20, 2)), np.arange(20)
    with pytest.raises(xa.XaiAudioError, match="All rows are of the class 'cat'"):
        classify(features, ["cat"] * 20, groups)
    with pytest.raises(xa.XaiAudioError, match="'dog' is absent from the training rows"):
        classify(features, ["cat"] * 19 + ["dog"], groups)
    with pytest.raises(xa.XaiAudioError, match="all the same"):
        regress(features, np.ones(20), groups)
    with pytest.raises(xa.XaiAudioError, match="values of pitch are not all finite"):
        layers = Activations(("a",), (features.astype("float32"),))
        over_layers(layers, {"pitch": np.append(np.arange(19.0), np.nan)}, groups)
    with pytest.raises(xa.XaiAudioError, match="there are 19 values"):
        classify(features, np.arange(19) % 2, groups)
    with pytest.raises(xa.XaiAudioError, match="there are 0 values"):
        classify(features[:0], groups[:0], groups[:0])
    for penalty in (0, -1, np.nan):
        with pytest.raises(xa.XaiAudioError, match="penalty"):
            classify(features, groups % 2, groups, penalty=penalty)
    features[3, 1] = np.nan
    for read, values in ((classify, groups % 2), (regress, groups)):
        with pytest.raises(xa.XaiAudioError, match="features hold NaN"):
            read(features, values, groups)


def test_a_fold_of_numbers_that_are_the_mean_of_the_others_has_no_score(rng):
    numbers, recordings = np.repeat([-1.0, 0, 1], 5), np.repeat(np.arange(3), 5)
    found = regress(rng.normal(size=(15, 2)), numbers, recordings, folds=3)
    assert np.isnan(found.by_fold).sum() == 1
    assert np.isfinite(found.score.ends).all()


def test_one_hot_labels_are_refused(rng):
    rows = np.eye(2)[np.arange(20) % 2]
    with pytest.raises(xa.XaiAudioError, match="argmax"):
        classify(rng.normal(size=(20, 3)), rows, np.arange(20))
