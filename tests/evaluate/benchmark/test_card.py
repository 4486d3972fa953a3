"""The card of an explanation: each entry comes from the run, and what is missing is said."""

from pathlib import Path

import numpy as np
import pytest

import xaiaudio as xa
from xaiaudio import evaluate

MEASURES = ["AD", "FF", "mass", "sparseness", "seeds"]
METHODS = {"one": xa.Explainer("occlusion", mask=0.5, stride=0.5), "lime": "lime"}


@pytest.mark.slow
def test_the_numbers_are_those_of_the_leaderboard(model, cases, board):
    made = evaluate.card(model, cases, board)
    for one in made.findings:
        assert one.found == board.interval(one.method, one.measure)
        assert one.random == board.interval("chance", one.measure)
        ours, theirs = board.row(one.method).values, board.row("chance").values
        gap = ours[one.measure] - theirs[one.measure]
        assert one.gap.mean == pytest.approx(np.nanmean(gap))
        beats, loses = one.gap.low > 0, one.gap.high < 0
        if one.better == "lower":
            beats, loses = loses, beats
        plain = "better" if beats else "worse" if loses else "undecided"
        assert one.verdict == ("" if one.better == "neither" else plain)
    asked = {(one.method, one.measure) for one in made.findings}
    silent = {(method, measure) for method, measure, _ in made.silent}
    assert asked | silent == {(row, name) for row in METHODS for name in MEASURES}
    assert not asked & silent
    with pytest.raises(xa.XaiAudioError, match="no answer of 'seeds'"):
        made.finding("one", "seeds")


@pytest.mark.slow
def test_the_best_map_that_asked_nothing_is_not_the_truth(model, cases, board):
    made = evaluate.card(model, cases, board)
    blind = ("chance", "uniform", "centre", "energy")
    for name, choose in (("mass", max), ("AD", min)):
        one = made.finding("one", name)
        means = {row: board.mean(row, name) for row in blind}
        assert one.blind_mean == choose(means.values()) == means[one.blind]
    assert made.finding("one", "sparseness").blind == ""


@pytest.mark.slow
def test_a_leaderboard_of_other_clips_is_refused(model, cases, board):
    with pytest.raises(xa.XaiAudioError, match="of other clips"):
        evaluate.card(model, cases.part([0, 1]), board)
    with pytest.raises(xa.XaiAudioError, match="no method"):
        empty = evaluate.leaderboard(model, cases, {}, ["AD"])
        evaluate.card(model, cases, empty)


@pytest.mark.slow
def test_a_file_that_is_not_there(model, cases, board):
    with pytest.raises(xa.XaiAudioError, match="Could not read"):
        evaluate.card(model, cases, board, file=Path("nowhere.keras"))
