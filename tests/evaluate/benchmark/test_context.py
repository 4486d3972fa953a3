"""The leaderboard's measures of trust, against loops over its few cases."""

import dataclasses

import numpy as np
import pytest
from commands import noise
from scipy.stats import spearmanr
from small_networks import LABELS, convolutional

import xaiaudio as xa
from xaiaudio.evaluate.benchmark.leaderboard import leaderboard
from xaiaudio.evaluate.benchmark.samples import Cases
from xaiaudio.evaluate.metrics import randomisation, sensitivity

FRONTEND = xa.LogMel(frames=11, bands=10)
NAMES = ("destroyed", "sensitivity")


@dataclasses.dataclass(frozen=True)
class Sound:
    wave: np.ndarray

    def load(self, sample_rate):
        assert sample_rate == FRONTEND.sample_rate
        return self.wave


@pytest.fixture(scope="module")
def model():
    return xa.AudioClassifier.from_keras(convolutional((11, 10)), LABELS, FRONTEND)


@pytest.fixture(scope="module")
def cases(model):
    sounds = tuple(Sound(noise(0.5, seed=number)) for number in range(5))
    # Each patch from elsewhere in its sound.
    picked = [FRONTEND(one.wave, overlap=0.75)[3 * number] for number, one in enumerate(sounds)]
    patches, starts = np.concatenate(picked), tuple(int(one.starts[0]) for one in picked)
    targets = model.scores(patches).argmax(axis=1)
    return Cases(patches, targets, None, tuple("abcde"), "made up", clips=sounds, starts=starts)


@pytest.fixture(scope="module")
def board(model, cases):
    methods = ("saliency", "gradcam", "lime")
    options = {"lime": {"samples": 50, "grid": (3, 3)}}
    return leaderboard(model, cases, methods, NAMES, few=3, options=options, seed=5)


@pytest.mark.slow
@pytest.mark.parametrize("method", ["saliency", "lime"])
def test_destroyed_is_the_rank_correlation_of_magnitudes(model, cases, board, method):
    other = randomisation.randomised(model, seed=5)
    options = {"samples": 50, "grid": (3, 3), "seed": 5} if method == "lime" else {}
    values = board.row(method).values["destroyed"]
    assert np.flatnonzero(np.isfinite(values)).tolist() == [0, 2, 4]
    for number in (0, 2, 4):
        maps = [
            xa.explain(one, cases.patches[number], cases.targets[number], method, **options).maps
            for one in (model, other)
        ]
        ranks = spearmanr(*np.abs(maps), axis=None)[0]
        assert values[number] == pytest.approx(ranks, abs=2e-3)


@pytest.mark.slow
def test_the_network_is_whole_again(model, cases, board):
    maps = xa.explain(model, cases.patches, cases.targets.tolist(), "saliency").maps
    again = leaderboard(model, cases, ["saliency"], NAMES, few=3, seed=5)
    np.testing.assert_array_equal(
        maps, xa.explain(model, cases.patches, cases.targets.tolist(), "saliency").maps
    )
    for name in NAMES:
        values = board.row("saliency").values[name]
        np.testing.assert_allclose(again.row("saliency").values[name], values, rtol=1e-5)


@pytest.mark.slow
def test_a_map_that_asks_no_network_stays_the_same_when_it_is_destroyed(board):
    energy = board.row("energy").values
    assert np.nanmin(energy["destroyed"]) == pytest.approx(1)
    assert 0 < np.nanmax(energy["sensitivity"]) < 0.01
    # Random numbers depend on nothing that could be changed.
    assert all(np.isnan(board.row("chance").values[name]).all() for name in NAMES)
    # The flat map has no ranks to compare.
    for name in ("uniform", "centre"):
        found = board.row(name).values
        assert np.nanmin(found["destroyed"]) == 1 and np.nanmax(found["sensitivity"]) == 0


@pytest.mark.slow
def test_sensitivity_is_that_of_the_patchs_own_sound(model, cases, board):
    waves = [
        sensitivity.stretch(cases.clips[number].wave, FRONTEND, cases.starts[number])
        for number in (0, 2, 4)
    ]
    found = sensitivity.max_sensitivity(
        model, waves, cases.targets[[0, 2, 4]].tolist(), "saliency", draws=2, seed=5
    )
    values = board.row("saliency").values["sensitivity"]
    np.testing.assert_allclose(values[[0, 2, 4]], found.largest, rtol=1e-2)


@pytest.mark.slow
def test_without_the_sounds_nobody_knows(model, cases):
    for changes in ({"clips": (), "starts": ()}, {"clips": cases.clips[::-1]}):
        silent = dataclasses.replace(cases, **changes)
        found = leaderboard(model, silent, ["saliency"], NAMES, references=())
        assert np.isnan(found.row("saliency").values["sensitivity"]).all()
        assert np.isfinite(found.row("saliency").values["destroyed"]).all()
