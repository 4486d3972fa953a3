import numpy as np
import pytest
from sklearn.metrics import roc_auc_score, roc_curve

from xaiaudio import XaiAudioError, probes


def rng(seed=0):
    return np.random.default_rng(seed)


def plainly(one, two, shift):
    """The similarity by its definition: lag by lag, the correlation of what overlaps."""
    best = -1.0
    for lag in range(-shift, shift + 1):
        left = one[max(lag, 0) : len(one) + min(lag, 0)].astype(float).ravel()
        right = two[max(-lag, 0) : len(two) + min(-lag, 0)].astype(float).ravel()
        if left.std() > 1e-9 and right.std() > 1e-9:
            best = max(best, np.corrcoef(left, right)[0, 1])
        else:
            best = max(best, 0.0)
    return best


@pytest.mark.slow
@pytest.mark.parametrize("shift", [0, 3, 9])
@pytest.mark.parametrize("batch", [None, 2])
def test_the_similarity_is_its_definition(shift, batch):
    one, two = rng(1).normal(-3, 2, (5, 10, 4)), rng(2).normal(-3, 1, (3, 10, 4))
    found = probes.mel_similarity(one, two, shift=shift, batch=batch)
    wanted = [[plainly(a, b, shift) for b in two] for a in one]
    np.testing.assert_allclose(found, wanted, atol=2e-5)


def test_a_sound_is_like_itself_later_and_softer_and_symmetric():
    sound = rng().normal(-4, 1, (3, 30, 8)).astype(np.float32)
    late = np.concatenate([rng(5).normal(-4, 1, (3, 6, 8)), sound[:, :-6]], axis=1)
    found = probes.mel_similarity(sound, 0.3 * late + 1, shift=10)
    np.testing.assert_allclose(found.diagonal(), 1, atol=1e-4)
    assert found[0, 1] < 0.9
    np.testing.assert_allclose(found, probes.mel_similarity(late, sound, shift=10).T, atol=1e-4)
    # Beyond the lags that are looked at, it is not found.
    assert probes.mel_similarity(sound, late, shift=5).diagonal().max() < 0.9


@pytest.mark.parametrize("batch", [None, 1, 3])
def test_a_set_beside_itself_is_compared_once_and_the_same(batch):
    cells = rng(3).normal(-3, 2, (7, 10, 4))
    found = probes.mel_similarity(cells, cells, shift=4, batch=batch)
    wanted = probes.mel_similarity(cells, cells.copy(), shift=4)
    np.testing.assert_allclose(found, wanted, atol=1e-6)
    np.testing.assert_allclose(found, found.T, atol=1e-6)


def test_silence_is_like_nothing():
    silence = np.full((1, 12, 4), -4.6, np.float32)
    assert probes.mel_similarity(silence, rng().normal(size=(2, 12, 4)), shift=4).tolist() == [
        [0, 0]
    ]


def test_pictures_of_two_sizes_and_long_lags_are_refused():
    with pytest.raises(XaiAudioError, match="one size"):
        probes.mel_similarity(np.zeros((1, 8, 4)), np.zeros((1, 8, 5)))
    with pytest.raises(XaiAudioError, match="lag"):
        probes.mel_similarity(np.zeros((1, 8, 4)), np.zeros((1, 8, 4)), shift=8)
    with pytest.raises(XaiAudioError, match="NaN"):
        probes.mel_similarity(np.zeros((1, 8, 4)), np.full((1, 8, 4), np.nan), shift=2)


def test_the_cosine_is_its_definition():
    one, two = rng(1).normal(size=(4, 6)), rng(2).normal(size=(3, 6))
    wanted = [[a @ b / np.sqrt(a @ a) / np.sqrt(b @ b) for b in two] for a in one]
    np.testing.assert_allclose(probes.cosine_similarity(one, two), wanted)


def test_the_nearest_and_how_far_it_stands_out():
    values = rng().normal(size=(6, 20))
    values[0, 3] = -np.inf
    found = probes.nearest(values, count=7)
    for row, index, similarity, standing in zip(
        values, found.index, found.similarity, found.standing, strict=True
    ):
        order = sorted(row, reverse=True)
        rest = np.array(order[1:8])
        assert row[index] == similarity == order[0]
        np.testing.assert_allclose(standing, (order[0] - rest.mean()) / rest.std())


def test_a_small_set_takes_the_neighbours_that_there_are():
    values = np.array([[0.9, 0.1, 0.3, 0.2]])
    rest = np.array([0.1, 0.3, 0.2])
    wanted = (0.9 - rest.mean()) / rest.std()
    np.testing.assert_allclose(probes.nearest(values).standing, [wanted])
    with pytest.raises(XaiAudioError, match="four"):
        probes.nearest(values[:, :3])
    for wrong in ([0.9, 0.5, 0.1, -np.inf, -np.inf], [0.9, 0.5, np.nan, 0.1, 0.2]):
        with pytest.raises(XaiAudioError, match="fewer than four"):
            probes.nearest([wrong])


def test_the_curve_and_its_area_are_scikit_learns():
    positives, negatives = rng(3).integers(0, 9, 40), rng(4).integers(0, 7, 55)
    truth = np.r_[np.ones(40), np.zeros(55)]
    scores = np.r_[positives, negatives]
    false, true, _ = roc_curve(truth, scores, drop_intermediate=False)
    found = probes.roc(positives, negatives)
    np.testing.assert_allclose(found[0], false)
    np.testing.assert_allclose(found[1], true)
    area = probes.area(positives, negatives)
    np.testing.assert_allclose(area, roc_auc_score(truth, scores))
    np.testing.assert_allclose(area, np.trapezoid(found[1], found[0]))


@pytest.mark.parametrize("allowed", [0, 0.01, 0.1, 0.5])
def test_the_threshold_lets_no_more_through_than_allowed(allowed):
    scores = rng().normal(size=137)
    least = probes.threshold(scores, allowed)
    assert (scores > least).mean() <= allowed
    # The next lower score would let too many through.
    assert (scores >= least).mean() > allowed


def test_a_threshold_of_nothing_is_refused():
    with pytest.raises(XaiAudioError, match="threshold"):
        probes.threshold([])


def test_pairs_are_of_two_clips_and_are_named_once():
    clip = rng(1).integers(0, 5, 30)
    alike = rng(2).uniform(size=(30, 30))
    alike = np.maximum(alike, alike.T)
    best = {}
    for a in range(30):
        for b in range(30):
            if clip[a] < clip[b]:
                ends = (int(clip[a]), int(clip[b]))
                best[ends] = max(best.get(ends, 0), alike[a, b])
    found = probes.pairs(alike, clip, 0.97)
    wanted = {ends: value for ends, value in best.items() if value > 0.97}
    assert {(pair.one, pair.two): pair.similarity for pair in found} == wanted
    values = [pair.similarity for pair in found]
    assert values == sorted(values, reverse=True)


def test_pairs_across_folds_are_told():
    found = [probes.Pair(0, 1, 0.9), probes.Pair(1, 2, 0.8)]
    assert probes.crossing(found, [3, 3, 4]) == found[1:]
