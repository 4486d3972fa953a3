"""The entries of a card are read from the network, the clips and the run."""

import dataclasses
import hashlib

import numpy as np
from small_networks import LABELS

import xaiaudio as xa
from xaiaudio import evaluate
from xaiaudio.evaluate.benchmark.findings import findings
from xaiaudio.models.training import testing

MEASURES = ["AD", "FF", "mass", "sparseness", "seeds"]


METHODS = {"one": xa.Explainer("occlusion", mask=0.5, stride=0.5), "lime": "lime"}


def test_options_seeds_and_names_are_those_of_the_run(model, cases, board):
    made = evaluate.card(model, cases, board, again="do it")
    assert list(made.methods) == list(METHODS)
    assert made.methods["one"]["method"] == "occlusion"
    assert made.methods["one"]["mask"] == "0.5"
    lime = made.methods["lime"]
    assert (lime["samples"], lime["grid"], lime["seed"]) == ("24", "(3, 3)", "4")
    assert set(xa.methods()["lime"]["options"]) <= set(lime)
    assert made.run["seed"] == "4" and made.again == "do it"
    assert f"xaiaudio {xa.__version__}" in made.run["versions"]


def test_the_network_is_known_by_its_weights_and_its_file(model, cases, board, tmp_path):
    file = tmp_path / "net.keras"
    file.write_bytes(b"some network")
    made = evaluate.card(model, cases, board, file=file)
    assert made.model["SHA-256 of the file"] == hashlib.sha256(b"some network").hexdigest()
    assert made.model["file"] == "net.keras" and str(tmp_path) not in str(made)
    total = hashlib.sha256()
    for array in model.network.get_weights():
        total.update(f"{array.dtype.str}{array.shape}".encode() + array.tobytes())
    assert made.model["SHA-256 of its weights"] == total.hexdigest()
    assert made.model["classes"] == ", ".join(LABELS)


def test_clips_are_counted(model, cases, board):
    made = evaluate.card(model, cases, board)
    assert made.data["classes"] == ", ".join(f"{name} (6)" for name in sorted(LABELS[:2]))
    assert made.data["licences"] == "CC BY (8), unknown (4)"
    assert made.data["folds"] == "1 (3), 2 (3), 3 (2), 4 (2), 5 (2)"
    assert [clip["clip"] for clip in made.clips] == list(cases.names)
    assert made.clips[1]["author"] == "author 1"


def test_hidden_names_are_nowhere(model, cases, board):
    made = evaluate.card(model, cases, board, hide_names=True)
    said = str(made)
    for clip in cases.clips:
        assert clip.name not in said and clip.author not in said and clip.source not in said
        assert hashlib.sha256(clip.path.read_bytes()).hexdigest()[:12] in said
    assert str(cases.clips[0].path.parent) not in said


def test_paths_in_messages_are_hidden_too(model, cases, board):
    path = str(cases.clips[0].path)
    rows = [
        dataclasses.replace(row, error=f"{path} broke it.") if row.name == "one" else row
        for row in board.rows
    ]
    hurt = dataclasses.replace(board, rows=tuple(rows))
    rest = dataclasses.replace(cases, unusable=(f"{path} is silent.",))
    assert path in str(evaluate.card(model, rest, hurt))
    assert path not in str(evaluate.card(model, rest, hurt, hide_names=True))


def test_what_was_not_shown_is_computed(model, cases, board):
    made = evaluate.card(model, cases, board)
    said = " ".join(made.not_shown)
    missing = [name for name in evaluate.measures() if name not in MEASURES]
    assert f"What these measures would say: {', '.join(missing)}." in made.not_shown
    absent = ", ".join(LABELS[2:])
    assert f"Classes without a clip: {absent}." in made.not_shown
    assert "(clips left out for that: 3)." in said and "Under which licence" in said
    assert "only some were asked for seeds." in said
    assert "How often the network is right" in said
    level = {f"{x.method} by {x.measure}" for x in findings(board) if x.verdict == "undecided"}
    assert all((name in said) for name in level)
    assert ("one", "seeds") in {(method, name) for method, name, _ in made.silent}


def test_the_accuracy_is_that_of_the_test(model, cases, board):
    scores = np.eye(3, dtype="float32")[[0, 0, 1]]
    tested = testing.TestResult(
        LABELS, ("a", "b"), np.array([0, 1]), np.array([0, 0]), (scores, scores), ()
    )
    made = evaluate.card(model, cases, board, tested=tested)
    assert made.model["accuracy"] == "50.0% of clips, 50.0% of patches, on 2 held-out clips"
    assert not any("How often the network is right" in text for text in made.not_shown)
    model.history["best"] = {"accuracy": 0.875}
    try:
        assert "87.5%" in evaluate.card(model, cases, board).model["accuracy"]
        # What somebody else's file says need not make sense.
        for told in ({"test_clip_accuracy": 0.9}, {"best": {"accuracy": "high"}}):
            model.history.pop("best", None)
            model.history.update(told)
            assert evaluate.card(model, cases, board).model["accuracy"] == "unknown"
            model.history.pop("test_clip_accuracy", None)
    finally:
        del model.history["best"]


def test_without_a_truth_and_references_that_is_said(model, cases):
    blind = dataclasses.replace(cases, truth=None, clips=())
    board = evaluate.leaderboard(
        model, blind, {"one": METHODS["one"]}, ["AD", "mass"], references=("uniform",)
    )
    made = evaluate.card(model, blind, board)
    assert made.finding("one", "AD").verdict == "alone"
    ((method, measure, why),) = made.silent
    assert (method, measure) == ("one", "mass") and "not known" in why
    said = " ".join(made.not_shown)
    assert "nobody knows where it is" in said
    assert "How maps that ask no network do: chance, centre, energy, oracle." in said
    assert made.clips[0]["licence"] == "unknown" and made.data["folds"] == "unknown"


def test_few_recordings_decide_nothing(model, cases):
    few = cases.part([0, 1, 2])
    board = evaluate.leaderboard(model, few, {"one": METHODS["one"]}, ["AD"])
    made = evaluate.card(model, few, board)
    assert made.finding("one", "AD").verdict == "undecided"
    assert any("decide nothing" in text for text in made.not_shown)
