import numpy as np
import pytest
from scipy.stats import spearmanr
from sklearn.linear_model import LogisticRegression

from xaiaudio import XaiAudioError
from xaiaudio.probes import influence


def made(n=60, numbers=5, classes=3, seed=0):
    rng = np.random.default_rng(seed)
    targets = np.arange(n) % classes
    centres = rng.normal(0, 1.2, (classes, numbers))
    return centres[targets] + rng.normal(size=(n, numbers)), targets


def loss(features, targets, weights, penalty, n):
    """The objective once more, row by row."""
    total = 0.0
    for row, target in zip(features, targets, strict=True):
        logits = np.append(row, 1.0) @ weights
        total += np.log(np.exp(logits).sum()) - logits[target]
    return total / n + penalty / 2 * (weights**2).sum()


def test_the_head_is_scikit_learns():
    features, targets = made()
    head = influence.fit(features, targets, penalty=0.02)
    ones = np.hstack([features, np.ones((len(features), 1))])
    theirs = LogisticRegression(C=1 / (60 * 0.02), fit_intercept=False, tol=1e-10, max_iter=5000)
    theirs.fit(ones, targets)
    np.testing.assert_allclose(head.weights.T, theirs.coef_, atol=1e-5)
    np.testing.assert_allclose(head.probabilities(features), theirs.predict_proba(ones), atol=1e-5)
    asked = head.losses(features[:4], targets[:4])
    np.testing.assert_allclose(
        asked, -np.log(head.probabilities(features[:4])[range(4), targets[:4]])
    )


def test_the_second_derivatives_are_finite_differences():
    features, targets = made(n=20, numbers=2)
    head = influence.fit(features, targets, penalty=0.1)
    size, step = head.weights.size, 1e-4
    found = influence.hessian(head)
    every = np.eye(size).reshape(size, *head.weights.shape) * step

    def at(change):
        return loss(features, targets, head.weights + change, 0.1, 20)

    for a in range(size):
        for b in range(size):
            wanted = (
                at(every[a] + every[b])
                - at(every[a] - every[b])
                - at(every[b] - every[a])
                + at(-every[a] - every[b])
            ) / (4 * step**2)
            assert abs(found[a, b] - wanted) < 1e-5


@pytest.mark.slow
def test_the_refits_are_refits():
    features, targets = made(n=24)
    asked, wanted = made(n=4, seed=9)
    head = influence.fit(features, targets, penalty=0.05)
    found = influence.without_each(head, asked, wanted)
    for row in range(len(features)):
        rest = np.arange(24) != row
        # As many rows of a mean over 24: the penalty counts as much as before.
        one = influence.fit(features[rest], targets[rest], penalty=0.05 * 24 / 23)
        change = one.losses(asked, wanted) - head.losses(asked, wanted)
        np.testing.assert_allclose(found[:, row], change, atol=1e-7)


def test_influences_are_their_definition_row_by_row():
    features, targets = made(n=15)
    asked, wanted = made(n=3, seed=4)
    head = influence.fit(features, targets, penalty=0.05)
    inverse = np.linalg.inv(influence.hessian(head))

    def gradient(row, target):
        row = np.append(row, 1.0)
        wrong = np.exp(row @ head.weights) / np.exp(row @ head.weights).sum()
        wrong[target] -= 1
        return np.outer(row, wrong).ravel()

    for m in range(3):
        for n in range(15):
            one = gradient(asked[m], wanted[m]) @ inverse @ gradient(features[n], targets[n]) / 15
            np.testing.assert_allclose(
                influence.influences(head, asked, wanted)[m, n], one, atol=1e-10
            )


def test_influences_rank_as_refits_do_and_better_than_similarity():
    features, targets = made(n=90, numbers=8)
    asked, wanted = made(n=6, numbers=8, seed=0)
    head = influence.fit(features, targets, penalty=0.02)
    true = influence.without_each(head, asked, wanted)
    told = influence.influences(head, asked, wanted)
    by_likeness = influence.alike(head, asked, wanted)
    ranks = [spearmanr(a, b).statistic for a, b in zip(told, true, strict=True)]
    baseline = [spearmanr(a, b).statistic for a, b in zip(by_likeness, true, strict=True)]
    assert min(ranks) > 0.9
    assert np.mean(ranks) > np.mean(baseline)


def test_likeness_is_the_cosine_with_the_sign_of_the_class():
    features, targets = made(n=6)
    head = influence.fit(features, targets)
    found = influence.alike(head, features[:2], targets[:2])
    for m in range(2):
        for n in range(6):
            a, b = features[m], features[n]
            wanted = a @ b / np.linalg.norm(a) / np.linalg.norm(b)
            np.testing.assert_allclose(found[m, n], wanted if targets[m] == targets[n] else -wanted)


def test_what_cannot_be_fitted_is_refused():
    features, targets = made(n=6)
    with pytest.raises(XaiAudioError, match="penalty"):
        influence.fit(features, targets, penalty=0)
    with pytest.raises(XaiAudioError, match="gaps"):
        influence.fit(features, 2 * targets)
    for signs in (np.where(targets > 0, 1, -1), targets[:0]):
        with pytest.raises(XaiAudioError, match="gaps"):
            influence.fit(features[: len(signs)], signs)
    with pytest.raises(XaiAudioError, match="finite"):
        influence.fit(np.full((6, 2), np.nan), targets)


@pytest.mark.parametrize("ask", [influence.influences, influence.without_each, influence.alike])
def test_questions_that_do_not_fit_are_refused(ask):
    head = influence.fit(*made(n=20))
    asked = head.features[:2, :-1]
    for targets in ([0], [0, -1], [0, head.weights.shape[1]]):
        with pytest.raises(XaiAudioError, match="one class from 0"):
            ask(head, asked, targets)
    with pytest.raises(XaiAudioError, match="numbers each"):
        ask(head, asked[:, 1:], [0, 1])
