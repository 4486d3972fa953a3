"""The leaderboard on methods and measures that are known exactly."""

import csv
import dataclasses
import errno
import io
import os
from dataclasses import dataclass

import numpy as np
import pytest
from commands import noise, sound
from small_networks import LABELS, additive, random_patches

import xaiaudio as xa
from xaiaudio.evaluate.benchmark import leaderboard as boards
from xaiaudio.evaluate.benchmark.board import Leaderboard
from xaiaudio.evaluate.benchmark.context import REFERENCES, Reference
from xaiaudio.evaluate.benchmark.leaderboard import leaderboard
from xaiaudio.evaluate.benchmark.row_cache import RowCache
from xaiaudio.evaluate.benchmark.rows import Row
from xaiaudio.evaluate.benchmark.samples import Cases, cases_of
from xaiaudio.evaluate.metrics import registry as measure
from xaiaudio.explainers import registry
from xaiaudio.pages import leaderboard as leaderboard_page

SHAPE = (7, 5)


@dataclass(frozen=True)
class Level:
    level: float = 1.0


@dataclass(frozen=True)
class Drawn:
    seed: int = 0


@pytest.fixture(scope="module")
def model():
    return additive(SHAPE)[0]


@pytest.fixture
def cases(model):
    patches = random_patches(6, SHAPE)
    truth = np.zeros(patches.shape, bool)
    truth[:, :3] = True
    names = tuple(f"clip {number}" for number in range(6))
    return Cases(patches, model.scores(patches).argmax(axis=1), truth, names, "made up")


@pytest.fixture
def calls():
    return []


@pytest.fixture(autouse=True)
def known(monkeypatch, calls):
    """Two methods and a failing one; two measures. Nothing of the package's own."""
    monkeypatch.setattr(registry, "FILES", ())
    monkeypatch.setattr(registry, "_METHODS", {})
    monkeypatch.setattr(measure, "FILES", ())
    monkeypatch.setattr(measure, "_MEASURES", {})

    @registry.register("flat", options=Level, summary="", paper="")
    def flat(classifier, patches, targets, options):
        calls.append("flat")
        return np.full(patches.shape, options.level)

    @registry.register("broken", options=Level, summary="", paper="")
    def broken(classifier, patches, targets, options):
        calls.append("broken")
        raise xa.XaiAudioError("It needs a convolution: there is none.")

    @registry.register("dice", options=Drawn, summary="", paper="")
    def dice(classifier, patches, targets, options):
        calls.append("dice")
        return np.random.default_rng(options.seed).random(patches.shape) * 4

    about = {"family": "f", "low": 0, "high": 9, "summary": "s", "source": "p"}

    @measure.register("level", title="level", unit="u", better="higher", **about)
    def level(context):
        return context.result.maps.mean(axis=(1, 2))

    @measure.register("moved", title="moved", unit="u", better="lower", floor="worst", **about)
    def moved(context):
        return context.scatter(
            np.abs(context.subset_maps - context.re_explain(seed=context.seed + 1)).max((1, 2))
        )


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


def test_a_damaged_row_is_made_anew(tmp_path, model, cases, calls):
    first = leaderboard(model, cases, ["flat"], cache=tmp_path)
    for file in tmp_path.iterdir():
        file.write_bytes(file.read_bytes()[:30])
    calls.clear()
    assert leaderboard(model, cases, ["flat"], cache=tmp_path).csv() == first.csv()
    assert "flat" in calls


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


def test_a_cache_that_cannot_be_written(tmp_path, model, cases):
    place = tmp_path / "file"
    place.touch()
    with pytest.raises(xa.XaiAudioError, match="Could not write"):
        leaderboard(model, cases, ["flat"], cache=place)


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


def _board(values, **about):
    """A board of given means: name of a row to one value a measure."""
    rows = tuple(
        Row(name, name == "chance", dict(zip(about, np.array(row)[:, None], strict=True)))
        for name, row in values.items()
    )
    columns = tuple(
        measure.Measure(name, name, "f", "u", better, 0, 9, "", "", None, floor)
        for name, (better, floor) in about.items()
    )
    return Leaderboard("net", "set", 1, 0, columns, rows)


def test_positions_lie_between_the_floor_and_the_best():
    board = _board(
        {"a": [3.0, 1.0, 5.0], "b": [2.0, 4.0, 1.0], "c": [0.5, 2.0, 0.0], "chance": [1.0, 0, 0]},
        up=("higher", "chance"),
        down=("lower", "worst"),
        shape=("neither", "chance"),
    )
    assert [board.position(name, "up") for name in "abc"] == [1, 0.5, 0]
    assert [board.position(name, "down") for name in "abc"] == pytest.approx([1, 0, 2 / 3])
    assert np.isnan(board.position("a", "shape"))
    assert (board.best("up"), board.best("down")) == ("a", "a")
    with pytest.raises(xa.XaiAudioError, match="says nothing of better"):
        board.best("shape")
    # a, b, c by up; a, c, b by down: one neighbouring pair of three is swapped.
    assert board.agreement() == pytest.approx(np.array([[1, 0.5], [0.5, 1]]))


def test_differences_are_taken_clip_by_clip():
    rng = np.random.default_rng(0)
    hard = rng.normal(size=30) * 5
    values = {"a": hard + 1 + rng.normal(size=30) / 9, "b": hard, "c": rng.permutation(hard)}
    columns = (measure.Measure("m", "m", "f", "u", "higher", 0, 9, "", "", None),)
    rows = tuple(Row(name, False, {"m": found}) for name, found in values.items())
    board = Leaderboard("net", "set", 30, 0, columns, rows)
    wide, gap = board.interval("a", "m"), board.difference("a", "b", "m")
    assert wide.low < board.mean("b", "m") < wide.high  # the intervals overlap by far
    assert gap.mean == pytest.approx(np.mean(values["a"] - values["b"]))
    assert 0.9 < gap.low < gap.mean < gap.high < 1.1
    assert board.beats("a", "b", "m") and not board.beats("b", "a", "m")
    assert board.level("m") == ["a", "c"]


@pytest.mark.parametrize(("count", "sure"), [(4, False), (5, True)])
def test_few_clips_decide_nothing(count, sure):
    columns = (measure.Measure("m", "m", "f", "u", "higher", 0, 9, "", "", None),)
    rows = (Row("a", False, {"m": np.ones(count)}), Row("b", False, {"m": np.zeros(count)}))
    board = Leaderboard("net", "set", count, 0, columns, rows)
    assert board.beats("a", "b", "m") == sure
    assert board.level("m") == (["a"] if sure else ["a", "b"])


def _clipwise(values, better="higher", network="net", measures=("m",)):
    """A board of given values, clip by clip: name of a row to its values."""
    columns = tuple(
        measure.Measure(name, name, "f", "u", better, 0, 9, "", "", None) for name in measures
    )
    rows = tuple(
        Row(name, name == "chance", dict.fromkeys(measures, np.array(row, float)))
        for name, row in values.items()
    )
    return Leaderboard(network, "set", len(rows[0].values[measures[0]]), 0, columns, rows)


@pytest.mark.parametrize("better", ["higher", "lower", "neither"])
def test_all_pairs_with_their_verdict(better):
    rng = np.random.default_rng(0)
    hard = rng.normal(size=30) * 5
    values = {"a": hard + 1 + rng.normal(size=30) * 0.1, "b": hard, "c": hard + 99}
    values["d"] = hard + rng.normal(size=30)  # as good as b, but for chance
    board = _clipwise({**values, "chance": hard}, better)
    pairs = board.pairs("m")
    assert [(pair.first, pair.second) for pair in pairs] == [
        ("a", "b"), ("a", "c"), ("a", "d"), ("b", "c"), ("b", "d"), ("c", "d")
    ]  # fmt: skip
    for pair in pairs:
        gap = board.difference(pair.first, pair.second, "m")
        assert pair.difference == gap
        assert pair.decided == (not gap.low <= 0 <= gap.high)
        one, two = (board.interval(name, "m") for name in (pair.first, pair.second))
        assert pair.apart == (max(one.low, two.low) > min(one.high, two.high))
        ahead, behind = (pair.first, pair.second)[:: 1 if gap.mean > 0 else -1]
        told = {"higher": ahead, "lower": behind, "neither": ""}[better]
        assert pair.better == (told if pair.decided else "")
    # Clip by clip a beats b, though their intervals overlap; c lies far off; b and d are level.
    assert [pair.decided for pair in pairs] == [True, True, True, True, False, True]
    assert [pair.apart for pair in pairs] == [False, True, False, True, False, True]
    (one,) = board.pairs("m", ["chance", "c"])
    assert (one.first, one.second, one.decided) == ("chance", "c", True)


def test_a_pair_without_an_answer_is_not_decided():
    (pair,) = _clipwise({"a": [1.0] * 6, "b": [np.nan] * 6}).pairs("m")
    assert not pair.decided and not pair.apart and pair.better == ""


@pytest.mark.parametrize("better", ["higher", "lower", "neither"])
def test_methods_that_are_better_than_a_row(better):
    rng = np.random.default_rng(1)
    noise = rng.normal(size=40)
    noise -= noise.mean()
    values = {"up": noise + 3, "down": noise - 3, "hardly": 2 * noise + 0.01, "none": [np.nan] * 40}
    board = _clipwise({**values, "chance": np.zeros(40)}, better)
    clear = {"higher": ["up"], "lower": ["down"], "neither": []}[better]
    assert board.better_than("chance", "m") == clear
    means = {"higher": ["up", "hardly"], "lower": ["down"], "neither": []}[better]
    assert board.better_than("chance", "m", on_average=True) == means


def test_methods_in_order():
    board = _board(
        {"a": [2.0, 2.0], "b": [3.0, 3.0], "c": [2.0, 2.0], "d": [np.nan, 1.0], "chance": [9, 0]},
        up=("higher", "chance"),
        down=("lower", "worst"),
    )
    assert board.order("up") == ["b", "a", "c"]
    assert board.order("down") == ["d", "a", "c", "b"]
    empty = _board({"a": [np.nan]}, up=("higher", "chance"))
    assert empty.order("up") == []
    with pytest.raises(xa.XaiAudioError, match="none has an answer"):
        empty.best("up")


def test_rows_of_another_leaderboard_are_added():
    board = _clipwise({"a": [1.0, 2], "chance": [0, 0]}, measures=("m", "n"))
    mine = _clipwise({"mine": [3.0, 4]})
    both = board.add(mine)
    assert [row.name for row in both.rows] == ["a", "mine", "chance"]
    assert both.mean("mine", "m") == 3.5 and np.isnan(both.mean("mine", "n"))
    assert both.best("m") == "mine" and both.best("n") == "a"
    assert [row.name for row in board.rows] == ["a", "chance"]
    for wrong, told in (
        (_clipwise({"a": [3.0, 4]}), "a row called 'a' already"),
        (_clipwise({"b": [3.0, 4, 5]}), "differ in their cases"),
        (_clipwise({"b": [3.0, 4]}, network="other"), "differ in their network"),
        (_clipwise({"b": [3.0, 4]}, measures=("m", "o")), "has no measure 'o'"),
        (dataclasses.replace(mine, groups=("x", "x")), "differ in their groups"),
    ):
        with pytest.raises(xa.XaiAudioError, match=told):
            board.add(wrong)


def test_a_method_of_ones_own_enters_with_the_numbers_that_it_would_have_had(model, cases):
    whole = leaderboard(model, cases, ["flat", "dice"], references=["chance"])
    entered = leaderboard(model, cases, ["flat"], references=["chance"]).add(
        leaderboard(model, cases, ["dice"], ["level"], references=())
    )
    assert [row.name for row in entered.rows] == [row.name for row in whole.rows]
    assert entered.mean("dice", "level") == whole.mean("dice", "level")


def test_clips_of_one_recording_count_once():
    columns = (measure.Measure("m", "m", "f", "u", "higher", 0, 9, "", "", None),)
    rows = (Row("a", False, {"m": np.array([1.0, 1.0, 1.0, 4.0])}),)
    board = Leaderboard("net", "set", 4, 0, columns, rows, groups=("x", "x", "x", "y"))
    assert board.interval("a", "m").n == 2 and board.mean("a", "m") == 2.5


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


def test_keys_hold_the_code_of_the_method(model, cases):
    subject = xa.Explainer("flat")
    store = RowCache("folder", model, cases, measure.find(), 3, 0)
    before = store._path(subject)

    @registry.register("flat", options=Level, summary="", paper="")
    def other(classifier, patches, targets, options):
        return np.full(patches.shape, 5 * options.level)

    assert store._path(subject) != before


def _clips(folder, label_of):

    for number, label in enumerate(label_of):
        sound(folder / label / f"{number}.wav", noise(1.0, seed=number))
    return xa.datasets.load(folder)


@pytest.fixture(scope="module")
def hearing():
    """A classifier of sounds of 7 x 5 cells."""
    return additive(SHAPE)[0]


def test_cases_are_what_the_network_names_rightly(tmp_path, hearing):
    clips = _clips(tmp_path / "set", [LABELS[number % 3] for number in range(9)])
    cases = cases_of(hearing, clips)
    loud = {}
    for clip in clips:
        patches = hearing.frontend.with_overlap(0.75)(clip.load())
        loud[clip.name] = (patches.loudest().values[0], clip.label)
    for patch, target, name in zip(cases.patches, cases.targets, cases.names, strict=True):
        assert (patch == loud[name][0]).all() and LABELS[target] == loud[name][1]
    right = [
        name
        for name, (patch, label) in loud.items()
        if LABELS[hearing.scores(patch[None]).argmax()] == label
    ]
    assert sorted(cases.names) == sorted(right) and cases.truth is None
    assert cases.left_out == 9 - len(right)


def test_classes_take_turns():
    from xaiaudio.evaluate.benchmark.samples import _in_turns

    clips = [xa.datasets.Clip(f"{label}{i}", label, 1, "") for label in "aab" for i in range(2)]
    assert [clip.label for clip in _in_turns(clips)][:4] == ["a", "b", "a", "b"]


def test_a_class_that_the_network_does_not_know(tmp_path, hearing):
    clips = _clips(tmp_path / "set", ["cat", "cow"])
    with pytest.raises(xa.XaiAudioError, match="the class 'cow', which"):
        cases_of(hearing, clips)


def test_a_network_that_is_never_right(tmp_path, hearing):
    for number in range(2):
        wave = noise(seed=number)
        patches = hearing.frontend.with_overlap(0.75)(wave)
        loud = patches.loudest().values[0]
        wrong = LABELS[hearing.scores(loud[None]).argmax() - 1]
        sound(tmp_path / "set" / wrong / f"{number}.wav", wave, subtype="FLOAT")
    with pytest.raises(xa.XaiAudioError, match="names none of the 2 clips rightly"):
        cases_of(hearing, xa.datasets.load(tmp_path / "set"))


def test_sounds_that_cannot_be_used_are_left_out_and_named(tmp_path, hearing):
    place = tmp_path / "set"
    good = noise(seed=3)
    label = LABELS[hearing.scores(hearing.frontend(good)[:1]).argmax()]
    sound(place / "good.wav", good)
    sound(place / "short.wav", noise(0.05))
    sound(place / "still.wav", np.zeros(16_000, "float32"))
    sound(place / "hole.wav", np.full(16_000, np.nan, "float32"), subtype="FLOAT")
    (place / "text.wav").write_text("This is no sound.")
    cases = cases_of(hearing, xa.datasets.load(place))
    assert cases.names == ("good",) and label in LABELS
    told = "\n".join(cases.unusable)
    assert len(cases.unusable) == 4
    for part in ("short.wav lasts 0.05 s", "still.wav is silent", "hole.wav", "text.wav"):
        assert part in told
    (place / "good.wav").unlink()
    with pytest.raises(xa.XaiAudioError, match="No sound of set can be used"):
        cases_of(hearing, xa.datasets.load(place))


def test_mixtures_bring_their_truth_and_their_recording(hearing):
    from xaiaudio.datasets import ClipSet
    from xaiaudio.datasets.mixtures import mix

    made = [
        mix(
            noise(seed=number),
            noise(seed=9) / 5,
            snr_db=20,
            at=0.7,
            seconds=0.3,
            frontend=hearing.frontend.with_overlap(0),
        )
        for number in range(3)
    ]
    drowned = dataclasses.replace(made[2], events=np.zeros_like(made[2].events))
    cases = cases_of(hearing, ClipSet("mixed", (made[0], made[1], drowned), LABELS))
    assert cases.truth.any(axis=(1, 2)).tolist() == [True, True, False]
    assert cases.groups == ("event", "event", "event")
    frontend = hearing.frontend.with_overlap(0.75)
    events = frontend.cut(made[0].events)
    patches = frontend(made[0].wave)
    best = np.flatnonzero((patches == cases.patches[0]).all(axis=(1, 2)))[0]
    assert (cases.truth[0] == events[best]).all()
    assert events[best].sum() >= 0.9 * events.sum(axis=(1, 2)).max()


@pytest.fixture
def learner(calls):
    """A method that is trained first: it lays what it learnt over every cell."""

    def fit(model, clips, options):
        return {"mean": np.full(1, float(clips))}

    @registry.register("learner", options=Level, summary="", paper="", fit=fit)
    def learner(classifier, patches, targets, options, weights):
        calls.append("learner")
        return np.full(patches.shape, options.level * weights["mean"][0])


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


def test_a_finished_row_belongs_to_the_weights(model, cases, learner, calls, tmp_path):
    learnt = [xa.Explainer.fit("learner", model, number) for number in (3, 3, 4)]
    for one, level in zip(learnt, (3, 3, 4), strict=True):
        board = leaderboard(model, cases, {f"row {level}": one}, references=(), cache=tmp_path)
        assert board.row(f"row {level}").values["level"].tolist() == [level] * 6
    # Twice each, as the first call compiles; once more for the measure that explains again.
    assert calls.count("learner") == 2 * 3
