"""``xaiaudio evaluate``: what it prints and writes, and what it says of bad input."""

import csv
import hashlib
import shlex
import shutil

import numpy as np
import pytest
from commands import call, complaint, noise, sound

import xaiaudio as xa
from xaiaudio.evaluate.benchmark.context import REFERENCES
from xaiaudio.models.precision import has_bfloat16

FAST = ("-m", "occlusion", "--set", "occlusion.mask=0.5", "--set", "occlusion.stride=0.5")
# What is said of the numbers by default: `lite` hardly changes in bfloat16.
SHORTER = ", in bfloat16" if has_bfloat16() else ""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Two noises in the folder of the class that the shipped network takes them for."""
    place = tmp_path_factory.mktemp("sounds")
    model = xa.load_model("lite")
    for number in range(2):
        wave = noise(1.0, seed=number)
        label = model.labels[model.scores(model.frontend(wave)).argmax()]
        sound(place / "set" / label / f"{number}.wav", wave)
    return place / "set"


@pytest.mark.slow
def test_it_makes_page_picture_and_table_and_goes_on(capsys, folder, tmp_path):
    out = tmp_path / "out"
    status, said, _ = call(capsys, "evaluate", folder, "--out", out, *FAST)
    assert status == 0
    assert f"Measured on 2 clips{SHORTER}." in said and str(out / "leaderboard.html") in said
    assert {"leaderboard.html", "leaderboard.png", "leaderboard.csv", "rows"} == {
        path.name for path in out.iterdir()
    }
    with open(out / "leaderboard.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert {row["method"] for row in rows} == {"occlusion", *REFERENCES} - {"oracle"}
    before = {path.name: path.stat().st_mtime_ns for path in (out / "rows").iterdir()}
    assert call(capsys, "evaluate", folder, "--out", out, *FAST)[0] == 0
    assert before == {path.name: path.stat().st_mtime_ns for path in (out / "rows").iterdir()}


@pytest.mark.slow
def test_single_precision_can_be_asked_for(capsys, folder, tmp_path):
    typed = ("evaluate", folder, "--out", tmp_path / "out", "--precision", "float32", *FAST)
    status, said, _ = call(capsys, *typed)
    assert status == 0 and "Measured on 2 clips." in said


@pytest.mark.slow
def test_a_class_that_the_network_does_not_know(capsys, tmp_path):
    sound(tmp_path / "set" / "kazoo" / "a.wav")
    status, _, err = call(capsys, "evaluate", tmp_path / "set", "--out", tmp_path / "out", *FAST)
    assert status == 1
    message = complaint(err)
    assert "'kazoo'" in message and "Dog bark" in message
    assert not (tmp_path / "out").exists()


@pytest.mark.slow
def test_an_unreadable_sound_is_named(capsys, tmp_path):
    bad = tmp_path / "set" / "Rain" / "bad.wav"
    sound(bad)
    bad.write_text("This is no sound.")
    status, _, err = call(capsys, "evaluate", tmp_path / "set", "--out", tmp_path / "out", *FAST)
    assert status == 1 and str(bad) in complaint(err)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("options", "told"),
    [
        (("-m", "gradcamm"), "No method is called 'gradcamm'"),
        (("-m", "lime", "--set", "occlusion.mask=1"), "add --method occlusion"),
        (("-m", "lime", "--set", "lime.sample=1"), "lime has no option 'sample'"),
    ],
)
def test_wrong_choices(capsys, folder, tmp_path, options, told):
    status, _, err = call(capsys, "evaluate", folder, "--out", tmp_path / "out", *options)
    assert status == 1 and told in complaint(err)


@pytest.mark.slow
def test_a_folder_that_is_not_there_and_an_out_that_is_a_file(capsys, tmp_path, folder):
    status, _, err = call(capsys, "evaluate", tmp_path / "nowhere")
    assert status == 1 and "There is no folder" in complaint(err)
    status, _, err = call(capsys, "evaluate", folder, "--out", sound(tmp_path / "file.wav"))
    assert status == 1 and "which is a file" in complaint(err)


@pytest.mark.slow
@pytest.mark.parametrize("wrong", [("--clips", "0"), ("--mix", "61"), ("--mix", "loud")])
def test_a_number_out_of_range_is_a_mistyped_command(capsys, folder, wrong):
    assert call(capsys, "evaluate", folder, *wrong)[0] == 2


@pytest.mark.slow
def test_silence_alone_is_refused_in_words(capsys, tmp_path):
    sound(tmp_path / "set" / "silence.wav", np.zeros(16_000, "float32"))
    status, _, err = call(capsys, "evaluate", tmp_path / "set", "--out", tmp_path / "out", *FAST)
    assert status == 1 and "silence.wav is silent" in complaint(err)


@pytest.mark.slow
def test_a_sound_that_cannot_be_used_stops_nothing(capsys, folder, tmp_path):
    shutil.copytree(folder, tmp_path / "set")
    label = next((tmp_path / "set").iterdir())
    (label / "broken.wav").write_text("This is no sound.")
    (label / "notes.txt").write_text("Nor is this.")
    sound(label / "stereo.wav", np.stack([noise(1.0, rate=22_050)] * 2, axis=1), rate=22_050)
    status, said, err = call(capsys, "evaluate", tmp_path / "set", "--out", tmp_path / "out", *FAST)
    assert status == 0 and f"Measured on 3 clips{SHORTER}." in said
    assert "Left out: " in err and "broken.wav" in err
    assert err.count("Passed over: 1 file that is no sound by name") == err.count("notes.txt") == 1


@pytest.mark.slow
def test_mixtures_have_a_truth(capsys, tmp_path):
    model = xa.load_model("lite")
    tone = 0.3 * np.sin(np.arange(24_000) * 0.2).astype("float32")
    waves = [noise(1.5), noise(1.5, seed=1), tone, tone[::-1]]
    for number, wave in enumerate(waves):
        label = model.labels[model.scores(model.frontend(wave)[:1]).argmax()]
        sound(tmp_path / "set" / label / f"{number}.wav", wave)
    assert len(list((tmp_path / "set").iterdir())) > 1
    sound(tmp_path / "set" / label / "still.wav", np.zeros(24_000, "float32"))
    sound(tmp_path / "set" / label / "short.wav", noise(0.3))
    (tmp_path / "set" / label / "text.wav").write_text("This is no sound.")
    out = tmp_path / "out"
    status, said, err = call(capsys, "evaluate", tmp_path / "set", "--out", out, "--mix", 30, *FAST)
    assert status == 0, err
    assert "mixtures of set" in (out / "leaderboard.csv").read_text()
    assert "oracle" in said
    for left_out in ("still.wav is silent", "short.wav is too short", "text.wav cannot be read"):
        assert left_out in err


@pytest.mark.slow
def test_a_card_tells_the_run_and_how_to_repeat_it(capsys, folder, tmp_path):
    out, card = tmp_path / "out", tmp_path / "cards" / "mine.md"
    typed = ("evaluate", folder, "--out", out, *FAST, "--clips", 7, "--card", card)
    status, said, err = call(capsys, *typed)
    assert status == 0, err
    assert str(card) in said
    text = card.read_text(encoding="utf-8")
    again = text.partition("```\n")[2].partition("\n```")[0]
    words = shlex.split(again)
    assert words[:3] == ["xaiaudio", "evaluate", str(folder)]
    assert set(map(str, typed[2:])) - {"-m"} <= set(words) and "--seed" not in words
    hidden = tmp_path / "mine.html"
    status, _, err = call(capsys, *words[1:], "--card", hidden, "--hide-names")
    assert status == 0, err
    page = hidden.read_text(encoding="utf-8")
    assert str(folder) not in page and "xaiaudio evaluate FOLDER " in page
    assert folder.name in text and f" {folder.name}" not in page and "on a folder" in page
    for file in folder.rglob("*.wav"):
        assert f"| {file.stem} | " in text and f">{file.stem}</th>" not in page
        assert hashlib.sha256(file.read_bytes()).hexdigest()[:12] in page
    with open(out / "leaderboard.csv", newline="") as file:
        rows = {(row["method"], row["measure"]): row for row in csv.DictReader(file)}
    for line in text.partition("## What was measured")[2].splitlines():
        cells = line.strip("| ").split(" | ")
        if ("occlusion", cells[0]) in rows and len(cells) == 9:
            told = float(cells[3].partition(" ")[0])
            assert told == pytest.approx(float(rows["occlusion", cells[0]]["mean"]), rel=5e-3)


@pytest.mark.slow
def test_hidden_names_are_in_no_file(capsys, folder, tmp_path):
    place = shutil.copytree(folder, tmp_path / "harbour")
    for file in place.glob("*/0.wav"):
        file.rename(file.with_name("skipper.wav"))
    next(place.iterdir()).joinpath("brokenone.wav").write_text("This is no sound.")
    words = ("evaluate", place, "--out", tmp_path / "out", *FAST)
    names = ("harbour", "skipper", "brokenone")
    for hidden in (False, True):
        status, _, err = call(capsys, *words, *["--hide-names"] * hidden)
        assert status == 0 and "brokenone.wav" in err
        texts = {
            path.name: path.read_bytes().decode("utf-8", "replace")
            for path in (tmp_path / "out").rglob("*")
            if path.is_file()
        }
        named = {where for where, text in texts.items() if any(name in text for name in names)}
        assert named == (set() if hidden else {"leaderboard.html", "leaderboard.csv"})
    assert "on <em>a folder</em>" in texts["leaderboard.html"]
    assert "1 sound, with the names hidden." in texts["leaderboard.html"]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("options", "told"),
    [
        (("--card", "card.pdf"), "ends neither in .md nor in .html"),
        (("--card", "."), "ends neither"),
    ],
)
def test_a_card_that_cannot_be(capsys, folder, options, told):
    status, _, err = call(capsys, "evaluate", folder, *options)
    assert status == 1 and told in complaint(err)
