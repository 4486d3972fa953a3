"""What the commands print: lines that a terminal can bear, and nothing of the libraries."""

import importlib
import os
import subprocess
import sys
import warnings
from pathlib import Path
from types import SimpleNamespace

import pytest
from commands import QUICK, call, complaint, noise, sound

import xaiaudio as xa
from xaiaudio.cli import console


@pytest.mark.slow
def test_tensorflow_starts_without_scikit_learn_which_is_there_all_the_same():
    code = (
        "import sys; from xaiaudio.cli.console import start_tensorflow\n"
        "start_tensorflow()\n"
        "assert 'keras' in sys.modules and 'sklearn' not in sys.modules\n"
        "import xaiaudio as xa, numpy as np\n"
        "xa.load_model('lite').scores(np.zeros((1, 96, 64)))\n"
        "assert 'sklearn' not in sys.modules and 'scipy.stats' not in sys.modules\n"
        "from sklearn.linear_model import Ridge\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@pytest.fixture
def out(tmp_path):
    return tmp_path / "out"


@pytest.mark.slow
def test_what_the_mp3_decoder_mutters_is_not_shown(capfd, tmp_path, out):
    path = sound(tmp_path / "whole.mp3", noise(3))
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    status, _, err = call(capfd, "explain", path, "--out", out, *QUICK)
    assert status == 0
    warning, *others = err.splitlines()
    assert warning.startswith(f"Warning: {path} is incomplete: it holds 1.")
    assert others == [f"{path}: occlusion ..."]


@pytest.mark.slow
def test_control_characters_of_names_do_not_reach_the_terminal(capsys, tmp_path, out):
    names = ["x\x1b]0;OWNED\a.wav", "c1\x9b31m.wav", "turned\u202evaw.wav", "c\x7f\b\r.wav"]
    good = [sound(tmp_path / name) for name in names]
    bad = tmp_path / "bad\x1b[31m.wav"
    bad.write_text("no sound")
    status, said, err = call(capsys, "explain", *good, bad, "--out", out, *QUICK)
    assert status == 1
    for text in (said, err):
        assert not any(letter in text for letter in "\x1b\a\x9b\x7f\b\r\u202e")
    assert "x\\x1b]0;OWNED\\x07.wav: " in said and "turned\\u202evaw.wav: " in said
    assert "bad\\x1b[31m.wav cannot be read as sound" in err
    folder = tmp_path / "set"
    for label in ("a\x1b[2J", "b"):
        sound(folder / label / "0.wav")
    status, said, err = call(capsys, "data", "info", folder)
    assert status == 0 and "a\\x1b[2J" in said and "\x1b" not in said + err


@pytest.mark.slow
@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="only Linux has a full device")
def test_an_output_that_takes_nothing():
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "xaiaudio", "data", "list"],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            timeout=60,
        )
    assert done.returncode == 1
    assert "disk is full" in complaint(done.stderr)


def test_an_out_that_is_a_file(capsys, tmp_path):
    path = sound(tmp_path / "a.wav")
    status, _, err = call(capsys, "explain", path, "--out", path, *QUICK)
    assert status == 1
    assert "--out" in err and "Traceback" not in err
    assert len(xa.load_audio(path)) == 32_000  # still there


@pytest.mark.parametrize("place", ["kept", "kept/below/it"])
def test_a_folder_that_cannot_be_made_is_named_before_the_work(capsys, tmp_path, place):
    (tmp_path / "kept").write_text("a file")
    path = sound(tmp_path / "noise.wav")
    status, said, err = call(capsys, "explain", path, "--out", tmp_path / place, *QUICK)
    assert status == 1 and not said
    assert "is a file: name a folder" in complaint(err)
    assert "..." not in err  # no explanation was begun


def test_a_folder_that_may_not_be_written_to(capsys, tmp_path, monkeypatch):
    # For the root user, who runs some tests, nothing is forbidden.
    monkeypatch.setattr("os.access", lambda path, mode, **more: not mode & os.W_OK)
    path = sound(tmp_path / "noise.wav")
    status, said, err = call(capsys, "explain", path, "--out", tmp_path / "new", *QUICK)
    assert status == 1 and not said and not (tmp_path / "new").exists()
    assert f"nothing can be written to {tmp_path}" in complaint(err)


@pytest.mark.slow
@pytest.mark.parametrize("closed", [">&-", "2>&-", ">&- 2>&-"])
def test_closed_streams_are_no_trouble(tmp_path, closed):
    sound(tmp_path / "a.wav")
    command = f"exec {sys.executable} -m xaiaudio explain a.wav -m gradcam --out out {closed}"
    done = subprocess.run(
        ["/bin/sh", "-c", command], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0
    assert "Traceback" not in done.stderr
    assert list((tmp_path / "out").glob("*.html"))


@pytest.mark.slow
def test_out_is_no_link_that_leads_nowhere(capsys, tmp_path):
    for name, target in {"circle": "circle", "gone": "nothing"}.items():
        (tmp_path / name).symlink_to(target)
        for place in (tmp_path / name, tmp_path / name / "below"):
            status, _, err = call(capsys, "explain", tmp_path / "a.wav", "--out", place)
            assert status == 1 and "a link that leads nowhere" in complaint(err)
        status, _, err = call(capsys, "train", tmp_path, "--out", tmp_path / name / "x.keras")
        assert status == 1 and "cannot be written to" in complaint(err)


def test_control_characters_are_written_out_but_lines_end():
    assert console.visible("a\x1b[31m\tb\nc\u202e") == "a\\x1b[31m\tb\nc\\u202e"
    assert console.visible("Glocke ü 鐘") == "Glocke ü 鐘" and console.visible(3.5) == "3.5"


def test_results_and_notes_go_where_they_belong(capsys):
    console.say("found\a")
    console.note("working\x7f")
    assert capsys.readouterr() == ("found\\x07\n", "working\\x7f\n")


@pytest.mark.parametrize(("count", "lines"), [(0, 0), (2, 2), (3, 3), (5, 4)])
def test_of_many_notes_the_rest_is_counted(capsys, count, lines):
    console.note_all("Bad", map(str, range(count)), most=3)
    said = capsys.readouterr().err.splitlines()
    assert len(said) == lines and said[:3] == [f"Bad: {number}" for number in range(min(count, 3))]
    assert count <= 3 or said[-1] == f"Bad: {count - 3} more."


@pytest.mark.parametrize(
    ("count", "told"),
    [(1, "1 file that is no sound"), (6, "6 files that are no sound")],
)
def test_files_that_are_no_sounds_are_named_with_their_folder(capsys, count, told):
    places = [Path("set") / "a" / f"{number}.txt" for number in range(count)]
    console.note_passed_over(SimpleNamespace(passed_over=places))
    said = capsys.readouterr().err
    assert told in said and "(a/0.txt" in said and said.count(".txt") == min(count, 5)
    assert said.endswith(", ...).\n") == (count > 5)
    console.note_passed_over(SimpleNamespace(passed_over=()))
    assert capsys.readouterr().err == ""


def test_a_warning_is_one_line_and_said_once(capsys):
    with console.warnings_in_lines():
        for text in ("two\nlines", "two\nlines", "another"):
            warnings.warn(text, xa.XaiAudioWarning, stacklevel=1)
        warnings.warn("for those who write the code", DeprecationWarning, stacklevel=1)
    assert capsys.readouterr().err == "Warning: two lines\nWarning: another\n"


def test_what_libraries_write_is_silenced_and_our_warnings_are_not(capfd):
    with pytest.warns(xa.XaiAudioWarning, match="ours"), console.quiet_libraries():
        os.write(2, b"chatter\n")
        warnings.warn("ours", xa.XaiAudioWarning, stacklevel=1)
        warnings.warn("theirs", UserWarning, stacklevel=1)
    os.write(2, b"after\n")
    assert capfd.readouterr().err == "after\n"


def test_an_error_passes_through_the_silence_which_ends(capfd):
    with pytest.raises(ZeroDivisionError), console.quiet_libraries():
        raise ZeroDivisionError
    os.write(2, b"after\n")
    assert capfd.readouterr().err == "after\n"


def test_square_brackets_in_a_table_are_no_markup(capsys):
    console.table(("name", "number"), [("[red]x", 1), ("b\x1b", "2")], title="All")
    said = capsys.readouterr().out
    assert "[red]x" in said and "b\\x1b" in said and said.startswith("All")


def test_a_package_is_gone_for_a_while_and_comes_back(monkeypatch):
    monkeypatch.delitem(sys.modules, "colorsys", raising=False)
    with console._without("colorsys"), pytest.raises(ImportError):
        importlib.import_module("colorsys")
    assert importlib.import_module("colorsys").rgb_to_hsv
    with console._without("colorsys"):  # what is there already stays
        assert importlib.import_module("colorsys")


def test_a_folder_that_can_be_made_is_no_complaint(tmp_path):
    console.check_folder(tmp_path / "deep" / "out")
    assert not (tmp_path / "deep").exists()
    (tmp_path / "file").touch()
    with pytest.raises(xa.XaiAudioError, match="--resume is .* is a file: name a folder"):
        console.check_folder(tmp_path / "file" / "out", "--resume")
