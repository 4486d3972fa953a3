"""``xaiaudio train`` and ``pretrain``: what they teach, and what they say of bad input."""

import re
from types import SimpleNamespace

import numpy as np
import pytest
from commands import QUICK, RATE, call, complaint, noise, run, sound

import xaiaudio as xa
from xaiaudio import cli
from xaiaudio.cli.train import _report


def test_the_help_of_train_names_the_designs():
    from xaiaudio.models.designs.registry import known

    text = cli.help_text()
    listed = text[text.index("There are pecmae") :].partition(";")[0]
    assert set(re.findall("[a-z]+", listed)) - {"here", "are", "and"} == set(known())


@pytest.mark.slow
def test_train_then_explain_with_what_was_learnt(capsys, tmp_path):
    rng = np.random.default_rng(0)
    time_ = np.arange(RATE) / RATE
    for number in range(5):
        tone = 0.3 * np.sin(2 * np.pi * rng.uniform(400, 600) * time_)
        sound(tmp_path / "sounds" / "tone" / f"{number}.wav", tone)
        sound(tmp_path / "sounds" / "hiss" / f"{number}.wav", noise(1.0, seed=number))
    out = tmp_path / "mine.keras"
    rates = ("--learning-rate", "0.05", "--halve-every", "30", "--epochs", "30")
    status, said, err = call(capsys, "train", tmp_path / "sounds", "--freeze", *rates, "--out", out)
    assert status == 0, err
    assert "Held out (fold 5)" in said and "100.0% of clips" in said
    assert xa.load_model(out).labels == ("hiss", "tone")
    assert xa.load_model(out).name == "mine"  # not that of the network it was made from
    status, said, _ = call(
        capsys,
        "explain",
        tmp_path / "sounds" / "tone" / "4.wav",
        "--model",
        out,
        "--out",
        tmp_path / "o",
        *QUICK,
    )
    assert status == 0 and "4.wav: tone" in said


@pytest.mark.slow
def test_train_a_design_and_compare_it(capsys, tmp_path):
    time_ = np.arange(RATE) / RATE
    for number in range(5):
        tone = 0.3 * np.sin(2 * np.pi * (450 + 20 * number) * time_)
        sound(tmp_path / "sounds" / "tone" / f"{number}.wav", tone)
        sound(tmp_path / "sounds" / "hiss" / f"{number}.wav", noise(1.0, seed=number))
    out = tmp_path / "mine.keras"
    options = ("--design", "pecmae", "--set", "pecmae.per_class=2", "--out", out)
    status, said, err = call(capsys, "train", tmp_path / "sounds", *options)
    assert status == 0, err
    assert "training pecmae on lite with 8 clips, 2 clips held out ..." in err
    assert "Held out (fold 5)" in said and "plain" in said
    model = xa.load_model(out)
    assert (model.design, len(model.parts), model.name) == ("pecmae", 4, "mine")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("given", "told"),
    [
        (["--design", "pecma"], "did you mean 'pecmae'"),
        (["--design", "pecmae", "--epochs", "3"], "--epochs is not for a design"),
        (["--design", "pecmae", "--set", "pecmae.perclass=3"], "did you mean 'per_class'"),
        (["--set", "pecmae.per_class=3"], "add --design"),
        (["--design", "pecmae", "--set", "apnet.seed=3"], "write --set pecmae.seed=3"),
        (["--design", "pecmae", "--set", "seed=3"], "such as pecmae.seed=1"),
        (["--design", "pecmae", "--set", "pecmae.alpha=much"], "a finite number is needed"),
    ],
)
def test_what_a_design_does_not_take(capsys, tmp_path, given, told):
    for label in ("tone", "hiss"):
        sound(tmp_path / "sounds" / label / "1.wav", noise(1.0, seed=1))
    status, _, err = call(
        capsys, "train", tmp_path / "sounds", *given, "--out", tmp_path / "x.keras"
    )
    assert status == 1 and told in err and len(err.strip().splitlines()) <= 2


@pytest.mark.slow
def test_pretrain_writes_a_network(capsys, tmp_path, monkeypatch):
    for label in xa.datasets.CLASSES:
        for fold in range(1, 6):
            path = tmp_path / "esc10" / label / f"{fold}-{fold}-A.wav"
            sound(path, noise(1.0, seed=len(label) + fold))
    monkeypatch.setenv("XAIAUDIO_ESC10", str(tmp_path / "esc10"))
    out = tmp_path / "small.keras"
    status, said, err = call(capsys, "pretrain", "--epochs", "1", "--out", out)
    assert status == 0, err
    assert "of clips" in said
    assert xa.load_model(out).labels == xa.datasets.CLASSES


def test_a_set_with_one_clip_per_class_has_nothing_to_hold_out(capsys, tmp_path):
    for label in ("knock", "whistle"):
        sound(tmp_path / "sounds" / label / "only.wav")
    status, _, err = call(capsys, "train", tmp_path / "sounds", "--out", tmp_path / "x.keras")
    assert status == 1
    message = complaint(err)
    assert "cannot be split at fold 5" in message and "Add sounds" in message


def test_a_set_with_one_class_teaches_nothing(capsys, tmp_path):
    for number in range(3):
        sound(tmp_path / "sounds" / "only" / f"{number}.wav")
    network = tmp_path / "mine.keras"
    status, _, err = call(capsys, "train", tmp_path / "sounds", "--out", network)
    assert status == 1
    message = complaint(err)
    assert str(tmp_path / "sounds") in message and "two" in message
    assert not network.exists()


def test_sounds_without_class_folders_teach_nothing(capsys, tmp_path):
    for number in range(3):
        sound(tmp_path / "loose" / f"{number}.wav")
    status, _, err = call(capsys, "train", tmp_path / "loose", "--out", tmp_path / "x.keras")
    assert status == 1
    assert str(tmp_path / "loose") in complaint(err)


@pytest.mark.slow
def test_bad_files_are_left_out_of_training_and_named(capsys, tmp_path):
    folder = tmp_path / "sounds"
    for label in ("a", "b"):
        for number in range(5):
            sound(folder / label / f"{number}.wav", noise(1, seed=number))
    (folder / "a" / "1.wav").write_text("no sound")  # to learn from
    sound(folder / "a" / "2.wav", np.full(16_000, np.nan), subtype="FLOAT")  # found in decoding
    (folder / "b" / "4.wav").write_bytes(b"")  # held out
    (folder / "b" / "notes.txt").write_text("x")
    (folder / "b" / "._0.wav").write_bytes(b"x")
    network = tmp_path / "mine.keras"
    status, said, err = call(capsys, "train", folder, "--out", network, "--freeze", "--epochs", "1")
    assert status == 0, err
    lines = err.splitlines()
    assert (
        lines[0]
        == "Passed over: 1 file that is no sound by name, no file, or too deep (b/notes.txt)."
    )
    left = [line for line in lines if line.startswith("Left out: ")]
    assert [name in line for name, line in zip(("a/1", "a/2", "b/4"), left, strict=True)] == [
        True,
        True,
        True,
    ]
    assert "._0" not in err
    assert xa.load_model(network).labels == ("a", "b")
    status, said, err = call(capsys, "data", "info", folder)
    assert status == 0
    assert lines[0] in err and "a/1.wav cannot be read" in err and "b/4.wav is empty" in err
    assert "a/2" not in err  # headers alone are read here


@pytest.mark.slow
def test_a_bad_clip_in_a_class_folder_is_named_before_training(capsys, tmp_path):
    for label in ("a", "b"):
        for number in range(2):
            sound(tmp_path / "sounds" / label / f"{number}.wav")
    (tmp_path / "sounds" / "b" / "0.wav").write_text("no sound")
    network = tmp_path / "mine.keras"
    status, _, err = call(capsys, "train", tmp_path / "sounds", "--out", network)
    assert status == 1
    message = complaint(err)
    assert "No sound of 'b' is left to learn from" in message
    assert str(tmp_path / "sounds" / "b" / "0.wav") in message
    assert not network.exists()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "told"), [("mine.h5", ".keras"), ("folder.keras", "folder"), ("no/such", ".keras")]
)
def test_a_result_that_cannot_be_written_is_told_before_training(tmp_path, name, told):
    (tmp_path / "folder.keras").mkdir()
    done = run("train", tmp_path, "--out", tmp_path / name)
    assert done.returncode == 1
    assert told in complaint(done.stderr)


def test_checkpoints_go_into_a_folder(capsys, tmp_path):
    status, _, err = call(capsys, "train", tmp_path, "--resume", sound(tmp_path / "a.wav"))
    assert status == 1 and "--resume is" in err and "which is a file" in complaint(err)


def test_a_result_without_a_place_is_told_at_once(capsys, tmp_path):
    for name, told in (("mine.h5", ".keras"), ("folder.keras", "which is a folder")):
        (tmp_path / "folder.keras").mkdir(exist_ok=True)
        for command in (("train", tmp_path), ("pretrain",)):
            status, _, err = call(capsys, *command, "--out", tmp_path / name)
            assert status == 1 and told in complaint(err)


def test_the_report_has_a_row_for_each_class(capsys):
    found = SimpleNamespace(
        labels=("a", "b"),
        confusion=np.array([[3, 1], [0, 0]]),
        recall=np.array([0.75, np.nan]),
        clip_accuracy=0.75,
        patch_accuracy=0.5,
    )
    _report(found, 4)
    said = capsys.readouterr().out
    rows = {words[0]: words[1:] for words in map(str.split, said.splitlines()) if words}
    assert rows["a"] == ["4", "75%"] and rows["b"] == ["0", "–"]
    assert "Held out (fold 4): 75.0% of clips and 50.0% of patches right." in said
