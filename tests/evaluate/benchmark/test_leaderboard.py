"""The leaderboard on methods and measures that are known exactly."""

import csv
import errno
import io
import os

import numpy as np
import pytest
from made_methods import SHAPE, Level, cases_for
from small_networks import additive

import xaiaudio as xa
from xaiaudio.evaluate.benchmark.context import REFERENCES, Reference
from xaiaudio.evaluate.benchmark.leaderboard import leaderboard
from xaiaudio.evaluate.benchmark.samples import Cases
from xaiaudio.evaluate.metrics import registry as measure
from xaiaudio.explainers import registry
from xaiaudio.pages import leaderboard as leaderboard_page

pytestmark = pytest.mark.usefixtures("known")


@pytest.fixture(scope="module")
def model():
    return additive(SHAPE)[0]


@pytest.fixture
def cases(model):
    return cases_for(model)


def test_rows_are_the_registrys_and_the_references(model, cases):
    board = leaderboard(model, cases, seed=3)
    assert [row.name for row in board.rows] == [*registry.methods(), *REFERENCES]
    assert board.row("flat").values["level"].tolist() == [1] * 6
    dice = np.random.default_rng(3).random(cases.patches.shape) * 4
    assert board.row("dice").values["level"] == pytest.approx(dice.mean(axis=(1, 2)))
    assert board.row("oracle").values["level"] == pytest.approx(cases.truth.mean(axis=(1, 2)))
    assert board.row("uniform").values["level"].tolist() == [1] * 6
    energy = (cases.patches - np.log(0.01)).mean(axis=(1, 2))
    assert board.row("energy").values["level"] == pytest.approx(energy, rel=1e-5)


def test_another_method_in_the_registry_is_another_row(model, cases):
    @registry.register("new", options=Level, summary="", paper="")
    def new(classifier, patches, targets, options):
        return np.full(patches.shape, 2.0)

    assert leaderboard(model, cases, references=()).methods[-1].name == "new"


def test_a_method_that_cannot_treat_the_network_says_so_and_stops_nothing(model, cases):
    board = leaderboard(model, cases)
    assert board.row("broken").error == "It needs a convolution: there is none."
    assert "broken" not in [row.name for row in board.methods]
    assert np.isnan(board.mean("broken", "level")) and np.isnan(board.position("broken", "level"))


def test_without_truth_there_is_no_oracle(model, cases):
    blind = Cases(cases.patches, cases.targets, None, cases.names, "made up")
    assert [row.name for row in leaderboard(model, blind, ["flat"]).rows][1:] == [
        name for name in REFERENCES if name != "oracle"
    ]


def test_the_centre_is_in_the_middle(model, cases):
    maps = Reference("centre")(model, cases).maps
    assert maps.shape == cases.patches.shape and (maps == maps[:1]).all()
    assert np.unravel_index(maps[0].argmax(), SHAPE) == (3, 2)
    assert maps[0] == pytest.approx(maps[0, ::-1, ::-1]) and maps[0, 3, 2] == 1


def test_only_a_few_cases_are_explained_again(model, cases):
    board = leaderboard(model, cases, few=3)
    answered = np.isfinite(board.row("dice").values["moved"])
    assert np.flatnonzero(answered).tolist() == [0, 2, 5]
    assert board.row("flat").values["moved"][answered].tolist() == [0, 0, 0]
    assert (board.row("dice").values["moved"][answered] > 0).all()
    assert board.interval("dice", "moved").n == 3


def test_what_hangs_on_no_map_is_made_once(model, cases):
    made = []

    def make():
        made.append(True)
        return 4.0

    about = {"title": "", "family": "f", "unit": "u", "low": 0, "high": 9}

    @measure.register("shared", better="higher", summary="", source="", **about)
    def shared(context):
        return np.full(len(context.cases), context.once("four", make))

    board = leaderboard(model, cases, ["flat", "dice"])
    assert [board.mean(row.name, "shared") for row in board.rows] == [4.0] * 7
    assert len(made) == 1


@pytest.mark.slow
@pytest.mark.parametrize("way", ["cache", "csv", "page"])
def test_a_full_disk_leaves_nothing_half_written(tmp_path, model, cases, monkeypatch, way):
    board = leaderboard(model, cases, ["flat"])

    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(xa.XaiAudioError, match="Could not write .*: No space left on device"):
        if way == "cache":
            leaderboard(model, cases, ["flat"], cache=tmp_path)
        elif way == "csv":
            board.to_csv(tmp_path / "board.csv")
        else:
            leaderboard_page.write(board, tmp_path)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"methods": ["gradcamm"]}, "No method is called 'gradcamm'"),
        ({"measures": ["massive"]}, "No measure is called 'massive'"),
        ({"references": ["luck"]}, "No reference is called 'luck'"),
        ({"options": {"flat": {"height": 2}}}, "flat has no option 'height'"),
    ],
)
def test_unknown_names(model, cases, calls, given, told):
    with pytest.raises(xa.XaiAudioError, match=told):
        leaderboard(model, cases, **given)
    assert not calls


def test_a_method_of_ones_own_enters_with_the_numbers_that_it_would_have_had(model, cases):
    whole = leaderboard(model, cases, ["flat", "dice"], references=["chance"])
    entered = leaderboard(model, cases, ["flat"], references=["chance"]).add(
        leaderboard(model, cases, ["dice"], ["level"], references=())
    )
    assert [row.name for row in entered.rows] == [row.name for row in whole.rows]
    assert entered.mean("dice", "level") == whole.mean("dice", "level")


@pytest.mark.slow
def test_a_measure_that_cannot_be_taken_is_noted(tmp_path, model, cases):
    about = {"family": "f", "low": 0, "high": 9, "summary": "s", "source": "p"}

    @measure.register("picky", title="picky", unit="u", better="higher", **about)
    def picky(context):
        raise xa.XaiAudioError("It needs more cells.")

    for _ in range(2):  # the second time from the cache
        board = leaderboard(model, cases, ["flat"], cache=tmp_path)
        assert np.isnan(board.mean("flat", "picky")) and board.mean("flat", "level") == 1
        rows = list(csv.DictReader(io.StringIO(board.csv())))
        assert rows[2]["measure"] == "picky" and rows[2]["note"] == "It needs more cells."


def test_measures_of_a_family_stand_together():
    about = {"low": 0, "high": 9, "summary": "", "source": "", "title": "", "unit": "u"}
    for name, family in (("cost", "g"), ("late", "f")):
        measure.register(name, better="lower", family=family, **about)(lambda context: None)
    assert list(measure.measures()) == ["level", "moved", "late", "cost"]


def test_csv_holds_every_number(tmp_path, model, cases):
    board = leaderboard(model, cases)
    path = board.to_csv(tmp_path / "deep" / "board.csv")
    assert [file.name for file in path.parent.iterdir()] == ["board.csv"]
    rows = list(csv.DictReader(io.StringIO(path.read_text())))
    assert len(rows) == len(board.rows) * len(board.measures)
    dice = next(row for row in rows if row["method"] == "dice" and row["measure"] == "level")
    found = board.interval("dice", "level")
    assert [float(dice[name]) for name in ("mean", "low", "high")] == pytest.approx(
        [found.mean, found.low, found.high], rel=1e-5
    )
    assert found.low < found.mean < found.high
    broken = next(row for row in rows if row["method"] == "broken")
    assert broken["mean"] == "" and broken["note"].startswith("It needs")


def test_table_has_a_row_for_everyone(model, cases):
    head, *rows = leaderboard(model, cases).table(["level"])
    assert head == ["method", "level"]
    assert rows[0] == ["flat", "1.00"] and rows[1] == ["broken", "–"]


def test_trained_methods_are_rows_beside_names(model, cases, learner):
    three = xa.Explainer.fit("learner", model, 3)
    board = leaderboard(model, cases, ["flat", three], references=())
    assert [row.name for row in board.rows] == ["flat", "learner"]
    assert board.row("learner").values["level"].tolist() == [3] * 6
    other = xa.Explainer.fit("learner", model, 4)
    rows = leaderboard(model, cases, {"a": three, "b": three, "c": other, "d": "flat"}).rows
    told = [row.settings.get("SHA-256 of its weights") for row in rows[:4]]
    assert told[0] == told[1] != told[2] and told[3] is None
    assert [row.method for row in rows[:4]] == ["learner", "learner", "learner", "flat"]
    # By default only what explains at once; by its name, an untrained one says what it lacks.
    assert "learner" not in [row.name for row in leaderboard(model, cases).rows]
    row = leaderboard(model, cases, ["learner"], references=()).row("learner")
    assert "has to be trained first: Explainer.fit" in row.error and not row.values


def test_a_dict_names_the_rows(model, cases, learner):
    learnt = [xa.Explainer.fit("learner", model, number) for number in (3, 4)]
    rows = {"three": learnt[0], "four": learnt[1], "two": "flat"}
    board = leaderboard(model, cases, rows, options={"flat": {"level": 2}}, references=())
    assert {row.name: row.values["level"][0] for row in board.rows} == {
        "three": 3,
        "four": 4,
        "two": 2,
    }
    with pytest.raises(xa.XaiAudioError, match="Two rows would be called 'learner'"):
        leaderboard(model, cases, learnt)
    with pytest.raises(xa.XaiAudioError, match="'chance' is the name of a reference"):
        leaderboard(model, cases, {"chance": "flat"})
    assert len(leaderboard(model, cases, ["flat", "flat"], references=()).rows) == 1
