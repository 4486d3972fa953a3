"""Running the command line in tests: in this process, or for real in one of its own."""

import os
import subprocess
import sys

import numpy as np
import soundfile

RATE = 16_000
# A method that is quick.
QUICK = ("--method", "occlusion", "--set", "occlusion.mask=0.5", "--set", "occlusion.stride=0.5")


def call(capsys, *arguments):
    """Run a command in this process; return its exit status, output and errors."""
    from xaiaudio import cli

    capsys.readouterr()
    status = cli.main([str(argument) for argument in arguments])
    return status, *capsys.readouterr()


def run(*arguments, **environment):
    """Run a command in a process of its own."""
    return subprocess.run(
        [sys.executable, "-m", "xaiaudio", *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=180,
        env={**os.environ, **{name: str(value) for name, value in environment.items()}},
    )


def noise(seconds=2.0, *, rate=RATE, seed=0):
    """Return a soft noise."""
    wave = np.random.default_rng(seed).normal(0, 0.1, round(seconds * rate))
    return np.clip(wave, -1, 1).astype("float32")


def sound(path, wave=None, *, rate=RATE, **options):
    """Write a sound file and return its path."""
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, noise(rate=rate) if wave is None else wave, rate, **options)
    return path


def complaint(errors):
    """Check that errors are a message of one or two lines, no traceback; return it."""
    assert "Traceback" not in errors
    lines = [line for line in errors.splitlines() if line.startswith("xaiaudio: ")]
    assert len(lines) == 1, errors
    start = errors.index("xaiaudio: ")
    message = errors[start:].strip()
    assert len(message.splitlines()) <= 2, message
    return message


def left(folder):
    """Return the names of all that lies in a folder and below; nothing if it is not there."""
    return sorted(path.name for path in folder.rglob("*")) if folder.exists() else []
