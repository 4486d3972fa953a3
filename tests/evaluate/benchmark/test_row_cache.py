"""Finished rows are taken from the disk only if nothing has changed that they depend on."""

import numpy as np
import pytest
from made_methods import SHAPE, Level, cases_for
from small_networks import additive

import xaiaudio as xa
from xaiaudio.evaluate.benchmark import leaderboard as boards
from xaiaudio.evaluate.benchmark.leaderboard import leaderboard
from xaiaudio.evaluate.benchmark.row_cache import RowCache
from xaiaudio.evaluate.benchmark.samples import Cases
from xaiaudio.evaluate.metrics import registry as measure
from xaiaudio.explainers import registry

pytestmark = pytest.mark.usefixtures("known")


@pytest.fixture(scope="module")
def model():
    return additive(SHAPE)[0]


@pytest.fixture
def cases(model):
    return cases_for(model)


@pytest.mark.slow
def test_an_interrupted_run_goes_on(tmp_path, model, cases, calls, monkeypatch):
    with monkeypatch.context() as patch:
        real = boards._measured

        def stopped(model, cases, subject, *rest):
            if subject.name == "dice":
                raise KeyboardInterrupt
            return real(model, cases, subject, *rest)

        patch.setattr(boards, "_measured", stopped)
        with pytest.raises(KeyboardInterrupt):
            leaderboard(model, cases, cache=tmp_path)
    calls.clear()
    resumed = leaderboard(model, cases, cache=tmp_path)
    assert set(calls) == {"dice"}
    fresh = leaderboard(model, cases)
    assert resumed.csv() == fresh.csv()
    assert resumed.row("broken").error == fresh.row("broken").error


@pytest.mark.slow
@pytest.mark.parametrize("change", ["options", "seed", "few", "patches", "truth", "weights"])
def test_whatever_shapes_a_row_makes_it_anew(tmp_path, model, cases, calls, change):
    leaderboard(model, cases, ["flat"], cache=tmp_path)
    calls.clear()
    other = {
        "options": {"options": {"flat": {"level": 2.0}}},
        "seed": {"seed": 1},
        "few": {"few": 2},
    }
    if change == "patches":
        cases = Cases(cases.patches + 1, cases.targets, cases.truth, cases.names, "made up")
    if change == "truth":
        cases = Cases(cases.patches, cases.targets, ~cases.truth, cases.names, "made up")
    if change == "weights":
        model = additive(SHAPE, seed=6)[0]
    leaderboard(model, cases, ["flat"], cache=tmp_path, **other.get(change, {}))
    assert "flat" in calls


@pytest.mark.slow
def test_a_damaged_row_is_made_anew(tmp_path, model, cases, calls):
    first = leaderboard(model, cases, ["flat"], cache=tmp_path)
    for file in tmp_path.iterdir():
        file.write_bytes(file.read_bytes()[:30])
    calls.clear()
    assert leaderboard(model, cases, ["flat"], cache=tmp_path).csv() == first.csv()
    assert "flat" in calls


@pytest.mark.slow
def test_a_cache_that_cannot_be_written(tmp_path, model, cases):
    place = tmp_path / "file"
    place.touch()
    with pytest.raises(xa.XaiAudioError, match="Could not write"):
        leaderboard(model, cases, ["flat"], cache=place)


def test_keys_hold_the_code_of_the_method(model, cases):
    subject = xa.Explainer("flat")
    store = RowCache("folder", model, cases, measure.find(), 3, 0)
    before = store._path(subject)

    @registry.register("flat", options=Level, summary="", paper="")
    def other(classifier, patches, targets, options):
        return np.full(patches.shape, 5 * options.level)

    assert store._path(subject) != before


def test_a_finished_row_belongs_to_the_weights(model, cases, learner, calls, tmp_path):
    learnt = [xa.Explainer.fit("learner", model, number) for number in (3, 3, 4)]
    for one, level in zip(learnt, (3, 3, 4), strict=True):
        board = leaderboard(model, cases, {f"row {level}": one}, references=(), cache=tmp_path)
        assert board.row(f"row {level}").values["level"].tolist() == [level] * 6
    # Twice each, as the first call compiles; once more for the measure that explains again.
    assert calls.count("learner") == 2 * 3
