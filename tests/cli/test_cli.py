"""The command line: what it prints, what it writes, how it ends."""

import os
import signal
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from commands import call, run

import xaiaudio as xa
from xaiaudio import cli

ROOT = Path(__file__).parents[2]


# What takes a second or more to import, and no help text needs.
SLOW = ("tensorflow", "keras", "matplotlib", "sklearn", "skimage", "pandas", "papermill", "sphinx")


@pytest.mark.slow
def test_help_teaches():
    done = run("--help")
    assert done.returncode == 0
    assert "xaiaudio explain dog.wav" in done.stdout


@pytest.mark.slow
def test_help_waits_for_no_slow_package():
    code = (
        "import sys; from xaiaudio import cli\n"
        "try: cli.main(['--help'])\n"
        "except SystemExit: pass\n"
        f"sys.exit(', '.join(set({SLOW}) & set(sys.modules)) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert "xaiaudio COMMAND --help" in done.stdout
    assert done.returncode == 0, done.stderr


def test_every_command_has_help_with_examples():
    text = cli.help_text()
    for command in ("explain", "train", "pretrain", "methods", "book", "data"):
        part = text[text.index(f"Usage: xaiaudio {command}") :]
        assert f"xaiaudio {command}" in part[part.index("Examples:") :]
    for command in ("fetch", "list", "info"):
        assert f"Usage: xaiaudio data {command}" in text


def test_version(capsys):
    status, out, _ = call(capsys, "--version")
    assert (status, out.strip()) == (0, f"xaiaudio {xa.__version__}")


@pytest.mark.slow
@pytest.mark.parametrize(
    "arguments",
    [
        ["explain"],
        ["explain", "x.wav", "--no-such-option"],
        ["explain", "x.wav", "--overlap", "2"],
        ["no-such-command"],
        ["train"],
        ["book", "--workers", "0"],
    ],
)
def test_mistyped_commands_end_with_2(capsys, arguments):
    status, out, err = call(capsys, *arguments)
    assert status == 2
    assert "Error" in err and not out
    assert "Traceback" not in err


def interrupted_at(module, folder, *command):
    """Run a command to which Ctrl-C comes as it imports a module."""
    (folder / f"{module}.py").write_text("import signal\nsignal.raise_signal(signal.SIGINT)\n")
    return subprocess.run(
        command,
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": f"{folder}:{os.environ.get('PYTHONPATH', '')}"},
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )


@pytest.mark.slow
def test_ctrl_c_during_the_imports_ends_with_130_and_one_line(tmp_path):
    pyproject = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    module, _, name = pyproject["project"]["scripts"]["xaiaudio"].partition(":")
    script = f"import sys; from {module} import {name}; sys.exit({name}())"
    for start in (("-m", "xaiaudio"), ("-c", script)):
        done = interrupted_at("typer", tmp_path, sys.executable, *start, "--version")
        assert (done.returncode, done.stdout, done.stderr) == (130, "", "Stopped.\n"), start


@pytest.mark.slow
def test_a_table_and_help_start_without_tensorflow():
    code = (
        "import sys; from xaiaudio.cli import main\n"
        "for words in (['--help'], ['methods'], ['data', 'list'], ['explain', '--help']):\n"
        "    assert main(words) == 0, words\n"
        "assert not {'tensorflow', 'keras', 'sklearn'} & set(sys.modules)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "gradcam" in done.stdout
