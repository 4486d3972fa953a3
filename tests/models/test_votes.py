import numpy as np

from xaiaudio.models.votes import majority, vote_shares


def test_shares_are_those_of_a_plain_count():
    scores = np.random.default_rng(0).random((50, 4))
    winners = [max(range(4), key=lambda k: row[k]) for row in scores]
    expected = [winners.count(k) / 50 for k in range(4)]
    np.testing.assert_allclose(vote_shares(scores), expected)


def test_most_patches_win_even_with_a_lower_mean():
    scores = np.array([[0.51, 0.49], [0.51, 0.49], [0.0, 1.0]])
    assert majority(scores) == 0


def test_a_tie_goes_to_the_higher_mean_among_the_tied():
    # The third class has the highest mean of all, but no vote.
    scores = np.array([[0.50, 0.02, 0.48], [0.04, 0.49, 0.47]])
    assert scores.mean(axis=0).argmax() == 2
    assert majority(scores) == 0
    assert majority(scores[:, [1, 0, 2]]) == 1
